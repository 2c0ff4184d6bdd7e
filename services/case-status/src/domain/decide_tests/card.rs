//! The card that an approval gives: every branch.

use docket_proto::case_status::events::v1 as pb;
use docket_proto::types::v1::MailingWishes;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::domain::decide::{self, CardStep};
use crate::domain::samples::*;
use crate::domain::{CardState, Case, Event, GoesTo, Outcome, evolve, task, title};

/// The event that the party's address comes from.
const ON_RECORD: Option<Uuid> = Some(Uuid::from_u128(0xADD));

/// An approved case of a form.
fn approved_as(form: &str) -> Given {
    given([pb::CaseOpened { form: form.into(), family: "card_replacement".into(), ..opened() }.into()])
        .and(pb::FilingAccepted { receipt_number: RECEIPT.into(), office: "NBC".into() })
        .and(pb::CaseApproved { officer: BO.to_string(), effective_date: "2026-11-24".into() })
}

fn mailed() -> CardStep {
    CardStep::Mailed { carrier: "USPS".into(), tracking_number: "9400".into() }
}

fn returned() -> CardStep {
    CardStep::Returned { cause: "moved".into() }
}

fn order(case: &Given, at: Timestamp) -> Then {
    case.when(|case| decide::order_card(case, ADA, at))
}

fn record(case: &Given, step: &CardStep, at: Timestamp) -> Then {
    case.when(|case| decide::record_card(case, step, at))
}

fn after(case: Given, steps: &[CardStep], at: Timestamp) -> Given {
    steps.iter().fold(case, |case, step| {
        let events = decide::record_card(&case.0, step, at).unwrap();
        Given(events.iter().fold(case.0, evolve))
    })
}

fn ordered() -> Given {
    let case = approved_as("I-90");
    let events = order(&case, now()).then(&["card_ordered"]);
    Given(events.iter().fold(case.0, evolve))
}

fn back() -> Given {
    after(ordered(), &[CardStep::Produced, mailed(), returned()], now())
}

fn days(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

fn row(case: &Given) -> (String, Option<&'static str>) {
    (title::title(&case.0).id, task::task(&case.0))
}

#[test]
fn a_card_is_ordered_after_the_approval_of_a_form_that_gives_one_and_once() {
    for form in ["I-485", "I-90", "I-751", "I-765", "I-131"] {
        let case = approved_as(form);
        assert_eq!(row(&case), ("15".into(), Some("order_card")));
        order(&case, now()).then(&["card_ordered"]);
    }
    order(&approved_as("I-130"), now()).refused("NO_CARD");
    assert_eq!(task::task(&approved_as("I-130").0), None);
    order(&in_review(), now()).refused("NOT_APPROVED");
    order(&ordered(), now()).refused("CARD_ORDERED");
    assert!(decide::order_card(&Case::default(), ADA, now()).is_err());
    let again = after(ordered(), &[CardStep::Produced, CardStep::Destroyed], now());
    assert_eq!(again.0.card.state, CardState::Destroyed);
    assert_eq!(row(&again), ("10".into(), Some("order_card")), "a misprinted one is made again");
    order(&again, now()).then(&["card_ordered"]);
}

#[test]
fn it_goes_to_an_address_that_was_given_or_confirmed_in_the_last_60_days() {
    // Filed on November 23.
    order(&approved_as("I-90"), days(58)).then(&["card_ordered"]);
    order(&approved_as("I-90"), days(60)).refused("ADDRESS_NOT_CONFIRMED");
    let events = approved_as("I-90").when(|case| decide::confirm_address(case, ON_RECORD, days(40)));
    let events = events.then(&["address_confirmed"]);
    let confirmed = Given(events.iter().fold(approved_as("I-90").0, evolve));
    order(&confirmed, days(99)).then(&["card_ordered"]);
    let moved = approved_as("I-90").and(pb::CaseAddressChanged {
        changed_at_us: days(50).as_microsecond(),
        ..pb::CaseAddressChanged::default()
    });
    order(&moved, days(99)).then(&["card_ordered"]);
}

#[test]
fn it_is_made_then_mailed_then_delivered_and_each_hand_knows_its_task() {
    let case = ordered();
    assert_eq!(row(&case), ("10".into(), Some("produce_card")));
    record(&case, &mailed(), now()).refused("CARD_STEP_OUT_OF_ORDER");
    record(&approved_as("I-90"), &CardStep::Produced, now()).refused("CARD_STEP_OUT_OF_ORDER");
    let case = after(case, &[CardStep::Produced], now());
    assert_eq!(row(&case), ("10".into(), Some("mail_card")));
    let nameless = CardStep::Mailed { carrier: "USPS".into(), tracking_number: " ".into() };
    record(&case, &nameless, now()).refused("TRACKING_MISSING");
    record(&case, &CardStep::Delivered, now()).refused("CARD_STEP_OUT_OF_ORDER");
    let case = after(case, &[mailed()], now());
    assert_eq!(row(&case), ("9".into(), None));
    record(&case, &CardStep::Destroyed, now()).refused("CARD_STEP_OUT_OF_ORDER");
    let case = after(case, &[CardStep::Delivered], now());
    assert_eq!(row(&case), ("8".into(), None));
    assert!(!case.0.card_is_to_come());
    assert!(decide::record_card(&Case::default(), &CardStep::Produced, now()).is_err());
}

#[test]
fn a_card_that_came_back_is_not_mailed_again_before_the_address_is_confirmed() {
    let case = back();
    assert_eq!(row(&case), ("7".into(), Some("see_to_card")));
    assert_eq!(case.0.card.keep_until, "2027-01-23");
    record(&case, &mailed(), days(1)).refused("ADDRESS_NOT_CONFIRMED");
    let events =
        case.when(|case| decide::confirm_address(case, ON_RECORD, days(1))).then(&["address_confirmed"]);
    let confirmed = Given(events.iter().fold(case.0, evolve));
    assert_eq!(row(&confirmed), ("7a".into(), Some("see_to_card")));
    record(&confirmed, &CardStep::Destroyed, days(99)).refused("CARD_STILL_KEPT");
    record(&confirmed, &mailed(), days(2)).then(&["card_remailed"]);
    let again = after(confirmed, &[mailed(), returned()], days(3));
    record(&again, &mailed(), days(4)).refused("ADDRESS_NOT_CONFIRMED");
    let unknown = CardStep::Returned { cause: "rain".into() };
    record(&after(ordered(), &[CardStep::Produced, mailed()], now()), &unknown, now())
        .refused("CAUSE_UNKNOWN");
}

#[test]
fn a_move_that_was_reported_since_is_as_good_as_a_confirmation() {
    let moved = back().and(pb::CaseAddressChanged {
        changed_at_us: days(1).as_microsecond(),
        ..pb::CaseAddressChanged::default()
    });
    record(&moved, &mailed(), days(2)).then(&["card_remailed"]);
}

#[test]
fn it_is_destroyed_when_its_time_is_over_and_not_before() {
    record(&back(), &CardStep::Destroyed, days(60)).refused("CARD_STILL_KEPT");
    record(&back(), &CardStep::Destroyed, days(61)).then(&["card_destroyed"]);
    // The person still has no card: another one is made once the address is confirmed.
    let destroyed = after(back(), &[CardStep::Destroyed], days(61));
    assert_eq!(row(&destroyed), ("7b".into(), Some("order_card")));
    order(&destroyed, days(62)).refused("ADDRESS_NOT_CONFIRMED");
    let events = destroyed
        .when(|case| decide::confirm_address(case, ON_RECORD, days(63)))
        .then(&["address_confirmed"]);
    let confirmed = Given(events.iter().fold(destroyed.0.clone(), evolve));
    assert_eq!(row(&confirmed), ("10".into(), Some("order_card")));
    order(&confirmed, days(64)).then(&["card_ordered"]);
    // A reported move does the same.
    let changed = docket_proto::identity::events::v1::AddressChanged::default();
    let moved = |case: &Case| {
        let ids = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(3));
        decide::change_address(case, ids, &changed, days(63))
    };
    let events = destroyed.when(moved).then(&["address_changed"]);
    order(&Given(events.iter().fold(destroyed.0, evolve)), days(64)).then(&["card_ordered"]);
}

#[test]
fn an_address_is_confirmed_while_something_may_be_mailed() {
    let confirm = |case: &Given| case.when(|case| decide::confirm_address(case, ON_RECORD, now()));
    for case in [submitted(), in_review(), approved_as("I-90"), back()] {
        confirm(&case).then(&["address_confirmed"]);
    }
    let delivered = after(ordered(), &[CardStep::Produced, mailed(), CardStep::Delivered], now());
    for case in [delivered, in_review().and(pb::CaseWithdrawn {}), approved_as("I-130")] {
        confirm(&case).refused("NOT_NEEDED");
    }
    assert_eq!(approved_as("I-130").0.outcome, Some(Outcome::Approved));
    let nothing = back().when(|case| decide::confirm_address(case, None, now()));
    nothing.refused("ADDRESS_NOT_ON_RECORD");
    assert!(decide::confirm_address(&Case::default(), ON_RECORD, now()).is_err());
}

const APPEARANCE: Uuid = Uuid::from_u128(0x28);

/// An approved case in which somebody acts; the client says on Form G-28 whether cards go to them.
fn represented(to_representative: bool) -> Given {
    let wishes = MailingWishes { documents_to_representative: to_representative, ..Default::default() };
    approved_as("I-90").and(pb::RepresentationActivated {
        representation_id: APPEARANCE.to_string(),
        representative: Uuid::from_u128(0x29).to_string(),
        wishes: Some(wishes),
    })
}

/// Where a card that is ordered and made now is mailed, after what `meanwhile` happens to the case.
fn mailed_to(case: Given, meanwhile: Option<Event>) -> GoesTo {
    let events = order(&case, now()).then(&["card_ordered"]);
    let made = after(Given(events.iter().fold(case.0, evolve)), &[CardStep::Produced], now());
    let made = meanwhile.map_or(made.0.clone(), |event| evolve(made.0, &event));
    after(Given(made), &[mailed()], now()).0.card.mailed_to
}

#[test]
fn a_card_goes_where_the_client_wished_on_form_g_28_as_long_as_that_representative_acts() {
    assert_eq!(mailed_to(approved_as("I-90"), None), GoesTo::Client);
    assert_eq!(mailed_to(represented(false), None), GoesTo::Client);
    assert_eq!(mailed_to(represented(true), None), GoesTo::Representative);
    // Older events do not say.
    let unsaid = approved_as("I-90").and(pb::RepresentationActivated {
        representation_id: APPEARANCE.to_string(),
        representative: Uuid::from_u128(0x29).to_string(),
        wishes: None,
    });
    assert_eq!(mailed_to(unsaid, None), GoesTo::Client);
    // It falls back to the client when nobody acts any more, and when the client takes it back.
    let ended = pb::CaseRepresentationEnded {
        representation_id: APPEARANCE.to_string(),
        cause: "withdrawn".into(),
        ..Default::default()
    };
    assert_eq!(mailed_to(represented(true), Some(ended.into())), GoesTo::Client);
    let taken_back = pb::CaseRepresentationWishesChanged {
        representation_id: APPEARANCE.to_string(),
        wishes: Some(MailingWishes::default()),
    };
    assert_eq!(mailed_to(represented(true), Some(taken_back.into())), GoesTo::Client);
}

#[test]
fn a_card_of_what_is_protected_goes_to_the_persons_own_address_whatever_was_wished() {
    let opened = pb::CaseOpened {
        form: "I-751".into(),
        family: "conditions_removal".into(),
        protected: true,
        representation_id: APPEARANCE.to_string(),
        representative: Uuid::from_u128(0x29).to_string(),
        wishes: Some(MailingWishes { documents_to_representative: true, ..Default::default() }),
        ..opened()
    };
    let goes = |opened: pb::CaseOpened| {
        let submitted = given([opened.into()]);
        let accepted = decide::accept(&submitted.0, RECEIPT, "NBC").unwrap();
        let approved = pb::CaseApproved { officer: BO.to_string(), effective_date: "2026-11-24".into() };
        mailed_to(Given(accepted.iter().fold(submitted.0, evolve)).and(approved), None)
    };
    assert_eq!(goes(pb::CaseOpened { protected: false, ..opened.clone() }), GoesTo::Representative);
    assert_eq!(goes(opened), GoesTo::Client);
}

#[test]
fn a_card_that_came_back_from_the_representative_goes_to_the_client() {
    let case = represented(true);
    let events = order(&case, now()).then(&["card_ordered"]);
    let [Event::CardOrdered(ordered)] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(ordered.goes_to, "representative");
    let ordered = Given(events.iter().fold(case.0, evolve));
    let back = after(ordered, &[CardStep::Produced, mailed(), returned()], now());
    assert_eq!(back.0.card.mailed_to, GoesTo::Representative);
    let confirmed = back
        .and(pb::AddressConfirmed { confirmed_at_us: days(1).as_microsecond(), address_id: String::new() });
    assert_eq!(after(confirmed, &[mailed()], days(2)).0.card.mailed_to, GoesTo::Client);
}
