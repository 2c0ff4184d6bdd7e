//! A representative acts from the acceptance on, until either side ends it.

use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use crate::domain::decide::{accept, end_representation};
use crate::domain::samples::{Given, RECEIPT, given, opened};
use crate::domain::{Event, evolve};

const REPRESENTATION: Uuid = Uuid::from_u128(0x28);
const ATTORNEY: Uuid = Uuid::from_u128(0x29);

fn represented() -> Given {
    given([pb::CaseOpened {
        representation_id: REPRESENTATION.to_string(),
        representative: ATTORNEY.to_string(),
        ..opened()
    }
    .into()])
}

#[test]
fn an_appearance_made_with_the_filing_is_taken_with_it() {
    let submitted = represented();
    assert_eq!(submitted.0.representative(), None, "nobody acts before the office took it");
    let events = accept(&submitted.0, RECEIPT, "NBC").unwrap();
    assert!(events.iter().any(|event| matches!(event, Event::RepresentationActivated(_))), "{events:?}");
    let accepted = events.iter().fold(submitted.0, evolve);
    assert_eq!(accepted.representative(), Some(ATTORNEY));
    // Another one's end means nothing here.
    assert!(end_representation(&accepted, Uuid::from_u128(1), "withdrawn").unwrap().is_empty());
    let ended = end_representation(&accepted, REPRESENTATION, "withdrawn").unwrap();
    let after = ended.iter().fold(accepted, evolve);
    assert_eq!(after.representative(), None);
    assert!(end_representation(&after, REPRESENTATION, "withdrawn").unwrap().is_empty());
}

#[test]
fn one_that_ended_before_the_acceptance_is_never_taken() {
    let submitted = represented();
    let ended = end_representation(&submitted.0, REPRESENTATION, "ended").unwrap();
    let after = ended.iter().fold(submitted.0, evolve);
    let events = accept(&after, RECEIPT, "NBC").unwrap();
    assert!(!events.iter().any(|event| matches!(event, Event::RepresentationActivated(_))), "{events:?}");
}
