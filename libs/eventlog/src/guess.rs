//! The appending task's usual way: it remembers where the log ended, decides on that, and writes in one statement
//! which does nothing if the log has moved since.
//!
//! One round trip and one flush a group, as long as nobody else writes to this log. What the task does not
//! remember is looked up first; whoever is overtaken looks again, and then takes the head's lock (`commit`).

use std::collections::HashMap;

use sqlx::PgConnection;

use crate::commit::{Asked, Guard, begin, take};
use crate::log::Core;
use crate::prepare::Prepared;
use crate::round::{Outcome, Round, StreamHead};
use crate::slots::Closed;
use crate::write::{Rows, write_if_unmoved};
use crate::{Error, Expected};

/// Streams remembered at most; then all are forgotten and looked up again.
const REMEMBERED: usize = 65_536;

/// Where the log ended when this task last wrote or looked.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    end: Option<End>,
    streams: HashMap<String, StreamHead>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    commits: i64,
    position: i64,
    recorded_at_us: i64,
    closed: Closed,
}

impl Memory {
    /// Nothing is known any more: somebody else wrote, or it is not known who did.
    pub(crate) fn forget(&mut self) {
        self.end = None;
        self.streams.clear();
    }

    /// Remembers the end of a round that was written; the round's own commit is counted in `commits`.
    pub(crate) fn keep(&mut self, round: Round, commits: i64) {
        let end = End {
            commits,
            position: round.position.cast_signed(),
            recorded_at_us: round.recorded_at.as_microsecond(),
            closed: round.closed,
        };
        self.end = Some(end);
        if self.streams.len() + round.streams.len() > REMEMBERED {
            self.streams.clear();
        }
        self.streams.extend(
            round.streams.into_iter().map(|(name, head)| (name, StreamHead { touched: false, ..head })),
        );
    }

    /// A round from memory, with the streams that are taken to be new; none when it does not suffice.
    fn recall<'a>(
        &self,
        core: &Core,
        group: &[&'a Prepared],
    ) -> Result<Option<(Round, Vec<&'a str>)>, Error> {
        let Some(end) = self.end else { return Ok(None) };
        let mut round = begin(core, end.commits, end.position, end.recorded_at_us, end.closed)?;
        let mut absent = Vec::new();
        for stream in group.iter().flat_map(|append| &append.streams) {
            let name = stream.stream.as_str();
            match self.streams.get(name) {
                Some(head) => {
                    if !round.streams.contains_key(name) {
                        round.streams.insert(name.to_owned(), head.clone());
                    }
                }
                None if stream.expected == Expected::Version(0) => absent.push(name),
                None if absent.contains(&name) => {}
                None => return Ok(None),
            }
        }
        Ok(Some((round, absent)))
    }
}

/// What came of a guess.
pub(crate) enum Guess {
    /// Everything is decided, and written where something was to be.
    Right(Vec<Outcome>, Round),
    /// Others write too: take the lock.
    Overtaken,
}

/// Decides and writes the group without a lock; nothing is written when it is overtaken.
pub(crate) async fn append_group(
    conn: &mut PgConnection,
    core: &Core,
    memory: &mut Memory,
    group: &[&Prepared],
) -> Result<Guess, Error> {
    if let Some((mut round, absent)) = memory.recall(core, group)? {
        let outcomes = round.decide_all(group);
        // A refusal counts only against what the database says now.
        if !round.commands.is_empty() && settle(conn, core, memory, group, &outcomes, &round, &absent).await?
        {
            return Ok(Guess::Right(outcomes, round));
        }
    }
    memory.forget();
    let mut round = look(conn, core, group).await?;
    let outcomes = round.decide_all(group);
    if round.commands.is_empty() || settle(conn, core, memory, group, &outcomes, &round, &[]).await? {
        return Ok(Guess::Right(outcomes, round));
    }
    Ok(Guess::Overtaken)
}

async fn settle(
    conn: &mut PgConnection,
    core: &Core,
    memory: &mut Memory,
    group: &[&Prepared],
    outcomes: &[Outcome],
    round: &Round,
    absent: &[&str],
) -> Result<bool, Error> {
    // Whatever becomes of the statement, what was remembered no longer holds; a success is kept by the caller.
    memory.end = None;
    write_if_unmoved(conn, core, &Rows::of(group, outcomes, round), round, absent).await
}

struct Seen {
    commits: i64,
    position: i64,
    recorded_at_us: i64,
    closed_slots: i64,
    is_command: Option<bool>,
    name: Option<String>,
    command_id: Option<uuid::Uuid>,
    version: Option<i64>,
    bytes: Option<Vec<u8>>,
    first: Option<i64>,
    last: Option<i64>,
}

/// Reads the end of the log and what the group touches, as of one instant, without a lock.
async fn look(conn: &mut PgConnection, core: &Core, group: &[&Prepared]) -> Result<Round, Error> {
    let asked = Asked::by(group);
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
        &asked.names as _,
        &asked.actors as _,
        &asked.ids
    )
    .fetch_all(conn)
    .await?;
    let end = rows.first().ok_or(Error::Malformed("a log without a head"))?;
    let mut round =
        begin(core, end.commits, end.position, end.recorded_at_us, Closed::stored(end.closed_slots))?;
    take(rows.into_iter().filter_map(Seen::into_guard).collect(), &mut round)?;
    Ok(round)
}

impl Seen {
    fn into_guard(self) -> Option<Guard> {
        Some(Guard {
            is_command: self.is_command?,
            name: self.name?,
            command_id: self.command_id,
            version: self.version?,
            bytes: self.bytes?,
            first: self.first?,
            last: self.last?,
        })
    }
}
