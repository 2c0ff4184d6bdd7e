//! An account as it is shown: the fold, with the personal fields opened at this edge.

use std::collections::BTreeMap;

use docket_eventlog::Recorded;
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1 as pb;
use docket_service::ApiError;
use uuid::Uuid;

use super::Identity;
use crate::domain::{Account, Stage, asked_email_change, supersedes};

/// An account with its personal data.
#[derive(Debug, Default)]
pub(crate) struct AccountView {
    /// Id.
    pub(crate) id: Uuid,
    /// The fold.
    pub(crate) account: Account,
    /// Address.
    pub(crate) email: String,
    /// The address that was asked for and can be confirmed; else empty.
    pub(crate) new_email: String,
    /// Every address that it ever had, as typed, by the stream that guards it.
    pub(super) emails: BTreeMap<String, String>,
    /// Family name as proven; empty before.
    pub(crate) family_name: String,
    /// Given name as proven; empty before.
    pub(crate) given_name: String,
    /// Address of record, line by line; empty when none was given.
    pub(crate) postal_address: String,
    /// Where mail goes when that is elsewhere.
    pub(crate) mailing_address: String,
    /// Addresses that forms gave for their case alone, by filing: where mail goes, and when it was given.
    case_addresses: BTreeMap<String, (String, i64)>,
    /// Moves that were reported, in order.
    moves: Vec<Move>,
    /// Whether the account's key was destroyed.
    pub(crate) erased: bool,
    /// Its events, oldest first.
    pub(crate) events: Vec<Recorded>,
}

/// A move that was reported.
#[derive(Debug)]
struct Move {
    /// When.
    at_us: i64,
    /// The receipt numbers of the cases that it is for.
    receipts: Vec<String>,
    /// Somebody else's than the account's; none where its owner moved.
    anothers: Option<Anothers>,
}

/// The move of somebody for whom the account's owner signed.
#[derive(Debug)]
struct Anothers {
    /// Where mail goes from then on.
    mail_to: String,
    /// The cases that it is for beside those that it names, and its own.
    cases: Vec<String>,
}

impl Move {
    fn of(it: pb::AddressChanged) -> Self {
        let anothers = it.for_another.then(|| {
            let cases = [it.case_ids, vec![it.filing_id]].concat();
            Anothers { mail_to: mail_goes_to(it.address, it.mailing), cases }
        });
        Self { at_us: it.given_at_us, receipts: it.receipt_numbers, anothers }
    }

    /// Whether mail about a case goes by it. The owner's, where it names none, is for all cases of the account.
    fn is_for(&self, case: &str, receipt: &str) -> bool {
        let named = self.receipts.iter().any(|one| one == receipt && !one.is_empty());
        named
            || match &self.anothers {
                None => self.receipts.is_empty(),
                Some(another) => another.cases.iter().any(|one| one == case),
            }
    }
}

impl AccountView {
    /// How many events it has.
    pub(super) fn version(&self) -> u64 {
        self.events.last().map_or(0, |last| last.version)
    }

    /// It has an e-mail address from here on.
    fn has_email(&mut self, stream: String, email: String) {
        self.email.clone_from(&email);
        self.emails.insert(stream, email);
    }

    /// Takes an address and where mail goes, unless those that it has were given later.
    fn addressed(&mut self, address: (String, String), given_at_us: i64, of_record_us: &mut i64) {
        if supersedes(given_at_us, *of_record_us) {
            *of_record_us = given_at_us.max(*of_record_us);
            (self.postal_address, self.mailing_address) = address;
        }
    }

    /// Where mail about a case goes, and when that was given: what its form gave for it alone, or whoever it is about moved to since,
    /// unless the account's owner reported a move of their own for it later; else what is on record.
    pub(crate) fn mail_about(&self, case: &str, receipt: &str) -> (&str, i64) {
        let given = self.case_addresses.get(case).map(|(address, at_us)| (address.as_str(), *at_us));
        let since = |moved: &&Move| given.is_none_or(|(_, at_us)| moved.at_us > at_us);
        let moves = self.moves.iter().filter(|moved| moved.is_for(case, receipt)).filter(since);
        let its_own = match moves.max_by_key(|moved| moved.at_us) {
            Some(Move { at_us, anothers, .. }) => anothers.as_ref().map(|it| (it.mail_to.as_str(), *at_us)),
            None => given,
        };
        its_own.unwrap_or((
            mail_goes_to(&self.postal_address, &self.mailing_address),
            self.account.address_given_at_us,
        ))
    }
}

/// Where mail goes for who lives at `address`: there, unless another place is said; line by line.
fn mail_goes_to<S: AsRef<str>>(address: S, mailing: S) -> S {
    if mailing.as_ref().is_empty() { address } else { mailing }
}

impl Identity {
    /// An account.
    ///
    /// # Errors
    /// `NOT_FOUND`; the log and the vault.
    pub(crate) async fn view(&self, id: Uuid) -> Result<AccountView, ApiError> {
        let loaded = self.accounts.load(id).await?;
        if loaded.state.stage == Stage::None {
            return Err(ApiError::not_found());
        }
        let mut view = AccountView { id, account: loaded.state, ..AccountView::default() };
        let (mut given_at_us, mut first_stream) = (0, String::new());
        for event in &loaded.events {
            if event.sealed.is_empty() {
                continue;
            }
            let opened = self.log.open_payload(event).await?;
            view.erased |= opened.is_erased();
            let event = opened.decode::<Event>(&event.kind)?;
            if let Event::AccountRegistered(registered) = event {
                view.has_email(registered.email_stream.clone(), registered.email);
                first_stream = registered.email_stream;
            } else if let Event::EmailProven(proven) = event {
                // Events from before that was kept say nothing.
                if !proven.email.is_empty() {
                    view.has_email(first_stream.clone(), proven.email);
                }
            } else if let Event::EmailChangeRequested(asked) = event {
                view.new_email = asked.email;
            } else if let Event::EmailChanged(changed) = event {
                view.has_email(changed.email_stream, changed.email);
            } else if let Event::EmailRestored(restored) = event {
                view.has_email(restored.email_stream, restored.email);
            } else if let Event::IdentityProven(proven) = event {
                view.family_name = proven.family_name;
                view.given_name = proven.given_name;
            } else if let Event::AddressChanged(it) = event {
                if !it.for_another {
                    let address = (it.address.clone(), it.mailing.clone());
                    view.addressed(address, it.given_at_us, &mut given_at_us);
                }
                view.moves.push(Move::of(it));
            } else if let Event::AddressRecorded(it) = event {
                view.addressed((it.address, it.mailing), it.given_at_us, &mut given_at_us);
            } else if let Event::CaseAddressGiven(it) = event {
                let mail_to = mail_goes_to(it.address, it.mailing);
                view.case_addresses.insert(it.filing_id, (mail_to, it.given_at_us));
            }
        }
        if view.account.identity.is_none() {
            // The person was released: the name is not this account's any more.
            view.family_name.clear();
            view.given_name.clear();
        }
        if asked_email_change(&view.account, self.now().as_microsecond()).is_err() {
            view.new_email.clear();
        }
        view.events = loaded.events;
        Ok(view)
    }
}
