//! After an erasure no personal text is anywhere: not in PostgreSQL, not at the broker, not in logs or traces.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use docket_eventlog::{Context, Error, EventLog, Expected, OpenLog, Queue, Recorded, StreamAppend, Subjects};
use docket_kernel::{Actor, SystemClock};
use docket_messaging::{Relay, Stop};
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1::AccountRegistered;
use docket_testkit::PrivatePostgres;
use docket_vault::{Kek, Subject, Vault};
use futures::{StreamExt as _, stream};
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Executor as _, PgPool};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::bench::{LOG, account, broker, until};
use crate::capture::Capture;
use crate::scan::Scanner;

/// Subjects, each with a personal text of its own: in the short form and in the proof.
const SUBJECTS: (usize, usize) = (200, 1_000);
const AT_ONCE: usize = 32;
/// A canary's characters that are looked for: also one that was cut off shows.
const LOOKED_FOR: usize = 16;

struct World {
    postgres: PrivatePostgres,
    pool: PgPool,
    keys: PgPool,
    log: EventLog,
}

impl World {
    /// A log with its keys in a database of their own, on a server that writes every statement with its values
    /// into its log.
    async fn new() -> Self {
        let postgres = docket_testkit::private_postgres().await;
        let admin = pool(&postgres, "postgres").await;
        for statement in ["CREATE DATABASE owner", "CREATE DATABASE owner_keys"] {
            admin.execute(statement).await.unwrap();
        }
        let (pool, keys) = (pool(&postgres, "owner").await, pool(&postgres, "owner_keys").await);
        docket_eventlog::migrate(&pool, None).await.unwrap();
        docket_vault::migrate(&keys, None).await.unwrap();
        let clock = Arc::new(SystemClock);
        let kek = Kek::from_hex(&Kek::generate().unwrap()).unwrap();
        let vault = Vault::connect(keys.clone(), kek, clock.clone()).await.unwrap();
        let log = EventLog::open(OpenLog {
            name: LOG,
            pool: pool.clone(),
            vault,
            clock,
            personal: docket_proto::personal_fields,
            producer: "test/0".to_owned(),
            rules: String::new(),
            queue: Queue::default(),
        });
        let log = log.await.unwrap();
        Self { postgres, pool, keys, log }
    }

    /// Everything that was committed is on disk, and the write-ahead log's segment is closed.
    async fn to_disk(&self) {
        for statement in ["CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT"] {
            self.pool.execute(statement).await.unwrap();
        }
    }

    async fn register(
        &self,
        number: usize,
        email: &str,
        control: &str,
        expected: Expected,
    ) -> Result<Recorded, Error> {
        let command = Uuid::new_v4();
        let context = Context {
            command_id: command,
            correlation_id: command,
            causation_id: None,
            actor: Actor::account(subject(number).id),
            on_behalf_of: None,
            auth_level: 1,
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
            request: email.as_bytes().to_vec(),
        };
        let event = Event::from(AccountRegistered {
            email: email.to_owned(),
            language: "en".to_owned(),
            zone: control.to_owned(),
            email_stream: self.log.vault().keyed_name("email", email.as_bytes()),
        });
        let (stream, subjects) = (account(number as u128), Subjects::account(subject(number).id));
        let append = StreamAppend::of(stream, expected, subjects, &[event]);
        let span = tracing::info_span!("register", control, number);
        let appended = self.log.append(context.append(&self.log, vec![append])).instrument(span).await;
        if let Err(error) = &appended {
            // As a service would: with everything the error can tell.
            tracing::warn!(%error, debug = ?error, "refused");
        }
        Ok(appended?.events[0].clone())
    }

    async fn erase(&self, number: usize) {
        let vault = self.log.vault();
        let [reason, basis] = ["asked", "gdpr.17.1.a"].map(|code| code.parse().unwrap());
        let [asker, approver] = [1, 2].map(|n| Actor::account(Uuid::from_u128(n)));
        let request = vault.request_erasure(&subject(number), &reason, &basis, &asker).await.unwrap();
        vault.approve_erasure(request.id, &approver).await.unwrap();
    }

    async fn wrapped_keys(&self) -> Vec<Vec<u8>> {
        sqlx::query_scalar("SELECT wrapped FROM vault.data_key WHERE wrapped IS NOT NULL")
            .fetch_all(&self.keys)
            .await
            .unwrap()
    }
}

async fn pool(postgres: &PrivatePostgres, database: &str) -> PgPool {
    let options: PgConnectOptions = postgres.url(database).parse().unwrap();
    let options = options.options([("log_statement", "all"), ("log_error_verbosity", "default")]);
    PgPoolOptions::new().max_connections(16).connect_with(options).await.unwrap()
}

fn subject(number: usize) -> Subject {
    Subject::account(Uuid::from_u128(number as u128))
}

fn text(random: &mut StdRng, length: usize) -> String {
    (0..length)
        .map(|_| char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[random.random_range(0..36)]))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_erasure_no_personal_text_is_anywhere() {
    let seed =
        std::env::var("DOCKET_SEED").map_or_else(|_| rand::rng().next_u64(), |seed| seed.parse().unwrap());
    println!("DOCKET_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let subjects = if std::env::var_os("DOCKET_PROOF").is_some() { SUBJECTS.1 } else { SUBJECTS.0 };
    let canaries: Vec<String> = (0..subjects)
        .map(|_| format!("{}@{}.example", text(&mut random, 14), text(&mut random, 10)))
        .collect();
    let control = format!("Control/{}", text(&mut random, 20));
    let folder = tempfile::tempdir().unwrap();
    let capture = Capture::begin(folder.path());
    let mut world = World::new().await;
    let store = folder.path().join("nats");
    let nats =
        docket_testkit::nats_with(|options| (options.folder, options.durable) = (store.clone(), true)).await;
    let stop = Stop::new();
    let relay = tokio::spawn(Relay::new(world.log.clone(), broker(&nats, "owner").await).run(stop.clone()));

    let (it, clear) = (&world, control.as_str());
    let events: Vec<Recorded> = stream::iter(canaries.iter().enumerate())
        .map(|(number, email)| async move {
            let event = it.register(number, email, clear, Expected::Version(0)).await.unwrap();
            // The same once more: a conflict, which is told about.
            it.register(number, email, clear, Expected::Version(0)).await.unwrap_err();
            let Event::AccountRegistered(opened) = it.log.open_event::<Event>(&event).await.unwrap() else {
                panic!("{}", event.kind)
            };
            assert_eq!(&opened.email, email);
            event
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let wrapped = world.wrapped_keys().await;
    assert_eq!(wrapped.len(), subjects);
    tracing::info!(control, "a line that names the control");
    let jetstream = broker(&nats, "reader").await;
    until("the broker", async || {
        let stream = jetstream.jetstream().get_stream(LOG).await;
        stream.is_ok_and(|stream| stream.cached_info().state.last_sequence == subjects as u64)
    })
    .await;

    stream::iter(0..subjects).for_each_concurrent(16, |number| world.erase(number)).await;
    for event in &events {
        assert!(world.log.open_payload(event).await.unwrap().is_erased());
    }
    let verified = world.log.verify(1, None).await.unwrap();
    assert_eq!(verified.broken, None);
    stop.cancel();
    relay.await.unwrap().unwrap();
    world.to_disk().await;
    capture.flush().await;

    let postgres = world.postgres.server().folder().to_owned();
    let places = [
        ("PostgreSQL's tables", postgres.join("data/base")),
        ("PostgreSQL's write-ahead log", postgres.join("data/pg_wal")),
        ("PostgreSQL's own log", postgres.join("postgres.log")),
        ("JetStream's store", store.join("jetstream")),
        ("the log lines", capture.logs.clone()),
        ("the spans", capture.spans.clone()),
    ];
    let looks_for_control = Scanner::of(&[control]);
    for (name, place) in &places {
        let (found, read) = looks_for_control.scan(place);
        println!("{name}: {read} bytes");
        assert!(!found.is_empty(), "the scan is blind in {name} ({})", place.display());
    }
    let starts: Vec<String> = canaries.iter().map(|canary| canary[..LOOKED_FOR].to_owned()).collect();
    let looks_for_canaries = Scanner::of(&starts);
    // The servers' folders as a whole, whatever lies in them.
    for place in [postgres.as_path(), &store, &capture.logs, &capture.spans] {
        let (found, read) = looks_for_canaries.scan(place);
        assert!(read > 0 && found.is_empty(), "personal texts after the erasure: {found:?}");
    }
    remnants_of_wrapped_keys(&world, &wrapped, &postgres).await;
}

/// What such a scan cannot show by itself: the destroyed keys were wrapped, and their wrapped bytes stay in pages and in
/// the write-ahead log until these are written anew.
async fn remnants_of_wrapped_keys(world: &World, wrapped: &[Vec<u8>], postgres: &Path) {
    let scanner = Scanner::of_bytes(wrapped);
    let count = |place: &str| {
        let (found, _) = scanner.scan(&postgres.join(place));
        found.into_values().flatten().collect::<BTreeSet<_>>().len()
    };
    let before = count("data/base");
    world.log.vault().scrub().await.unwrap();
    world.to_disk().await;
    let (after, in_wal) = (count("data/base"), count("data/pg_wal"));
    println!(
        "wrapped keys in pages: {before} before scrubbing, {after} after; {in_wal} in the write-ahead log"
    );
    assert_eq!(after, 0, "wrapped keys in the tables' files after scrubbing");
    assert!(in_wal > 0, "the scan for wrapped keys is blind");
}
