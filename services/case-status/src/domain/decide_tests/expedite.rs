//! Requests to expedite: every branch.

use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use crate::domain::decide::{self, CRITERIA, Others, Verdict};
use crate::domain::samples::*;
use crate::domain::{Case, Event, ExpediteState, evolve, task, timeline, title};

const ID: Uuid = Uuid::from_u128(0xE0);
const WHY: &str = "My mother is in hospital abroad, and I have to travel to her.";
const ANSWER: &str = "We looked at what you wrote and sent us.";

fn ask(case: &Given) -> Then {
    case.when(|case| decide::request_expedite(case, ID, CRITERIA[1], WHY, now()))
}

fn answer(case: &Given, granted: bool) -> Then {
    case.when(|case| decide::answer_expedite(case, ADA, granted, ANSWER))
}

fn after(case: Given, events: &[Event]) -> Given {
    Given(events.iter().fold(case.0, evolve))
}

/// The same case with a request that is open.
fn asked(case: Given) -> Given {
    let events = ask(&case).then(&["expedite_requested"]);
    after(case, &events)
}

#[test]
fn one_request_at_a_time_is_asked_and_answered_within_five_working_days() {
    let events = ask(&in_review()).then(&["expedite_requested"]);
    let [Event::ExpediteRequested(requested)] = events.as_slice() else { unreachable!() };
    // Thanksgiving is no working day.
    assert_eq!(requested.deadline.as_ref().unwrap().due_date, "2026-12-02");
    let case = after(in_review(), &events);
    ask(&case).refused("EXPEDITE_OPEN");
    let owed = task::answer(&case.0).unwrap();
    assert_eq!((owed.task, owed.asked_at_us), ("answer_expedite", now().as_microsecond()));
    let events = answer(&case, false).then(&["expedite_decided"]);
    let denied = after(case, &events);
    assert_eq!((task::answer(&denied.0), denied.0.is_expedited()), (None, false));
    assert!(timeline::line(&denied.0, &events[0]).text.ends_with("-denied"));
    answer(&denied, true).refused("NO_EXPEDITE_OPEN");
    // On new facts it may be asked again.
    let granted = after(asked(denied), &answer(&asked(in_review()), true).then(&["expedite_decided"]));
    assert!(granted.0.is_expedited());
    ask(&granted).refused("EXPEDITE_GRANTED");
}

#[test]
fn a_grant_changes_the_order_of_work_and_nothing_else() {
    let before = asked(served());
    let granted = after(asked(served()), &answer(&before, true).then(&["expedite_decided"]));
    assert_eq!(Case { expedite: before.0.expedite.clone(), ..granted.0.clone() }, before.0);
    assert_eq!(title::title(&granted.0), title::title(&served().0));
    assert_eq!(task::task(&granted.0), task::task(&served().0));
}

#[test]
fn it_is_asked_by_a_published_criterion_and_in_words() {
    let with = |criterion: &str, why: &str| {
        in_review().when(|case| decide::request_expedite(case, ID, criterion, why, now()))
    };
    for criterion in CRITERIA {
        with(criterion, WHY).then(&["expedite_requested"]);
    }
    with("impatience", WHY).refused("CRITERION_UNKNOWN");
    with(CRITERIA[0], "  Please be quicker.   ").refused("WORDS_OUT_OF_BOUNDS");
    with(CRITERIA[0], &"é".repeat(2_001)).refused("WORDS_OUT_OF_BOUNDS");
    with(CRITERIA[0], &"é".repeat(2_000)).then(&["expedite_requested"]);
    asked(in_review())
        .when(|case| decide::answer_expedite(case, ADA, true, "Yes."))
        .refused("WORDS_OUT_OF_BOUNDS");
}

#[test]
fn only_a_pending_case_is_expedited() {
    ask(&submitted()).refused("NOT_ACCEPTED");
    ask(&accepted()).then(&["expedite_requested"]);
    ask(&recommended(true)).then(&["expedite_requested"]);
    ask(&approved()).refused("ALREADY_DECIDED");
    ask(&accepted().and(pb::CaseWithdrawn {})).refused("ALREADY_DECIDED");
    ask(&submitted().and(pb::FilingRejected::default())).refused("ALREADY_REJECTED");
    assert!(decide::answer_expedite(&Case::default(), ADA, true, ANSWER).is_err());
}

#[test]
fn where_premium_processing_can_be_bought_only_a_nonprofit_asks() {
    let case = || given([pb::CaseOpened { form: "I-140".into(), ..opened() }.into()]);
    let case = || case().and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() });
    ask(&case()).refused("PREMIUM_AVAILABLE");
    case()
        .when(|case| decide::request_expedite(case, ID, "nonprofit_us_interest", WHY, now()))
        .then(&["expedite_requested"]);
}

#[test]
fn an_open_request_ends_with_the_case() {
    let case = asked(accepted());
    let withdrawn =
        after(asked(accepted()), &case.when(decide::withdraw).then(&["withdrawn", "expedite_closed"]));
    assert_eq!(withdrawn.0.expedite.as_ref().unwrap().state, ExpediteState::Closed);
    assert_eq!(task::answer(&withdrawn.0), None);
    answer(&withdrawn, true).refused("NO_EXPEDITE_OPEN");
    let decide = |verdict: &Verdict, approve| {
        asked(recommended(approve)).when(|case| decide::decide_case(case, BO, verdict, &Others::new(), now()))
    };
    let report = asked(accepted()).when(|case| decide::record_move(case, Uuid::nil(), &[]));
    report.then(&["move_recorded", "expedite_closed"]);
    decide(&Verdict::Approve, true).then(&["decision_reviewed", "approved", "expedite_closed"]);
    let deny = denial(&["moral_character"]);
    decide(&deny, false).then(&["decision_reviewed", "denied", "expedite_closed"]);
    let received = pb::CaseOpened { receipt_date: "2026-07-10".into(), ..opened() };
    let voidable = given([received.into()])
        .and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() });
    asked(voidable)
        .when(|case| decide::void_acceptance(case, ADA, "signature", now()))
        .then(&["expedite_closed", "acceptance_voided"]);
}
