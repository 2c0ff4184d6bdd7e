//! A representative acts from the acceptance on or from when the party appointed them, until either side ends it or another comes.

use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use crate::domain::decide::{
    accept, appoint_representative, change_wishes, end_former, end_representation, reject,
};
use crate::domain::samples::{Given, RECEIPT, given, opened};
use crate::domain::{Event, Wishes, evolve};

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

#[test]
fn whoever_is_appointed_later_acts_at_once_and_alone() {
    let (second, third) = (Uuid::from_u128(0x38), Uuid::from_u128(0x39));
    let accepted = given([opened().into()]).0;
    let accepted = accept(&accepted, RECEIPT, "NBC").unwrap().iter().fold(accepted, evolve);
    let events = appoint_representative(&accepted, (REPRESENTATION, ATTORNEY), None).unwrap();
    assert!(matches!(events.as_slice(), [Event::RepresentationActivated(_)]), "{events:?}");
    let represented = events.iter().fold(accepted, evolve);
    assert_eq!(represented.representative(), Some(ATTORNEY));
    assert!(appoint_representative(&represented, (REPRESENTATION, ATTORNEY), None).unwrap().is_empty());

    let events = appoint_representative(&represented, (second, third), None).unwrap();
    let [Event::CaseRepresentationReplaced(replaced)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(replaced.former_representation_id, REPRESENTATION.to_string());
    assert_eq!(replaced.former_representative, ATTORNEY.to_string());
    let after = events.iter().fold(represented, evolve);
    assert_eq!(after.representative(), Some(third));
    // The end of the former one means nothing here any more.
    assert!(end_representation(&after, REPRESENTATION, "withdrawn").unwrap().is_empty());
    assert!(!end_representation(&after, second, "ended").unwrap().is_empty());
}

#[test]
fn whoever_another_took_the_place_of_acts_no_longer_though_that_one_has_ended_meanwhile() {
    let accepted = accept(&represented().0, RECEIPT, "NBC").unwrap().iter().fold(represented().0, evolve);
    assert!(end_former(&accepted, REPRESENTATION).unwrap().is_empty(), "it is the same one");
    let events = end_former(&accepted, Uuid::from_u128(0x38)).unwrap();
    let [Event::CaseRepresentationEnded(ended)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        (ended.representation_id.as_str(), ended.cause.as_str()),
        (REPRESENTATION.to_string().as_str(), "ended")
    );
    let after = events.iter().fold(accepted, evolve);
    assert!(end_former(&after, Uuid::from_u128(0x38)).unwrap().is_empty());
}

#[test]
fn nobody_is_appointed_where_no_case_is_or_comes_of_it() {
    assert!(appoint_representative(&given([]).0, (REPRESENTATION, ATTORNEY), None).unwrap().is_empty());
    let submitted = given([opened().into()]).0;
    let rejected = reject(&submitted, &["X-SIGN".to_owned()]).unwrap().iter().fold(submitted, evolve);
    assert!(appoint_representative(&rejected, (REPRESENTATION, ATTORNEY), None).unwrap().is_empty());
}

#[test]
fn nothing_of_a_representation_is_written_into_a_case_whose_acceptance_was_taken_back() {
    let accepted = accept(&represented().0, RECEIPT, "NBC").unwrap().iter().fold(represented().0, evolve);
    let voided =
        Given(accepted).and(pb::AcceptanceVoided { cause: "payment".into(), ..Default::default() }).0;
    assert!(end_representation(&voided, REPRESENTATION, "withdrawn").unwrap().is_empty());
    assert!(appoint_representative(&voided, (Uuid::from_u128(0x38), ATTORNEY), None).unwrap().is_empty());
    assert_eq!(
        voided.representative(),
        None,
        "nobody acts there, and none sees it after the end of the appearance"
    );
}

const ALL: Wishes =
    Wishes { notices_to_representative: true, documents_to_representative: true, i94_to_client: true };

#[test]
fn what_the_client_wishes_comes_with_the_appearance_and_may_change_alone() {
    let submitted = given([pb::CaseOpened {
        representation_id: REPRESENTATION.to_string(),
        representative: ATTORNEY.to_string(),
        wishes: Some(ALL.into()),
        ..opened()
    }
    .into()])
    .0;
    let accepted = accept(&submitted, RECEIPT, "NBC").unwrap().iter().fold(submitted, evolve);
    assert_eq!(accepted.appearance.unwrap().wishes, Some(ALL), "the acceptance keeps it");
    assert!(change_wishes(&accepted, REPRESENTATION, ALL).unwrap().is_empty(), "nothing changes");
    assert!(change_wishes(&accepted, Uuid::from_u128(1), Wishes::default()).unwrap().is_empty(), "another's");
    let back = change_wishes(&accepted, REPRESENTATION, Wishes::default()).unwrap();
    assert!(matches!(back.as_slice(), [Event::CaseRepresentationWishesChanged(_)]), "{back:?}");
    let after = back.iter().fold(accepted, evolve);
    assert_eq!(after.appearance.unwrap().wishes, Some(Wishes::default()));
    // Another appearance brings what was wished on it, and no word of the one before.
    let next = appoint_representative(&after, (Uuid::from_u128(0x38), ATTORNEY), Some(ALL)).unwrap();
    assert_eq!(next.iter().fold(after.clone(), evolve).appearance.unwrap().wishes, Some(ALL));
    let silent = appoint_representative(&after, (Uuid::from_u128(0x38), ATTORNEY), None).unwrap();
    assert_eq!(silent.iter().fold(after, evolve).appearance.unwrap().wishes, None);
}

#[test]
fn what_is_wished_later_changes_no_case_whose_acceptance_was_taken_back() {
    let accepted = accept(&represented().0, RECEIPT, "NBC").unwrap().iter().fold(represented().0, evolve);
    assert!(!change_wishes(&accepted, REPRESENTATION, ALL).unwrap().is_empty(), "older ones said nothing");
    let voided =
        Given(accepted).and(pb::AcceptanceVoided { cause: "payment".into(), ..Default::default() }).0;
    assert!(change_wishes(&voided, REPRESENTATION, ALL).unwrap().is_empty());
}
