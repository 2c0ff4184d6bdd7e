//! From an append to the row that another service has made of it, at a steady rate of events.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{self, AckPolicy, pull};
use async_nats::jetstream::stream;
use async_trait::async_trait;
use docket_eventlog::{EventLog, Recorded};
use docket_kernel::{Clock as _, SystemClock};
use docket_messaging::{ApplyError, Broker, Consumer, FeedClient, Relay, Stop, Subscriber};
use futures::StreamExt as _;
use prost::bytes::Bytes;
use sqlx::{Executor as _, PgConnection, PgPool};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::append::{UnderWay, sample};
use crate::cases;
use crate::pace::{ms, paced};
use crate::place::{Place, broker, open};
use crate::relay::connect;
use crate::report::{Case, Reach, Report, median, quantile, rounds, seconds};

const CALLERS: usize = 64;
const SLOW: [&str; 2] = ["commit to visible, p50 at 200 events/s", "commit to visible, p99 at 200 events/s"];
const FAST: [&str; 2] =
    ["commit to visible, p50 at 2000 events/s", "commit to visible, p99 at 2000 events/s"];

pub(crate) async fn run(report: &mut Report) {
    if !report.wants(&[SLOW, FAST].concat()) {
        return;
    }
    let (place, nats) = (Place::new().await, broker().await);
    let (_, own) = place.database().await;
    let log = open(&own).await;
    let parts = Parts::new(&place, connect(&nats, "parts").await).await;
    let mut cases = UnderWay::open(&log, CALLERS).await;
    let other =
        Other::start(&place, &log, [connect(&nats, "owner").await, connect(&nats, "other").await]).await;
    for (names, rate) in [(SLOW, 200.0), (FAST, 2_000.0)] {
        if !report.wants(&names) {
            continue;
        }
        let (mut p50, mut p99) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            let theirs = parts.p50_ms().await;
            let delays = other.delays_ms(&log, &mut cases, rate).await;
            p50.push((quantile(delays.iter().copied(), 0.5), theirs));
            p99.push((quantile(delays, 0.99), theirs));
        }
        let (unit, baseline) = ("ms", "p50 of an append + of publish to consumer + of a row");
        report.add(Case { name: names[0], unit, baseline, reach: Reach::AtMost(1.5), turns: p50 });
        report.add(Case { name: names[1], unit, baseline, reach: Reach::AtMost(5.0), turns: p99 });
    }
    other.stop().await;
    log.close().await;
}

/// The other service: a database of its own, a relay that brings it the log, a consumer that writes rows.
struct Other {
    seen: Arc<Seen>,
    stop: Stop,
    relay: JoinHandle<Result<(), docket_messaging::Error>>,
    consumer: JoinHandle<Result<(), docket_messaging::Error>>,
}

impl Other {
    /// Starts it, and waits until it has what stands in the log.
    async fn start(place: &Place, log: &EventLog, [ours, theirs]: [Broker; 2]) -> Self {
        let (_, pool) = place.database().await;
        make_rows(&pool).await;
        let (seen, stop) = (Arc::new(Seen::default()), Stop::new());
        let relay = tokio::spawn(Relay::new(log.clone(), ours).run(stop.clone()));
        let consumer = Consumer::new("other", log.name(), pool, theirs, FeedClient::local(log.clone()));
        let consumer = tokio::spawn(consumer.with(seen.clone()).run(stop.clone()));
        let other = Self { seen, stop, relay, consumer };
        let head = log.head().await.unwrap().position;
        other.has(usize::try_from(head).unwrap()).await;
        other
    }

    /// Waits until so many events were seen since the last time, and takes them out.
    async fn has(&self, events: usize) -> Vec<(u64, Instant)> {
        let all = async {
            while self.seen.0.lock().unwrap().len() < events {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_mins(5), all).await.expect("the other service sees all events");
        std::mem::take(&mut self.seen.0.lock().unwrap())
    }

    /// Appends at a rate; gives the milliseconds from each append's return to the commit of its row.
    async fn delays_ms(&self, log: &EventLog, cases: &mut UnderWay, rate: f64) -> Vec<f64> {
        let (time, log) = (Duration::from_secs(seconds()), log.clone());
        let returned = paced(cases, rate, time, move |_, case, version| {
            let log = log.clone();
            async move {
                let appended = log.append(cases::one(&log, case, version)).await.unwrap();
                (appended.last, Instant::now())
            }
        })
        .await;
        let mut returned: Vec<_> = returned.into_iter().map(|answered| answered.answer).collect();
        let mut seen = self.has(returned.len()).await;
        returned.sort_unstable();
        seen.sort_unstable();
        let pairs = returned.into_iter().zip(seen);
        pairs
            .map(|((position, returned), (seen, visible))| {
                assert_eq!(position, seen, "every event is seen once");
                ms(visible, returned)
            })
            .collect()
    }

    async fn stop(self) {
        self.stop.cancel();
        for task in [self.relay, self.consumer] {
            task.await.unwrap().unwrap();
        }
    }
}

/// What was seen: positions, and when their rows were committed.
#[derive(Default)]
struct Seen(Mutex<Vec<(u64, Instant)>>);

#[async_trait]
impl Subscriber for Seen {
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    fn rows_only(&self) -> bool {
        true
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        Ok(insert(tx, event.position.cast_signed()).await?)
    }

    async fn after_commit(&self, event: &Recorded) {
        self.0.lock().unwrap().push((event.position, Instant::now()));
    }
}

async fn make_rows(pool: &PgPool) {
    let table = "CREATE TABLE visible (position bigint PRIMARY KEY, committed_at_us bigint NOT NULL)";
    pool.execute(table).await.unwrap();
}

async fn insert(connection: &mut PgConnection, position: i64) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO visible (position, committed_at_us) VALUES ($1, $2)")
        .bind(position)
        .bind(SystemClock.now().as_microsecond())
        .execute(connection)
        .await?;
    Ok(())
}

/// The steps, each by itself and one at a time: there is no shorter way.
struct Parts {
    log: EventLog,
    message: Bytes,
    broker: Broker,
    consumer: consumer::PullConsumer,
    rows: PgPool,
}

impl Parts {
    async fn new(place: &Place, broker: Broker) -> Self {
        let ((_, own), (_, rows)) = (place.database().await, place.database().await);
        let log = open(&own).await;
        make_rows(&rows).await;
        let message = sample(&log).await.to_stored().into();
        let config = stream::Config {
            name: "parts".to_owned(),
            subjects: vec!["parts.one".to_owned()],
            ..stream::Config::default()
        };
        let stream = broker.jetstream().create_stream(config).await.unwrap();
        // Durable, because it is idle between its turns.
        let durable_name = Some("parts".to_owned());
        let config = pull::Config { durable_name, ack_policy: AckPolicy::None, ..pull::Config::default() };
        let consumer = stream.create_consumer(config).await.unwrap();
        Self { log, message, broker, consumer, rows }
    }

    /// The sum of the three medians, in milliseconds.
    async fn p50_ms(&self) -> f64 {
        self.append_ms().await + self.publish_ms().await + self.row_ms().await
    }

    async fn append_ms(&self) -> f64 {
        let case = Uuid::now_v7();
        self.log.append(cases::many(&self.log, case, 0, [cases::event(1)])).await.unwrap();
        let mut version = 0;
        median_of(async || {
            version += 1;
            self.log.append(cases::one(&self.log, case, version)).await.unwrap();
            Instant::now()
        })
        .await
    }

    /// From a publication to the consumer.
    async fn publish_ms(&self) -> f64 {
        let mut messages = self.consumer.messages().await.unwrap();
        median_of(async || {
            let published = self.broker.jetstream().publish("parts.one", self.message.clone()).await.unwrap();
            messages.next().await.expect("a message").unwrap();
            let received = Instant::now();
            published.await.unwrap();
            received
        })
        .await
    }

    async fn row_ms(&self) -> f64 {
        let mut connection = self.rows.acquire().await.unwrap();
        sqlx::query("TRUNCATE visible").execute(&mut *connection).await.unwrap();
        let mut position = 0;
        median_of(async || {
            position += 1;
            insert(&mut connection, position).await.unwrap();
            Instant::now()
        })
        .await
    }
}

/// Does it again and again for a third of a turn; gives the median of the milliseconds to the instant it gives.
async fn median_of(mut once: impl AsyncFnMut() -> Instant) -> f64 {
    let (started, mut times) = (Instant::now(), Vec::new());
    while started.elapsed() < Duration::from_secs(seconds()) / 3 {
        let before = Instant::now();
        times.push(ms(once().await, before));
    }
    median(times)
}
