//! Signed checkpoints and statements.

use docket_eventlog::{CheckpointKey, Expected, merkle};
use futures::future::join_all;

use crate::world::{World, context, one, stream, to};

#[tokio::test]
async fn a_checkpoint_signs_the_tree_over_all_positions() {
    let world = World::new().await;
    let log = &world.log;
    let key = CheckpointKey::from_seed(&[3; 32]).unwrap();
    assert_eq!(log.checkpoint(&key).await.unwrap(), None);
    let mut last = None;
    for n in 1..=7_u64 {
        log.append(one(log, n.into(), (n % 3).into(), Expected::Any)).await.unwrap();
        let signed = log.checkpoint(&key).await.unwrap().unwrap();
        assert_eq!(
            log.checkpoint(&key).await.unwrap().as_ref(),
            Some(&signed),
            "nothing new, nothing signed"
        );
        let leaves: Vec<_> = log
            .read(0, 100)
            .await
            .unwrap()
            .iter()
            .map(|event| merkle::leaf(event.position, &event.link))
            .collect();
        assert_eq!((signed.size, signed.root), (n, merkle::root(&leaves)));
        assert!(signed.signed_by(&key.public_key()));
        assert!(!signed.signed_by(&CheckpointKey::from_seed(&[4; 32]).unwrap().public_key()));
        let index = usize::try_from(n - 1).unwrap();
        let proof = merkle::inclusion_proof(&leaves, index);
        assert!(merkle::proves(&leaves[index], n - 1, signed.size, &proof, &signed.root));
        last = Some(signed);
    }
    let mut forged = last.unwrap();
    forged.size += 1;
    assert!(!forged.signed_by(&key.public_key()));
    assert_eq!(log.verify(1, Some(&key.public_key())).await.unwrap().checkpoints, 7);
}

#[tokio::test]
async fn a_raised_epoch_is_signed_though_nothing_was_written_in_it() {
    let world = World::new().await;
    let log = &world.log;
    let key = CheckpointKey::from_seed(&[3; 32]).unwrap();
    log.append(one(log, 1, 1, Expected::Any)).await.unwrap();
    let before = log.checkpoint(&key).await.unwrap().unwrap();
    log.raise_epoch("the drill").await.unwrap();
    let after = log.checkpoint(&key).await.unwrap().unwrap();
    assert_eq!((after.size, after.epoch, after.root), (1, before.epoch + 1, before.root));
    assert_eq!(log.checkpoint(&key).await.unwrap(), Some(after), "once");
}

#[tokio::test]
async fn a_statement_says_where_a_stream_ends() {
    let world = World::new().await;
    let log = &world.log;
    let key = CheckpointKey::from_seed(&[3; 32]).unwrap();
    let appended = log
        .append(context(1).append(log, vec![to(1, Expected::Any, 3), to(2, Expected::Any, 1)]))
        .await
        .unwrap();
    let statement = log.statement(&key, &stream(1)).await.unwrap();
    assert_eq!((statement.version, statement.link), (3, appended.events[2].link));
    assert!(statement.signed_by(&key.public_key()));
    let none = log.statement(&key, &stream(9)).await.unwrap();
    assert_eq!((none.version, none.link), (0, [0; 32]));
    let mut forged = statement;
    forged.version = 2;
    assert!(!forged.signed_by(&key.public_key()));
}

#[tokio::test]
async fn the_task_signs_after_a_thousand_events_without_waiting_for_the_clock() {
    let world = World::new().await;
    let log = world.log.clone();
    let task =
        tokio::spawn(async move { log.run_checkpoints(CheckpointKey::from_seed(&[3; 32]).unwrap()).await });
    let log = &world.log;
    join_all((1..=50).map(|n| log.append(context(n).append(log, vec![to(n, Expected::Any, 21)])))).await;
    while world.count("SELECT coalesce(max(size), 0) FROM log.checkpoint_signed").await < 1_000 {
        assert!(!task.is_finished());
        tokio::task::yield_now().await;
    }
    task.abort();
    let public = CheckpointKey::from_seed(&[3; 32]).unwrap().public_key();
    let verified = log.verify(1, Some(&public)).await.unwrap();
    assert_eq!((verified.broken, verified.to), (None, 1_050));
    assert!(verified.protected_to >= 1_000);
}
