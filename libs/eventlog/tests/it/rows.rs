//! Timers and obligations, and what the service's role may and may not do.

use std::time::Duration;

use docket_eventlog::{Context, Expected, Obligation, Store, Subjects, Timer};
use docket_kernel::Clock;
use jiff::SignedDuration;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Executor, PgPool};

use crate::world::{World, one};

#[tokio::test]
async fn a_timer_fires_when_due_once_and_again_only_when_set_anew() {
    let world = World::new().await;
    let timers = world.log.timers();
    let now = world.clock.now();
    let later = now + SignedDuration::from_hours(1);
    let timer = Timer::new("response:1", "response_due", later, vec![1]);
    let mut tx = docket_database::begin(world.pool()).await.unwrap();
    timers.schedule_in(&mut tx, &timer).await.unwrap();
    timers.schedule_in(&mut tx, &Timer::new("other:1", "other", later, vec![])).await.unwrap();
    assert!(timers.cancel_in(&mut tx, "other:1").await.unwrap());
    assert!(!timers.cancel_in(&mut tx, "other:1").await.unwrap());
    tx.commit().await.unwrap();

    assert_eq!(timers.due(now, None, 10).await.unwrap(), []);
    assert_eq!(timers.next_due().await.unwrap(), Some(later));
    let due = timers.due(later, None, 10).await.unwrap();
    assert_eq!(due, std::slice::from_ref(&timer));
    assert_eq!(Context::timer(&due[0]).command_id, Context::timer(&timer).command_id);

    // Moved while it was being fired: the old one is gone, the new one stays.
    let moved = Timer::new("response:1", "response_due", later + SignedDuration::from_hours(1), vec![1]);
    let mut tx = docket_database::begin(world.pool()).await.unwrap();
    timers.schedule_in(&mut tx, &moved).await.unwrap();
    // Who sets only what is missing leaves it where it is.
    timers.schedule_new_in(&mut tx, &timer).await.unwrap();
    assert!(!timers.fired_in(&mut tx, &timer).await.unwrap());
    tx.commit().await.unwrap();
    assert_ne!(moved.command_id(), timer.command_id());
    assert_eq!(timers.due(later, None, 10).await.unwrap(), []);
    let mut tx = docket_database::begin(world.pool()).await.unwrap();
    assert!(timers.fired_in(&mut tx, &moved).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(timers.next_due().await.unwrap(), None);
}

#[tokio::test]
async fn obligations_of_one_subject_are_closed_together_and_others_stay() {
    let world = World::new().await;
    let (obligations, now) = (world.log.obligations(), world.clock.now());
    let owed = |kind: &str, key: &str| Obligation {
        kind: kind.to_owned(),
        key: key.to_owned(),
        owner: "case-status".to_owned(),
        due_at: now,
    };
    let rest = [owed("a", "2/1"), owed("b", "1/1")];
    let mut tx = docket_database::begin(world.pool()).await.unwrap();
    for obligation in [owed("a", "1/1"), owed("a", "1/2")].iter().chain(&rest) {
        obligations.open_in(&mut tx, obligation).await.unwrap();
    }
    assert_eq!(obligations.close_all_in(&mut tx, "a", "1/", 1).await.unwrap(), 2);
    assert_eq!(obligations.close_all_in(&mut tx, "a", "1/", 1).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(obligations.open(10).await.unwrap(), rest);
}

#[tokio::test]
async fn an_obligation_is_open_until_its_event() {
    let world = World::new().await;
    let (obligations, now) = (world.log.obligations(), world.clock.now());
    let owed = |key: &str, hours| Obligation {
        kind: "receipt_notice".to_owned(),
        key: key.to_owned(),
        owner: "notifications".to_owned(),
        due_at: now + SignedDuration::from_hours(hours),
    };
    let mut tx = docket_database::begin(world.pool()).await.unwrap();
    for obligation in [owed("b", 2), owed("a", 1), owed("a", 9)] {
        obligations.open_in(&mut tx, &obligation).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(obligations.open(10).await.unwrap(), [owed("a", 1), owed("b", 2)]);
    assert_eq!(obligations.overdue(now).await.unwrap(), 0);
    assert_eq!(obligations.overdue(now + SignedDuration::from_hours(1)).await.unwrap(), 1);
    let mut tx = docket_database::begin(world.pool()).await.unwrap();
    assert!(obligations.close_in(&mut tx, "receipt_notice", "a", 5).await.unwrap());
    assert!(!obligations.close_in(&mut tx, "receipt_notice", "a", 6).await.unwrap());
    obligations.open_in(&mut tx, &owed("a", 1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(obligations.open(10).await.unwrap(), [owed("b", 2)], "opened once for ever");
}

#[tokio::test]
async fn what_is_open_is_counted_by_kind_without_a_look_at_what_was_closed() {
    let world = World::new().await;
    let many = "INSERT INTO log.obligation (log, kind, key, owner, due_at_us, closed_by)
                SELECT 'identity', 'receipt_notice', n, 'notifications', n, n FROM generate_series(1, 5000) AS n";
    world.pool().execute(many).await.unwrap();
    world.pool().execute("ANALYZE log.obligation").await.unwrap();
    let now = world.clock.now();
    for (kind, hours) in [("receipt_notice", -1), ("receipt_notice", 1), ("a_refund", 2)] {
        let due = now + SignedDuration::from_hours(hours);
        let open = "INSERT INTO log.obligation (log, kind, key, owner, due_at_us)
                    VALUES ('identity', $1, $2, 'notifications', $3)";
        let open = sqlx::query(open).bind(kind).bind(format!("in {hours} hours")).bind(due.as_microsecond());
        open.execute(world.pool()).await.unwrap();
    }
    let counted = world.log.obligations().open_by_kind(now).await.unwrap();
    let counted: Vec<_> = counted.iter().map(|of| (of.kind.as_str(), of.open, of.overdue)).collect();
    assert_eq!(counted, [("a_refund", 1, 0), ("receipt_notice", 2, 1)]);

    let looked =
        "SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE relid = 'log.obligation'::regclass";
    world.wait_for("the statistics", Duration::from_secs(20), looked, |looks| looks > 0).await;
    let read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relid = 'log.obligation'::regclass";
    let read = world.count(read).await;
    assert!(read < 100, "{read} rows read for three that are open");
}

/// The pool of a role like the service's own.
async fn as_app(world: &World) -> PgPool {
    let role = format!("{}_app", world.database().name);
    world.pool().execute(AssertSqlSafe(format!("CREATE ROLE {role} LOGIN PASSWORD 'app'"))).await.unwrap();
    docket_eventlog::migrate(world.pool(), Some(&role)).await.unwrap();
    let options: sqlx::postgres::PgConnectOptions = world.database().url.parse().unwrap();
    let options = options.username(&role).password("app");
    PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap()
}

async fn refused(pool: &PgPool, statement: &'static str) {
    let error = pool.execute(statement).await.expect_err(statement);
    let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
    assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
}

#[tokio::test]
async fn the_service_can_do_its_work_and_cannot_change_what_happened() {
    let world = World::new().await;
    let app = as_app(&world).await;
    let log = world.open_with(app.clone()).await;
    log.append(one(&log, 1, 1, Expected::Version(0))).await.unwrap();
    let mut tx = docket_database::begin(&app).await.unwrap();
    log.append_in(&mut tx, one(&log, 2, 1, Expected::Version(1))).await.unwrap();
    let timer = Timer::new("k", "t", world.clock.now(), vec![]);
    log.timers().schedule_in(&mut tx, &timer).await.unwrap();
    log.timers().schedule_in(&mut tx, &timer).await.unwrap();
    log.timers().fired_in(&mut tx, &timer).await.unwrap();
    let owed = Obligation { kind: "k".into(), key: "k".into(), owner: "o".into(), due_at: world.clock.now() };
    log.obligations().open_in(&mut tx, &owed).await.unwrap();
    log.obligations().close_in(&mut tx, "k", "k", 1).await.unwrap();
    tx.commit().await.unwrap();
    let key = docket_eventlog::CheckpointKey::from_seed(&[3; 32]).unwrap();
    log.checkpoint(&key).await.unwrap();
    for work in [
        "INSERT INTO log.consumer_checkpoint VALUES ('c', 'l', 0, 0, 1) ON CONFLICT (consumer, log, lane) DO UPDATE SET position = 1",
        "UPDATE log.consumer_checkpoint SET position = 2, epoch = 1, link = sha256(''), link_position = 2",
        "INSERT INTO log.parked VALUES ('c', 'l', 's', 1, 'why', 0)",
        "DELETE FROM log.parked",
        "DELETE FROM log.consumer_checkpoint",
    ] {
        app.execute(work).await.unwrap_or_else(|error| panic!("{work}: {error}"));
    }
    for forbidden in [
        "UPDATE log.event SET payload = ''",
        "DELETE FROM log.event",
        "TRUNCATE log.event",
        "UPDATE log.command SET last_position = 9",
        "DELETE FROM log.command",
        "TRUNCATE log.command",
        "UPDATE log.epoch SET reason = ''",
        "DELETE FROM log.epoch",
        "TRUNCATE log.epoch",
        "UPDATE log.checkpoint_signed SET root = ''",
        "DELETE FROM log.checkpoint_signed",
        "TRUNCATE log.checkpoint_signed",
        "DELETE FROM log.head",
        "UPDATE log.head SET log = 'other'",
        "UPDATE log.head SET position = 0",
        "TRUNCATE log.head",
        "DELETE FROM log.stream",
        "UPDATE log.stream SET first_position = 9",
        "TRUNCATE log.stream",
        "UPDATE log.obligation SET kind = ''",
        "DELETE FROM log.obligation",
        "ALTER TABLE log.event DISABLE TRIGGER append_only",
        "DROP TRIGGER append_only ON log.event",
        "CREATE TABLE log.mine ()",
        "SELECT * FROM log._migrations",
    ] {
        refused(&app, forbidden).await;
    }
    assert_eq!(world.sound().await.len(), 2);
}

#[tokio::test]
async fn the_owner_of_the_tables_is_stopped_by_the_triggers() {
    let world = World::new().await;
    let log = &world.log;
    log.append(one(log, 1, 1, Expected::Version(0))).await.unwrap();
    for forbidden in [
        "UPDATE log.event SET payload = ''",
        "UPDATE log.event SET payload = '' WHERE false",
        "DELETE FROM log.event",
        "TRUNCATE log.event",
        "UPDATE log.command SET last_position = 9",
        "DELETE FROM log.command",
        "TRUNCATE log.epoch",
        "DELETE FROM log.checkpoint_signed",
        "UPDATE log.head SET position = 0",
        "UPDATE log.head SET recorded_at_us = 0",
        "DELETE FROM log.head",
        "DELETE FROM log.stream",
    ] {
        refused(world.pool(), forbidden).await;
    }
    assert_eq!(world.sound().await.len(), 1);
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let world = World::new().await;
    docket_eventlog::migrate(world.pool(), None).await.unwrap();
    let migrations = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap().count();
    let done = world.count("SELECT count(*) FROM log._migrations").await;
    assert_eq!(usize::try_from(done).unwrap(), migrations);
    drop(Store::<Nothing>::new(world.log.clone()).load(crate::world::id(1)).await.unwrap());
    assert_eq!(Subjects::default(), Subjects::NONE);
}

struct Nothing;

impl docket_eventlog::Aggregate for Nothing {
    type Event = docket_proto::events::account::Event;
    type State = ();

    fn evolve((): (), _: &Self::Event) {}
}
