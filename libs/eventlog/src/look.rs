//! What a group asks the database before it is decided: where the log ends, the heads of its streams, its commands.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;
use crate::log::Core;
use crate::prepare::Prepared;
use crate::record::instant;
use crate::round::{Done, Round, StreamHead};
use crate::slots::Closed;

/// The end of a log, as the next group meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// How many groups were committed.
    pub(crate) commits: i64,
    pub(crate) position: i64,
    pub(crate) recorded_at_us: i64,
    pub(crate) closed: Closed,
}

impl End {
    /// A round which begins here.
    pub(crate) fn begin(self, log: &'static str, now: Timestamp) -> Result<Round, Error> {
        // To the microsecond, as it is stored; never before the event before it.
        let now = now.as_microsecond().max(self.recorded_at_us);
        Ok(Round {
            log,
            commits: self.commits,
            position: self.position.unsigned_abs(),
            recorded_at: instant(now)?,
            closed: self.closed,
            streams: HashMap::new(),
            known: HashMap::new(),
            commands: Vec::new(),
        })
    }
}

/// The end of the log, beside one guard of the group or none: the head of a stream, or a command done.
struct Seen {
    commits: i64,
    position: i64,
    recorded_at_us: i64,
    closed_slots: i64,
    is_command: Option<bool>,
    name: Option<String>,
    command_id: Option<Uuid>,
    version: Option<i64>,
    bytes: Option<Vec<u8>>,
    first: Option<i64>,
    last: Option<i64>,
}

/// Reads all of it in one statement, so as of one instant: with the head's lock in hand that is everything committed
/// before, without it `write` finds out whether it still holds.
pub(crate) async fn look(conn: &mut PgConnection, core: &Core, group: &[&Prepared]) -> Result<Round, Error> {
    let mut names: Vec<&str> =
        group.iter().flat_map(|append| &append.streams).map(|stream| stream.stream.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let actors: Vec<&str> = group.iter().map(|append| append.actor.as_str()).collect();
    let ids: Vec<Uuid> = group.iter().map(|append| append.command_id).collect();
    // `as _`: arrays of borrowed texts, which the macro cannot tell from owned ones.
    let rows = sqlx::query_as!(
        Seen,
        r#"SELECT h.commits AS "commits!", h.position AS "position!", h.recorded_at_us AS "recorded_at_us!",
                h.closed_slots AS "closed_slots!",
                g.is_command AS "is_command?", g.name AS "name?", g.command_id AS "command_id?",
                g.version AS "version?", g.bytes AS "bytes?", g.first AS "first?", g.last AS "last?"
         FROM log.head h LEFT JOIN (
            SELECT false AS is_command, s.name, NULL::uuid AS command_id, s.version, s.link AS bytes,
                   s.first_position AS first, s.last_position AS last
            FROM log.stream s WHERE s.log = $1 AND s.name = ANY($2)
            UNION ALL
            SELECT true, c.actor, c.command_id, 0, c.request_mac, c.first_position, c.last_position
            FROM unnest($3::text[], $4::uuid[]) AS asked (actor, command_id)
            CROSS JOIN LATERAL (
                SELECT * FROM log.command c
                WHERE c.log = $1 AND c.actor = asked.actor AND c.command_id = asked.command_id LIMIT 1) AS c
         ) AS g ON true
         WHERE h.log = $1"#,
        core.name,
        &names as _,
        &actors as _,
        &ids
    )
    .fetch_all(conn)
    .await?;
    let first = rows.first().ok_or(Error::Malformed("a log without a head"))?;
    let end = End {
        commits: first.commits,
        position: first.position,
        recorded_at_us: first.recorded_at_us,
        closed: Closed::stored(first.closed_slots),
    };
    let mut round = end.begin(core.name, core.clock.now())?;
    for row in rows {
        row.enter(&mut round)?;
    }
    Ok(round)
}

impl Seen {
    /// Enters the guard, where there is one, into the round.
    fn enter(self, round: &mut Round) -> Result<(), Error> {
        let (Some(is_command), Some(name), Some(bytes)) = (self.is_command, self.name, self.bytes) else {
            return Ok(());
        };
        let number = |number: Option<i64>| number.unwrap_or_default().unsigned_abs();
        let (first, last) = (number(self.first), number(self.last));
        if is_command {
            let command_id = self.command_id.ok_or(Error::Malformed("a command without an id"))?;
            round.known.insert((name, command_id), Done { fingerprint: bytes, first, last });
        } else {
            let link = bytes.try_into().map_err(|_| Error::Malformed("a stream's link"))?;
            let head = StreamHead { version: number(self.version), link, first, last, touched: false };
            round.streams.insert(name, head);
        }
        Ok(())
    }
}
