//! What does not belong into a log is refused, and nothing of it is written.

use docket_eventlog::{Append, Error, Expected, NewEvent, StreamName};
use docket_kernel::Actor;

use super::fixture::Fixture;

/// A command with one event of this kind and payload.
fn with<F: Fixture>(f: &F, kind: &str, payload: Vec<u8>) -> Append {
    let mut append = f.one(1, 1, Expected::Any);
    append.streams[0].events = vec![NewEvent { kind: kind.to_owned(), payload }];
    append
}

/// An encoded message of so many bytes.
fn message(bytes: usize) -> Vec<u8> {
    let mut payload = Vec::new();
    prost::encoding::string::encode(9, &"x".repeat(bytes), &mut payload);
    payload
}

async fn refused<F: Fixture>(f: &F, append: Append) -> Error {
    let error = f.append(append).await.expect_err("it is refused");
    assert_eq!(f.log().head().await.unwrap().position, 0);
    error
}

async fn malformed<F: Fixture>(f: &F, append: Append) {
    assert!(matches!(refused(f, append).await, Error::Malformed(_)));
}

pub(super) async fn an_event_too_large_is_refused<F: Fixture>(f: &F) {
    let large = with(f, "account.big.v1", message(256 * 1024));
    assert!(matches!(refused(f, large).await, Error::TooLarge { bytes } if bytes > 262_144));
    f.append(with(f, "account.big.v1", message(255 * 1024))).await.unwrap();
}

pub(super) async fn an_append_too_large_is_refused<F: Fixture>(f: &F) {
    let mut large = with(f, "account.big.v1", message(200 * 1024));
    large.streams[0].events = vec![large.streams[0].events[0].clone(); 22];
    assert!(matches!(refused(f, large).await, Error::TooLarge { bytes } if bytes > 4 * 1024 * 1024));
}

pub(super) async fn too_many_events_are_refused<F: Fixture>(f: &F) {
    let many = f.command(1, vec![f.to(1, Expected::Any, 1_001)]);
    assert!(matches!(refused(f, many).await, Error::TooManyEvents { events: 1_001, .. }));
}

pub(super) async fn a_kind_with_a_control_character_is_refused<F: Fixture>(f: &F) {
    malformed(f, with(f, "account.\0.v1", Vec::new())).await;
}

pub(super) async fn an_empty_kind_is_refused<F: Fixture>(f: &F) {
    malformed(f, with(f, "", Vec::new())).await;
}

pub(super) async fn a_payload_which_is_no_message_is_refused<F: Fixture>(f: &F) {
    malformed(f, with(f, "account.odd.v1", vec![0xff])).await;
}

pub(super) async fn a_stream_named_twice_is_refused<F: Fixture>(f: &F) {
    malformed(f, f.command(1, vec![f.to(1, Expected::Any, 1), f.to(1, Expected::Any, 1)])).await;
}

pub(super) async fn an_actor_with_a_control_character_is_refused<F: Fixture>(f: &F) {
    let mut append = f.one(1, 1, Expected::Any);
    append.metadata.actor = Actor::service("a\0b");
    malformed(f, append).await;
}

pub(super) async fn names_of_streams_are_checked<F: Fixture>(_: &F) {
    for bad in ["", "Case-1", "case 1", "case-\0", "fälle-1", &"x".repeat(121)] {
        assert!(matches!(StreamName::new(bad), Err(Error::StreamName)), "{bad}");
    }
    for good in ["case-1", "email-k1-00ff", "slot-nyc_1-2026.03.02", &"x".repeat(120)] {
        assert_eq!(StreamName::new(good).unwrap().as_str(), good);
    }
}

pub(super) async fn a_closed_log_refuses<F: Fixture>(f: &F) {
    f.write(1, 1, 1).await;
    f.log().close().await;
    assert!(matches!(f.append(f.one(2, 1, Expected::Any)).await, Err(Error::Closed)));
}
