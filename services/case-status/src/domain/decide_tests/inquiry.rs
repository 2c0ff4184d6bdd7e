//! Inquiries: every branch.

use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use crate::domain::decide::{self, INQUIRIES, Others, Verdict};
use crate::domain::samples::*;
use crate::domain::{Case, Event, evolve, task, timeline, title};

const TEXT: &str = "I have waited for it since the summer; what became of it?";
const ANSWER: &str = "It was printed again and comes by mail.";

fn send(case: &Given, kind: &str) -> Then {
    let id = Uuid::from_u128(0x10 + case.0.inquiries.len() as u128);
    case.when(|case| decide::send_inquiry(case, id, kind, TEXT, now()))
}

/// The same case with an inquiry of that kind.
fn asked(case: Given, kind: &str) -> Given {
    let events = send(&case, kind).then(&["inquiry_sent"]);
    Given(events.iter().fold(case.0, evolve))
}

/// An approved case with a card that went this far.
fn card(events: impl IntoIterator<Item = Event>) -> Given {
    let filed = pb::CaseOpened { form: "I-90".into(), family: "card_replacement".into(), ..opened() };
    let case = given([
        filed.into(),
        pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() }.into(),
        pb::CaseApproved { officer: BO.to_string(), effective_date: "2026-11-24".into() }.into(),
    ]);
    events.into_iter().fold(case, Given::and)
}

#[test]
fn of_each_kind_one_is_open_and_each_is_answered_by_its_id() {
    let case = asked(asked(in_review(), "notice_not_received"), "outside_normal_time");
    send(&case, "outside_normal_time").refused("INQUIRY_OPEN");
    let owed = task::answer(&case.0).unwrap();
    assert_eq!((owed.task, owed.deadline.due_date.as_str()), ("answer_inquiry", "2026-12-02"));
    let answer =
        |case: &Given, id| case.when(|case| decide::answer_inquiry(case, Uuid::from_u128(id), ADA, ANSWER));
    answer(&case, 0x99).refused("INQUIRY_NOT_OPEN");
    case.when(|case| decide::answer_inquiry(case, Uuid::from_u128(0x10), ADA, "Soon."))
        .refused("WORDS_OUT_OF_BOUNDS");
    let events = answer(&case, 0x11).then(&["inquiry_answered"]);
    let case = Given(events.iter().fold(case.0, evolve));
    answer(&case, 0x11).refused("INQUIRY_NOT_OPEN");
    assert_eq!(case.0.inquiries.len(), 1);
    assert!(decide::answer_inquiry(&Case::default(), Uuid::nil(), ADA, ANSWER).is_err());
}

#[test]
fn an_inquiry_decides_nothing() {
    let (before, after) = (served(), asked(served(), "typographic_error"));
    assert_eq!(Case { inquiries: Vec::new(), ..after.0.clone() }, before.0);
    assert_eq!(
        (title::title(&after.0), task::task(&after.0)),
        (title::title(&before.0), task::task(&before.0))
    );
    let events = send(&before, "typographic_error").then(&["inquiry_sent"]);
    assert!(!timeline::line(&after.0, &events[0]).office_only);
}

#[test]
fn a_request_to_expedite_is_answered_before_an_inquiry() {
    let case = asked(in_review(), "typographic_error");
    let why = "My mother is in hospital abroad.";
    let asked = case
        .when(|case| decide::request_expedite(case, Uuid::nil(), "uscis_error", why, now()))
        .then(&["expedite_requested"]);
    let case = asked.iter().fold(case.0, evolve);
    assert_eq!(task::answer(&case).unwrap().task, "answer_expedite");
}

#[test]
fn each_kind_is_sent_where_it_makes_sense() {
    assert_eq!(INQUIRIES.len(), 7, "the kinds below are all there are");
    send(&in_review(), "impatience").refused("KIND_UNKNOWN");
    in_review()
        .when(|case| decide::send_inquiry(case, Uuid::nil(), "typographic_error", "Typo.", now()))
        .refused("WORDS_OUT_OF_BOUNDS");
    // How long it takes is asked while it is pending, a day while an appointment stands.
    send(&recommended(true), "outside_normal_time").then(&["inquiry_sent"]);
    send(&approved(), "outside_normal_time").refused("ALREADY_DECIDED");
    send(&in_review(), "appointment_accommodation").refused("NOT_SCHEDULED");
    send(&interview_scheduled(), "appointment_accommodation").then(&["inquiry_sent"]);
    send(&oath_scheduled(), "appointment_accommodation").then(&["inquiry_sent"]);
    // Why somebody did not come, until another day is set.
    send(&biometrics_scheduled(), "appointment_missed").refused("NOT_MISSED");
    let missed = biometrics_scheduled().and(pb::BiometricsMissed::default());
    send(&missed, "appointment_missed").then(&["inquiry_sent"]);
    send(&missed.and(pb::CaseDenied::default()), "appointment_missed").refused("ALREADY_DECIDED");
    // To have a case reopened, once it was closed so that it can be.
    send(&in_review(), "reopening").refused("NOT_CLOSED");
    let until =
        pb::CaseAdministrativelyClosed { reopen_until_date: "2027-11-24".into(), ..Default::default() };
    send(&in_review().and(until), "reopening").then(&["inquiry_sent"]);
    // A notice and a misprint also in a decided case.
    for kind in ["notice_not_received", "typographic_error"] {
        send(&approved(), kind).then(&["inquiry_sent"]);
        send(&in_review().and(pb::CaseDenied::default()), kind).then(&["inquiry_sent"]);
        send(&accepted().and(pb::CaseWithdrawn {}), kind).refused("ALREADY_DECIDED");
        send(&submitted(), kind).refused("NOT_ACCEPTED");
        send(&accepted().and(pb::AcceptanceVoided::default()), kind).refused("ALREADY_VOIDED");
        send(&given([]), kind).refused("NOT_FOUND");
    }
}

#[test]
fn a_card_is_asked_after_once_it_was_mailed() {
    let kind = "card_not_delivered";
    send(&in_review(), kind).refused("NOT_APPROVED");
    send(&approved(), kind).refused("NO_CARD");
    send(&card([]), kind).refused("CARD_NOT_MAILED");
    let mailed = || [Event::from(pb::CardOrdered::default()), pb::CardMailed::default().into()];
    send(&card(mailed()), kind).then(&["inquiry_sent"]);
    send(&card(mailed()).and(pb::CardDelivered::default()), kind).then(&["inquiry_sent"]);
    send(&card(mailed()).and(pb::CardReturned::default()), kind).refused("CARD_NOT_MAILED");
    // The officer sees it, and who makes and mails cards sees the card alone.
    let asked = asked(card(mailed()), kind).0;
    assert_eq!((task::task(&asked), task::answer(&asked).unwrap().task), (None, "answer_inquiry"));
}

#[test]
fn what_is_open_ends_with_the_case_and_an_approval_answers_only_what_it_can() {
    let case = asked(asked(accepted(), "notice_not_received"), "outside_normal_time");
    let events = case.when(decide::withdraw).then(&["withdrawn", "inquiry_closed", "inquiry_closed"]);
    let withdrawn = events.iter().fold(case.0, evolve);
    assert_eq!((withdrawn.inquiries.len(), task::answer(&withdrawn)), (0, None));
    let case = asked(asked(recommended(true), "notice_not_received"), "outside_normal_time");
    let events = case
        .when(|case| decide::decide_case(case, BO, &Verdict::Approve, &Others::new(), now()))
        .then(&["decision_reviewed", "approved", "inquiry_closed"]);
    let approved = events.iter().fold(case.0, evolve);
    assert_eq!(
        approved.inquiries.iter().map(|open| open.kind.as_str()).collect::<Vec<_>>(),
        ["notice_not_received"]
    );
}
