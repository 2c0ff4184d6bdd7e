//! The fixture of several logs behind one handle: three on two databases, the streams of the cases all in the second.

use std::sync::Arc;

use docket_eventlog::{Append, Appended, Error, EventLog, Logs, Recorded, Slot, StreamName};
use docket_kernel::{Actor, ManualClock};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::fixture::{Fixture, Handle};
use crate::world::{World, stream};

const NAMES: [&str; 3] = ["cases-0", "cases-1", "cases-2"];
/// The log in which the streams of the cases live.
const HOME: usize = 1;

impl Handle for Logs {
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
        Ok(self.command(actor, command_id).await?.map(|(_, first, last)| (first, last)))
    }
}

/// Three logs over the slots.
pub(crate) struct SeveralLogs {
    here: World,
    there: World,
    logs: Logs,
}

async fn open(here: &World, there: &World) -> Logs {
    let logs =
        vec![here.another(NAMES[0]).await, here.another(NAMES[1]).await, there.another(NAMES[2]).await];
    Logs::open(logs).await.unwrap()
}

impl Fixture for SeveralLogs {
    type Handle = Logs;

    async fn new() -> Self {
        let (here, there) = (World::new().await, World::new().await);
        let logs = open(&here, &there).await;
        logs.spread().await.unwrap();
        Self { here, there, logs }
    }

    fn handle(&self) -> &Logs {
        &self.logs
    }

    async fn replica(&self) -> (Logs, EventLog) {
        let logs = open(&self.here, &self.there).await;
        let home = logs.all()[HOME].clone();
        (logs, home)
    }

    fn log(&self) -> EventLog {
        self.logs.all()[HOME].clone()
    }

    fn pool(&self) -> &PgPool {
        self.here.pool()
    }

    fn clock(&self) -> &Arc<ManualClock> {
        &self.here.clock
    }

    fn stream(&self, n: u128) -> StreamName {
        let at_home = |name: &StreamName| Slot::of(name).home(NAMES.len()) == HOME;
        (0..1_000).map(|k| stream(n << 16 | k)).find(at_home).expect("one in three is")
    }
}
