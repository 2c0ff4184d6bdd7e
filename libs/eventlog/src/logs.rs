//! Several logs as one: `cases-0 … cases-n`, on one database or on several, with the ways of one log.
//!
//! A stream is born in the log that has its slot open, and stays there for ever. Which slots are closed stands beside
//! each log's head and is looked at under the head's lock, so no log gives birth to a stream whose slot it has given
//! away, whatever map another process still has in mind. A slot goes to a log that is newer and never comes back: who
//! saw it open in one log, then found the stream born in none, and is let in by that log, knows that no other had it
//! meanwhile. Adding a log moves slots, never events: order holds within each log.
//!
//! A command is looked for in all the logs before it is done in one. A command that wrote nothing leaves no stream behind
//! that would hold it where it was done: its repetition may be led to another log when slots moved. It is looked for after
//! the slot was seen, and a log does nothing for a slot that it has given away, so what it did before is seen. This is
//! exact for whatever is asked again with the same streams, and so for every repetition: a request says which streams
//! it names. What is not had is that a log knows at the same instant what another one does (ADR 14): of two requests
//! under one id at the same time that name streams of different logs, each may be done, once, and is answered as itself
//! from then on. One after the other the second is refused, as in one log.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use docket_kernel::Actor;
use futures::FutureExt as _;
use futures::stream::{self, Stream, StreamExt as _};
use sqlx::PgConnection;
use tokio::time::sleep;
use uuid::Uuid;

use crate::slots::{Closed, Slot};
use crate::{Append, Appended, Direction, Error, EventLog, Recorded, StreamName, prepare, read, request};

/// A slot on its way from one log to another is closed in both for a moment: so often it is looked for again.
pub(crate) const ATTEMPTS: u32 = 20;
pub(crate) const PAUSE: Duration = Duration::from_millis(25);

/// The logs of one service. Cheap to clone.
#[derive(Clone)]
pub struct Logs(Arc<[EventLog]>);

impl Logs {
    /// Takes logs as one, in an order that never changes; new ones are added at the end. A new one has no slot until
    /// [`Logs::spread`] gives it some.
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::Malformed`] without any log.
    pub async fn open(logs: Vec<EventLog>) -> Result<Self, Error> {
        if logs.is_empty() {
            return Err(Error::Malformed("a set of logs without one"));
        }
        for log in &logs[1..] {
            log.join().await?;
        }
        Ok(Self(logs.into()))
    }

    /// The logs, in order: each is read, published and verified by itself.
    pub fn all(&self) -> &[EventLog] {
        &self.0
    }

    /// Divides the slots evenly among the logs ([`Slot::home`]). Streams that are there stay; new ones go where their
    /// slot is now. May be repeated, also after it was interrupted; only by who knows all the logs.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn spread(&self) -> Result<(), Error> {
        for slot in Slot::all() {
            let to = slot.home(self.0.len());
            // First closed everywhere else, then opened: never open in two.
            for (place, log) in self.0.iter().enumerate() {
                if place != to {
                    log.set_slot(slot, true).await?;
                }
            }
            self.0[to].set_slot(slot, false).await?;
        }
        Ok(())
    }

    /// The log of a stream: that of its birth, or the one in which it would be born now.
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::SlotMoving`] when its slot is on its way for too long.
    pub async fn of(&self, stream: &StreamName) -> Result<&EventLog, Error> {
        if let [only] = &*self.0 {
            return Ok(only);
        }
        let slot = Slot::of(stream);
        for _ in 0..ATTEMPTS {
            if let Some(log) = self.birthplace(stream).await? {
                return Ok(log);
            }
            // Once more after the slot was seen: the stream may have been born where its slot was before it moved.
            if let Some(open) = self.open_for(slot).await? {
                return Ok(self.birthplace(stream).await?.unwrap_or(open));
            }
            sleep(PAUSE).await;
        }
        Err(Error::SlotMoving { stream: stream.clone() })
    }

    /// [`EventLog::append`] in the log of its streams. All of them must be in one: what crosses logs is a saga. A command
    /// that was done in another log, before its slots moved, is answered from there.
    ///
    /// A command id that was used for another request is refused wherever that was done, but for requests that name
    /// streams of different logs and come at the same time: then each may be done.
    ///
    /// # Errors
    /// As [`EventLog::append`]; [`Error::AcrossLogs`]; [`Error::SlotMoving`].
    pub async fn append(&self, append: Append) -> Result<Appended, Error> {
        for _ in 0..ATTEMPTS {
            let log = self.of_all(&append).await;
            if let Some(answer) = self.answered_elsewhere(log.as_ref().ok(), &append).await? {
                return Ok(answer);
            }
            match log?.append(append.clone()).await {
                // Its slot moved since we looked: nothing was written.
                Err(Error::SlotMoving { .. }) if self.0.len() > 1 => sleep(PAUSE).await,
                answered => return answered,
            }
        }
        Err(Error::SlotMoving { stream: append.streams[0].stream.clone() })
    }

    /// [`EventLog::append_in`] in a transaction on the database of its streams' log; a command that was done in another
    /// log is answered from there, and the transaction is not touched.
    ///
    /// # Errors
    /// As [`EventLog::append_in`]; [`Error::AcrossLogs`]; [`Error::SlotMoving`]: begin again.
    pub async fn append_in(&self, tx: &mut PgConnection, append: Append) -> Result<Appended, Error> {
        let log = self.of_all(&append).await;
        match self.answered_elsewhere(log.as_ref().ok(), &append).await? {
            Some(answer) => Ok(answer),
            None => log?.append_in(tx, append).await,
        }
    }

    /// [`EventLog::read_stream`] in the stream's log.
    ///
    /// # Errors
    /// As [`EventLog::read_stream`].
    pub async fn read_stream(&self, stream: &StreamName, from_version: u64) -> Result<Vec<Recorded>, Error> {
        self.of(stream).await?.read_stream(stream, from_version).await
    }

    /// [`EventLog::read_stream_page`] in the stream's log.
    ///
    /// # Errors
    /// As [`EventLog::read_stream`].
    pub async fn read_stream_page(
        &self,
        stream: &StreamName,
        direction: Direction,
        from_version: u64,
        limit: u32,
        as_of: u64,
    ) -> Result<Vec<Recorded>, Error> {
        self.of(stream).await?.read_stream_page(stream, direction, from_version, limit, as_of).await
    }

    /// [`EventLog::command`] in whichever log it was done, with that log's name.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn command(&self, actor: &Actor, id: Uuid) -> Result<Option<(&'static str, u64, u64)>, Error> {
        let done = self.done_in(actor, id, None).await?;
        Ok(done.map(|(log, (first, last))| (log.name(), first, last)))
    }

    /// The log that has done a command, with first and last position: `here` where it is one of several.
    pub(crate) async fn done_in(
        &self,
        actor: &Actor,
        id: Uuid,
        here: Option<&EventLog>,
    ) -> Result<Option<(&EventLog, (u64, u64))>, Error> {
        let here = here.map(EventLog::name);
        let mut logs: Vec<&EventLog> = self.0.iter().collect();
        logs.sort_by_key(|log| Some(log.name()) != here);
        let mut answers = all_at_once(logs, |log| log.command(actor, id));
        while let Some((log, answer)) = answers.next().await {
            if let Some(positions) = answer? {
                return Ok(Some((log, positions)));
            }
        }
        Ok(None)
    }

    async fn birthplace(&self, stream: &StreamName) -> Result<Option<&EventLog>, Error> {
        for log in self.0.iter() {
            if log.has(stream).await? {
                return Ok(Some(log));
            }
        }
        Ok(None)
    }

    async fn open_for(&self, slot: Slot) -> Result<Option<&EventLog>, Error> {
        for log in self.0.iter() {
            if !log.closed_slots().await?.has(slot) {
                return Ok(Some(log));
            }
        }
        Ok(None)
    }

    /// The first answer of a log other than the one that will look for itself.
    async fn answered_elsewhere(
        &self,
        here: Option<&&EventLog>,
        append: &Append,
    ) -> Result<Option<Appended>, Error> {
        let others = self.0.iter().filter(|log| here.is_none_or(|here| here.name() != log.name()));
        let mut answers = all_at_once(others.collect(), |log| log.answered(append));
        while let Some((_, answer)) = answers.next().await {
            match answer {
                Ok(None) => {}
                Ok(Some(_)) | Err(Error::CommandReused { .. }) if Self::did(here, append).await? => {
                    // Done in both, at the same instant: whoever is asked the same again answers for itself.
                    return Ok(None);
                }
                answered => return answered,
            }
        }
        Ok(None)
    }

    /// Whether this log has done the command.
    async fn did(here: Option<&&EventLog>, append: &Append) -> Result<bool, Error> {
        let Some(here) = here else { return Ok(false) };
        Ok(here.command(&append.metadata.actor, append.metadata.command_id).await?.is_some())
    }

    async fn of_all(&self, append: &Append) -> Result<&EventLog, Error> {
        let mut streams = append.streams.iter().map(|stream| &stream.stream);
        let Some(first) = streams.next() else {
            // A command without streams is remembered in the first log.
            return Ok(&self.0[0]);
        };
        let log = self.of(first).await?;
        for stream in streams {
            if self.of(stream).await?.name() != log.name() {
                return Err(Error::AcrossLogs { first: first.clone(), other: stream.clone() });
            }
        }
        Ok(log)
    }
}

/// Asks all of these logs at once; the answers come in their order.
fn all_at_once<'a, T>(
    logs: Vec<&'a EventLog>,
    ask: impl Fn(&'a EventLog) -> T,
) -> impl Stream<Item = (&'a EventLog, T::Output)> + Unpin
where
    T: Future,
{
    let at_once = logs.len().max(1);
    let asked = stream::iter(logs).map(move |log| ask(log).map(move |answer| (log, answer)));
    Box::pin(asked.buffered(at_once))
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}

impl EventLog {
    /// Becomes one of several: without a slot until it is given some, unless it has events already.
    async fn join(&self) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE log.head SET closed_slots = $2, commits = commits + 1
             WHERE log = $1 AND position = 0 AND closed_slots = 0",
            self.name(),
            Closed::ALL.bits()
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    async fn closed_slots(&self) -> Result<Closed, Error> {
        let bits = sqlx::query_scalar!("SELECT closed_slots FROM log.head WHERE log = $1", self.name())
            .fetch_one(self.pool())
            .await?;
        Ok(Closed::stored(bits))
    }

    /// Opens or closes a slot. Under the head's lock and counted as a commit: whoever decided on the map before is
    /// overtaken and looks again.
    async fn set_slot(&self, slot: Slot, closed: bool) -> Result<(), Error> {
        let bit = Closed::default().set(slot, true).bits();
        sqlx::query!(
            "UPDATE log.head SET commits = commits + 1,
                closed_slots = CASE WHEN $3 THEN closed_slots | $2 ELSE closed_slots & ~$2::bigint END
             WHERE log = $1 AND ((closed_slots & $2) <> 0) <> $3",
            self.name(),
            bit,
            closed
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The first answer to a command that was done here; nothing is written, whatever it asks for.
    async fn answered(&self, append: &Append) -> Result<Option<Appended>, Error> {
        let Append { metadata, request, streams } = append;
        let actor = metadata.actor.to_string();
        prepare::check(&actor, streams)?;
        let mut connection = self.pool().acquire().await?;
        let done = sqlx::query!(
            "SELECT request_mac, first_position, last_position FROM log.command
             WHERE log = $1 AND actor = $2 AND command_id = $3",
            self.name(),
            actor,
            metadata.command_id
        )
        .fetch_optional(&mut *connection)
        .await?;
        let Some(done) = done else { return Ok(None) };
        let asked = request::fingerprint(self.vault(), request);
        if let Some(difference) = request::difference(&done.request_mac, &asked) {
            return Err(Error::CommandReused { difference });
        }
        let (first, last) = (done.first_position.unsigned_abs(), done.last_position.unsigned_abs());
        let events = read::range(&mut connection, self.core(), first, last).await?;
        Ok(Some(Appended { first, last, events, repeated: true }))
    }

    async fn has(&self, stream: &StreamName) -> Result<bool, Error> {
        let there = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT FROM log.stream WHERE log = $1 AND name = $2) AS "there!""#,
            self.name(),
            stream.as_str()
        )
        .fetch_one(self.pool())
        .await?;
        Ok(there)
    }
}
