//! Appends in the caller's own transaction.

use docket_eventlog::{Expected, Obligation};
use docket_kernel::Clock;

use super::fixture::{Fixture, Handle};
use crate::world::summary;

pub(super) async fn what_is_appended_in_a_transaction_is_seen_after_its_commit<F: Fixture>(f: &F) {
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    f.handle().append_in(&mut tx, f.one(1, 1, Expected::Version(0))).await.unwrap();
    assert_eq!(f.all().await, []);
    tx.commit().await.unwrap();
    assert_eq!(f.all().await.len(), 1);
}

pub(super) async fn a_rollback_leaves_no_hole<F: Fixture>(f: &F) {
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    f.handle().append_in(&mut tx, f.one(1, 1, Expected::Version(0))).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(f.write(2, 1, 1).await.first, 1);
}

pub(super) async fn a_conflict_does_not_spoil_the_transaction<F: Fixture>(f: &F) {
    f.write(1, 1, 1).await;
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    let lost = f.handle().append_in(&mut tx, f.one(2, 1, Expected::Version(0))).await;
    assert_eq!(summary(&lost), "conflict 0 is 1");
    let won = f.handle().append_in(&mut tx, f.one(2, 1, Expected::Version(1))).await;
    assert_eq!(summary(&won), "2..2");
    tx.commit().await.unwrap();
    assert_eq!(f.all().await.len(), 2);
}

pub(super) async fn two_appends_in_one_transaction_follow_each_other<F: Fixture>(f: &F) {
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    for (command, version) in [(1, 0), (2, 1), (3, 2)] {
        let append = f.one(command, 1, Expected::Version(version));
        assert_eq!(f.handle().append_in(&mut tx, append).await.unwrap().first, version + 1);
    }
    tx.commit().await.unwrap();
    assert_eq!(f.all().await.len(), 3);
}

pub(super) async fn a_row_and_an_event_are_there_together_or_not_at_all<F: Fixture>(f: &F) {
    let owed = |key: &str| Obligation {
        kind: "receipt_notice".to_owned(),
        key: key.to_owned(),
        owner: "notifications".to_owned(),
        due_at: f.clock().now(),
    };
    let obligations = f.log().obligations();
    for (command, commit) in [(1, false), (2, true)] {
        let mut tx = docket_database::begin(f.pool()).await.unwrap();
        f.handle().append_in(&mut tx, f.one(command, command, Expected::Any)).await.unwrap();
        obligations.open_in(&mut tx, &owed(&command.to_string())).await.unwrap();
        if commit { tx.commit().await.unwrap() } else { tx.rollback().await.unwrap() }
    }
    assert_eq!(obligations.open(10).await.unwrap(), [owed("2")]);
    assert_eq!(f.all().await.len(), 1);
}

pub(super) async fn a_repetition_inside_a_transaction_is_known<F: Fixture>(f: &F) {
    f.write(1, 1, 2).await;
    let mut tx = docket_database::begin(f.pool()).await.unwrap();
    let again = f.handle().append_in(&mut tx, f.command(1, vec![f.to(1, Expected::Any, 2)])).await;
    assert_eq!(summary(&again), "repeated 1..2");
    let own = f.handle().append_in(&mut tx, f.one(2, 1, Expected::Any)).await.unwrap();
    let own_again = f.handle().append_in(&mut tx, f.one(2, 1, Expected::Any)).await.unwrap();
    assert_eq!((own.first, own_again.first, own_again.repeated), (3, 3, true));
    tx.commit().await.unwrap();
}
