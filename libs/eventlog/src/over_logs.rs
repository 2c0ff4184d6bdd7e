//! What is built on a log, over several: the store, live subscriptions, timers and obligations.
//!
//! All of it stays where its stream is: a timer or an obligation is set beside an event, in one transaction, and so in the
//! event's log ([`Logs::of`]). Here is what looks at all the logs.

use docket_kernel::Refusal;
use futures::FutureExt as _;
use futures::future::select_all;
use jiff::Timestamp;
use tokio::time::sleep;
use uuid::Uuid;

use crate::logs::{ATTEMPTS, PAUSE};
use crate::{
    Aggregate, Context, Error, EventLog, ExecuteError, Executed, Filter, Folded, Logs, Obligation, Page,
    Store, Subjects, Subscription, Timer,
};

impl Logs {
    /// [`Store::state`] of an aggregate in the log of its stream.
    ///
    /// # Errors
    /// As [`Store::state`]; [`Error::SlotMoving`].
    pub async fn state<A: Aggregate>(&self, id: Uuid) -> Result<Folded<A>, Error> {
        Store::<A>::new(self.of(&Store::<A>::stream(id)).await?.clone()).state(id).await
    }

    /// [`Store::execute`] in the log of the aggregate's stream. A command that was done in another log, before slots
    /// moved, is answered from there.
    ///
    /// # Errors
    /// As [`Store::execute`]; [`Error::SlotMoving`].
    pub async fn execute<A: Aggregate>(
        &self,
        context: &Context,
        id: Uuid,
        subjects: Subjects,
        decide: impl Fn(&A::State) -> Result<Vec<A::Event>, Refusal>,
    ) -> Result<Executed<A>, ExecuteError> {
        let stream = Store::<A>::stream(id);
        for _ in 0..ATTEMPTS {
            // First the slot, then the command: what a log did before it gave the slot away is seen.
            let here = self.of(&stream).await?;
            let log = self.doer(context, here).await?;
            match Store::<A>::new(log.clone()).execute(context, id, subjects, &decide).await {
                Err(ExecuteError::Log(Error::SlotMoving { .. })) if self.all().len() > 1 => {
                    sleep(PAUSE).await;
                }
                executed => return executed,
            }
        }
        Err(Error::SlotMoving { stream }.into())
    }

    /// The log that has done a command, or `here`.
    async fn doer<'a>(&'a self, context: &Context, here: &'a EventLog) -> Result<&'a EventLog, Error> {
        if self.all().len() == 1 {
            return Ok(here);
        }
        let done = self.done_in(&context.actor, context.command_id, Some(here)).await?;
        Ok(done.map_or(here, |(log, _)| log))
    }

    /// [`EventLog::subscribe`] to each log, after its position in the order of the logs; a log beyond the positions
    /// that are given is read from its beginning.
    pub fn subscribe(&self, after: &[u64], filter: &Filter) -> Subscriptions {
        let after = after.iter().copied().chain(std::iter::repeat(0));
        let each = self.all().iter().zip(after).map(|(log, after)| log.subscribe(after, filter.clone()));
        Subscriptions { each: each.collect(), turn: 0 }
    }

    /// The timers of all logs that are due at `now`, the oldest first, at most `limit`, each with its log: there it is
    /// fired and taken away ([`crate::Timers::due`]).
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn timers_due(&self, now: Timestamp, limit: u32) -> Result<Vec<(&EventLog, Timer)>, Error> {
        let mut due = Vec::new();
        for log in self.all() {
            due.extend(log.timers().due(now, None, limit).await?.into_iter().map(|timer| (log, timer)));
        }
        due.sort_by(|(_, one), (_, other)| (one.due_at, &one.key).cmp(&(other.due_at, &other.key)));
        due.truncate(limit as usize);
        Ok(due)
    }

    /// When the next timer of any log falls due.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn next_timer(&self) -> Result<Option<Timestamp>, Error> {
        let mut next = None;
        for log in self.all() {
            let due = log.timers().next_due().await?;
            next = [next, due].into_iter().flatten().min();
        }
        Ok(next)
    }

    /// The open obligations of all logs, the most urgent first, at most `limit`, each with its log.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn obligations_open(&self, limit: u32) -> Result<Vec<(&EventLog, Obligation)>, Error> {
        let mut open = Vec::new();
        for log in self.all() {
            open.extend(log.obligations().open(limit).await?.into_iter().map(|owed| (log, owed)));
        }
        open.sort_by_key(|(_, owed)| owed.due_at);
        open.truncate(limit as usize);
        Ok(open)
    }
}

/// A live subscription to several logs: each in its own order, none waits for another.
#[derive(Debug)]
pub struct Subscriptions {
    each: Vec<Subscription>,
    /// The log that is looked at first: one that is always busy must not hide the others.
    turn: usize,
}

impl Subscriptions {
    /// Up to where everything of each log was given, in the order of the logs.
    pub fn positions(&self) -> Vec<u64> {
        self.each.iter().map(Subscription::position).collect()
    }

    /// The next events of any log, at least one, with the place of that log; waits for them. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// As [`Subscription::next`].
    pub async fn next(&mut self) -> Result<(usize, Page), Error> {
        let (before, after) = self.each.split_at_mut(self.turn);
        let turns = after.iter_mut().chain(before).map(|each| each.next().boxed());
        let (page, looked_at, _) = select_all(turns).await;
        let log = (self.turn + looked_at) % self.each.len();
        self.turn = (log + 1) % self.each.len();
        Ok((log, page?))
    }
}
