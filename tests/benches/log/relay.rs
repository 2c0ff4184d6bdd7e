//! The relay: a log that stands there already, brought into an empty stream of a durable broker.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::subject::Subject;
use docket_eventlog::EventLog;
use docket_messaging::{Broker, BrokerOptions, Relay, Stop, StreamStart};
use docket_servers::Nats;
use futures::TryStreamExt as _;
use prost::bytes::Bytes;
use tokio::time::sleep;

use crate::append::fill;
use crate::cases::EVENTS_OF_A_CASE;
use crate::place::{Place, broker, open};
use crate::report::{Case, Reach, Report, rounds, seconds, setting};

const NAME: &str = "relay throughput";
/// Publications of the baseline that may be unanswered.
const IN_FLIGHT: usize = 512;

pub(crate) async fn run(report: &mut Report) {
    if !report.wants(&[NAME]) {
        return;
    }
    let (place, nats) = (Place::new().await, broker().await);
    let (_, pool) = place.database().await;
    let log = open(&pool).await;
    let events = setting::<u64>("BENCH_RELAY", 100_000).next_multiple_of(EVENTS_OF_A_CASE);
    fill(&log, events).await;
    let broker = connect(&nats, "relay").await;
    // Once all of it, for the messages; then each as far as it gets in its turn.
    relayed(&log, &broker, events, Duration::MAX).await;
    let messages = published(&log, &broker, events).await;
    let time = Duration::from_secs(seconds());
    let mut turns = Vec::new();
    for _ in 0..rounds() {
        empty(&log, &broker).await;
        let theirs = plain(&log, &broker, &messages, time).await;
        empty(&log, &broker).await;
        turns.push((relayed(&log, &broker, events, time).await, theirs));
    }
    let (unit, baseline) = ("events/s", "plain publish of the same messages, 512 in flight");
    report.add(Case { name: NAME, unit, baseline, reach: Reach::AtLeast(0.7), turns });
    log.close().await;
}

/// A connection as a service has it.
pub(crate) async fn connect(nats: &Nats, name: &str) -> Broker {
    let options =
        BrokerOptions { url: nats.url(), name: name.to_owned(), replicas: 1, ..BrokerOptions::default() };
    Broker::connect(&options).await.unwrap()
}

/// Removes the stream of a log.
async fn empty(log: &EventLog, broker: &Broker) {
    broker.jetstream().delete_stream(log.name()).await.unwrap();
}

/// Lets a relay begin, until the stream holds so many events or the time is over; gives events a second.
async fn relayed(log: &EventLog, broker: &Broker, events: u64, time: Duration) -> f64 {
    let (stop, started) = (Stop::new(), Instant::now());
    let relay = tokio::spawn(Relay::new(log.clone(), broker.clone()).run(stop.clone()));
    let (mut held, mut rate) = (0, 0.0);
    while held < events && started.elapsed() < time {
        sleep(Duration::from_millis(5)).await;
        let stream = broker.jetstream().get_stream(log.name()).await;
        held = stream.map_or(0, |stream| stream.cached_info().state.last_sequence);
        rate = held as f64 / started.elapsed().as_secs_f64();
    }
    stop.cancel();
    relay.await.unwrap().unwrap();
    rate
}

/// A message as the relay published it, without the sequence that it expected.
type Plain = (Subject, HeaderMap, Bytes);

/// All messages of the stream.
async fn published(log: &EventLog, broker: &Broker, events: u64) -> Vec<Plain> {
    let stream = broker.jetstream().get_stream(log.name()).await.unwrap();
    let config = pull::Config { ack_policy: AckPolicy::None, ..pull::Config::default() };
    let mut messages = stream.create_consumer(config).await.unwrap().messages().await.unwrap();
    let mut plain = Vec::new();
    while (plain.len() as u64) < events {
        let message = messages.try_next().await.unwrap().expect("a message").message;
        let mut headers = HeaderMap::new();
        for (name, values) in message.headers.as_ref().expect("headers").iter() {
            let expected = name.to_string().starts_with("Nats-Expected");
            for value in values.iter().filter(|_| !expected) {
                headers.append(name.clone(), value.clone());
            }
        }
        plain.push((message.subject, headers, message.payload));
    }
    plain
}

/// Publishes the messages into a fresh stream of the same shape, until the time is over; gives messages a second.
async fn plain(log: &EventLog, broker: &Broker, messages: &[Plain], time: Duration) -> f64 {
    let started = Instant::now();
    let start = StreamStart::of(log.pool(), log.name(), u64::MAX).await.unwrap();
    broker.ensure_stream(log.name(), &start).await.unwrap();
    let mut unanswered = VecDeque::with_capacity(IN_FLIGHT);
    let mut sent = 0_u64;
    for (subject, headers, payload) in messages.iter().take_while(|_| started.elapsed() < time) {
        if unanswered.len() == IN_FLIGHT {
            answered(unanswered.pop_front().expect("it is full")).await;
        }
        let message = PublishMessage::build().payload(payload.clone()).headers(headers.clone());
        unanswered.push_back(broker.jetstream().send_publish(subject.clone(), message).await.unwrap());
        sent += 1;
    }
    for publication in unanswered {
        answered(publication).await;
    }
    sent as f64 / started.elapsed().as_secs_f64()
}

async fn answered(publication: impl IntoFuture<Output = Result<PublishAck, PublishError>>) {
    publication.await.unwrap();
}
