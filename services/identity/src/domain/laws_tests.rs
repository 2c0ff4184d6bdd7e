//! Laws over random lives of an account: what is decided folds, and what was ever written still does.

use docket_eventlog::Aggregate;
use docket_kernel::Refusal;
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1 as pb;
use docket_testkit::evolution::{Fold, owns};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const FOLD: Fold<Event, Account> = Fold {
    evolve: AccountAggregate::evolve,
    seen: |account| account,
    life: &[
        "account.registered.v1",
        "account.registration_overtaken.v1",
        "account.email_proven.v1",
        "account.second_factor_added.v1",
        "account.recovery_codes_issued.v1",
        "account.signed_in.v1",
        "account.identity_proven.v1",
        "account.identity_released.v1",
        "account.address_changed.v1",
        "account.address_recorded.v1",
        "account.role_granted.v1",
        "account.role_revoked.v1",
        "account.locked.v1",
        "account.unlocked.v1",
        "account.email_change_requested.v1",
        "account.email_change_withdrawn.v1",
        "account.email_changed.v1",
        "account.email_restored.v1",
    ],
    // Told to people and to the other services; the account itself is as before.
    changes_nothing: &[
        "account.recovery_codes_issued.v1",
        "account.signed_in.v1",
        "account.sign_in_refused.v1",
        "account.stepped_up.v1",
        "account.session_ended.v1",
    ],
};

/// A command with whatever a caller may send.
#[derive(Debug, Clone)]
enum Command {
    Register,
    ProveEmail,
    AddSecondFactor,
    SignIn { unlock: bool },
    RefuseSignIn { last_try: bool },
    StepUp,
    EndSession,
    ProveIdentity,
    ReleaseIdentity,
    Move(u8),
    Give(u8),
    GiveForCase(u8),
    Overtake,
    AskEmail(u8),
    WithdrawEmail(i64),
    ChangeEmail(u8, i64),
    TakeBackEmail(u8, i64),
    Grant(&'static str),
    Revoke(&'static str),
}

fn command() -> impl Strategy<Value = Command> {
    use Command::*;
    prop_oneof![
        2 => Just(Register),
        3 => Just(ProveEmail),
        3 => Just(AddSecondFactor),
        2 => any::<bool>().prop_map(|unlock| SignIn { unlock }),
        2 => any::<bool>().prop_map(|last_try| RefuseSignIn { last_try }),
        1 => Just(StepUp),
        1 => Just(EndSession),
        1 => Just(ProveIdentity),
        1 => Just(ReleaseIdentity),
        1 => (0..3_u8).prop_map(Move),
        1 => (0..6_u8).prop_map(Give),
        1 => (0..3_u8).prop_map(GiveForCase),
        1 => Just(Overtake),
        4 => (0..4_u8).prop_map(AskEmail),
        1 => (0..60_i64).prop_map(WithdrawEmail),
        4 => (0..4_u8, 0..60_i64).prop_map(|(n, now_us)| ChangeEmail(n, now_us)),
        3 => (0..4_u8, 0..60_i64).prop_map(|(n, now_us)| TakeBackEmail(n, now_us)),
        2 => prop::sample::select(&["operator", "adjudicator", "supervisor"][..]).prop_map(Grant),
        1 => prop::sample::select(&["operator", "adjudicator", "supervisor"][..]).prop_map(Revoke),
    ]
}

fn decide(account: &Account, command: &Command) -> Result<Vec<Event>, Refusal> {
    let session = Uuid::from_u128(7);
    match command {
        Command::Register => {
            let zone = "America/New_York".into();
            Ok(register(account, pb::AccountRegistered { language: "es".into(), zone, ..Default::default() }))
        }
        Command::ProveEmail => {
            prove_email(account, pb::EmailProven { language: "en".into(), ..Default::default() })
        }
        Command::AddSecondFactor => add_second_factor(account, "totp", 10),
        Command::SignIn { unlock } => sign_in(account, session, "pwd otp", unlock.then_some("recovery_code")),
        Command::RefuseSignIn { last_try } => Ok(lock(account, "password", *last_try)),
        Command::StepUp => step_up(account, session),
        Command::EndSession => Ok(end_session(session, "signed_out")),
        Command::ProveIdentity => {
            let (level, person_id) = ("register_matched".into(), Uuid::from_u128(9).to_string());
            link_person(account, pb::IdentityProven { level, person_id, ..Default::default() })
        }
        Command::ReleaseIdentity => {
            let person_id = Uuid::from_u128(9).to_string();
            Ok(release_identity(account, &pb::IdentityReleased { person_id, ..Default::default() }))
        }
        Command::Move(n) => {
            let (address, filing_id) = ("1 Example Row".into(), Uuid::from_u128(u128::from(*n)).to_string());
            change_address(account, pb::AddressChanged { address, filing_id, ..Default::default() })
        }
        Command::Give(n) => {
            let (address, filing_id) =
                ("2 Example Row".into(), Uuid::from_u128(100 + u128::from(*n)).to_string());
            let given_at_us = 1 + i64::from(*n);
            record_address(
                account,
                pb::AddressRecorded { address, filing_id, given_at_us, ..Default::default() },
            )
        }
        Command::GiveForCase(n) => {
            let (address, filing_id) =
                ("3 Example Row".into(), Uuid::from_u128(200 + u128::from(*n)).to_string());
            give_case_address(account, pb::CaseAddressGiven { address, filing_id, ..Default::default() })
        }
        Command::Overtake => Ok(match account.stage {
            Stage::None | Stage::Active => Vec::new(),
            Stage::Registered | Stage::EmailProven => vec![overtake_registration(Uuid::from_u128(8))],
        }),
        Command::AskEmail(n) => {
            let (change_id, email_stream) = address(*n);
            let asked =
                pb::EmailChangeRequested { change_id, email_stream, until_us: 30, ..Default::default() };
            request_email_change(account, &asked)
        }
        Command::WithdrawEmail(now_us) => withdraw_email_change(account, *now_us),
        Command::ChangeEmail(n, now_us) => {
            let (change_id, email_stream) = address(*n);
            let changed =
                pb::EmailChanged { change_id, email_stream, back_until_us: 40, ..Default::default() };
            change_email(account, &changed, *now_us, &[session])
        }
        Command::TakeBackEmail(n, now_us) => {
            let change = address(*n).0.parse().unwrap();
            take_back_email_change(account, change, "ina@example.org", *now_us, &[session])
        }
        Command::Grant(role) => grant_role(account, Uuid::from_u128(3), role, "NBC", "setup"),
        Command::Revoke(role) => revoke_role(account, role, "NBC", "left", Uuid::from_u128(9)),
    }
}

/// A change's id and the stream of its address.
fn address(n: u8) -> (String, String) {
    (Uuid::from_u128(300 + u128::from(n)).to_string(), format!("email-k1-0{n}"))
}

/// What must hold of every event that was decided.
#[expect(clippy::wildcard_enum_match_arm, reason = "the law says nothing of the others")]
fn holds(before: &Account, event: &Event, after: &Account) {
    match event {
        Event::AccountRegistered(_) => assert_eq!(before.stage, Stage::None),
        Event::SignedIn(_) => assert!(before.stage == Stage::Active && !before.locked),
        Event::SteppedUp(_) | Event::RoleGranted(_) => assert_eq!(before.stage, Stage::Active),
        Event::RoleRevoked(_) => assert_eq!(before.roles.len(), after.roles.len() + 1),
        Event::IdentityProven(_) => assert!(before.identity.is_none() && before.stage == Stage::Active),
        Event::IdentityReleased(_) => assert!(before.identity.is_some() && after.identity.is_none()),
        Event::AddressChanged(_) => assert_ne!(before.addresses_from, after.addresses_from),
        Event::AddressRecorded(_) => {
            assert_ne!(before.addresses_from, after.addresses_from);
            assert!(
                before.address_given_at_us <= after.address_given_at_us,
                "an older one is never of record"
            );
        }
        Event::CaseAddressGiven(_) => {
            assert_ne!(before.addresses_from, after.addresses_from);
            assert_eq!(before.address_given_at_us, after.address_given_at_us, "it is not the account's");
        }
        Event::EmailProven(_) | Event::SecondFactorAdded(_) => assert!(!before.overtaken),
        Event::RegistrationOvertaken(_) => assert!(before.stage < Stage::Active && after.overtaken),
        Event::EmailChangeRequested(asked) => {
            assert_ne!(asked.email_stream, before.email_stream);
            assert_eq!(
                before.email_stream, after.email_stream,
                "it is not the account's before it is proven"
            );
        }
        Event::EmailChangeWithdrawn(_) => {
            assert!(before.email_change.is_some() && after.email_change.is_none());
            assert_eq!(before.email_stream, after.email_stream);
        }
        Event::EmailChanged(changed) => {
            let asked = before.email_change.as_ref().unwrap();
            assert_eq!(
                (&asked.stream, asked.id.to_string()),
                (&after.email_stream, changed.change_id.clone())
            );
            let way_back = after.emails_before.last().unwrap();
            assert_eq!(way_back.stream, before.email_stream, "the address before can take it back");
        }
        Event::EmailRestored(_) => {
            assert!(after.emails_before.len() < before.emails_before.len(), "a code is good once");
            assert_eq!(after.email_stream, before.emails_before[after.emails_before.len()].stream);
            assert!(after.email_change.is_none());
        }
        Event::AccountLocked(_) => assert!(!before.locked && after.locked),
        Event::AccountUnlocked(_) => assert!(before.locked && !after.locked),
        _ => {}
    }
    assert!(after.stage >= before.stage, "an account never goes back");
    let holds = |role: &str| after.roles.iter().any(|(held, _)| held == role);
    assert!(!(holds("operator") && (holds("adjudicator") || holds("supervisor"))));
}

#[test]
fn the_events_of_this_service_fold() {
    let guards = "the stream guards that an address is one account's only; its last event is read as it is";
    owns("docket.identity.events.v1", &["account", "person", "subject"], &[("email", guards)]);
    FOLD.every_golden_folds();
}

#[test]
fn any_events_of_an_account_obey_the_laws_of_a_fold() {
    FOLD.any_events_obey_the_laws();
}

#[test]
fn whatever_is_decided_for_an_account_folds() {
    // A failed proofing is appended as it is, without a rule of its own.
    FOLD.decided_lives(&["account.identity_proofing_failed.v1"], command(), decide, holds);
}
