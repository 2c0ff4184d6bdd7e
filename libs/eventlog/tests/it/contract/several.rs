//! The fixture of several logs behind one handle: three on two databases, the streams of the cases all in the second.

use std::sync::Arc;

use docket_eventlog::{
    Append, Appended, Context, Error, EventLog, Filter, Folded, Logs, Obligation, Page, Recorded, Slot,
    StreamName, Subjects, Subscriptions, Timer,
};
use docket_kernel::{Actor, ManualClock};
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::fixture::{Decide, Fixture, Handle, Live, Outcome};
use crate::store::Counter;
use crate::world::{World, stream};

const NAMES: [&str; 3] = ["cases-0", "cases-1", "cases-2"];
/// The log that is added.
const ADDED: &str = "cases-3";
/// The log in which the streams of the cases live.
const HOME: usize = 1;

impl Live for Subscriptions {
    async fn next(&mut self) -> Result<Page, Error> {
        Ok(self.next().await?.1)
    }
}

impl Handle for Logs {
    type Live = Subscriptions;

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

    async fn state(&self, id: Uuid) -> Result<Folded<Counter>, Error> {
        self.state(id).await
    }

    async fn execute(&self, context: &Context, id: Uuid, decide: Decide) -> Outcome {
        self.execute::<Counter>(context, id, Subjects::NONE, decide).await
    }

    fn follow(&self) -> Subscriptions {
        self.subscribe(&[], &Filter::default())
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<Timer>, Error> {
        Ok(self.timers_due(now, 10).await?.into_iter().map(|(_, timer)| timer).collect())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        self.next_timer().await
    }

    async fn owed(&self) -> Result<Vec<Obligation>, Error> {
        Ok(self.obligations_open(10).await?.into_iter().map(|(_, owed)| owed).collect())
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

    async fn grown(&self) -> Logs {
        let mut logs = self.logs.all().to_vec();
        logs.push(self.there.another(ADDED).await);
        let logs = Logs::open(logs).await.unwrap();
        logs.spread().await.unwrap();
        logs
    }

    fn wanderer(&self) -> StreamName {
        let goes = |name: &StreamName| {
            let home = |logs| Slot::of(name).home(logs);
            (home(NAMES.len()), home(NAMES.len() + 1)) == (HOME, NAMES.len())
        };
        (0..10_000).map(stream).find(goes).expect("one in twelve does")
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
