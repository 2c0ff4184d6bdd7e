//! A name or a birth date that was written wrong is corrected: every branch.

use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use crate::domain::decide::{self, CardStep, Wrong};
use crate::domain::samples::*;
use crate::domain::{Corrected, CorrectionState, Event, evolve, task};

const CORRECTION: Uuid = Uuid::from_u128(0xC0);

fn wrong(field: &str, value: &str) -> Wrong {
    Wrong {
        id: CORRECTION,
        field: field.into(),
        value: value.into(),
        error_of: "filer".into(),
        proof: "passport".into(),
        explanation: "The second name is missing in question 1.".into(),
    }
}

fn ask(case: &Given, wrong: &Wrong) -> Then {
    case.when(|case| decide::ask_correction(case, wrong, now()))
}

fn asked(case: Given, field: &str, value: &str) -> Given {
    let events = ask(&case, &wrong(field, value)).then(&["correction_asked"]);
    Given(events.iter().fold(case.0, evolve))
}

/// An approved replacement of a card, with the card as far as these steps bring it.
fn card(steps: &[CardStep]) -> Given {
    let filed = pb::CaseOpened { form: "I-90".into(), family: "card_replacement".into(), ..opened() };
    let case = given([filed.into()])
        .and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() })
        .and(pb::CaseApproved { officer: BO.to_string(), effective_date: "2026-11-24".into() })
        .and(pb::CardOrdered::default());
    steps.iter().fold(case, |case, step| {
        let events = decide::record_card(&case.0, step, now()).unwrap();
        Given(events.iter().fold(case.0, evolve))
    })
}

#[test]
fn a_party_says_what_is_wrong_how_it_is_right_and_what_shows_it() {
    let case = in_review();
    let events = ask(&case, &wrong("name", " Ana Lúcia Verdemar ")).then(&["correction_asked"]);
    let Event::CorrectionAsked(event) = &events[0] else { panic!("{events:?}") };
    assert_eq!((event.asked_value.as_str(), event.error_of.as_str()), ("Ana Lúcia Verdemar", "filer"));
    let deadline = event.deadline.clone().unwrap();
    assert_eq!((deadline.rule.as_str(), deadline.due_date.as_str()), ("correction.answer", "2026-12-09"));
    let refused = |change: fn(&mut Wrong), reason: &str| {
        let mut wrong = wrong("name", "Ana");
        change(&mut wrong);
        ask(&case, &wrong).refused(reason);
    };
    refused(|wrong| wrong.field = "address".into(), "FIELD_UNKNOWN");
    refused(|wrong| wrong.error_of = "carrier".into(), "CAUSE_UNKNOWN");
    refused(|wrong| wrong.proof = "a friend".into(), "PROOF_UNKNOWN");
    refused(|wrong| wrong.explanation = "wrong".into(), "WORDS_OUT_OF_BOUNDS");
    refused(|wrong| wrong.value = " ".into(), "VALUE_MALFORMED");
    refused(|wrong| wrong.value = "A\nB".into(), "VALUE_MALFORMED");
    refused(|wrong| wrong.value = "x".repeat(201), "VALUE_MALFORMED");
    for date in ["1984-13-01", "9 March 1984", "2026-11-25", "1899-12-31"] {
        ask(&case, &wrong("birth_date", date)).refused("VALUE_MALFORMED");
    }
    let open = asked(case, "birth_date", "1984-03-09");
    assert_eq!(task::answer(&open.0).unwrap().task, "answer_correction");
    ask(&open, &wrong("name", "Ana")).refused("CORRECTION_OPEN");
}

#[test]
fn an_officer_corrects_to_what_is_shown_or_says_why_not() {
    let case = asked(in_review(), "name", "Ana Lúcia Verdemar");
    let make = |case: &Given, value: &str| case.when(|case| decide::make_correction(case, ADA, value, now()));
    make(&case, "").refused("VALUE_MALFORMED");
    let events = make(&case, "Ana Lucia Verdemar").then(&["name_corrected"]);
    assert!(
        matches!(&events[0], Event::NameCorrected(event) if event.corrected_name == "Ana Lucia Verdemar")
    );
    let right = Given(events.iter().fold(case.0.clone(), evolve));
    assert_eq!(right.0.correction.as_ref().unwrap().state, CorrectionState::Made);
    assert!(task::answer(&right.0).is_none());
    make(&right, "Ana").refused("NO_CORRECTION_OPEN");
    make(&given([]), "Ana").refused("NOT_FOUND");

    let refuse = |case: &Given, why: &str| case.when(|case| decide::refuse_correction(case, ADA, why));
    refuse(&case, "No.").refused("WORDS_OUT_OF_BOUNDS");
    let events = refuse(&case, "The passport shows the name as it is.").then(&["correction_refused"]);
    let stays = Given(events.iter().fold(case.0, evolve));
    refuse(&stays, "The passport shows the name as it is.").refused("NO_CORRECTION_OPEN");
    // Who shows more asks again.
    ask(&stays, &wrong("name", "Ana")).then(&["correction_asked"]);
}

#[test]
fn a_corrected_birth_date_tells_the_age_on_the_receipt_date() {
    // Received on 23 November 2026.
    for (born, age) in [("2008-11-23", 18), ("2008-11-24", 17), ("2026-11-24", 0)] {
        let case = asked(in_review(), "birth_date", born);
        assert_eq!(case.0.correction.as_ref().unwrap().field, Corrected::BirthDate);
        let made = case.when(|case| decide::make_correction(case, ADA, born, now()));
        let case = made.then(&["birth_date_corrected"]).iter().fold(case.0, evolve);
        assert_eq!(case.age, age, "{born}");
    }
}

#[test]
fn nothing_is_corrected_once_the_card_or_the_certificate_is_made_and_neither_is_made_before_the_answer() {
    let ordered = asked(card(&[]), "name", "Ana Lúcia Verdemar");
    ordered.when(|case| decide::record_card(case, &CardStep::Produced, now())).refused("CORRECTION_OPEN");
    let made = ordered.when(|case| decide::make_correction(case, ADA, "Ana Lúcia Verdemar", now()));
    let corrected = Given(made.then(&["name_corrected"]).iter().fold(ordered.0, evolve));
    corrected.when(|case| decide::record_card(case, &CardStep::Produced, now())).then(&["card_produced"]);
    ask(&card(&[CardStep::Produced]), &wrong("name", "Ana")).refused("CARD_MADE");
    // One that is destroyed is made anew, with what is right then; it is not ordered before the answer.
    let misprinted = asked(card(&[CardStep::Produced, CardStep::Destroyed]), "name", "Ana");
    misprinted.when(|case| decide::order_card(case, ADA, now())).refused("CORRECTION_OPEN");

    let oath = asked(oath_taken(), "name", "Ana Lúcia Verdemar");
    oath.when(|case| decide::issue_certificate(case, "12345678")).refused("CORRECTION_OPEN");
    let issued = oath_taken().and(pb::CertificateIssued::default());
    ask(&issued, &wrong("name", "Ana")).refused("CARD_MADE");
    // What was made meanwhile all the same is not corrected either.
    let late = asked(card(&[]), "name", "Ana").and(pb::CardProduced {});
    late.when(|case| decide::make_correction(case, ADA, "Ana", now())).refused("CARD_MADE");
}

#[test]
fn a_correction_is_asked_in_a_case_that_was_accepted_and_ends_with_it() {
    ask(&given([]), &wrong("name", "Ana")).refused("NOT_FOUND");
    ask(&submitted(), &wrong("name", "Ana")).refused("NOT_ACCEPTED");
    ask(&in_review().and(pb::CaseWithdrawn {}), &wrong("name", "Ana")).refused("ALREADY_DECIDED");
    ask(&approved(), &wrong("name", "Ana")).then(&["correction_asked"]);
    let open = asked(in_review(), "name", "Ana");
    let events = open.when(decide::withdraw).then(&["withdrawn", "correction_closed"]);
    let gone = events.iter().fold(open.0, evolve);
    assert_eq!(gone.correction.unwrap().state, CorrectionState::Closed);
}
