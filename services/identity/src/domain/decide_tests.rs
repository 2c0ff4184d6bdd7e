//! The rules of accounts, one test each: given these events, when this is asked, then that.

use docket_eventlog::Aggregate;
use docket_kernel::Refusal;
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1 as pb;
use uuid::Uuid;

use super::*;

const SESSION: Uuid = Uuid::from_u128(7);
const ACCOUNT: Uuid = Uuid::from_u128(8);

fn given(events: impl IntoIterator<Item = Event>) -> Account {
    events.into_iter().fold(Account::default(), |account, event| AccountAggregate::evolve(account, &event))
}

fn registered() -> Event {
    pb::AccountRegistered { language: "en".into(), zone: "America/New_York".into(), ..Default::default() }
        .into()
}

fn email_proven() -> Event {
    pb::EmailProven::default().into()
}

fn factor() -> Event {
    pb::SecondFactorAdded { method: "totp".into() }.into()
}

fn refused(reason: &str) -> Event {
    pb::SignInRefused { reason: reason.into() }.into()
}

fn locked() -> Event {
    pb::AccountLocked { method: "password".into() }.into()
}

fn role(role: &str) -> Event {
    pb::RoleGranted { role: role.into(), office: "NBC".into(), ..Default::default() }.into()
}

fn active() -> Account {
    given([registered(), email_proven(), factor()])
}

fn kinds(decision: Result<Vec<Event>, Refusal>) -> Vec<&'static str> {
    use docket_kernel::EventEnum;
    decision.unwrap().iter().map(EventEnum::kind).collect()
}

fn reason(decision: Result<Vec<Event>, Refusal>) -> &'static str {
    decision.unwrap_err().reason
}

#[test]
fn no_session_without_a_proven_address_and_a_second_factor() {
    for account in [given([]), given([registered()]), given([registered(), email_proven()])] {
        assert_eq!(reason(sign_in(&account, SESSION, "pwd otp", None)), "SIGN_IN_REFUSED");
    }
    assert_eq!(kinds(sign_in(&active(), SESSION, "pwd otp", None)), ["account.signed_in.v1"]);
}

#[test]
fn a_second_factor_needs_a_proven_address() {
    assert_eq!(reason(add_second_factor(&given([registered()]), "totp", 10)), "EMAIL_NOT_PROVEN");
    assert_eq!(
        kinds(add_second_factor(&given([registered(), email_proven()]), "totp", 10)),
        ["account.second_factor_added.v1", "account.recovery_codes_issued.v1"]
    );
    assert_eq!(reason(add_second_factor(&active(), "totp", 10)), "ALREADY_ACTIVE");
}

#[test]
fn what_the_registration_said_that_proved_the_address_last_counts() {
    let said =
        pb::EmailProven { language: "es".into(), zone: "America/Chicago".into(), ..Default::default() };
    for before in [vec![registered()], vec![registered(), email_proven()]] {
        let proven = prove_email(&given(before.clone()), said.clone()).unwrap();
        assert_eq!(kinds(Ok(proven.clone())), ["account.email_proven.v1"]);
        let account = given(before.into_iter().chain(proven));
        assert_eq!([account.language.as_str(), account.zone.as_str()], ["es", "America/Chicago"]);
    }
    let silent = given([registered(), email_proven()]);
    assert_eq!([silent.language.as_str(), silent.zone.as_str()], ["en", "America/New_York"]);
    assert_eq!(reason(prove_email(&active(), said.clone())), "ALREADY_ACTIVE");
    assert_eq!(reason(prove_email(&given([]), said)), "NOT_FOUND");
}

#[test]
fn an_account_is_opened_once() {
    let event = pb::AccountRegistered::default();
    assert_eq!(kinds(Ok(register(&given([]), event.clone()))), ["account.registered.v1"]);
    assert!(kinds(Ok(register(&active(), event))).is_empty());
}

#[test]
fn the_last_try_locks_the_password_once() {
    assert_eq!(kinds(Ok(lock(&active(), "password", false))), ["account.sign_in_refused.v1"]);
    assert_eq!(
        kinds(Ok(lock(&active(), "password", true))),
        ["account.sign_in_refused.v1", "account.locked.v1"]
    );
    let account = given([registered(), email_proven(), factor(), locked()]);
    assert_eq!(kinds(Ok(lock(&account, "locked", true))), ["account.sign_in_refused.v1"]);
    let again = given([registered(), email_proven(), factor(), locked(), refused("locked")]);
    assert!(kinds(Ok(lock(&again, "locked", true))).is_empty(), "a locked password tried again is no news");
    let judged =
        given([registered(), email_proven(), factor(), locked(), refused("locked"), refused("password")]);
    assert_eq!(kinds(Ok(lock(&judged, "locked", true))), ["account.sign_in_refused.v1"]);
    assert!(kinds(Ok(lock(&given([]), "password", true))).is_empty());
}

#[test]
fn a_locked_password_opens_only_to_a_recovery_code_or_time() {
    let account = given([registered(), email_proven(), factor(), locked()]);
    assert_eq!(account.state_word(), "locked");
    assert_eq!(reason(sign_in(&account, SESSION, "pwd otp", None)), "SIGN_IN_REFUSED");
    assert_eq!(
        kinds(sign_in(&account, SESSION, "pwd recovery", Some("recovery_code"))),
        ["account.unlocked.v1", "account.signed_in.v1"]
    );
    let freed =
        given([registered(), email_proven(), factor(), locked(), pb::AccountUnlocked::default().into()]);
    assert_eq!(freed.state_word(), "active");
}

#[test]
fn roles_that_exclude_each_other_are_not_given_to_one_account_nor_any_by_oneself() {
    let grant = |account: &Account, role: &str, by: &str| grant_role(account, ACCOUNT, role, "NBC", by);
    for (held, asked) in [("operator", "adjudicator"), ("supervisor", "operator"), ("finance", "auditor")] {
        let account = given([registered(), email_proven(), factor(), role(held)]);
        assert_eq!(reason(grant(&account, asked, "setup")), "ROLES_EXCLUDE_EACH_OTHER");
    }
    let own = format!("account:{ACCOUNT}");
    assert_eq!(reason(grant(&active(), "adjudicator", &own)), "INVITATION_OF_ONES_OWN");
    assert_eq!(kinds(grant(&active(), "adjudicator", "setup")), ["account.role_granted.v1"]);
}

#[test]
fn a_role_held_is_not_granted_again_and_ends_when_revoked() {
    let account = given([registered(), email_proven(), factor(), role("supervisor")]);
    assert!(kinds(grant_role(&account, ACCOUNT, "supervisor", "NBC", "setup")).is_empty());
    let revoke = |account: &Account, reason: &str| revoke_role(account, "supervisor", "NBC", reason, SESSION);
    assert_eq!(reason(revoke(&account, "tired")), "ROLE_REASON_UNKNOWN");
    let revoked = revoke(&account, "left").unwrap();
    assert_eq!(kinds(Ok(revoked.clone())), ["account.role_revoked.v1"]);
    let account =
        given([registered(), email_proven(), factor(), role("supervisor")].into_iter().chain(revoked));
    assert!(account.roles.is_empty());
    assert_eq!(reason(revoke(&account, "left")), "ROLE_NOT_HELD");
    assert_eq!(reason(revoke(&given([]), "left")), "NOT_FOUND");
    assert_eq!(
        kinds(grant_role(&account, ACCOUNT, "supervisor", "NBC", "setup")),
        ["account.role_granted.v1"]
    );
}

#[test]
fn an_account_stands_for_one_person_once() {
    let proven = pb::IdentityProven {
        level: "register_matched".into(),
        person_id: Uuid::from_u128(9).to_string(),
        ..Default::default()
    };
    assert_eq!(kinds(link_person(&active(), proven.clone())), ["account.identity_proven.v1"]);
    let account = given([registered(), email_proven(), factor(), proven.clone().into()]);
    assert_eq!(account.identity_level(), "register_matched");
    assert_eq!(account.state_word(), "identity_proven");
    assert_eq!(reason(link_person(&account, proven)), "IDENTITY_ALREADY_PROVEN");
}

#[test]
fn only_an_active_account_steps_up() {
    assert_eq!(reason(step_up(&given([registered()]), SESSION)), "NOT_FOUND");
    assert_eq!(kinds(step_up(&active(), SESSION)), ["account.stepped_up.v1"]);
    assert_eq!(kinds(Ok(end_session(SESSION, "signed_out"))), ["account.session_ended.v1"]);
}

#[test]
fn an_address_given_earlier_never_takes_the_place_of_one_given_later() {
    let stated = |filing: u128, given_at_us| pb::AddressRecorded {
        address: "1 Example Row".into(),
        filing_id: Uuid::from_u128(filing).to_string(),
        given_at_us,
        ..Default::default()
    };
    let account = given([registered(), email_proven(), factor(), stated(1, 200).into()]);
    assert_eq!(kinds(record_address(&account, stated(2, 300))), ["account.address_recorded.v1"]);
    assert!(kinds(record_address(&account, stated(2, 100))).is_empty());
    assert!(kinds(record_address(&account, stated(1, 300))).is_empty(), "the same filing again");
    let empty = pb::AddressRecorded { address: " ".into(), ..stated(2, 300) };
    assert_eq!(reason(record_address(&account, empty)), "ADDRESS_MISSING");
    assert_eq!(reason(record_address(&given([]), stated(1, 1))), "NOT_FOUND");

    // A move that is told late is noted, since cases go by it; the address of record and the zone stay.
    let late = pb::AddressChanged {
        address: "2 Example Row".into(),
        filing_id: Uuid::from_u128(3).to_string(),
        zone: "Pacific/Honolulu".into(),
        given_at_us: 150,
        ..Default::default()
    };
    assert_eq!(kinds(change_address(&account, late.clone())), ["account.address_changed.v1"]);
    let after = AccountAggregate::evolve(account.clone(), &late.clone().into());
    assert_eq!((after.address_given_at_us, &after.zone), (200, &account.zone));

    // So they do when a child moved, for whom the owner signed, however late that was.
    let childs = pb::AddressChanged { for_another: true, given_at_us: 900, ..late };
    let after = AccountAggregate::evolve(account.clone(), &childs.clone().into());
    assert_eq!((after.address_given_at_us, &after.zone), (200, &account.zone));
    assert!(kinds(change_address(&after, childs)).is_empty(), "the same report again");
}
