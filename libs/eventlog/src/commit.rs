//! One group of appends in an open transaction: lock the head, look, decide in memory, write once.
//!
//! This is the way of [`crate::EventLog::append_in`], whose caller owns the transaction, and of the appending task
//! when other processes write to the same log (see `guess` for its usual way). No constraint can fail, so one
//! append's conflict costs nobody else anything. The head row stays locked until the transaction ends, so
//! positions become visible in their order.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;
use crate::log::Core;
use crate::prepare::Prepared;
use crate::record::instant;
use crate::round::{Done, Outcome, Round, StreamHead};
use crate::slots::Closed;
use crate::write::{Rows, write};

/// A transaction which holds the head and then does nothing for so long is ended by the database: its
/// owner is frozen or gone. Never a limit on a statement or on the commit itself.
const FROZEN_OWNER: &str = "15s";

/// Appends the group in the transaction open on `conn`; the caller commits. The outcomes are in the order
/// of the group; the round says what was written, and is none when nothing was.
pub(crate) async fn append_group(
    conn: &mut PgConnection,
    core: &Core,
    group: &[&Prepared],
) -> Result<(Vec<Outcome>, Round), Error> {
    let mut round = lock(conn, core).await?;
    look(conn, core, group, &mut round).await?;
    let outcomes = round.decide_all(group);
    if !round.commands.is_empty() {
        write(conn, core, &Rows::of(group, &outcomes, &round), &round).await?;
    }
    Ok((outcomes, round))
}

async fn lock(conn: &mut PgConnection, core: &Core) -> Result<Round, Error> {
    // Durable before answered, whatever the session's default: `off` becomes `on` for this transaction.
    let head = sqlx::query!(
        "UPDATE log.head SET commits = commits + 1 WHERE log = $1
         RETURNING position, recorded_at_us, commits, closed_slots,
                   set_config('idle_in_transaction_session_timeout', $2, true) AS frozen_owner,
                   CASE current_setting('synchronous_commit') WHEN 'off'
                   THEN set_config('synchronous_commit', 'on', true) ELSE '' END AS durable",
        core.name,
        FROZEN_OWNER
    )
    .fetch_one(conn)
    .await?;
    begin(core, head.commits, head.position, head.recorded_at_us, Closed::stored(head.closed_slots))
}

/// A round which begins where the log ends.
pub(crate) fn begin(
    core: &Core,
    commits: i64,
    position: i64,
    recorded_at_us: i64,
    closed: Closed,
) -> Result<Round, Error> {
    // To the microsecond, as it is stored; never before the event before it.
    let now = core.clock.now().as_microsecond().max(recorded_at_us);
    Ok(Round {
        log: core.name,
        commits,
        position: position.unsigned_abs(),
        recorded_at: instant(now)?,
        closed,
        streams: HashMap::new(),
        known: HashMap::new(),
        commands: Vec::new(),
    })
}

/// What a group asks the database about: its streams and commands.
pub(crate) struct Asked<'a> {
    pub(crate) names: Vec<&'a str>,
    pub(crate) actors: Vec<&'a str>,
    pub(crate) ids: Vec<Uuid>,
}

impl<'a> Asked<'a> {
    pub(crate) fn by(group: &[&'a Prepared]) -> Self {
        let mut names: Vec<&str> =
            group.iter().flat_map(|append| &append.streams).map(|stream| stream.stream.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let actors = group.iter().map(|append| append.actor.as_str()).collect();
        Self { names, actors, ids: group.iter().map(|append| append.command_id).collect() }
    }
}

/// What stands beside the events: the head of a stream, or a command done.
pub(crate) struct Guard {
    pub(crate) is_command: bool,
    pub(crate) name: String,
    pub(crate) command_id: Option<Uuid>,
    pub(crate) version: i64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// Reads the heads of all touched streams and all commands of the group, in one statement begun after the
/// lock was taken: so it sees everything committed before.
async fn look(
    conn: &mut PgConnection,
    core: &Core,
    group: &[&Prepared],
    round: &mut Round,
) -> Result<(), Error> {
    let asked = Asked::by(group);
    // `as _`: arrays of borrowed texts, which the macro cannot tell from owned ones.
    let guards = sqlx::query_as!(
        Guard,
        r#"SELECT false AS "is_command!", s.name AS "name!", NULL::uuid AS command_id,
                s.version AS "version!", s.link AS "bytes!",
                s.first_position AS "first!", s.last_position AS "last!"
         FROM log.stream s WHERE s.log = $1 AND s.name = ANY($2)
         UNION ALL
         SELECT true, c.actor, c.command_id, 0, c.request_mac, c.first_position, c.last_position
         FROM unnest($3::text[], $4::uuid[]) AS asked (actor, command_id)
         CROSS JOIN LATERAL (
            SELECT * FROM log.command c
            WHERE c.log = $1 AND c.actor = asked.actor AND c.command_id = asked.command_id LIMIT 1) AS c"#,
        core.name,
        &asked.names as _,
        &asked.actors as _,
        &asked.ids
    )
    .fetch_all(conn)
    .await?;
    take(guards, round)
}

/// Takes what was read into the round.
pub(crate) fn take(guards: Vec<Guard>, round: &mut Round) -> Result<(), Error> {
    for guard in guards {
        let (first, last) = (guard.first.unsigned_abs(), guard.last.unsigned_abs());
        if guard.is_command {
            let command_id = guard.command_id.ok_or(Error::Malformed("a command without an id"))?;
            round.known.insert((guard.name, command_id), Done { fingerprint: guard.bytes, first, last });
        } else {
            let link = guard.bytes.try_into().map_err(|_| Error::Malformed("a stream's link"))?;
            let version = guard.version.unsigned_abs();
            round.streams.insert(guard.name, StreamHead { version, link, first, last, touched: false });
        }
    }
    Ok(())
}
