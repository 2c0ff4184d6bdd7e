//! One group of appends in an open transaction: lock the head, look, decide in memory, write once.
//!
//! This is the way of [`crate::EventLog::append_in`], whose caller owns the transaction, and of the appending task
//! when other processes write to the same log (see `guess` for its usual way). No constraint can fail, so one
//! append's conflict costs nobody else anything. The head row stays locked until the transaction ends, so
//! positions become visible in their order.

use sqlx::PgConnection;

use crate::Error;
use crate::log::Core;
use crate::look::look;
use crate::prepare::Prepared;
use crate::round::{Outcome, Round};
use crate::write::{Rows, write};

/// A transaction which holds the head and then does nothing for so long is ended by the database: its
/// owner is frozen or gone. Never a limit on a statement or on the commit itself.
const FROZEN_OWNER: &str = "15s";

/// What a session may have as its default of `synchronous_commit` and is not durable enough for an answer: a commit is on
/// the disk here, and on those of a quorum where there are standbys, so these become `on`. What is stronger stays.
pub(crate) const TOO_WEAK: &[&str] = &["off", "local", "remote_write"];

/// Appends the group in the transaction open on `conn`; the caller commits. The outcomes are in the order of the
/// group.
pub(crate) async fn append_group(
    conn: &mut PgConnection,
    core: &Core,
    group: &[&Prepared],
) -> Result<(Vec<Outcome>, Round), Error> {
    lock(conn, core).await?;
    let mut round = look(conn, core, group).await?;
    let outcomes = round.decide_all(group);
    let unmoved = round.commands.is_empty()
        || write(conn, core, &Rows::of(group, &outcomes, &round), &round, &[]).await?;
    if unmoved {
        Ok((outcomes, round))
    } else {
        Err(Error::Malformed("a log whose head moved while it was locked"))
    }
}

/// Takes the head's lock, until the transaction ends; an owner who then does nothing loses it.
pub(crate) async fn lock(conn: &mut PgConnection, core: &Core) -> Result<(), Error> {
    // Durable before answered, whatever the session's default.
    sqlx::query!(
        "SELECT set_config('idle_in_transaction_session_timeout', $2, true) AS frozen_owner,
                CASE WHEN current_setting('synchronous_commit') = ANY($3)
                THEN set_config('synchronous_commit', 'on', true) ELSE '' END AS durable
         FROM log.head WHERE log = $1 FOR UPDATE",
        core.name,
        FROZEN_OWNER,
        TOO_WEAK as _
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}
