//! A log brought back from a dump or to an earlier point: it goes on rightly, or whoever kept a checkpoint notices.

use docket_eventlog::{CheckpointKey, Error, Expected, SignedCheckpoint, StreamAppend, Subjects, Timer};
use docket_kernel::Clock;
use docket_proto::events::account::Event;
use docket_testkit::PrivatePostgres;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::process::Command;

use crate::world::{World, context, id, one, registered, stream, summary, to};

fn key() -> CheckpointKey {
    CheckpointKey::from_seed(&[3; 32]).unwrap()
}

async fn pool(server: &PrivatePostgres) -> PgPool {
    PgPoolOptions::new().max_connections(4).connect(&server.url("postgres")).await.unwrap()
}

async fn run(server: &mut PrivatePostgres, program: &str, arguments: &[&str]) {
    let program = server.server().bin().join(program);
    let output = Command::new(program).args(arguments).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Commands `from` to `to`, one event each; a checkpoint after the last.
async fn write(world: &World, from: u128, to: u128) -> SignedCheckpoint {
    for n in from..=to {
        world.log.append(one(&world.log, n, n % 5, Expected::Any)).await.unwrap();
    }
    world.log.checkpoint(&key()).await.unwrap().unwrap()
}

/// What `verify` says with these checkpoints kept apart: position and fault.
async fn verdict(world: &World, kept: &[SignedCheckpoint]) -> Option<(u64, String)> {
    let verified = world.log.verify_against(1, Some(&key().public_key()), kept).await.unwrap();
    verified.broken.map(|broken| (broken.position, broken.fault))
}

#[tokio::test]
async fn a_dump_restored_into_a_fresh_cluster_goes_on_where_it_ended() {
    let mut old = docket_testkit::private_postgres().await;
    let before = World::on(pool(&old).await).await;
    let sealed = StreamAppend::of(stream(9), Expected::Version(0), Subjects::account(id(1)), &[registered()]);
    before.log.append(context(1).append(&before.log, vec![sealed])).await.unwrap();
    let kept = [write(&before, 2, 25).await];
    let timer = Timer::new("k", "kind", before.clock.now(), vec![1]);
    let mut tx = docket_database::begin(before.pool()).await.unwrap();
    before.log.timers().schedule_in(&mut tx, &timer).await.unwrap();
    tx.commit().await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump");
    let dump = dump.to_str().unwrap();
    let from = old.url("postgres");
    run(&mut old, "pg_dump", &["-Fc", "-d", &from, "-f", dump]).await;
    let mut new = docket_testkit::private_postgres().await;
    let into = new.url("postgres");
    run(&mut new, "pg_restore", &["--exit-on-error", "--single-transaction", "-d", &into, dump]).await;

    let after = World::restored(pool(&new).await).await;
    assert_eq!(after.log.head().await.unwrap(), before.log.head().await.unwrap());
    assert_eq!(after.sound().await, before.sound().await);
    assert_eq!(verdict(&after, &kept).await, None);
    assert_eq!(after.log.timers().next_due().await.unwrap(), Some(timer.due_at));
    let sealed = &after.log.read(0, 1).await.unwrap()[0];
    assert_eq!(after.log.open_event::<Event>(sealed).await.unwrap(), registered());
    // A command done before is known, a new one takes the next place, a stream goes on.
    let again = after.log.append(one(&after.log, 7, 2, Expected::Any)).await;
    assert_eq!(summary(&again), "repeated 7..7");
    let next = after.log.append(context(100).append(&after.log, vec![to(9, Expected::Version(1), 1)])).await;
    assert_eq!(summary(&next), "26..26");
    assert_eq!(verdict(&after, &kept).await, None);
}

#[tokio::test]
async fn a_return_to_an_earlier_point_is_noticed_until_the_epoch_says_so() {
    let mut old = docket_testkit::archiving_postgres().await;
    let before = World::on(pool(&old.server).await).await;
    let at_10 = write(&before, 1, 10).await;
    let backups = [old.base_backup().await, old.base_backup().await];
    write(&before, 11, 20).await;
    old.restore_point("before_mistake").await;
    let at_30 = write(&before, 21, 30).await;
    old.restore_point("later").await;
    let [silent, honest] = backups;

    // Whoever opens it and goes on as if nothing had been is found by the checkpoint which was kept.
    let server = silent.restore("before_mistake").await;
    let after = World::restored(pool(&server).await).await;
    assert_eq!(after.log.head().await.unwrap().position, 20);
    let kept = [at_10.clone(), at_30.clone()];
    let gone = "events which were signed are gone, and no epoch says why".to_owned();
    assert_eq!(verdict(&after, &[]).await, None, "what was signed after that point went with it");
    assert_eq!(verdict(&after, &kept).await, Some((21, gone.clone())));
    write(&after, 41, 55).await;
    assert_eq!(verdict(&after, &kept[..1]).await, None);
    let noticed = verdict(&after, &kept).await.expect("other events where signed ones were");
    assert_eq!(noticed.0, 30);
    assert!(noticed.1.ends_with("is not what was signed"), "{}", noticed.1);

    // With its epoch it is legitimate, from the point of the restore on.
    let server = honest.restore("before_mistake").await;
    let after = World::restored(pool(&server).await).await;
    assert_eq!(verdict(&after, &kept).await, Some((21, gone)));
    let epoch = after.log.raise_epoch("restored to before a mistake").await.unwrap();
    assert_eq!((epoch.number, epoch.from_position), (2, 21));
    assert_eq!(verdict(&after, &kept).await, None);
    // Commands lost with the tail are done anew, those before are known.
    let lost = after.log.append(one(&after.log, 25, 0, Expected::Any)).await;
    assert_eq!(summary(&lost), "21..21");
    assert_eq!(lost.unwrap().events[0].epoch, 2);
    assert_eq!(summary(&after.log.append(one(&after.log, 15, 0, Expected::Any)).await), "repeated 15..15");
    let signed = write(&after, 41, 55).await;
    assert_eq!((signed.size, signed.epoch), (36, 2));
    assert_eq!(verdict(&after, &[at_10, at_30, signed]).await, None);
    after.sound().await;
}

#[tokio::test]
async fn an_epoch_begins_where_the_log_was_restored_to_and_not_beyond_its_end() {
    let world = World::new().await;
    for n in 1..=5 {
        world.log.append(one(&world.log, n, n, Expected::Any)).await.unwrap();
    }
    let beyond = world.log.raise_epoch_after(Some(6), "the drill").await;
    assert!(matches!(beyond, Err(Error::Malformed(_))), "the log ends at 5");
    for (restored_to, number) in [(3, 2), (5, 3)] {
        let epoch = world.log.raise_epoch_after(Some(restored_to), "the drill").await.unwrap();
        assert_eq!((epoch.number, epoch.from_position), (number, restored_to + 1));
    }
}
