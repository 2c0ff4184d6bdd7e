//! What may happen to the number of an account.

use docket_eventlog::Aggregate as _;
use docket_proto::notifications::events::v1 as pb;
use uuid::Uuid;

use super::texting::{EndedBy, Texting, TextingEvent, TextingState, end, prove, resume};

const FIRST: Uuid = Uuid::from_u128(1);
const SECOND: Uuid = Uuid::from_u128(2);

fn given(number: Uuid, until_us: i64) -> TextingEvent {
    pb::TextNumberGiven { number_id: number.to_string(), until_us, ..Default::default() }.into()
}

fn proven(number: Uuid) -> TextingEvent {
    pb::TextNumberProven { number_id: number.to_string() }.into()
}

fn after(events: impl IntoIterator<Item = TextingEvent>) -> TextingState {
    events.into_iter().fold(TextingState::default(), |state, event| Texting::evolve(state, &event))
}

fn and(state: &TextingState, events: Vec<TextingEvent>) -> TextingState {
    events.iter().fold(state.clone(), Texting::evolve)
}

#[test]
fn texts_go_to_a_number_from_its_code_on_and_to_the_one_before_until_then() {
    let asked = after([given(FIRST, 10)]);
    assert_eq!(asked.on, None);
    let on = and(&asked, prove(&asked, FIRST, 9).unwrap());
    assert_eq!((on.on, on.given), (Some(FIRST), None));
    let other = and(&on, vec![given(SECOND, 20)]);
    assert_eq!(other.on, Some(FIRST));
    assert_eq!(and(&other, prove(&other, SECOND, 15).unwrap()).on, Some(SECOND));
}

#[test]
fn a_code_is_good_for_its_ten_minutes_and_for_the_number_given_last() {
    let asked = after([given(FIRST, 10), given(SECOND, 20)]);
    assert_eq!(asked.waiting(19).unwrap(), SECOND);
    for (number, now_us) in [(SECOND, 20), (FIRST, 9)] {
        assert_eq!(prove(&asked, number, now_us).unwrap_err().reason, "NO_NUMBER_GIVEN");
    }
    assert_eq!(prove(&TextingState::default(), FIRST, 0).unwrap_err().reason, "NO_NUMBER_GIVEN");
}

#[test]
fn the_owner_ends_everything_and_where_there_is_nothing_nothing() {
    for state in [
        after([given(FIRST, 10)]),
        after([given(FIRST, 10), proven(FIRST)]),
        after([given(FIRST, 10), proven(FIRST), given(SECOND, 20)]),
    ] {
        let over = and(&state, end(&state, EndedBy::Owner));
        assert_eq!(over, TextingState::default());
        assert!(end(&over, EndedBy::Owner).is_empty());
    }
}

#[test]
fn a_reply_ends_texts_and_another_one_begins_them_again_unless_the_owner_took_the_number_away() {
    let on = after([given(FIRST, 10), proven(FIRST)]);
    let stopped = and(&on, end(&on, EndedBy::Reply));
    assert_eq!((stopped.on, stopped.stopped), (None, Some(FIRST)));
    assert!(end(&stopped, EndedBy::Reply).is_empty(), "once");
    assert_eq!(and(&stopped, resume(&stopped)), on);
    let away = and(&stopped, end(&stopped, EndedBy::Owner));
    assert!(resume(&away).is_empty());
    assert!(resume(&on).is_empty());
}

#[test]
fn what_does_not_arrive_ends_texts_and_no_reply_begins_them_again() {
    let on = after([given(FIRST, 10), proven(FIRST)]);
    let off = and(&on, end(&on, EndedBy::Unreachable));
    assert!(off.unreachable && off.on.is_none() && resume(&off).is_empty());
    let again = and(&off, vec![given(SECOND, 20), proven(SECOND)]);
    assert!(!again.unreachable && again.on == Some(SECOND));
}
