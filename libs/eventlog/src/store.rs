//! The store of an aggregate: load, decide, append, once for each command.

use std::fmt;
use std::marker::PhantomData;

use docket_kernel::{EventEnum, Refusal};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Aggregate, Append, Appended, Context, Error, EventLog, ExecuteError, Expected, Folded, Loaded, Mark,
    Recorded, StreamAppend, StreamName, Subjects, snapshot,
};

/// How often a command which lost a race is decided again.
const ATTEMPTS: u32 = 5;

/// One aggregate's streams in a log. Cheap to clone.
pub struct Store<A> {
    log: EventLog,
    aggregate: PhantomData<fn() -> A>,
}

/// What a command did.
#[derive(Debug, Clone)]
pub struct Executed<A: Aggregate> {
    /// The state after the command.
    pub state: A::State,
    /// The stream's version after the command.
    pub version: u64,
    /// The command's events in this stream.
    pub events: Vec<Recorded>,
    /// Whether it had been done before; then all of this is as of the first answer.
    pub repeated: bool,
}

impl<A: Aggregate> Store<A> {
    /// The aggregate's streams in `log`.
    pub fn new(log: EventLog) -> Self {
        Self { log, aggregate: PhantomData }
    }

    /// The log.
    pub fn log(&self) -> &EventLog {
        &self.log
    }

    /// The stream of one aggregate: `<category>-<id>`.
    pub fn stream(id: Uuid) -> StreamName {
        StreamName::of(A::Event::CATEGORY, id)
    }

    /// The state as it is now, in bounded memory however long the stream is; from a snapshot where one is kept.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Decode`].
    pub async fn state(&self, id: Uuid) -> Result<Folded<A>, Error> {
        let (core, stream) = (self.log.core(), Self::stream(id));
        let mut connection = core.pool.acquire().await?;
        let folded = snapshot::state::<A>(&mut connection, core, &stream, u64::MAX).await?;
        snapshot::keep(&mut connection, core, &stream, &folded).await;
        Ok(folded)
    }

    /// [`Store::state`] as the caller's transaction sees it, over its connection: who holds the head of the log waits
    /// for no other one.
    ///
    /// # Errors
    /// As [`Store::state`]; after [`Error::Database`] the transaction is spoilt.
    pub async fn state_in(&self, tx: &mut PgConnection, id: Uuid) -> Result<Folded<A>, Error> {
        snapshot::state::<A>(tx, self.log.core(), &Self::stream(id), u64::MAX).await
    }

    /// The aggregate as it is now, with all its events.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Decode`].
    pub async fn load(&self, id: Uuid) -> Result<Loaded<A>, Error> {
        Loaded::fold(self.log.read_stream(&Self::stream(id), 1).await?)
    }

    /// The aggregate as it was when the log ended at `position`.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub async fn load_as_of(&self, id: Uuid, position: u64) -> Result<Loaded<A>, Error> {
        Loaded::fold(self.log.read_stream_as_of(&Self::stream(id), position).await?)
    }

    /// The events after a place that is known; none at all when that place is no longer in the stream's history, as after
    /// a log was restored to an earlier point: then all must be read.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub async fn since(&self, id: Uuid, mark: &Mark) -> Result<Option<Vec<Recorded>>, Error> {
        let mut events = self.log.read_stream(&Self::stream(id), mark.version).await?;
        let holds = events.first().is_some_and(|event| event.mark() == *mark);
        Ok(holds.then(|| events.split_off(1)))
    }

    /// Carries out a command: loads, decides, appends; after a lost race decides again. A repeated command is
    /// answered as at the first time; a refused one is decided anew.
    ///
    /// # Errors
    /// [`ExecuteError::Refused`]: nothing was stored. [`ExecuteError::Log`]: see [`EventLog::append`].
    pub async fn execute(
        &self,
        context: &Context,
        id: Uuid,
        subjects: Subjects,
        decide: impl Fn(&A::State) -> Result<Vec<A::Event>, Refusal>,
    ) -> Result<Executed<A>, ExecuteError> {
        self.execute_beside(context, (id, subjects), &[], |states| Ok(vec![decide(&states[0].state)?])).await
    }

    /// [`Store::execute`] for who has just loaded the state: it is read again only after a lost race.
    ///
    /// # Errors
    /// As [`Store::execute`].
    pub async fn execute_from(
        &self,
        context: &Context,
        (id, subjects): (Uuid, Subjects),
        known: Folded<A>,
        decide: impl Fn(&A::State) -> Result<Vec<A::Event>, Refusal>,
    ) -> Result<Executed<A>, ExecuteError> {
        let decide = |states: &[Folded<A>]| Ok(vec![decide(&states[0].state)?]);
        Box::pin(self.carry_out(context, (id, subjects), &[], Some(known), decide)).await
    }

    /// [`Store::execute`] for who read the stream some time ago, up to a mark, and reads it again only where that is not enough: none
    /// where it has moved on, or where a command is refused as far as is known. Then load it and carry the command out on that.
    ///
    /// # Errors
    /// [`ExecuteError::Log`]: see [`EventLog::append`].
    pub async fn execute_after(
        &self,
        context: &Context,
        (id, subjects): (Uuid, Subjects),
        (known, mark): (Folded<A>, Mark),
        decide: impl FnOnce(&A::State) -> Result<Vec<A::Event>, Refusal>,
    ) -> Result<Option<Executed<A>>, ExecuteError> {
        let Ok(events) = decide(&known.state) else { return Ok(None) };
        let stream = StreamAppend::of(Self::stream(id), Expected::After(mark), subjects, &events);
        match self.log.append(context.append(&self.log, vec![stream])).await {
            Ok(appended) => {
                let executed = self.executed(id, known, appended).await;
                Ok(Some(executed.map_err(written)?))
            }
            Err(Error::Conflict { .. } | Error::Erased) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// [`Store::execute`] for a decision that looks at others beside the first, and may write to them too: their
    /// events in the same order, fewer lists leave the last ones as they are. It is done only while none of them has
    /// moved on; each may stand once. The answer is about the first.
    ///
    /// # Errors
    /// As [`Store::execute`].
    pub async fn execute_beside(
        &self,
        context: &Context,
        first: (Uuid, Subjects),
        others: &[(Uuid, Subjects)],
        decide: impl Fn(&[Folded<A>]) -> Result<Vec<Vec<A::Event>>, Refusal>,
    ) -> Result<Executed<A>, ExecuteError> {
        Box::pin(self.carry_out(context, first, others, None, decide)).await
    }

    /// Called boxed: what a command waits for is large, and so would be whatever waits for a command.
    async fn carry_out(
        &self,
        context: &Context,
        first: (Uuid, Subjects),
        others: &[(Uuid, Subjects)],
        mut known: Option<Folded<A>>,
        decide: impl Fn(&[Folded<A>]) -> Result<Vec<Vec<A::Event>>, Refusal>,
    ) -> Result<Executed<A>, ExecuteError> {
        let (mut attempt, mut done) = (1, false);
        loop {
            // First the states, then the command: a command not done yet cannot be part of those states.
            let mut before = match known.take() {
                Some(known) => vec![known],
                None => vec![self.state(first.0).await?],
            };
            for (other, _) in others {
                before.push(self.state(*other).await?);
            }
            // Whether it was done before the log finds out, and then gives the first answer; it is asked where nothing can be written.
            let decided = if done { Ok(Vec::new()) } else { decide(&before) };
            let events = match decided {
                Ok(events) => events,
                Err(refusal) => {
                    done = self.log.was_done(context).await?;
                    if !done {
                        return Err(refusal.into());
                    }
                    Vec::new()
                }
            };
            let append = self.append(context, first, others, &before, &events, done);
            match self.log.append(append).await {
                Ok(appended) => {
                    let executed = self.executed(first.0, before.swap_remove(0), appended).await;
                    return Ok(executed.map_err(written)?);
                }
                Err(Error::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
                // What it would write now cannot be sealed any more, as it could be at first.
                Err(Error::Erased) if !done && self.log.was_done(context).await? => done = true,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// [`Store::execute`] in the caller's transaction, for reactions and for rows which must be true in the same
    /// commit. A refusal leaves the transaction as it was.
    ///
    /// # Errors
    /// As [`Store::execute`]; after a database error the transaction is spoilt.
    pub async fn execute_in(
        &self,
        tx: &mut PgConnection,
        context: &Context,
        id: Uuid,
        subjects: Subjects,
        decide: impl Fn(&A::State) -> Result<Vec<A::Event>, Refusal>,
    ) -> Result<Executed<A>, ExecuteError> {
        let decide = |states: &[Folded<A>]| Ok(vec![decide(&states[0].state)?]);
        self.execute_beside_in(tx, context, (id, subjects), &[], decide).await
    }

    /// [`Store::execute_beside`] in the caller's transaction.
    ///
    /// # Errors
    /// As [`Store::execute_in`].
    pub async fn execute_beside_in(
        &self,
        tx: &mut PgConnection,
        context: &Context,
        first: (Uuid, Subjects),
        others: &[(Uuid, Subjects)],
        decide: impl Fn(&[Folded<A>]) -> Result<Vec<Vec<A::Event>>, Refusal>,
    ) -> Result<Executed<A>, ExecuteError> {
        let core = self.log.core();
        let mut attempt = 1;
        loop {
            let mut before = vec![snapshot::state::<A>(tx, core, &Self::stream(first.0), u64::MAX).await?];
            for (other, _) in others {
                before.push(snapshot::state::<A>(tx, core, &Self::stream(*other), u64::MAX).await?);
            }
            let done = self.done_in(tx, context).await?;
            let events = if done { Vec::new() } else { decide(&before)? };
            let append = self.append(context, first, others, &before, &events, done);
            match self.log.append_in(tx, append).await {
                Ok(appended) => {
                    let before = before.swap_remove(0);
                    return Ok(if Self::follows(first.0, &before, &appended) {
                        Self::after(first.0, before, appended)?
                    } else {
                        self.at_first(tx, first.0, appended).await?
                    });
                }
                // The head is ours now, so the next attempt sees the last version.
                Err(Error::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn done_in(&self, tx: &mut PgConnection, context: &Context) -> Result<bool, Error> {
        let done = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                SELECT FROM log.command WHERE log = $1 AND actor = $2 AND command_id = $3) AS "done!""#,
            self.log.name(),
            context.actor.to_string(),
            context.command_id
        )
        .fetch_one(tx)
        .await?;
        Ok(done)
    }

    /// The append of a decision. A command done before is sent to the log once more, without events: the log
    /// compares the requests and gives the first answer.
    fn append(
        &self,
        context: &Context,
        first: (Uuid, Subjects),
        others: &[(Uuid, Subjects)],
        before: &[Folded<A>],
        events: &[Vec<A::Event>],
        done: bool,
    ) -> Append {
        let streams = std::iter::once(&first).chain(others).zip(before).enumerate();
        let streams = streams.map(|(place, ((id, subjects), before))| {
            let expected = if done { Expected::Any } else { Expected::Version(before.version) };
            let events = events.get(place).map_or(&[][..], Vec::as_slice);
            StreamAppend::of(Self::stream(*id), expected, *subjects, events)
        });
        context.append(&self.log, streams.collect())
    }

    /// Whether the state before a command and its events tell the state after it, and nothing need be read.
    fn follows(id: Uuid, before: &Folded<A>, appended: &Appended) -> bool {
        let stream = Self::stream(id);
        let first = appended.events.iter().find(|event| event.stream == stream);
        !appended.repeated && first.is_none_or(|event| event.version == before.version + 1)
    }

    /// What came of an append, by what is known of the state before it where that is enough.
    async fn executed(&self, id: Uuid, before: Folded<A>, appended: Appended) -> Result<Executed<A>, Error> {
        if Self::follows(id, &before, &appended) {
            return Self::after(id, before, appended);
        }
        let mut connection = self.log.pool().acquire().await?;
        self.at_first(&mut connection, id, appended).await
    }

    /// What the command did to the state before it.
    fn after(id: Uuid, before: Folded<A>, appended: Appended) -> Result<Executed<A>, Error> {
        let events = Self::of(id, appended.events);
        let Folded { state, version } = before.after(&events)?;
        Ok(Executed { state, version, events, repeated: false })
    }

    /// The first answer: with the state as it was with its events, and without what came later.
    async fn at_first(
        &self,
        conn: &mut PgConnection,
        id: Uuid,
        appended: Appended,
    ) -> Result<Executed<A>, Error> {
        let Appended { last, events, repeated, .. } = appended;
        let Folded { state, version } =
            snapshot::state::<A>(conn, self.log.core(), &Self::stream(id), last).await?;
        Ok(Executed { state, version, events: Self::of(id, events), repeated })
    }

    /// The events of one aggregate.
    fn of(id: Uuid, events: Vec<Recorded>) -> Vec<Recorded> {
        let stream = Self::stream(id);
        events.into_iter().filter(|event| event.stream == stream).collect()
    }
}

/// It is written: what fails afterwards must not be told as if nothing were.
fn written(error: Error) -> Error {
    if matches!(error, Error::Database(_)) { Error::OutcomeUnknown } else { error }
}

impl<A> Clone for Store<A> {
    fn clone(&self) -> Self {
        Self { log: self.log.clone(), aggregate: PhantomData }
    }
}

impl<A> fmt::Debug for Store<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({:?})", self.log)
    }
}
