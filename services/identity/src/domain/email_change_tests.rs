//! The rules of another e-mail address for an account, one test each.

use docket_eventlog::Aggregate;
use docket_kernel::{EventEnum, Refusal};
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1 as pb;
use uuid::Uuid;

use super::*;

const SESSION: Uuid = Uuid::from_u128(7);
/// Until when codes are good, and an instant before.
const UNTIL: i64 = 1_000;
const NOW: i64 = 500;

fn given(events: impl IntoIterator<Item = Event>) -> Account {
    events.into_iter().fold(Account::default(), |account, event| AccountAggregate::evolve(account, &event))
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn opened() -> Vec<Event> {
    vec![
        pb::AccountRegistered { email_stream: "email-k1-0".into(), ..Default::default() }.into(),
        pb::EmailProven::default().into(),
        pb::SecondFactorAdded { method: "totp".into() }.into(),
    ]
}

fn asked(n: u128) -> pb::EmailChangeRequested {
    let (change_id, email_stream) = (id(n).to_string(), format!("email-k1-{n}"));
    pb::EmailChangeRequested { change_id, email: format!("{n}@example.org"), email_stream, until_us: UNTIL }
}

fn changed(n: u128) -> pb::EmailChanged {
    let pb::EmailChangeRequested { change_id, email, email_stream, .. } = asked(n);
    pb::EmailChanged { change_id, email, email_stream, back_until_us: UNTIL }
}

/// An account with these changes, one after the other.
fn moved(changes: impl IntoIterator<Item = u128>) -> Account {
    let made = changes.into_iter().flat_map(|n| [asked(n).into(), changed(n).into()]);
    given(opened().into_iter().chain(made))
}

fn pending(n: u128) -> Account {
    given(opened().into_iter().chain([asked(n).into()]))
}

fn kinds(decision: Result<Vec<Event>, Refusal>) -> Vec<&'static str> {
    decision.unwrap().iter().map(EventEnum::kind).collect()
}

fn reason(decision: Result<Vec<Event>, Refusal>) -> &'static str {
    decision.unwrap_err().reason
}

#[test]
fn another_address_is_asked_for_and_only_its_code_makes_it_the_accounts() {
    let account = pending(1);
    assert_eq!(account.email_stream, "email-k1-0");
    assert_eq!(
        kinds(change_email(&account, &changed(1), NOW, &[SESSION])),
        ["account.email_changed.v1", "account.session_ended.v1"]
    );
    assert_eq!(moved([1]).email_stream, "email-k1-1");
    assert_eq!(reason(change_email(&moved([1]), &changed(1), NOW, &[])), "NO_EMAIL_CHANGE_ASKED");
}

#[test]
fn the_address_that_the_account_has_is_no_other_one_and_an_unfinished_account_has_none_to_change() {
    let own = pb::EmailChangeRequested { email_stream: "email-k1-0".into(), ..asked(1) };
    assert_eq!(reason(request_email_change(&pending(1), &own)), "EMAIL_UNCHANGED");
    let unfinished = given(opened().into_iter().take(2));
    assert_eq!(request_email_change(&unfinished, &asked(1)).unwrap_err(), Refusal::not_found());
}

#[test]
fn a_second_request_takes_the_place_of_the_first() {
    let account = given(opened().into_iter().chain([asked(1).into(), asked(2).into()]));
    assert_eq!(reason(change_email(&account, &changed(1), NOW, &[])), "CODE_WRONG");
    assert_eq!(reason(take_back_email_change(&account, id(1), "", NOW, &[])), "CODE_WRONG");
    assert_eq!(kinds(change_email(&account, &changed(2), NOW, &[])), ["account.email_changed.v1"]);
}

#[test]
fn what_was_asked_for_is_over_with_its_time_or_when_it_is_given_up() {
    for now_us in [UNTIL, UNTIL + 1] {
        assert_eq!(reason(change_email(&pending(1), &changed(1), now_us, &[])), "NO_EMAIL_CHANGE_ASKED");
        assert_eq!(reason(withdraw_email_change(&pending(1), now_us)), "NO_EMAIL_CHANGE_ASKED");
        assert_eq!(reason(take_back_email_change(&pending(1), id(1), "", now_us, &[])), "CODE_WRONG");
    }
    let withdrawn = withdraw_email_change(&pending(1), NOW).unwrap();
    let account = given(opened().into_iter().chain([asked(1).into()]).chain(withdrawn));
    assert_eq!(account.email_change, None);
    assert_eq!(reason(withdraw_email_change(&account, NOW)), "NO_EMAIL_CHANGE_ASKED");
}

#[test]
fn whoever_reads_the_mail_of_the_address_before_stops_it_and_all_sessions_end() {
    let stopped = take_back_email_change(&pending(1), id(1), "", NOW, &[SESSION, id(8)]);
    assert_eq!(
        kinds(stopped),
        ["account.email_change_withdrawn.v1", "account.session_ended.v1", "account.session_ended.v1"]
    );
    assert_eq!(way_back(&pending(1), id(1), NOW), Ok(WayBack::Stop));
}

#[test]
fn a_change_that_was_made_is_taken_back_once_and_in_time() {
    let account = moved([1]);
    let back = take_back_email_change(&account, id(1), "0@example.org", NOW, &[SESSION]).unwrap();
    assert!(
        matches!(&back[0], Event::EmailRestored(it) if it.email == "0@example.org" && it.email_stream == "email-k1-0")
    );
    assert_eq!(reason(take_back_email_change(&account, id(1), "", UNTIL, &[])), "CODE_WRONG");
    let account = back.iter().fold(account, AccountAggregate::evolve);
    assert_eq!((account.email_stream.as_str(), account.emails_before.len()), ("email-k1-0", 0));
    assert_eq!(reason(take_back_email_change(&account, id(1), "", NOW, &[])), "CODE_WRONG");
}

#[test]
fn a_further_change_does_not_cut_off_who_had_the_address_before_and_is_over_with_the_first() {
    let account = moved([1, 2]);
    assert_eq!(way_back(&account, id(2), NOW), Ok(WayBack::Restore("email-k1-1".into())));
    let back = take_back_email_change(&account, id(1), "", NOW, &[]).unwrap();
    let account = back.iter().fold(account, AccountAggregate::evolve);
    assert_eq!(account.email_stream, "email-k1-0");
    assert_eq!(reason(take_back_email_change(&account, id(2), "", NOW, &[])), "CODE_WRONG");
}

#[test]
fn an_address_that_can_take_an_earlier_change_back_stays_kept_when_a_later_one_is_taken_back() {
    // From 0 to 1, back to 0, and on to 3.
    let request = pb::EmailChangeRequested { email_stream: "email-k1-0".into(), ..asked(2) };
    let change = pb::EmailChanged { email_stream: "email-k1-0".into(), ..changed(2) };
    let there = [request.into(), change.into()].iter().fold(moved([1]), AccountAggregate::evolve);
    let on = [asked(3).into(), changed(3).into()].iter().fold(there.clone(), AccountAggregate::evolve);
    // Whoever reads the mail of 1 takes the second change back: 0 has its own way back still, and then no more.
    assert!(emails_since(&on, id(2), NOW).is_empty());
    assert_eq!(kept_until_us(&there, id(2), "email-k1-0", NOW), UNTIL);
    assert_eq!(emails_since(&on, id(2), UNTIL), ["email-k1-0"].into());
    assert_eq!(kept_until_us(&there, id(2), "email-k1-0", UNTIL), 0);
    // Over the first change, nothing is kept but what it brings back.
    assert_eq!(emails_since(&on, id(1), NOW), ["email-k1-1"].into());
    assert_eq!(kept_until_us(&on, id(1), "email-k1-3", NOW), 0);
}

#[test]
fn what_is_asked_for_is_over_when_a_change_before_it_is_taken_back() {
    let account = moved([1]);
    let account = AccountAggregate::evolve(account, &asked(2).into());
    let back = take_back_email_change(&account, id(1), "", NOW, &[]).unwrap();
    let account = back.iter().fold(account, AccountAggregate::evolve);
    assert_eq!(reason(change_email(&account, &changed(2), NOW, &[])), "NO_EMAIL_CHANGE_ASKED");
}

#[test]
fn an_account_whose_address_was_proven_to_be_anothers_is_never_finished() {
    let begun: Vec<Event> = opened().into_iter().take(2).chain([overtake_registration(id(9))]).collect();
    let account = given(begun);
    assert_eq!(reason(prove_email(&account, pb::EmailProven::default())), "REGISTRATION_EXPIRED");
    assert_eq!(reason(add_second_factor(&account, "totp", 10)), "REGISTRATION_EXPIRED");
}
