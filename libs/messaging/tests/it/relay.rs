//! The relay: sequence is position, whatever happens to it, its twin or the broker.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use docket_messaging::{EPOCH, Relay, Stop, StreamStart};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::bench::{LOG, Owner, Reader, account, broker, database, run, until};

async fn last_sequence(owner: &Owner, nats: &docket_testkit::TestNats) -> u64 {
    let broker = owner.broker(nats).await;
    match broker.jetstream().get_stream(LOG).await {
        Ok(stream) => stream.cached_info().state.last_sequence,
        Err(_) => 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_stands_at_the_sequence_of_its_position() {
    let (owner, nats, stop) = (Owner::new().await, docket_testkit::nats().await, Stop::new());
    for number in 0..20 {
        owner.happen(&account(number % 3)).await;
    }
    // Two relays at once: one waits.
    let first = owner.relay(&nats, &stop).await;
    let second = owner.relay(&nats, &stop).await;
    for number in 0..20 {
        owner.happen(&account(number % 3)).await;
    }
    until("forty messages", async || last_sequence(&owner, &nats).await == 40).await;
    let stream = owner.broker(&nats).await.jetstream().get_stream(LOG).await.unwrap();
    let stored = owner.log.read(0, 100).await.unwrap();
    for event in &stored {
        let message = stream.direct_get(event.position).await.unwrap();
        assert_eq!(message.payload.as_ref(), event.to_stored());
        assert_eq!(message.subject.as_str(), "docket.identity.account.email_proven.v1");
        let header = |name: &str| message.headers.get(name).unwrap().as_str().to_owned();
        assert_eq!(header("ce-id"), event.event_id.to_string());
        assert_eq!(header("traceparent"), event.metadata.traceparent);
        assert_eq!(header(EPOCH), "1");
    }
    assert_eq!(stored.len(), 40);
    stop.cancel();
    first.await.unwrap();
    second.await.unwrap();
}

/// On Kubernetes the streams are made before any service has opened its log.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_made_before_the_log_was_first_opened_comes_to_name_its_epoch() {
    let (reader, nats, stop) = (Reader::new().await, docket_testkit::nats().await, Stop::new());
    let never_opened = database("unopened").await;
    let start = StreamStart::of(&never_opened.pool, LOG, 100).await.unwrap();
    assert!(start.epoch.id.is_nil());
    let setup = broker(&nats, "setup").await;
    setup.ensure_stream(LOG, &start).await.unwrap();
    setup.ensure_consumer(LOG, "reader", 0).await.unwrap().expect("there is a stream");

    let (owner, reading) = (Owner::new().await, Stop::new());
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &reading);
    let relay = owner.relay(&nats, &stop).await;
    let epoch = owner.log.head().await.unwrap().epoch.id;
    for number in 0..5 {
        owner.happen(&account(number)).await;
    }
    reader.wait_for_checkpoint(5).await;
    reader.assert_exactly(5).await;
    let stream = setup.jetstream().get_stream(LOG).await.unwrap();
    assert_eq!(stream.cached_info().config.metadata["docket-epoch-id"], epoch.to_string());
    // So the reader knows which epoch it follows, and not its number alone: at the latest when it opens the stream again, for it may
    // have looked at the first one.
    reading.cancel();
    consumer.await.unwrap().unwrap();
    let consumer = run(reader.consumer(&nats, owner.feed()).await, &stop);
    until("the epoch is known in each lane", async || {
        let known = sqlx::query_scalar("SELECT count(*) FROM log.consumer_checkpoint WHERE epoch_id = $1");
        known.bind(epoch).fetch_one(&reader.database.pool).await.unwrap_or(0_i64) == 8
    })
    .await;
    reader.assert_exactly(5).await;
    stop.cancel();
    consumer.await.unwrap().unwrap();
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_was_away_gets_what_it_missed() {
    let (owner, mut nats, stop) = (Owner::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    owner.happen(&account(1)).await;
    until("one message", async || last_sequence(&owner, &nats).await == 1).await;
    let broker = owner.broker(&nats).await;
    until("it is said to be there", async || broker.is_connected()).await;
    nats.kill().await;
    for number in 0..10 {
        owner.happen(&account(number)).await;
    }
    until("it is said to be away", async || !broker.is_connected()).await;
    nats.restart().await;
    until("eleven messages", async || last_sequence(&owner, &nats).await == 11).await;
    until("it is said to be back", async || broker.is_connected()).await;
    stop.cancel();
    relay.await.unwrap();
}

/// A relay beside others, and what it tells itself.
async fn beside(owner: &Owner, nats: &docket_testkit::TestNats, stop: &Stop) -> PrometheusHandle {
    let recorder = PrometheusBuilder::new().build_recorder();
    let told = recorder.handle();
    let relay = Relay::new(owner.log.clone(), owner.broker(nats).await);
    let mut run = Box::pin(relay.run(stop.clone()));
    tokio::spawn(poll_fn(move |context| {
        metrics::with_local_recorder(&recorder, || run.as_mut().poll(context))
    }));
    told
}

/// A figure of the relay's; none while it is not told.
fn figure(told: &PrometheusHandle, name: &str) -> Option<f64> {
    let name = format!("docket_relay_{name}{{log=\"{LOG}\"}} ");
    told.render().lines().find_map(|line| line.strip_prefix(&name)?.parse().ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_without_the_turn_tells_of_a_broker_that_is_away_what_it_last_saw_there_or_nothing() {
    let (owner, mut nats, stop) = (Owner::new().await, docket_testkit::nats().await, Stop::new());
    let publishing = owner.relay(&nats, &stop).await;
    until("the turn is taken", async || holder(&owner).await.is_some()).await;
    for number in 0..5 {
        owner.happen(&account(number)).await;
    }
    let waiting = beside(&owner, &nats, &stop).await;
    until("the stream is measured", async || figure(&waiting, "position") == Some(5.0)).await;
    nats.kill().await;
    let late = beside(&owner, &nats, &stop).await;
    owner.happen(&account(1)).await;
    owner.happen(&account(2)).await;
    until("only these wait", async || figure(&waiting, "lag_events") == Some(2.0)).await;
    until("they have waited", async || figure(&waiting, "lag_seconds") > Some(4.0)).await;
    assert_eq!(figure(&waiting, "position"), Some(5.0));
    assert_eq!(figure(&late, "lag_seconds"), None, "it has not met the broker, and knows nothing");

    nats.restart().await;
    for told in [&waiting, &late] {
        until("it is measured again", async || figure(told, "lag_events") == Some(0.0)).await;
    }
    stop.cancel();
    publishing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_restored_to_an_earlier_point_halts_its_relay() {
    let (owner, nats, stop) = (Owner::new().await, docket_testkit::nats().await, Stop::new());
    let other = Owner::new().await;
    for number in 0..3 {
        other.happen(&account(number)).await;
    }
    let relay = other.relay(&nats, &stop).await;
    until("three messages", async || last_sequence(&other, &nats).await == 3).await;
    stop.cancel();
    relay.await.unwrap();
    // The stream now holds more, and others, than the log of `owner`.
    owner.happen(&account(9)).await;
    let relay = Relay::new(owner.log.clone(), owner.broker(&nats).await);
    let halted = relay.run(Stop::new()).await.unwrap_err();
    assert!(matches!(halted, docket_messaging::Error::Halted(_)), "{halted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_that_is_raised_while_there_is_always_something_to_publish_is_noticed() {
    let (owner, nats, stop) = (Owner::new().await, docket_testkit::nats().await, Stop::new());
    let relay = owner.relay(&nats, &stop).await;
    let busy = Stop::new();
    let writing = busy.run_until_cancelled(async {
        loop {
            owner.happen(&account(1)).await;
        }
    });
    let watching = async {
        let look = broker(&nats, "look").await;
        let named = async |epoch: &str| {
            let stream = look.jetstream().get_stream(LOG).await;
            stream.is_ok_and(|stream| {
                stream.cached_info().config.metadata.get(EPOCH).is_some_and(|is| is == epoch)
            })
        };
        until("the relay publishes", async || last_sequence(&owner, &nats).await > 10).await;
        assert!(named("1").await);
        owner.log.raise_epoch("a drill").await.unwrap();
        until("the stream is of the epoch", async || named("2").await).await;
        busy.cancel();
    };
    tokio::join!(writing, watching);
    stop.cancel();
    relay.await.unwrap();
}

/// The connection which holds the turn of a log's relay; none while nobody has it.
async fn holder(owner: &Owner) -> Option<i32> {
    let pid = "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
               WHERE locktype = 'advisory' AND granted AND datname = current_database()";
    sqlx::query_scalar(pid).fetch_optional(owner.log.pool()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_lives_keeps_its_turn_though_nothing_happens() {
    const TURN: Duration = Duration::from_millis(1_500);
    let (owner, nats, stop) = (Owner::new().await, docket_testkit::nats().await, Stop::new());
    let relay = Relay::new(owner.log.clone(), owner.broker(&nats).await).turn(TURN);
    let relay = tokio::spawn(relay.run(stop.clone()));
    until("it has the turn", async || holder(&owner).await.is_some()).await;
    let (ours, began) = (holder(&owner).await, Instant::now());
    until("two turns are over", async || {
        assert_eq!(holder(&owner).await, ours);
        began.elapsed() > 2 * TURN
    })
    .await;
    stop.cancel();
    relay.await.unwrap().unwrap();
}
