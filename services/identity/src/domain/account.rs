//! The account as the fold of its stream.

use std::collections::BTreeSet;

use docket_eventlog::Aggregate;
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1 as pb;
use uuid::Uuid;

/// Why a try of a locked password is refused, as `SignInRefused` says it.
pub(crate) const LOCKED: &str = "locked";

/// How far an account has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// There is no such account.
    #[default]
    None,
    /// The address is not proven.
    Registered,
    /// The address is proven; a second factor is missing.
    EmailProven,
    /// The account can be used.
    Active,
}

/// A change of the e-mail address, asked for or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmailChange {
    /// Its id.
    pub(crate) id: Uuid,
    /// The stream of the other address: the new one while it is asked for, the one before when it is made.
    pub(crate) stream: String,
    /// Until when it can be confirmed, or taken back, microseconds since the epoch.
    pub(crate) until_us: i64,
}

/// An account. Holds no personal data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// How far it has come.
    pub(crate) stage: Stage,
    /// `en` or `es`.
    pub(crate) language: String,
    /// IANA zone of the person.
    pub(crate) zone: String,
    /// Level of identity and person, when proven.
    pub(crate) identity: Option<(String, Uuid)>,
    /// The person whom its owner proved to be last, but who is linked to another account.
    pub(crate) linked_elsewhere: Option<Uuid>,
    /// The filings that an address came from.
    pub(crate) addresses_from: BTreeSet<Uuid>,
    /// When the address of record was given, microseconds since the epoch; 0 before, and of one from before that was kept.
    pub(crate) address_given_at_us: i64,
    /// Roles, each at an office.
    pub(crate) roles: BTreeSet<(String, String)>,
    /// The stream of the e-mail address by which its owner signs in.
    pub(crate) email_stream: String,
    /// The change of that address which was asked for last and is not made.
    pub(crate) email_change: Option<EmailChange>,
    /// The changes that were made and not taken back, oldest first: each with the stream of the address before, and until when that one
    /// can take it back.
    pub(crate) emails_before: Vec<EmailChange>,
    /// Whether its address was proven to be another account's before it was finished: it never is.
    pub(crate) overtaken: bool,
    /// Whether the password is locked after too many failures.
    pub(crate) locked: bool,
    /// Whether the last thing that was refused was a try of the locked password.
    pub(crate) refused_as_locked: bool,
}

impl Account {
    /// The state as its owner sees it (`Account.state` of the API).
    pub(crate) fn state_word(&self) -> &'static str {
        match (self.stage, self.locked, &self.identity) {
            (Stage::None, ..) => "",
            (_, true, _) => "locked",
            (Stage::Registered, ..) => "registered",
            (Stage::EmailProven, ..) => "email_proven",
            (Stage::Active, _, None) => "active",
            (Stage::Active, _, Some(_)) => "identity_proven",
        }
    }

    /// Level of identity: `none` or `register_matched`.
    pub(crate) fn identity_level(&self) -> &str {
        self.identity.as_ref().map_or("none", |(level, _)| level.as_str())
    }
}

impl Account {
    /// Notes an address; whether it is the one of record from then on.
    fn takes_address(&mut self, filing_id: &str, given_at_us: i64) -> bool {
        self.addresses_from.extend(Uuid::try_parse(filing_id));
        let of_record = supersedes(given_at_us, self.address_given_at_us);
        if of_record {
            self.address_given_at_us = self.address_given_at_us.max(given_at_us);
        }
        of_record
    }
}

impl Account {
    /// A change that was asked for will not be made.
    fn gives_up(&mut self, change: Uuid) {
        self.email_change.take_if(|asked| asked.id == change);
    }

    /// It has another e-mail address.
    fn takes_email(&mut self, changed: &pb::EmailChanged) {
        let id = read(&changed.change_id);
        let stream = std::mem::replace(&mut self.email_stream, changed.email_stream.clone());
        self.emails_before.push(EmailChange { id, stream, until_us: changed.back_until_us });
        self.email_change = None;
    }

    /// It has the e-mail address that it had before a change: none that was made since stands, and none is asked for.
    fn restores_email(&mut self, restored: &pb::EmailRestored) {
        let id = read(&restored.change_id);
        let stands = self.emails_before.iter().position(|change| change.id == id);
        self.emails_before.truncate(stands.unwrap_or_default());
        self.email_stream.clone_from(&restored.email_stream);
        self.email_change = None;
    }
}

/// An id in an event, which was written as one.
fn read(id: &str) -> Uuid {
    id.parse().unwrap_or_default()
}

/// Whether an address takes the place of the one of record: one given earlier never does, in whatever order they are heard of.
pub(crate) fn supersedes(given_at_us: i64, of_record_us: i64) -> bool {
    given_at_us == 0 || given_at_us >= of_record_us
}

/// The aggregate of the category `account`.
#[derive(Debug)]
pub(crate) struct AccountAggregate;

impl Aggregate for AccountAggregate {
    type Event = Event;
    type State = Account;

    fn evolve(mut account: Account, event: &Event) -> Account {
        match event {
            Event::AccountRegistered(registered) => {
                account.stage = Stage::Registered;
                account.language.clone_from(&registered.language);
                account.zone.clone_from(&registered.zone);
                account.email_stream.clone_from(&registered.email_stream);
            }
            Event::EmailProven(proven) => {
                account.stage = account.stage.max(Stage::EmailProven);
                for (said, kept) in
                    [(&proven.language, &mut account.language), (&proven.zone, &mut account.zone)]
                {
                    if !said.is_empty() {
                        kept.clone_from(said);
                    }
                }
            }
            Event::RegistrationOvertaken(_) => account.overtaken = true,
            Event::EmailChangeRequested(asked) => {
                let (stream, until_us) = (asked.email_stream.clone(), asked.until_us);
                account.email_change = Some(EmailChange { id: read(&asked.change_id), stream, until_us });
            }
            Event::EmailChangeWithdrawn(withdrawn) => account.gives_up(read(&withdrawn.change_id)),
            Event::EmailChanged(changed) => account.takes_email(changed),
            Event::EmailRestored(restored) => account.restores_email(restored),
            Event::SecondFactorAdded(_) => account.stage = Stage::Active,
            Event::IdentityProven(proven) => {
                account.identity = Some((proven.level.clone(), proven.person_id.parse().unwrap_or_default()));
                account.linked_elsewhere = None;
            }
            Event::IdentityReleased(_) => account.identity = None,
            Event::IdentityProofingFailed(failed) => {
                account.linked_elsewhere = failed.person_id.parse().ok().or(account.linked_elsewhere);
            }
            Event::RoleGranted(granted) => {
                account.roles.insert((granted.role.clone(), granted.office.clone()));
            }
            Event::RoleRevoked(revoked) => {
                account.roles.remove(&(revoked.role.clone(), revoked.office.clone()));
            }
            // Somebody else's, whom the owner signed for.
            Event::AddressChanged(changed) if changed.for_another => {
                account.addresses_from.extend(Uuid::try_parse(&changed.filing_id));
            }
            Event::AddressChanged(changed) => {
                let of_record = account.takes_address(&changed.filing_id, changed.given_at_us);
                if of_record && !changed.zone.is_empty() {
                    account.zone.clone_from(&changed.zone);
                }
            }
            Event::AddressRecorded(recorded) => {
                account.takes_address(&recorded.filing_id, recorded.given_at_us);
            }
            Event::CaseAddressGiven(given) => {
                account.addresses_from.extend(Uuid::try_parse(&given.filing_id));
            }
            Event::AccountLocked(_) => account.locked = true,
            Event::AccountUnlocked(_) => account.locked = false,
            Event::SignInRefused(refused) => account.refused_as_locked = refused.reason == LOCKED,
            Event::RecoveryCodesIssued(_)
            | Event::SignedIn(_)
            | Event::SteppedUp(_)
            | Event::SessionEnded(_) => {}
        }
        account
    }
}
