//! What a case of the contract stands on: a handle of a log, or of several logs behind one.

use std::sync::Arc;

use docket_eventlog::{
    Append, Appended, Context, Error, EventLog, ExecuteError, Executed, Expected, Filter, Folded, Obligation,
    Page, Recorded, Store, StreamAppend, StreamName, Subjects, Subscription, Timer,
};
use docket_kernel::{Actor, ManualClock, Refusal};
use docket_proto::events::account::Event;
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::store::Counter;
use crate::world::{World, context, proven, stream};

/// What those who write and read use.
pub(crate) trait Handle: Clone {
    type Live: Live;

    async fn append(&self, append: Append) -> Result<Appended, Error>;
    async fn append_in(&self, tx: &mut PgConnection, append: Append) -> Result<Appended, Error>;
    async fn read_stream(&self, name: &StreamName, from_version: u64) -> Result<Vec<Recorded>, Error>;
    async fn command(&self, actor: &Actor, command_id: Uuid) -> Result<Option<(u64, u64)>, Error>;
    async fn state(&self, id: Uuid) -> Result<Folded<Counter>, Error>;
    async fn execute(&self, context: &Context, id: Uuid, decide: Decide) -> Outcome;
    /// Everything from the beginning, also what is yet to come.
    fn follow(&self) -> Self::Live;
    async fn due(&self, now: Timestamp) -> Result<Vec<Timer>, Error>;
    async fn next_due(&self) -> Result<Option<Timestamp>, Error>;
    async fn owed(&self) -> Result<Vec<Obligation>, Error>;
}

/// A decision on the counter's state.
pub(crate) type Decide = fn(&u32) -> Result<Vec<Event>, Refusal>;
/// What came of it.
pub(crate) type Outcome = Result<Executed<Counter>, ExecuteError>;

/// A live subscription.
pub(crate) trait Live {
    async fn next(&mut self) -> Result<Page, Error>;
}

impl Live for Subscription {
    async fn next(&mut self) -> Result<Page, Error> {
        self.next().await
    }
}

impl Handle for EventLog {
    type Live = Subscription;

    async fn append(&self, append: Append) -> Result<Appended, Error> {
        self.append(append).await
    }

    async fn append_in(&self, tx: &mut PgConnection, append: Append) -> Result<Appended, Error> {
        self.append_in(tx, append).await
    }

    async fn read_stream(&self, name: &StreamName, from_version: u64) -> Result<Vec<Recorded>, Error> {
        self.read_stream(name, from_version).await
    }

    async fn command(&self, actor: &Actor, command_id: Uuid) -> Result<Option<(u64, u64)>, Error> {
        self.command(actor, command_id).await
    }

    async fn state(&self, id: Uuid) -> Result<Folded<Counter>, Error> {
        Store::new(self.clone()).state(id).await
    }

    async fn execute(&self, context: &Context, id: Uuid, decide: Decide) -> Outcome {
        Store::new(self.clone()).execute(context, id, Subjects::NONE, decide).await
    }

    fn follow(&self) -> Subscription {
        self.subscribe(0, Filter::default())
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<Timer>, Error> {
        self.timers().due(now, None, 10).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        self.timers().next_due().await
    }

    async fn owed(&self) -> Result<Vec<Obligation>, Error> {
        self.obligations().open(10).await
    }
}

/// A fresh place for one case.
pub(crate) trait Fixture: Sized {
    type Handle: Handle;

    async fn new() -> Self;
    fn handle(&self) -> &Self::Handle;
    /// The same, and the log of [`Fixture::log`], as another replica of the service has them.
    async fn replica(&self) -> (Self::Handle, EventLog);
    /// The same after one more log was added and took its share of the slots; the one log, where there is one alone.
    async fn grown(&self) -> Self::Handle;
    /// A stream that would be born beside [`Fixture::stream`] now, and in another log once [`Fixture::grown`].
    fn wanderer(&self) -> StreamName;
    /// The database of the log of [`Fixture::stream`].
    fn pool(&self) -> &PgPool;
    fn clock(&self) -> &Arc<ManualClock>;
    /// The n-th of some streams which all live in one log.
    fn stream(&self, n: u128) -> StreamName;

    /// The log in which those streams live.
    fn log(&self) -> EventLog;

    /// `count` events for the n-th stream.
    fn to(&self, n: u128, expected: Expected, count: usize) -> StreamAppend {
        StreamAppend::of(self.stream(n), expected, Subjects::NONE, &vec![proven(); count])
    }

    /// `count` events for the stream which goes elsewhere.
    fn away(&self, expected: Expected, count: usize) -> StreamAppend {
        StreamAppend::of(self.wanderer(), expected, Subjects::NONE, &vec![proven(); count])
    }

    /// A command for several streams.
    fn command(&self, command: u128, streams: Vec<StreamAppend>) -> Append {
        context(command).append(&self.log(), streams)
    }

    /// The aggregate whose events are in the n-th stream.
    fn id(&self, n: u128) -> Uuid {
        id_of(&self.stream(n))
    }

    /// A command with one event for the n-th stream.
    fn one(&self, command: u128, n: u128, expected: Expected) -> Append {
        self.command(command, vec![self.to(n, expected, 1)])
    }

    async fn append(&self, append: Append) -> Result<Appended, Error> {
        self.handle().append(append).await
    }

    /// Writes `count` events to the n-th stream, whatever its version.
    async fn write(&self, command: u128, n: u128, count: usize) -> Appended {
        self.append(self.command(command, vec![self.to(n, Expected::Any, count)])).await.unwrap()
    }

    /// Everything in the log of those streams.
    async fn all(&self) -> Vec<Recorded> {
        self.log().read(0, 10_000).await.unwrap()
    }
}

/// The aggregate whose events are in a stream.
pub(crate) fn id_of(stream: &StreamName) -> Uuid {
    stream.as_str().split_once('-').expect("a category and an id").1.parse().unwrap()
}

/// After every case: positions dense, chain and heads right.
pub(crate) async fn is_sound<F: Fixture>(f: &F) {
    let log = f.log();
    assert_eq!(log.verify(1, None).await.unwrap().broken, None);
    assert!(f.all().await.iter().map(|event| event.position).eq(1..=log.head().await.unwrap().position));
}

/// One log in one database.
pub(crate) struct SingleLog(World);

impl Fixture for SingleLog {
    type Handle = EventLog;

    async fn new() -> Self {
        Self(World::new().await)
    }

    fn handle(&self) -> &EventLog {
        &self.0.log
    }

    async fn replica(&self) -> (EventLog, EventLog) {
        let replica = self.0.open_with(self.0.pool().clone()).await;
        (replica.clone(), replica)
    }

    async fn grown(&self) -> EventLog {
        self.0.log.clone()
    }

    fn wanderer(&self) -> StreamName {
        stream(1 << 16)
    }

    fn log(&self) -> EventLog {
        self.0.log.clone()
    }

    fn pool(&self) -> &PgPool {
        self.0.pool()
    }

    fn clock(&self) -> &Arc<ManualClock> {
        &self.0.clock
    }

    fn stream(&self, n: u128) -> StreamName {
        stream(n)
    }
}
