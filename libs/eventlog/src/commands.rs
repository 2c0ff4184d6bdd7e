//! The rows of the commands beside the events which they wrote: one too many and a command is never done, one too few and
//! it is done twice.

use docket_database::answered;
use futures::TryStreamExt as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{Error, EventLog, Recorded};

/// Rows which wait to be looked at.
const AHEAD: usize = 1_024;

/// A command and the positions which its row names.
#[derive(Debug)]
struct Done {
    actor: String,
    command_id: Uuid,
    first: u64,
    last: u64,
}

/// The commands of a walk through the events, in the order of their positions.
pub(crate) struct Commands {
    rows: mpsc::Receiver<Result<Done, Error>>,
    current: Option<Done>,
}

impl Commands {
    /// The commands with an event after `after`, up to and with `up_to`, over a connection of their own.
    pub(crate) fn between(log: &EventLog, after: u64, up_to: u64) -> Self {
        let (sender, rows) = mpsc::channel(AHEAD);
        let (name, options) = (log.name().to_owned(), log.pool().connect_options());
        tokio::spawn(async move {
            if let Err(error) = read(&options, &name, after..up_to, &sender).await {
                let _nobody_reads = sender.send(Err(error)).await;
            }
        });
        Self { rows, current: None }
    }

    /// Follows the walk to an event; the position and what is wrong there, when its command does not say that it wrote it.
    pub(crate) async fn follow(&mut self, event: &Recorded) -> Result<Option<(u64, &'static str)>, Error> {
        let position = event.position;
        if self.current.as_ref().is_none_or(|done| done.last < position) {
            self.current = self.rows.recv().await.transpose()?;
        }
        let Some(done) = self.current.as_ref().filter(|done| done.first <= position) else {
            return Ok(Some((position, "no command says that it wrote this event")));
        };
        let metadata = &event.metadata;
        let same = done.last >= position
            && done.command_id == metadata.command_id
            && done.actor == metadata.actor.to_string();
        Ok((!same).then_some((done.first, "a command says that it wrote this event, and did not")))
    }

    /// What is left when the events are at their end: the first position that a command names beside the others.
    pub(crate) async fn left(&mut self) -> Result<Option<u64>, Error> {
        Ok(self.rows.recv().await.transpose()?.map(|done| done.first))
    }
}

async fn read(
    options: &PgConnectOptions,
    log: &str,
    positions: std::ops::Range<u64>,
    sender: &mpsc::Sender<Result<Done, Error>>,
) -> Result<(), Error> {
    // A connection of its own: a query that is given up half-way must not come back into a pool.
    let mut connection = answered(PgConnection::connect_with(options)).await?;
    {
        // A command without events names no position: it ends before it begins.
        let mut rows = sqlx::query!(
            "SELECT actor, command_id, first_position, last_position FROM log.command
             WHERE log = $1 AND last_position > $2 AND first_position <= $3 AND first_position <= last_position
             ORDER BY first_position, last_position",
            log,
            i64::try_from(positions.start).unwrap_or(i64::MAX),
            i64::try_from(positions.end).unwrap_or(i64::MAX)
        )
        .fetch(&mut connection);
        while let Some(row) = answered(rows.try_next()).await? {
            let (first, last) = (row.first_position.unsigned_abs(), row.last_position.unsigned_abs());
            let done = Done { actor: row.actor, command_id: row.command_id, first, last };
            if sender.send(Ok(done)).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(answered(connection.close()).await?)
}
