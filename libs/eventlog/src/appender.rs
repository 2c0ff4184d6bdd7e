//! Group commit: one task per log; what arrives during a flush goes to disk with the next.

use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use docket_database::{WORK, answered, within};
use futures::future::Either;
use futures::{FutureExt as _, poll};
use jiff::Timestamp;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{sleep, timeout_at};

use crate::doubt::{Doubt, Failure};
use crate::failure::{code, transient};
use crate::guess::{Guess, Memory};
use crate::log::Core;
use crate::prepare::{Prepared, prepare};
use crate::queue::{Place, Room};
use crate::round::{Outcome, Round, Written, recorded};
use crate::{Append, Appended, Error, EventLog, Queue, commit, guess, read};

/// Most appends in one commit.
const GROUP_APPENDS: usize = 512;
/// Most bytes in one commit.
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// How long a caller waits for its answer; the append itself goes on.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long attempts which surely wrote nothing are repeated; then the callers are told. What came of a commit without an
/// answer is asked for ever.
const RETRY_FOR: Duration = Duration::from_secs(8);
/// After being overtaken by another process the next groups take the head's lock at once.
const LOCKED_GROUPS: u32 = 64;
/// Pauses between attempts; the last one again and again.
const PAUSES_MS: [u64; 6] = [0, 50, 100, 200, 400, 800];

/// The way to the appending task.
#[derive(Clone)]
pub(crate) struct Appender {
    sender: mpsc::UnboundedSender<Message>,
    /// What bounds the channel.
    room: Room,
}

enum Message {
    Append(Box<Job>),
    Close(oneshot::Sender<()>),
}

struct Job {
    append: Prepared,
    queued: Instant,
    answer: oneshot::Sender<Result<Fate, Error>>,
    /// Whether it was found done before, and only its events could not be read yet.
    done: bool,
    place: Place,
}

/// What became of an append, which comes back with it: the caller makes the answer, not the task all wait for.
struct Fate {
    append: Prepared,
    settled: Settled,
    at: Timestamp,
}

impl EventLog {
    /// Appends, together with whatever else is waiting, and returns when it is on disk.
    ///
    /// Once called and first polled it is carried out, also when the caller goes away.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::CommandReused`], [`Error::TooLarge`], [`Error::Erased`],
    /// [`Error::SubjectMissing`], [`Error::Overloaded`] and [`Error::Closed`]: nothing was written.
    /// [`Error::OutcomeUnknown`]: repeat with the same command id. [`Error::Database`]: nothing was written.
    pub async fn append(&self, append: Append) -> Result<Appended, Error> {
        // The place first: while keys are slow to come, what waits for them is bounded like all that waits.
        let place = self.appender.room.take(append.about_bytes())?;
        let until = Instant::now() + ANSWER_WITHIN;
        let log = self.clone();
        let mut preparing = Box::pin(async move { prepare(log.core(), append).await });
        // Ready at once, unless somebody's first key must be made: then a task of its own sees to the rest.
        let answer = match poll!(&mut preparing) {
            Poll::Ready(append) => Either::Left(self.appender.submit(self.core(), append?, place)),
            Poll::Pending => {
                let log = self.clone();
                let task = tokio::spawn(async move {
                    // Not for ever, since its place is taken as long.
                    let append = within(WORK, preparing).await?;
                    log.appender.submit(log.core(), append, place).await
                });
                Either::Right(task.map(|ended| ended.unwrap_or(Err(Error::OutcomeUnknown))))
            }
        };
        timeout_at(until.into(), answer).await.unwrap_or(Err(Error::OutcomeUnknown))
    }

    /// Appends in the caller's transaction: for what must be true in the same commit. The head stays locked
    /// until that transaction ends, so end it soon, and await no [`EventLog::append`] before; the database ends
    /// one which does nothing for 15 s. A conflict is an answer and does not spoil the transaction. Its isolation
    /// is READ COMMITTED, the default. Who touches two logs does so in one order everywhere.
    ///
    /// # Errors
    /// As [`EventLog::append`]; after [`Error::Database`] the transaction is spoilt.
    pub async fn append_in(&self, tx: &mut PgConnection, append: Append) -> Result<Appended, Error> {
        let append = prepare(self.core(), append).await?;
        let (mut outcomes, round) = commit::append_group(tx, self.core(), &[&append]).await?;
        let outcome = outcomes.pop().ok_or(Error::Malformed("an append without an outcome"))?;
        settle(tx, self.core(), outcome).await?.answer(self.core(), append, round.recorded_at)
    }

    /// Carries out what is waiting, then ends the appending task. Later appends are refused.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.appender.sender.send(Message::Close(done)).is_ok() {
            // The task ends by dropping `done` too.
            let _ended = closed.await;
        }
    }
}

impl Appender {
    pub(crate) fn start(core: Arc<Core>, queue: Queue) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(Task::new(core).run(receiver));
        Self { sender, room: Room::new(queue) }
    }

    /// Queues the append in its place, before it waits for anything, and turns what became of it into the answer.
    async fn submit(&self, core: &Core, append: Prepared, place: Place) -> Result<Appended, Error> {
        let (sender, receiver) = oneshot::channel();
        let queued = Instant::now();
        let job = Message::Append(Box::new(Job { append, queued, answer: sender, done: false, place }));
        self.sender.send(job).map_err(|_closed| Error::Closed)?;
        let Fate { append, settled, at } = receiver.await.unwrap_or(Err(Error::OutcomeUnknown))?;
        settled.answer(core, append, at)
    }
}

/// The task, with a connection of its own: it never waits behind those who wait for it.
struct Task {
    core: Arc<Core>,
    connection: Option<PgConnection>,
    memory: Memory,
    /// Groups which take the head's lock at once, since others were found to write too.
    locked_groups: u32,
}

/// What one attempt came to.
struct Attempted {
    /// For each append; none where it was done before and its events could not be read.
    settled: Vec<Option<Settled>>,
    at: Timestamp,
}

impl Task {
    fn new(core: Arc<Core>) -> Self {
        Self { core, connection: None, memory: Memory::default(), locked_groups: 0 }
    }

    async fn run(mut self, mut receiver: mpsc::UnboundedReceiver<Message>) {
        let mut messages = Vec::with_capacity(GROUP_APPENDS);
        // Whoever closes waits for the end of this task, which drops these.
        let mut closing = Vec::new();
        while receiver.recv_many(&mut messages, GROUP_APPENDS).await > 0 {
            let mut jobs = Vec::with_capacity(messages.len());
            for message in messages.drain(..) {
                match message {
                    Message::Append(job) => jobs.push(*job),
                    Message::Close(done) => {
                        receiver.close();
                        closing.push(done);
                    }
                }
            }
            for group in groups(jobs, |job| job.append.bytes) {
                self.flush(group).await;
            }
            let_callers_return(&receiver).await;
        }
        if let Some(connection) = self.connection.take() {
            // Nothing is open on it; a failure to say goodbye changes nothing.
            let _closed = answered(connection.close()).await;
        }
    }

    /// Carries a group through to an answer for each.
    async fn flush(&mut self, mut group: Vec<Job>) {
        for job in &group {
            self.core.meters.group_wait.record(job.queued.elapsed());
        }
        let started = Instant::now();
        let mut attempt = 0;
        while !group.is_empty() {
            match self.attempt(&group).await {
                Ok(attempted) => {
                    group = self.deliver(group, attempted);
                    for job in &mut group {
                        job.done = true;
                    }
                }
                Err(Failure::AtCommit(error, doubt)) => {
                    let code = code(&error);
                    tracing::warn!(
                        log = self.core.name,
                        code,
                        "commit not answered; looking whether it was done"
                    );
                    group = self.resolve(group, &doubt).await;
                }
                Err(Failure::Before(error)) if !transient(&error) && group.len() > 1 => {
                    // Something in the group is refused by the database: nobody else shall suffer.
                    let code = code(&error);
                    tracing::error!(log = self.core.name, code, "group refused; trying one by one");
                    for job in group {
                        Box::pin(self.flush(vec![job])).await;
                    }
                    return;
                }
                Err(Failure::Before(error)) if started.elapsed() > RETRY_FOR || !transient(&error) => {
                    tracing::error!(log = self.core.name, code = code(&error), "append failed");
                    return refuse(group, &error);
                }
                Err(Failure::Before(_)) => {}
            }
            if !group.is_empty() {
                self.memory.forget();
                sleep(pause(attempt)).await;
                attempt += 1;
            }
        }
    }

    /// Finds out, however long the database is away, what a commit without an answer has written, and tells those; gives
    /// the others, of which now surely nothing was.
    async fn resolve(&mut self, group: Vec<Job>, doubt: &Doubt) -> Vec<Job> {
        let mut attempt = 0;
        let found = loop {
            self.memory.forget();
            match self.ask(&group, doubt).await {
                Ok(found) => break found,
                Err(error) if transient(&error) => {}
                Err(error) => {
                    // The database does not let us look: that is all there is to say.
                    tracing::error!(log = self.core.name, code = code(&error), "the outcome cannot be known");
                    let unknown =
                        |place: usize| doubt.of(place).then_some(Settled::Lost(Error::OutcomeUnknown));
                    let settled = (0..group.len()).map(unknown).collect();
                    return self.deliver(group, Attempted { settled, at: self.core.clock.now() });
                }
            }
            sleep(pause(attempt)).await;
            attempt += 1;
        };
        let settled = found.into_iter().map(|found| found.map(Settled::Repeated)).collect();
        self.deliver(group, Attempted { settled, at: self.core.clock.now() })
    }

    async fn ask(&mut self, group: &[Job], doubt: &Doubt) -> Result<Vec<Option<Appended>>, Error> {
        let mut connection = self.connection().await?;
        let appends: Vec<&Prepared> = group.iter().map(|job| &job.append).collect();
        let found = answered(doubt.ask(&mut connection, &self.core, &appends)).await?;
        self.connection = Some(connection);
        Ok(found)
    }

    /// The connection, taken: it is kept only when all goes well on it.
    async fn connection(&mut self) -> Result<PgConnection, Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => answered(connect(&self.core.pool.connect_options())).await,
        }
    }

    /// One attempt.
    async fn attempt(&mut self, group: &[Job]) -> Result<Attempted, Failure> {
        let mut connection = self.connection().await?;
        let appends: Vec<&Prepared> = group.iter().map(|job| &job.append).collect();
        let (outcomes, at) = self.write(&mut connection, &appends).await?;
        let (mut settled, mut whole) = (Vec::with_capacity(outcomes.len()), true);
        for outcome in outcomes {
            // What was written is told in any case; what had been done before is looked for again, and nothing is asked
            // on a connection that failed.
            if !whole && matches!(outcome, Outcome::Repeated { .. }) {
                settled.push(None);
                continue;
            }
            settled.push(match answered(settle(&mut connection, &self.core, outcome)).await {
                Err(Error::Database(_)) => {
                    whole = false;
                    None
                }
                Err(error) => Some(Settled::Lost(error)),
                Ok(settled) => Some(settled),
            });
        }
        self.connection = whole.then_some(connection);
        Ok(Attempted { settled, at })
    }

    /// Writes the group, by a guess where it can.
    async fn write(
        &mut self,
        connection: &mut PgConnection,
        appends: &[&Prepared],
    ) -> Result<(Vec<Outcome>, Timestamp), Failure> {
        if self.locked_groups == 0 {
            match guess::append_group(connection, &self.core, &mut self.memory, appends).await? {
                Guess::Right(outcomes, round) => return Ok((outcomes, self.remember(round))),
                Guess::Overtaken => self.locked_groups = LOCKED_GROUPS,
            }
        }
        self.locked_groups -= 1;
        // Others write as well: of the streams nothing is known but what is looked up under the lock.
        self.memory.forget();
        let before = |error: sqlx::Error| Failure::Before(error.into());
        let mut tx = answered(connection.begin()).await.map_err(before)?;
        let (outcomes, round) = answered(commit::append_group(&mut tx, &self.core, appends)).await?;
        if round.commands.is_empty() {
            answered(tx.rollback()).await.map_err(before)?;
            return Ok((outcomes, self.remember(round)));
        }
        match answered(tx.commit()).await {
            Ok(()) => Ok((outcomes, self.remember(round))),
            Err(error) => Err(Failure::of_commit(error.into(), outcomes)),
        }
    }

    /// Keeps the end of the round; gives its instant.
    fn remember(&mut self, round: Round) -> Timestamp {
        let at = round.recorded_at;
        self.memory.keep(round);
        at
    }

    /// Tells each what became of it; gives those of which that is not known yet.
    fn deliver(&self, group: Vec<Job>, attempted: Attempted) -> Vec<Job> {
        let Attempted { settled, at } = attempted;
        let meters = &self.core.meters;
        let mut events = 0;
        let mut last = 0;
        let mut left = Vec::new();
        for (job, settled) in group.into_iter().zip(settled) {
            let Some(settled) = settled else {
                left.push(job);
                continue;
            };
            match &settled {
                Settled::Written(written) => {
                    events += written.places.len();
                    last = last.max(written.last);
                }
                Settled::Repeated(appended) => {
                    events += if appended.repeated { 0 } else { appended.events.len() };
                    last = last.max(appended.last);
                }
                Settled::Lost(_) => {}
            }
            meters.settled(&settled, job.queued.elapsed());
            // First the place, which the caller may want again at once.
            drop(job.place);
            // A caller who went away does not want the answer.
            let _gone = job.answer.send(Ok(Fate { append: job.append, settled, at }));
        }
        self.core.saw_head(last);
        meters.group_events.record(f64::from(u32::try_from(events).unwrap_or(u32::MAX)));
        left
    }
}

/// Gives way to the callers just answered for as long as they queue up again, so that they go to disk together and
/// not in two halves by turns. Takes no time when nobody is there.
async fn let_callers_return(receiver: &mpsc::UnboundedReceiver<Message>) {
    let mut quiet = 0;
    let mut waiting = receiver.len();
    while quiet < 2 && waiting < GROUP_APPENDS {
        yield_now().await;
        let now = receiver.len();
        quiet = if now > waiting { 0 } else { quiet + 1 };
        waiting = now;
    }
}

/// What became of one append, with its events where they had to be read back.
pub(crate) enum Settled {
    Written(Written),
    Repeated(Appended),
    Lost(Error),
}

/// Reads back the events of what had been done before.
async fn settle(conn: &mut PgConnection, core: &Core, outcome: Outcome) -> Result<Settled, Error> {
    Ok(match outcome {
        Outcome::Written(written) => Settled::Written(written),
        Outcome::Repeated { first, last } => {
            let events = read::range(conn, core, first, last).await?;
            Settled::Repeated(Appended { first, last, events, repeated: true })
        }
        Outcome::Lost(error) => Settled::Lost(error),
    })
}

impl Settled {
    /// The answer to the append.
    fn answer(self, core: &Core, append: Prepared, at: Timestamp) -> Result<Appended, Error> {
        match self {
            Self::Written(written) => {
                let (first, last) = (written.first, written.last);
                let events = recorded(append, &written, at, core.epoch_of(first));
                Ok(Appended { first, last, events, repeated: false })
            }
            Self::Repeated(appended) => Ok(appended),
            Self::Lost(error) => Err(error),
        }
    }
}

/// A connection whose commits are durable before they are answered, whatever the session's default. Its server notices
/// while it waits, for the head's lock above all, that we dropped it, so that such sessions do not pile up.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    sqlx::query!(
        "SELECT CASE WHEN current_setting('synchronous_commit') = ANY($1)
         THEN set_config('synchronous_commit', 'on', false) END AS durable,
         set_config('client_connection_check_interval', '5s', false) AS still_there,
         -- A plan made while the tables were small must not scan them when they have grown.
         set_config('enable_seqscan', 'off', false) AS no_scan,
         set_config('enable_hashjoin', 'off', false) AS no_hash,
         set_config('enable_mergejoin', 'off', false) AS no_merge,
         -- One plan for all: made anew for each array's length, it takes longer than what it plans.
         set_config('plan_cache_mode', 'force_generic_plan', false) AS one_plan",
        commit::TOO_WEAK as _
    )
    .fetch_one(&mut connection)
    .await?;
    Ok(connection)
}

fn refuse(group: Vec<Job>, error: &Error) {
    for job in group {
        let error = if job.done {
            // Only its answer could not be read.
            Error::OutcomeUnknown
        } else if let Error::Database(cause) = error {
            Error::Database(Arc::clone(cause))
        } else {
            Error::Malformed("the log's own tables")
        };
        let _gone = job.answer.send(Err(error));
    }
}

fn pause(attempt: usize) -> Duration {
    Duration::from_millis(PAUSES_MS[attempt.min(PAUSES_MS.len() - 1)])
}

/// Cuts jobs into groups which fit one commit, in order; a job that does not fit any goes alone.
fn groups<J>(jobs: Vec<J>, bytes_of: impl Fn(&J) -> usize) -> Vec<Vec<J>> {
    let mut groups: Vec<Vec<J>> = Vec::new();
    let mut bytes = 0;
    for job in jobs {
        let more = bytes_of(&job);
        let fits = bytes + more <= GROUP_BYTES;
        bytes = if fits { bytes + more } else { more };
        match groups.last_mut() {
            Some(group) if fits => group.push(job),
            _ => groups.push(vec![job]),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_the_order_and_fit_one_commit() {
        let cut = |sizes: &[usize]| groups(sizes.to_vec(), |bytes| *bytes);
        let half = GROUP_BYTES / 2;
        assert_eq!(cut(&[]), [[0; 0]; 0]);
        assert_eq!(cut(&[1, 2, 3]), [[1, 2, 3]]);
        assert_eq!(cut(&[half, half, 1]), [vec![half, half], vec![1]], "just full");
        assert_eq!(cut(&[half, half + 1, 2]), [vec![half], vec![half + 1, 2]]);
        assert_eq!(cut(&[3, GROUP_BYTES + 1, 4, 5]), [vec![3], vec![GROUP_BYTES + 1], vec![4, 5]]);
        // What filled an earlier group does not count against a later one.
        assert_eq!(cut(&[GROUP_BYTES, half, half]), [vec![GROUP_BYTES], vec![half, half]]);
    }
}
