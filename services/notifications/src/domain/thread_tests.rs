//! What a conversation allows.

use docket_eventlog::Aggregate as _;
use docket_kernel::Refusal;
use uuid::Uuid;

use super::thread::{From, TOPICS, ThreadEvent, ThreadState, Threads, say, start};

const CASE: Uuid = Uuid::from_u128(1);
const PARTY: Uuid = Uuid::from_u128(2);
const OFFICER: Uuid = Uuid::from_u128(3);

fn begun() -> ThreadState {
    let events = start(&ThreadState::default(), CASE, PARTY, "technical", "Hello?").unwrap();
    events.iter().fold(ThreadState::default(), Threads::evolve)
}

fn reasons(refusal: &Refusal) -> Vec<&str> {
    refusal.faults.iter().map(|fault| fault.reason.as_str()).collect()
}

#[test]
fn a_party_begins_with_any_topic_of_the_list_and_a_message() {
    for topic in TOPICS {
        let events = start(&ThreadState::default(), CASE, PARTY, topic, " Hello? ").unwrap();
        let [ThreadEvent::ThreadStarted(started), ThreadEvent::MessageSent(sent)] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!((started.topic.as_str(), started.account_id.clone()), (topic, PARTY.to_string()));
        assert_eq!((sent.from.as_str(), sent.text.as_str()), ("party", "Hello?"));
        assert_eq!((sent.case_id.clone(), sent.topic.as_str()), (CASE.to_string(), topic));
    }
}

#[test]
fn a_message_says_of_which_case_and_topic_it_is_whoever_writes() {
    for (from, account) in [(From::Party, PARTY), (From::Office, OFFICER)] {
        let events = say(&begun(), from, account, "Yes").unwrap();
        let [ThreadEvent::MessageSent(sent)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((sent.case_id.clone(), sent.topic.as_str()), (CASE.to_string(), "technical"));
    }
}

#[test]
fn every_fault_is_named_at_once() {
    let refused = start(&ThreadState::default(), CASE, PARTY, "gossip", "  ").unwrap_err();
    assert_eq!(reasons(&refused), ["TEXT_EMPTY", "TOPIC_UNKNOWN"]);
}

#[test]
fn a_text_has_at_most_2000_characters_of_any_script() {
    assert!(say(&begun(), From::Party, PARTY, &"ñ".repeat(2_000)).is_ok());
    let refused = say(&begun(), From::Party, PARTY, &"ñ".repeat(2_001)).unwrap_err();
    assert_eq!(reasons(&refused), ["TEXT_TOO_LONG"]);
}

#[test]
fn a_party_begins_another_conversation_after_two_hundred_messages_and_the_office_still_answers() {
    let whole = |messages| ThreadState { messages, ..begun() };
    assert!(say(&whole(199), From::Party, PARTY, "And?").is_ok());
    let refused = say(&whole(200), From::Party, PARTY, "And?").unwrap_err();
    assert_eq!((refused.reason, refused.way_out.is_empty()), ("THREAD_FULL", false));
    assert!(say(&whole(200), From::Office, OFFICER, "Yes").is_ok());
}

#[test]
fn a_conversation_is_begun_once_and_before_anybody_answers() {
    assert_eq!(start(&begun(), CASE, PARTY, "other", "Again").unwrap_err().reason, "THREAD_EXISTS");
    assert_eq!(say(&ThreadState::default(), From::Office, OFFICER, "Yes").unwrap_err().reason, "NOT_FOUND");
    let events = say(&begun(), From::Office, OFFICER, "Yes").unwrap();
    let state = events.iter().fold(begun(), Threads::evolve);
    assert_eq!(state.messages, 2);
}
