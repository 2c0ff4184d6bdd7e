//! Many writers on two replicas, and a reader who must never find anything late.

use docket_eventlog::{Error, EventLog, Expected, Recorded};
use docket_kernel::Actor;

use crate::world::{World, context, one, stream, summary, to};

const WRITERS: u128 = 24;
const STREAMS: u128 = 6;
const EACH: u128 = 25;

/// Writes with the version it read until each of its commands got through.
async fn write(log: EventLog, writer: u128) {
    for n in 0..EACH {
        let command = 1 + writer * EACH + n;
        let target = (writer + n) % STREAMS;
        loop {
            let version = log.read_stream(&stream(target), 1).await.unwrap().len() as u64;
            let append = context(command).append(&log, vec![to(target, Expected::Version(version), 2)]);
            match log.append(append).await {
                Ok(appended) => break assert!(!appended.repeated),
                Err(Error::Conflict { current, .. }) => assert!(current > version),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Reads on and on: what follows the last position is always the next one.
async fn follow(log: EventLog, until: u64) -> Vec<Recorded> {
    let mut seen: Vec<Recorded> = Vec::new();
    while (seen.len() as u64) < until {
        let last = seen.len() as u64;
        let next = log.read(last, 7).await.unwrap();
        assert!(next.iter().map(|event| event.position).eq(last + 1..=last + next.len() as u64));
        let head = log.head().await.unwrap().position;
        assert!(head >= last + next.len() as u64);
        seen.extend(next);
        tokio::task::yield_now().await;
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn positions_stay_dense_and_nothing_comes_late() {
    let world = World::new().await;
    let replica = world.open_with(world.pool().clone()).await;
    let total = u64::try_from(WRITERS * EACH * 2).unwrap();
    let reader = tokio::spawn(follow(replica.clone(), total));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let log = if writer % 2 == 0 { world.log.clone() } else { replica.clone() };
            tokio::spawn(write(log, writer))
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let seen = reader.await.unwrap();
    assert_eq!(seen, world.sound().await, "what was read on the way is what is there");
    for command in 1..=WRITERS * EACH {
        let (first, last) = world
            .log
            .command(&Actor::account(crate::world::id(99)), crate::world::id(command))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(last, first + 1);
        let pair = &seen[usize::try_from(first - 1).unwrap()..usize::try_from(last).unwrap()];
        assert!(pair.iter().all(|event| event.metadata.command_id == crate::world::id(command)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn transactions_of_their_own_mix_with_groups() {
    let world = World::new().await;
    let mut tasks = Vec::new();
    for n in 0..40 {
        let (log, pool) = (world.log.clone(), world.pool().clone());
        tasks.push(tokio::spawn(async move {
            let append = one(&log, n + 1, n % 3, Expected::Any);
            if n % 2 == 0 {
                return assert!(log.append(append).await.is_ok());
            }
            let mut tx = docket_database::begin(&pool).await.unwrap();
            let done = log.append_in(&mut tx, append).await;
            assert!(done.is_ok(), "{}", summary(&done));
            if n % 4 == 1 { tx.commit().await.unwrap() } else { tx.rollback().await.unwrap() }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(world.sound().await.len(), 30);
}
