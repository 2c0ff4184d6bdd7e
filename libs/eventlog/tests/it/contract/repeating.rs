//! Asked twice, done once.

use docket_eventlog::{Append, Appended, Expected};
use docket_kernel::Actor;
use futures::future::join_all;

use super::fixture::{Fixture, Handle};
use crate::world::{id, summary};

fn actor() -> Actor {
    Actor::account(id(99))
}

/// A command with this body: an encoded message of texts by field number.
fn with_body<F: Fixture>(f: &F, fields: &[(u32, &str)]) -> Append {
    let mut append = f.one(1, 1, Expected::Any);
    for (number, text) in fields {
        prost::encoding::string::encode(*number, &(*text).to_owned(), &mut append.request);
    }
    append
}

pub(super) async fn a_command_done_again_gives_the_first_answer<F: Fixture>(f: &F) {
    let streams = vec![f.to(1, Expected::Any, 2), f.to(2, Expected::Any, 1)];
    let append = f.command(1, streams);
    let first = f.append(append.clone()).await.unwrap();
    let again = f.append(append).await.unwrap();
    assert!(again.repeated && !first.repeated);
    assert_eq!((again.first, again.last, again.events), (first.first, first.last, first.events));
}

pub(super) async fn repeated_after_others_it_is_still_the_first_answer<F: Fixture>(f: &F) {
    let first = f.write(1, 1, 2).await;
    f.write(2, 1, 2).await;
    f.write(3, 2, 2).await;
    let again = f.write(1, 1, 2).await;
    assert_eq!((again.repeated, again.events), (true, first.events));
}

pub(super) async fn a_repeated_command_does_not_look_at_versions<F: Fixture>(f: &F) {
    assert_eq!(summary(&f.append(f.one(1, 1, Expected::Version(0))).await), "1..1");
    f.write(2, 1, 1).await;
    assert_eq!(summary(&f.append(f.one(1, 1, Expected::Version(0))).await), "repeated 1..1");
}

pub(super) async fn a_repeated_command_moves_no_head<F: Fixture>(f: &F) {
    f.write(1, 1, 2).await;
    let head = f.log().head().await.unwrap();
    f.write(1, 1, 2).await;
    assert_eq!(f.log().head().await.unwrap(), head);
}

pub(super) async fn many_at_once_under_one_id_are_one<F: Fixture>(f: &F) {
    let answers = join_all((0..20).map(|_| f.append(f.one(1, 1, Expected::Version(0))))).await;
    assert!(answers.iter().flatten().all(|answer| (answer.first, answer.last) == (1, 1)));
    assert_eq!(answers.iter().flatten().filter(|answer| !answer.repeated).count(), 1);
    assert_eq!(answers.iter().flatten().count(), 20);
}

pub(super) async fn another_actor_may_use_the_same_id<F: Fixture>(f: &F) {
    f.write(1, 1, 1).await;
    let mut other = f.one(1, 1, Expected::Any);
    other.metadata.actor = Actor::service("filing");
    assert_eq!(summary(&f.append(other).await), "2..2");
}

pub(super) async fn another_body_under_the_same_id_is_refused<F: Fixture>(f: &F) {
    f.append(with_body(f, &[(1, "a")])).await.unwrap();
    let refused = summary(&f.append(with_body(f, &[(1, "b")])).await);
    assert!(refused.starts_with("the command id was used before"), "{refused}");
    assert_eq!(f.all().await.len(), 1);
}

pub(super) async fn the_differing_field_is_named<F: Fixture>(f: &F) {
    f.append(with_body(f, &[(1, "a"), (2, "b"), (3, "c")])).await.unwrap();
    let refused = summary(&f.append(with_body(f, &[(1, "a"), (2, "x"), (4, "d")])).await);
    assert!(refused.ends_with("field 2, 3, 4 differs"), "{refused}");
}

pub(super) async fn a_body_which_is_no_message_is_told_apart_too<F: Fixture>(f: &F) {
    let with = |request: &[u8]| Append { request: request.to_vec(), ..f.one(1, 1, Expected::Any) };
    f.append(with(b"\xff\xff")).await.unwrap();
    assert_eq!(summary(&f.append(with(b"\xff\xff")).await), "repeated 1..1");
    let refused = summary(&f.append(with(b"\xff\xfe")).await);
    assert!(refused.ends_with("the request differs"), "{refused}");
}

pub(super) async fn a_refused_command_is_decided_anew<F: Fixture>(f: &F) {
    assert!(f.append(f.one(1, 1, Expected::Version(2))).await.is_err());
    f.write(2, 1, 2).await;
    assert_eq!(summary(&f.append(f.one(1, 1, Expected::Version(2))).await), "3..3");
}

pub(super) async fn a_command_without_events_is_remembered<F: Fixture>(f: &F) {
    f.write(1, 1, 1).await;
    let nothing = f.command(2, vec![f.to(1, Expected::Version(1), 0)]);
    let first = f.append(nothing.clone()).await.unwrap();
    f.write(3, 1, 1).await;
    let again = f.append(nothing).await.unwrap();
    assert_eq!((first.first, first.last, first.repeated), (2, 1, false));
    assert_eq!((again.first, again.last, again.repeated), (2, 1, true));
}

pub(super) async fn a_command_is_found_by_actor_and_id<F: Fixture>(f: &F) {
    f.write(1, 1, 1).await;
    f.write(2, 2, 3).await;
    assert_eq!(f.handle().command(&actor(), id(2)).await.unwrap(), Some((2, 4)));
}

pub(super) async fn an_unknown_command_is_not_found<F: Fixture>(f: &F) {
    f.write(1, 1, 1).await;
    assert_eq!(f.handle().command(&actor(), id(2)).await.unwrap(), None);
    assert_eq!(f.handle().command(&Actor::account(id(98)), id(1)).await.unwrap(), None);
}

pub(super) async fn another_replica_knows_the_command<F: Fixture>(f: &F) {
    f.write(1, 1, 2).await;
    let (replica, _) = f.replica().await;
    let again = replica.append(f.command(1, vec![f.to(1, Expected::Any, 2)])).await;
    assert_eq!(summary(&again), "repeated 1..2");
}

/// What it was answered says the same once more, and that it was said before.
async fn answers_again<F: Fixture>(handle: &F::Handle, append: Append, first: &Appended) {
    let again = handle.append(append).await.unwrap();
    assert!(again.repeated && !first.repeated);
    assert_eq!((again.first, again.last, &again.events), (first.first, first.last, &first.events));
}

/// Nothing but its own row tells where such a command was done.
pub(super) async fn a_command_without_events_is_known_after_logs_were_added<F: Fixture>(f: &F) {
    f.write(1, 1, 1).await;
    let nothing = f.command(2, vec![f.away(Expected::Version(0), 0)]);
    let first = f.append(nothing.clone()).await.unwrap();
    let grown = f.grown().await;
    answers_again::<F>(&grown, nothing, &first).await;
    assert_eq!(grown.command(&actor(), id(2)).await.unwrap(), Some((2, 1)));
}

pub(super) async fn a_stream_that_was_only_looked_at_may_go_elsewhere_before_a_repetition<F: Fixture>(f: &F) {
    let both = f.command(1, vec![f.to(1, Expected::Version(0), 2), f.away(Expected::Version(0), 0)]);
    let first = f.append(both.clone()).await.unwrap();
    let grown = f.grown().await;
    answers_again::<F>(&grown, both, &first).await;
    // The other stream is still to be born, wherever that is.
    let born = grown.append(f.command(2, vec![f.away(Expected::Version(0), 1)])).await.unwrap();
    assert!(!born.repeated);
}

pub(super) async fn a_repetition_that_names_another_stream_is_answered_from_the_first<F: Fixture>(f: &F) {
    let first = f.write(1, 1, 2).await;
    let grown = f.grown().await;
    answers_again::<F>(&grown, f.command(1, vec![f.away(Expected::Version(0), 1)]), &first).await;
    assert_eq!(grown.read_stream(&f.wanderer(), 1).await.unwrap(), []);
    // And the other way round: the first is in the log that was added.
    let first = grown.append(f.command(2, vec![f.away(Expected::Version(0), 1)])).await.unwrap();
    answers_again::<F>(&grown, f.command(2, vec![f.to(1, Expected::Any, 1)]), &first).await;
    assert_eq!(grown.read_stream(&f.stream(1), 1).await.unwrap().len(), 2);
}

pub(super) async fn another_body_is_refused_in_whichever_log_it_comes<F: Fixture>(f: &F) {
    f.append(with_body(f, &[(1, "a")])).await.unwrap();
    let other = Append { streams: vec![f.away(Expected::Version(0), 1)], ..with_body(f, &[(1, "b")]) };
    let grown = f.grown().await;
    let refused = summary(&grown.append(other).await);
    assert!(refused.ends_with("field 1 differs"), "{refused}");
    assert_eq!(grown.read_stream(&f.wanderer(), 1).await.unwrap(), []);
}

pub(super) async fn a_repetition_inside_a_transaction_is_known_after_logs_were_added<F: Fixture>(f: &F) {
    let nothing = f.command(1, vec![f.away(Expected::Version(0), 0)]);
    let first = f.append(nothing.clone()).await.unwrap();
    let grown = f.grown().await;
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    let again = grown.append_in(&mut tx, nothing).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((again.first, again.last, again.repeated), (first.first, first.last, true));
}
