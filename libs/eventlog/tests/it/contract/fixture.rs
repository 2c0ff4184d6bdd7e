//! What a case of the contract stands on: a handle of a log, or of several logs behind one.

use std::sync::Arc;

use docket_eventlog::{
    Append, Appended, Error, EventLog, Expected, Recorded, StreamAppend, StreamName, Subjects,
};
use docket_kernel::{Actor, ManualClock};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::world::{World, context, proven, stream};

/// What those who write and read use.
pub(crate) trait Handle: Clone {
    async fn append(&self, append: Append) -> Result<Appended, Error>;
    async fn append_in(&self, tx: &mut PgConnection, append: Append) -> Result<Appended, Error>;
    async fn read_stream(&self, name: &StreamName, from_version: u64) -> Result<Vec<Recorded>, Error>;
    async fn command(&self, actor: &Actor, command_id: Uuid) -> Result<Option<(u64, u64)>, Error>;
}

impl Handle for EventLog {
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
}

/// A fresh place for one case.
pub(crate) trait Fixture: Sized {
    type Handle: Handle;

    async fn new() -> Self;
    fn handle(&self) -> &Self::Handle;
    /// The same, and the log of [`Fixture::log`], as another replica of the service has them.
    async fn replica(&self) -> (Self::Handle, EventLog);
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

    /// A command for several streams.
    fn command(&self, command: u128, streams: Vec<StreamAppend>) -> Append {
        context(command).append(&self.log(), streams)
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
