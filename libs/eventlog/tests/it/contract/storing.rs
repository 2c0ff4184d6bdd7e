//! Commands of an aggregate: load, decide, append, once for each.

use docket_eventlog::ExecuteError;
use docket_kernel::Refusal;
use futures::future::join_all;

use super::fixture::{Decide, Fixture, Handle, id_of};
use crate::store::count;
use crate::world::context;

const FULL: Decide = |_| Err(Refusal::state("FULL", "It is full."));
const NOTHING: Decide = |_| Ok(Vec::new());

pub(super) async fn a_decision_is_made_on_the_state_and_answered_with_the_new_one<F: Fixture>(f: &F) {
    assert_eq!(f.handle().state(f.id(1)).await.unwrap().version, 0);
    for n in 1..=3 {
        let done = f.handle().execute(&context(n.into()), f.id(1), count).await.unwrap();
        assert_eq!((done.state, done.version, done.repeated), (n, n.into(), false));
    }
    let state = f.handle().state(f.id(1)).await.unwrap();
    assert_eq!((state.state, state.version), (3, 3));
    assert_eq!(f.handle().read_stream(&f.stream(1), 1).await.unwrap().len(), 3);
}

pub(super) async fn an_execution_done_again_is_answered_as_of_the_first_time<F: Fixture>(f: &F) {
    for n in 1..=3 {
        f.handle().execute(&context(n), f.id(1), count).await.unwrap();
    }
    let grown = f.grown().await;
    for handle in [f.handle(), &grown] {
        // Not even asked: the decision would be another today.
        let again = handle.execute(&context(1), f.id(1), FULL).await.unwrap();
        assert_eq!((again.state, again.version, again.events.len(), again.repeated), (1, 1, 1, true));
    }
}

pub(super) async fn a_refused_execution_writes_nothing<F: Fixture>(f: &F) {
    let refused = f.handle().execute(&context(1), f.id(1), FULL).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(refusal)) if refusal.reason == "FULL"));
    assert_eq!(f.all().await, []);
    assert!(!f.handle().execute(&context(1), f.id(1), count).await.unwrap().repeated);
}

pub(super) async fn executions_at_once_are_each_decided_on_the_last_state<F: Fixture>(f: &F) {
    let (ids, contexts) = ([f.id(1), f.id(2)], (1..=8).map(context).collect::<Vec<_>>());
    let all =
        contexts.iter().zip(ids.iter().cycle()).map(|(context, id)| f.handle().execute(context, *id, count));
    for done in join_all(all).await {
        done.unwrap();
    }
    for id in ids {
        assert_eq!(f.handle().state(id).await.unwrap().state, 4);
    }
}

pub(super) async fn an_execution_that_decided_nothing_is_known_after_logs_were_added<F: Fixture>(f: &F) {
    let id = id_of(&f.wanderer());
    let first = f.handle().execute(&context(1), id, NOTHING).await.unwrap();
    let again = f.grown().await.execute(&context(1), id, count).await.unwrap();
    assert_eq!((first.version, first.repeated), (0, false));
    assert_eq!((again.version, again.state, again.events.len(), again.repeated), (0, 0, 0, true));
}

pub(super) async fn an_aggregate_is_born_where_its_slot_went<F: Fixture>(f: &F) {
    let (grown, id) = (f.grown().await, id_of(&f.wanderer()));
    assert_eq!(grown.execute(&context(1), id, count).await.unwrap().state, 1);
    assert_eq!(grown.state(id).await.unwrap().version, 1);
}
