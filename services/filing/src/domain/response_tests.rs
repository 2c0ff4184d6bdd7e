//! The rules of a response, one test each.

use docket_proto::events::response::Event;
use docket_proto::filing::events::v1 as pb;
use docket_proto::types::v1::Deadline;
use uuid::Uuid;

use super::attached::{Attached, NewFile, Verdict};
use super::response::*;

fn given(events: impl IntoIterator<Item = Event>) -> Response {
    events.into_iter().fold(Response::default(), |response, event| evolve(response, &event))
}

fn an_opening() -> pb::ResponseOpened {
    pb::ResponseOpened {
        case_id: Uuid::from_u128(1).to_string(),
        account_id: Uuid::from_u128(2).to_string(),
        request_kind: "n14".into(),
        deadline: Some(Deadline { expires_at_us: 10_000, ..Default::default() }),
        items: vec!["tax_transcripts".into(), "court_records".into()],
    }
}

fn opened() -> Event {
    an_opening().into()
}

fn file(id: u128, kind: &str) -> NewFile {
    NewFile {
        attached: Attached {
            id: Uuid::from_u128(id),
            kind: kind.into(),
            commitment: vec![1; 32],
            media_type: "application/pdf".into(),
            size: 10,
            object_key: "k".into(),
            foreign_language: false,
            being_checked: false,
            hard_to_read: Vec::new(),
        },
        file_name: "a.pdf".into(),
        salt: vec![2; 16],
        same_as: None,
    }
}

fn with(kind: &str) -> Event {
    attach(&given([opened()]), file(5, kind)).unwrap().remove(0)
}

#[test]
fn a_request_served_again_changes_nothing() {
    assert_eq!(open(&Response::default(), an_opening()).unwrap(), [opened()]);
    assert!(open(&given([opened()]), an_opening()).unwrap().is_empty());
}

#[test]
fn a_file_in_another_language_stays_marked() {
    let mut letter = file(6, "court_records");
    letter.attached.foreign_language = true;
    let added = attach(&given([opened()]), letter).unwrap().remove(0);
    let here = given([opened(), with("tax_transcripts"), added]);
    assert_eq!(here.evidence.iter().map(|file| file.foreign_language).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_file_is_taken_off_before_the_answer_is_sent_and_not_after() {
    let attached = with("tax_transcripts");
    let here = given([opened(), attached.clone()]);
    let removed = detach(&here, Uuid::from_u128(5)).unwrap();
    assert_eq!(evolve(here.clone(), &removed[0]), given([opened()]));
    assert_eq!(detach(&here, Uuid::from_u128(6)).unwrap_err().reason, "NOT_FOUND");
    let sent = submit(&here, true, 500).unwrap().remove(0);
    let sent = given([opened(), attached, sent]);
    assert_eq!(detach(&sent, Uuid::from_u128(5)).unwrap_err().reason, "ALREADY_SUBMITTED");
}

#[test]
fn a_request_that_ended_takes_nothing_any_more_and_keeps_what_is_there() {
    let closed = Event::from(pb::ResponseClosed { cause: "withdrawn".into() });
    let open = given([opened(), with("tax_transcripts")]);
    assert_eq!(close(&open, "withdrawn").unwrap(), std::slice::from_ref(&closed));
    let after = evolve(open, &closed);
    assert_eq!(attach(&after, file(6, "court_records")).unwrap_err().reason, "REQUEST_ENDED");
    assert_eq!(submit(&after, true, 5).unwrap_err().reason, "REQUEST_ENDED");
    assert_eq!((after.evidence.len(), close(&after, "withdrawn").unwrap()), (1, Vec::new()));
    // Never served, or answered already: there is nothing to close.
    assert_eq!(close(&Response::default(), "withdrawn").unwrap(), []);
    let sent = submit(&given([opened(), with("tax_transcripts")]), true, 5).unwrap();
    assert_eq!(close(&given([opened(), with("tax_transcripts"), sent[0].clone()]), "withdrawn").unwrap(), []);
}

#[test]
fn a_file_answers_one_of_the_items() {
    assert_eq!(attach(&given([opened()]), file(5, "passport")).unwrap_err().reason, "ITEM_NOT_ASKED");
    assert_eq!(attach(&Response::default(), file(5, "passport")).unwrap_err().reason, "NOT_FOUND");
    let twin = NewFile { same_as: Some(Uuid::from_u128(5)), ..file(6, "tax_transcripts") };
    let response = given([opened(), with("tax_transcripts")]);
    assert_eq!(attach(&response, twin).unwrap_err().reason, "ALREADY_ATTACHED");
    assert_eq!(response.unanswered(), ["court_records"]);
}

#[test]
fn a_partial_answer_goes_in_only_when_confirmed() {
    let response = given([opened(), with("tax_transcripts")]);
    let refusal = submit(&response, false, 1).unwrap_err();
    assert_eq!(refusal.reason, "INCOMPLETE");
    assert!(refusal.message.contains("court_records"));
    let events = submit(&response, true, 1).unwrap();
    let [Event::ResponseSubmitted(e)] = events.as_slice() else { panic!("{events:?}") };
    assert!(!e.complete);
    assert_eq!(e.items, ["tax_transcripts"]);
    assert_eq!(submit(&given([opened()]), true, 1).unwrap_err().reason, "NOTHING_ATTACHED");
}

/// When the deadline of the answer that waits ends.
const END_US: i64 = 200_000_000_000;

/// An answer that is complete, one file of it not scanned yet.
fn waiting() -> Vec<Event> {
    let deadline = Some(Deadline { expires_at_us: END_US, ..Default::default() });
    let opened = pb::ResponseOpened { deadline, items: vec!["court_records".into()], ..an_opening() };
    let mut record = file(6, "court_records");
    record.attached.being_checked = true;
    let added = attach(&given([opened.clone().into()]), record).unwrap().remove(0);
    vec![opened.into(), added]
}

#[test]
fn an_answer_with_a_file_that_is_being_checked_is_sent_in_its_last_day_and_not_before() {
    const DAY_US: i64 = 86_400_000_000;
    let here = given(waiting());
    let early = submit(&here, false, END_US - DAY_US - 1).unwrap_err();
    assert_eq!((early.reason, early.facts.len()), ("FILES_BEING_CHECKED", 1));
    assert!(early.message.contains("court_records"), "{}", early.message);
    // As the last day begins, as it ends, and too late.
    for now_us in [END_US - DAY_US, END_US - 1, END_US + 1] {
        let events = submit(&here, false, now_us).unwrap();
        let [Event::ResponseSubmitted(sent)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((sent.received_at_us, sent.being_checked.len(), sent.complete), (now_us, 1, true));
    }
    let clean = scanned_file(&here, Uuid::from_u128(6), Verdict::Clean, None);
    let sent = submit(&evolve(here, &clean[0]), false, 1).unwrap();
    assert!(matches!(&sent[0], Event::ResponseSubmitted(sent) if sent.being_checked.is_empty()));
}

#[test]
fn a_file_that_turns_out_hostile_is_no_part_of_the_answer_which_stays_received() {
    let here = given(waiting());
    let sent = evolve(here.clone(), &submit(&here, false, END_US - 1).unwrap()[0]);
    for verdict in [Verdict::Infected, Verdict::Unscannable] {
        let scanned = scanned_file(&sent, Uuid::from_u128(6), verdict, Some(Uuid::from_u128(9)));
        let [Event::ResponseEvidenceScanned(e)] = scanned.as_slice() else { panic!("{scanned:?}") };
        assert_eq!((e.answered, e.representative.as_str()), (true, Uuid::from_u128(9).to_string().as_str()));
        let after = evolve(sent.clone(), &scanned[0]);
        assert_eq!((after.evidence.len(), after.received_at_us), (0, END_US - 1));
        assert_eq!(
            (after.refused[0].kind.as_str(), after.refused[0].verdict.as_str(), after.refused[0].was_sent),
            ("court_records", verdict.as_str(), true)
        );
        let unsent = scanned_file(&here, Uuid::from_u128(6), verdict, None);
        assert!(!evolve(here.clone(), &unsent[0]).refused[0].was_sent);
        assert_eq!(scanned_file(&after, Uuid::from_u128(6), verdict, None), [], "once");
    }
    let clean = scanned_file(&sent, Uuid::from_u128(6), Verdict::Clean, None);
    let after = evolve(sent, &clean[0]);
    assert!(!after.evidence[0].being_checked && after.refused.is_empty());
    assert_eq!(scanned_file(&after, Uuid::from_u128(6), Verdict::Infected, None), [], "it is decided");
}

#[test]
fn the_grounds_of_an_intended_denial_are_answered_by_a_rebuttal_beside_what_is_asked_for() {
    let noid = |items: &[&str]| pb::ResponseOpened {
        request_kind: NOID.into(),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
        ..an_opening()
    };
    // Nothing else is asked for: whatever answers the grounds is a whole answer.
    let open = given([noid(&[]).into()]);
    assert_eq!((open.optional_items(), open.unanswered()), (vec!["rebuttal".to_owned()], Vec::new()));
    assert_eq!(submit(&open, true, 1).unwrap_err().reason, "NOTHING_ATTACHED");
    let foreign = attach(&open, file(5, "passport")).unwrap_err();
    assert!(foreign.message.ends_with("one of: rebuttal."), "{foreign:?}");
    let rebutted = evolve(open.clone(), &attach(&open, file(5, "rebuttal")).unwrap()[0]);
    let events = submit(&rebutted, false, 1).unwrap();
    assert!(matches!(&events[0], Event::ResponseSubmitted(e) if e.complete && e.items == ["rebuttal"]));

    // An item is asked for: without it the answer is a part, with it alone it is whole.
    let open = given([noid(&["tax_transcripts"]).into()]);
    let rebutted = evolve(open.clone(), &attach(&open, file(5, "rebuttal")).unwrap()[0]);
    assert_eq!(submit(&rebutted, false, 1).unwrap_err().reason, "INCOMPLETE");
    let events = submit(&rebutted, true, 1).unwrap();
    assert!(matches!(&events[0], Event::ResponseSubmitted(e) if !e.complete));
    let shown = evolve(open.clone(), &attach(&open, file(5, "tax_transcripts")).unwrap()[0]);
    assert!(submit(&shown, false, 1).is_ok());
    // So are those of an intended revocation or termination, and of a case that the office reopened.
    for kind in [NOIR, NOIT, OWN_MOTION] {
        let opened = pb::ResponseOpened { request_kind: kind.into(), ..noid(&[]) };
        assert_eq!(given([opened.into()]).optional_items(), ["rebuttal"], "{kind}");
    }
    // Other requests take their items only.
    assert_eq!(attach(&given([opened()]), file(5, "rebuttal")).unwrap_err().reason, "ITEM_NOT_ASKED");
}

/// That an item cannot be provided.
fn lacking(item: &str) -> Event {
    explain(&given([opened()]), item, Some("The archive burned in 1998.".into())).unwrap().remove(0)
}

#[test]
fn what_cannot_be_provided_is_said_instead_of_a_file_and_is_part_of_the_one_answer() {
    let here = given([opened(), with("tax_transcripts"), lacking("court_records")]);
    assert_eq!(here.unanswered(), Vec::<String>::new());
    // Nothing is left out without a word, so nothing is to be confirmed.
    let events = submit(&here, false, 1).unwrap();
    let [Event::ResponseSubmitted(sent)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (sent.complete, &sent.items, &sent.explained),
        (true, &vec!["tax_transcripts".to_owned()], &vec!["court_records".to_owned()])
    );
    // It may be all there is to say.
    let nothing = given([opened(), lacking("court_records"), lacking("tax_transcripts")]);
    let events = submit(&nothing, false, 1).unwrap();
    assert!(
        matches!(&events[0], Event::ResponseSubmitted(e) if e.complete && e.items.is_empty() && e.explained.len() == 2)
    );
    // Of one item it is said, of the other nothing: that is a part still.
    let part = given([opened(), lacking("court_records")]);
    let refusal = submit(&part, false, 1).unwrap_err();
    assert_eq!((refusal.reason, part.unanswered()), ("INCOMPLETE", vec!["tax_transcripts".to_owned()]));
    assert!(matches!(&submit(&part, true, 1).unwrap()[0], Event::ResponseSubmitted(e) if !e.complete));
}

#[test]
fn an_explanation_ends_with_a_file_for_the_item_and_is_taken_back_while_nothing_was_sent() {
    let explained = given([opened(), lacking("court_records")]);
    let found = attach(&explained, file(5, "court_records")).unwrap().remove(0);
    let found = evolve(explained.clone(), &found);
    assert!(found.explained.is_empty() && found.unanswered() == ["tax_transcripts"]);
    let words = Some("The archive burned in 1998.".to_owned());
    assert_eq!(explain(&found, "court_records", words.clone()).unwrap_err().reason, "EVIDENCE_ATTACHED");
    let back = explain(&explained, "court_records", None).unwrap().remove(0);
    assert_eq!(evolve(explained.clone(), &back), given([opened()]));
    assert_eq!(explain(&given([opened()]), "court_records", None).unwrap(), []);
    // Only of what is asked for, and never after the answer or the end.
    assert_eq!(explain(&explained, "passport", words.clone()).unwrap_err().reason, "ITEM_NOT_ASKED");
    let sent = submit(&explained, true, 1).unwrap().remove(0);
    let sent = evolve(explained.clone(), &sent);
    for words in [words.clone(), None] {
        assert_eq!(explain(&sent, "court_records", words).unwrap_err().reason, "ALREADY_SUBMITTED");
    }
    let closed = evolve(explained, &Event::from(pb::ResponseClosed { cause: "withdrawn".into() }));
    assert_eq!(explain(&closed, "court_records", words).unwrap_err().reason, "REQUEST_ENDED");
}

#[test]
fn an_explanation_stays_while_the_file_for_its_item_may_yet_be_taken_out() {
    let explained = given([opened(), lacking("court_records")]);
    let mut record = file(6, "court_records");
    record.attached.being_checked = true;
    let added = attach(&explained, record).unwrap().remove(0);
    let waiting = evolve(explained, &added);
    assert!(waiting.explained.contains("court_records") && waiting.unanswered() == ["tax_transcripts"]);
    let sent = submit(&waiting, true, 9_999).unwrap();
    assert!(matches!(&sent[0], Event::ResponseSubmitted(sent) if sent.explained.is_empty()), "a file came");
    let after = |verdict| {
        let scanned = scanned_file(&waiting, Uuid::from_u128(6), verdict, None);
        evolve(waiting.clone(), &scanned[0])
    };
    assert!(after(Verdict::Clean).explained.is_empty());
    let refused = after(Verdict::Infected);
    assert!(refused.explained.contains("court_records") && refused.evidence.is_empty());
}

#[test]
fn a_late_answer_goes_in_with_its_instant() {
    let response = given([opened(), with("tax_transcripts"), with("court_records")]);
    let events = submit(&response, false, 99_999).unwrap();
    let [Event::ResponseSubmitted(e)] = events.as_slice() else { panic!("{events:?}") };
    assert!(e.complete && e.received_at_us == 99_999 && e.evidence.len() == 2);
}

#[test]
fn there_is_one_answer_to_a_request() {
    let sent = submit(&given([opened(), with("tax_transcripts")]), true, 1).unwrap().remove(0);
    let response = given([opened(), with("tax_transcripts"), sent]);
    assert_eq!(submit(&response, true, 2).unwrap_err().reason, "ALREADY_SUBMITTED");
    assert_eq!(attach(&response, file(7, "court_records")).unwrap_err().reason, "ALREADY_SUBMITTED");
}
