//! Live subscriptions: everything, in the order of each log.

use std::time::Duration;

use tokio::time::timeout;

use super::fixture::{Fixture, Handle, Live};

/// The next so many positions.
async fn given<F: Fixture>(live: &mut <F::Handle as Handle>::Live, count: usize) -> Vec<u64> {
    let mut positions = Vec::new();
    while positions.len() < count {
        let page = timeout(Duration::from_secs(20), live.next()).await.expect("it is told").unwrap();
        assert!(!page.events.is_empty());
        positions.extend(page.events.iter().map(|event| event.position));
    }
    positions
}

pub(super) async fn a_subscriber_is_given_what_is_there_and_what_comes<F: Fixture>(f: &F) {
    f.write(1, 1, 5).await;
    let mut live = f.handle().follow();
    assert_eq!(given::<F>(&mut live, 5).await, [1, 2, 3, 4, 5]);
    f.write(2, 2, 1).await;
    f.write(3, 1, 2).await;
    assert_eq!(given::<F>(&mut live, 3).await, [6, 7, 8]);
}

pub(super) async fn a_subscriber_that_waits_is_woken<F: Fixture>(f: &F) {
    let mut live = f.handle().follow();
    let (positions, _) = tokio::join!(given::<F>(&mut live, 1), f.write(1, 1, 1));
    assert_eq!(positions, [1]);
}

pub(super) async fn who_stops_waiting_loses_nothing<F: Fixture>(f: &F) {
    let mut live = f.handle().follow();
    for _ in 0..3 {
        assert!(timeout(Duration::from_millis(20), live.next()).await.is_err(), "nothing is there");
    }
    f.write(1, 1, 3).await;
    assert_eq!(given::<F>(&mut live, 3).await, [1, 2, 3]);
}
