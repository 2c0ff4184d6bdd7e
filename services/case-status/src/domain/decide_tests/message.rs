//! Messages of the party's side that wait for an answer: every branch.

use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::decide::{self, ASIDE, Sent};
use crate::domain::samples::*;
use crate::domain::{Case, Event, evolve, task, timeline, title};

const THREAD: Uuid = Uuid::from_u128(0x7EAD);
/// Who acts for the applicant.
const RAY: Uuid = Uuid::from_u128(0x12A);

fn sent(thread: Uuid, message: u128, account: Uuid, at: Timestamp) -> Sent {
    Sent { thread, message: Uuid::from_u128(message), topic: "appointment".into(), account, at }
}

fn write(case: &Given, thread: Uuid, message: u128, account: Uuid) -> Then {
    case.when(|case| decide::record_message(case, &sent(thread, message, account, now())))
}

fn after(case: Given, events: &[Event]) -> Given {
    Given(events.iter().fold(case.0, evolve))
}

/// The same case, in which the applicant waits for an answer.
fn waiting(case: Given) -> Given {
    let events = write(&case, THREAD, 1, APPLICANT).then(&["message_received"]);
    after(case, &events)
}

fn aside(case: &Given, thread: Uuid, why: &str) -> Then {
    let waits = case.0.waiting_threads.iter().find(|waiting| waiting.thread == thread);
    let last = waits.map(|waiting| waiting.last_message).unwrap_or_default();
    case.when(|case| decide::set_message_aside(case, (thread, last), ADA, why))
}

#[test]
fn a_message_waits_for_an_answer_beside_the_task_until_a_day_and_nothing_else_changes() {
    let case = waiting(served());
    let kept = &case.0.waiting_threads[0];
    assert_eq!((kept.thread, kept.topic.as_str(), kept.writer.as_str()), (THREAD, "appointment", "party"));
    let owed = task::answer(&case.0).unwrap();
    // Five working days from Tuesday, over Thanksgiving.
    assert_eq!((owed.task, owed.deadline.due_date.as_str()), ("answer_message", "2026-12-02"));
    assert_eq!(owed.asked_at_us, now().as_microsecond());
    assert_eq!(Case { waiting_threads: Vec::new(), ..case.0.clone() }, served().0);
    assert_eq!(
        (title::title(&case.0), task::task(&case.0)),
        (title::title(&served().0), task::task(&served().0))
    );
    // What follows in the same conversation waits with it: the day stays.
    let later = sent(THREAD, 2, APPLICANT, now() + jiff::SignedDuration::from_hours(72));
    let events = case.when(|case| decide::record_message(case, &later)).then(&["message_received"]);
    let Event::MessageReceived(joined) = &events[0] else { panic!("{events:?}") };
    assert_eq!(joined.waits_with, Uuid::from_u128(1).to_string());
    let both = after(Given(case.0.clone()), &events);
    assert_eq!(task::answer(&both.0).unwrap().deadline.due_date, "2026-12-02");
    both.when(|case| decide::record_message(case, &later)).then(&[]);
    let other = Uuid::from_u128(0x7EAE);
    let events = write(&case, other, 3, APPLICANT).then(&["message_received"]);
    assert_eq!(after(case, &events).0.waiting_threads.len(), 2);
}

#[test]
fn the_office_answers_by_writing_and_the_next_message_waits_anew() {
    let reply = |case: &Given| case.when(|case| decide::record_reply(case, THREAD, ADA));
    reply(&served()).then(&[]);
    let case = waiting(served());
    let events = reply(&case).then(&["message_answered"]);
    let Event::MessageAnswered(answered) = &events[0] else { panic!("{events:?}") };
    assert_eq!(
        (answered.message_id.clone(), answered.officer.clone()),
        (Uuid::from_u128(1).to_string(), ADA.to_string())
    );
    let case = after(case, &events);
    assert_eq!(case.0, served().0);
    reply(&case).then(&[]);
    write(&case, THREAD, 2, APPLICANT).then(&["message_received"]);
}

#[test]
fn an_officer_says_why_a_message_needs_no_answer() {
    aside(&served(), THREAD, "nothing_asked").refused("MESSAGE_NOT_WAITING");
    assert!(
        decide::set_message_aside(&Case::default(), (THREAD, Uuid::nil()), ADA, "nothing_asked").is_err()
    );
    let case = waiting(served());
    aside(&case, Uuid::from_u128(9), "nothing_asked").refused("MESSAGE_NOT_WAITING");
    aside(&case, THREAD, "no_time").refused("CAUSE_UNKNOWN");
    for word in ASIDE {
        let events = aside(&case, THREAD, word).then(&["message_set_aside"]);
        let line = timeline::line(&case.0, &events[0]);
        let why = timeline::Fact::Code(format!("aside-{}", word.replace('_', "-")));
        assert_eq!((line.office_only, line.facts.get("why")), (false, Some(&why)), "the party reads why");
        assert!(timeline::CODES.contains(&&*format!("aside-{}", word.replace('_', "-"))));
    }
    // Who read the conversation before its last message has not read it.
    let first = Uuid::from_u128(1);
    let events = write(&case, THREAD, 2, APPLICANT).then(&["message_received"]);
    let longer = after(Given(case.0.clone()), &events);
    longer
        .when(|case| decide::set_message_aside(case, (THREAD, first), ADA, "nothing_asked"))
        .refused("MESSAGE_NEWER");
    let events = aside(&longer, THREAD, "nothing_asked").then(&["message_set_aside"]);
    assert!(after(longer, &events).0.waiting_threads.is_empty());
    let events = aside(&case, THREAD, "nothing_asked").then(&["message_set_aside"]);
    let case = after(case, &events);
    aside(&case, THREAD, "nothing_asked").refused("MESSAGE_NOT_WAITING");
    assert_eq!(task::answer(&case.0), None);
}

#[test]
fn a_message_in_a_case_that_is_decided_over_or_void_waits_like_any_other_and_outlives_the_end() {
    let denied = in_review().and(pb::CaseDenied::default());
    for case in [approved(), denied, accepted().and(pb::AcceptanceVoided::default()), submitted()] {
        assert_eq!(task::answer(&waiting(case).0).unwrap().task, "answer_message");
    }
    write(&given([]), THREAD, 1, APPLICANT).refused("NOT_FOUND");
    // A decision is no answer to what was asked before it.
    let case = waiting(in_review());
    let events = case.when(decide::withdraw).then(&["withdrawn"]);
    assert_eq!(after(case, &events).0.waiting_threads.len(), 1);
}

#[test]
fn who_acts_for_the_party_waits_too_and_haste_and_inquiries_come_before() {
    let (representation_id, representative) = (Uuid::from_u128(0x628).to_string(), RAY.to_string());
    let case = served().and(pb::RepresentationActivated { representation_id, representative, wishes: None });
    let events = write(&case, THREAD, 1, RAY).then(&["message_received"]);
    let case = after(case, &events);
    assert_eq!(case.0.waiting_threads[0].writer, "representative");
    let case = case.and(pb::AddresseeNotReached::default());
    assert_eq!(task::answer(&case.0).unwrap().task, "answer_message");
    let case = case.and(pb::InquirySent { inquiry_id: Uuid::from_u128(5).to_string(), ..Default::default() });
    assert_eq!(task::answer(&case.0).unwrap().task, "answer_inquiry");
    // A row from before messages were followed has none.
    let mut stored = serde_json::to_value(&waiting(served()).0).unwrap();
    stored.as_object_mut().unwrap().remove("waiting_threads");
    assert_eq!(serde_json::from_value::<Case>(stored).unwrap(), served().0);
}
