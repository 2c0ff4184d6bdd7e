//! One group of appends in one open transaction: lock the head, look, choose in memory, write once.
//!
//! No constraint can fail, so one append's conflict costs nobody else anything. The head row stays
//! locked until the transaction ends, so positions become visible in their order.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::chain::{NO_LINK, link, push};
use crate::log::Core;
use crate::prepare::Prepared;
use crate::record::instant;
use crate::{Error, Expected, FORMAT, Recorded, request};

/// A transaction which holds the head and then does nothing for so long is ended by the database: its
/// owner is frozen or gone. Never a limit on a statement or on the commit itself.
const FROZEN_OWNER: &str = "15s";

/// What became of one append.
#[derive(Debug)]
pub(crate) enum Outcome {
    Written(Written),
    /// Done before, at these positions.
    Repeated {
        first: u64,
        last: u64,
    },
    Lost(Error),
}

#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) events: Vec<Recorded>,
}

/// Appends the group in the transaction open on `conn`; the caller commits. The outcomes are in the order
/// of the group. The second value says whether anything was written.
pub(crate) async fn append_group(
    conn: &mut PgConnection,
    core: &Core,
    group: &[&Prepared],
) -> Result<(Vec<Outcome>, bool), Error> {
    let mut round = lock(conn, core).await?;
    look(conn, core, group, &mut round).await?;
    let mut outcomes = Vec::with_capacity(group.len());
    for append in group {
        outcomes.push(round.decide(core, append));
    }
    let anything = !round.commands.is_empty();
    if anything {
        write(conn, core, &outcomes, &round).await?;
    }
    Ok((outcomes, anything))
}

/// The state of the log while its head is locked.
struct Round {
    position: u64,
    recorded_at: Timestamp,
    streams: HashMap<String, StreamHead>,
    known: HashMap<(String, Uuid), Done>,
    /// Commands done in this round.
    commands: Vec<NewCommand>,
}

#[derive(Clone)]
struct StreamHead {
    version: u64,
    link: [u8; 32],
    first: u64,
    last: u64,
    touched: bool,
}

struct Done {
    fingerprint: Vec<u8>,
    first: u64,
    last: u64,
}

struct NewCommand {
    actor: String,
    command_id: Uuid,
    fingerprint: Vec<u8>,
    first: u64,
    last: u64,
}

async fn lock(conn: &mut PgConnection, core: &Core) -> Result<Round, Error> {
    // Durable before answered, whatever the session's default: `off` becomes `on` for this transaction.
    let (position, recorded_at_us, _, _): (i64, i64, String, String) = sqlx::query_as(
        "UPDATE log.head SET commits = commits + 1 WHERE log = $1
         RETURNING position, recorded_at_us, set_config('idle_in_transaction_session_timeout', $2, true),
                   CASE current_setting('synchronous_commit') WHEN 'off'
                   THEN set_config('synchronous_commit', 'on', true) ELSE '' END",
    )
    .bind(core.name)
    .bind(FROZEN_OWNER)
    .fetch_one(conn)
    .await?;
    // To the microsecond, as it is stored; never before the event before it.
    let now = core.clock.now().as_microsecond().max(recorded_at_us);
    Ok(Round {
        position: position.unsigned_abs(),
        recorded_at: instant(now)?,
        streams: HashMap::new(),
        known: HashMap::new(),
        commands: Vec::new(),
    })
}

#[derive(sqlx::FromRow)]
struct Guard {
    is_command: bool,
    name: String,
    command_id: Option<Uuid>,
    version: i64,
    bytes: Vec<u8>,
    first: i64,
    last: i64,
}

/// Reads the heads of all touched streams and all commands of the group, in one statement begun after the
/// lock was taken: so it sees everything committed before.
async fn look(
    conn: &mut PgConnection,
    core: &Core,
    group: &[&Prepared],
    round: &mut Round,
) -> Result<(), Error> {
    let mut names: Vec<&str> = group.iter().flat_map(|a| &a.streams).map(|s| s.stream.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let actors: Vec<&str> = group.iter().map(|append| append.actor.as_str()).collect();
    let ids: Vec<Uuid> = group.iter().map(|append| append.command_id).collect();
    let guards: Vec<Guard> = sqlx::query_as(
        "SELECT false AS is_command, s.name, NULL::uuid AS command_id, s.version, s.link AS bytes,
                s.first_position AS first, s.last_position AS last
         FROM log.stream s WHERE s.log = $1 AND s.name = ANY($2)
         UNION ALL
         SELECT true, c.actor, c.command_id, 0, c.request_mac, c.first_position, c.last_position
         FROM unnest($3::text[], $4::uuid[]) AS asked (actor, command_id)
         JOIN log.command c ON c.log = $1 AND c.actor = asked.actor AND c.command_id = asked.command_id",
    )
    .bind(core.name)
    .bind(&names)
    .bind(&actors)
    .bind(&ids)
    .fetch_all(conn)
    .await?;
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

impl Round {
    fn decide(&mut self, core: &Core, append: &Prepared) -> Outcome {
        let key = (append.actor.clone(), append.command_id);
        if let Some(done) = self.known.get(&key) {
            return match request::difference(&done.fingerprint, &append.fingerprint) {
                None => Outcome::Repeated { first: done.first, last: done.last },
                Some(difference) => Outcome::Lost(Error::CommandReused { difference }),
            };
        }
        if let Some(conflict) = self.conflict(append) {
            return Outcome::Lost(conflict);
        }
        let first = self.position + 1;
        let events = self.write(core, append);
        let last = self.position;
        let fingerprint = append.fingerprint.clone();
        self.known.insert(key, Done { fingerprint: fingerprint.clone(), first, last });
        self.commands.push(NewCommand {
            actor: append.actor.clone(),
            command_id: append.command_id,
            fingerprint,
            first,
            last,
        });
        Outcome::Written(Written { first, last, events })
    }

    fn conflict(&self, append: &Prepared) -> Option<Error> {
        append.streams.iter().find_map(|stream| {
            let current = self.streams.get(stream.stream.as_str()).map_or(0, |head| head.version);
            match stream.expected {
                Expected::Version(expected) if expected != current => {
                    Some(Error::Conflict { stream: stream.stream.clone(), expected, current })
                }
                Expected::Version(_) | Expected::Any => None,
            }
        })
    }

    /// Gives positions, versions and links.
    fn write(&mut self, core: &Core, append: &Prepared) -> Vec<Recorded> {
        let mut written = Vec::new();
        for stream in &append.streams {
            if stream.events.is_empty() {
                continue;
            }
            let first = self.position + 1;
            let fresh = StreamHead { version: 0, link: NO_LINK, first, last: 0, touched: true };
            let head = self.streams.entry(stream.stream.as_str().to_owned()).or_insert(fresh);
            head.touched = true;
            for event in &stream.events {
                self.position += 1;
                head.version += 1;
                head.last = self.position;
                let mut recorded = Recorded {
                    log: core.name.to_owned(),
                    position: self.position,
                    stream: stream.stream.clone(),
                    version: head.version,
                    event_id: event.event_id,
                    kind: event.kind.clone(),
                    recorded_at: self.recorded_at,
                    metadata: append.metadata.clone(),
                    metadata_bytes: append.metadata_bytes.clone(),
                    payload: event.payload.clone(),
                    sealed: event.sealed.clone(),
                    link: NO_LINK,
                    format: FORMAT,
                    epoch: core.epoch_of(self.position),
                };
                recorded.link = link(&head.link, &recorded);
                head.link = recorded.link;
                written.push(recorded);
            }
        }
        written
    }
}

/// The columns of the events, as arrays for one statement.
#[derive(Default)]
struct Columns<'a> {
    positions: Vec<i64>,
    streams: Vec<&'a str>,
    versions: Vec<i64>,
    ids: Vec<Uuid>,
    kinds: Vec<&'a str>,
    metadata: Vec<&'a [u8]>,
    payloads: Vec<&'a [u8]>,
    sealed: Vec<Vec<u8>>,
    links: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn of(outcomes: &'a [Outcome]) -> Self {
        let mut columns = Self::default();
        for outcome in outcomes {
            let Outcome::Written(written) = outcome else { continue };
            for event in &written.events {
                columns.positions.push(event.position.cast_signed());
                columns.streams.push(event.stream.as_str());
                columns.versions.push(event.version.cast_signed());
                columns.ids.push(event.event_id);
                columns.kinds.push(&event.kind);
                columns.metadata.push(&event.metadata_bytes);
                columns.payloads.push(&event.payload);
                columns.sealed.push(framed(&event.sealed));
                columns.links.push(&event.link);
            }
        }
        columns
    }
}

/// The sealed parts as one column: each with its length before it, as the link hashes them.
fn framed(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    parts.iter().for_each(|part| push(&mut bytes, part));
    bytes
}

/// Writes events, stream heads, commands and the head in one statement.
async fn write(
    conn: &mut PgConnection,
    core: &Core,
    outcomes: &[Outcome],
    round: &Round,
) -> Result<(), Error> {
    let columns = Columns::of(outcomes);
    let touched: Vec<(&String, &StreamHead)> = round.streams.iter().filter(|(_, s)| s.touched).collect();
    let commands = &round.commands;
    let updated = sqlx::query(
        "WITH event AS (
            INSERT INTO log.event (log, position, stream, version, event_id, kind, recorded_at_us, metadata,
                                   payload, sealed, link, format)
            SELECT $1, e.position, e.stream, e.version, e.event_id, e.kind, $2, e.metadata,
                   e.payload, e.sealed, e.link, $3
            FROM unnest($4::bigint[], $5::text[], $6::bigint[], $7::uuid[], $8::text[], $9::bytea[],
                        $10::bytea[], $11::bytea[], $12::bytea[])
                 AS e (position, stream, version, event_id, kind, metadata, payload, sealed, link)
         ), stream AS (
            INSERT INTO log.stream (log, name, version, link, first_position, last_position)
            SELECT $1, s.name, s.version, s.link, s.first_position, s.last_position
            FROM unnest($13::text[], $14::bigint[], $15::bytea[], $16::bigint[], $17::bigint[])
                 AS s (name, version, link, first_position, last_position)
            ON CONFLICT (log, name) DO UPDATE
            SET version = excluded.version, link = excluded.link, last_position = excluded.last_position
         ), command AS (
            INSERT INTO log.command (log, actor, command_id, request_mac, first_position, last_position)
            SELECT $1, c.actor, c.command_id, c.request_mac, c.first_position, c.last_position
            FROM unnest($18::text[], $19::uuid[], $20::bytea[], $21::bigint[], $22::bigint[])
                 AS c (actor, command_id, request_mac, first_position, last_position)
         )
         UPDATE log.head SET position = $23, recorded_at_us = $2 WHERE log = $1",
    )
    .bind(core.name)
    .bind(round.recorded_at.as_microsecond())
    .bind(i16::try_from(FORMAT).expect("a small number"))
    .bind(&columns.positions)
    .bind(&columns.streams)
    .bind(&columns.versions)
    .bind(&columns.ids)
    .bind(&columns.kinds)
    .bind(&columns.metadata)
    .bind(&columns.payloads)
    .bind(&columns.sealed)
    .bind(&columns.links)
    .bind(touched.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>())
    .bind(touched.iter().map(|(_, head)| head.version.cast_signed()).collect::<Vec<_>>())
    .bind(touched.iter().map(|(_, head)| head.link.as_slice()).collect::<Vec<_>>())
    .bind(touched.iter().map(|(_, head)| head.first.cast_signed()).collect::<Vec<_>>())
    .bind(touched.iter().map(|(_, head)| head.last.cast_signed()).collect::<Vec<_>>())
    .bind(commands.iter().map(|command| command.actor.as_str()).collect::<Vec<_>>())
    .bind(commands.iter().map(|command| command.command_id).collect::<Vec<_>>())
    .bind(commands.iter().map(|command| command.fingerprint.as_slice()).collect::<Vec<_>>())
    .bind(commands.iter().map(|command| command.first.cast_signed()).collect::<Vec<_>>())
    .bind(commands.iter().map(|command| command.last.cast_signed()).collect::<Vec<_>>())
    .bind(round.position.cast_signed())
    .execute(conn)
    .await?;
    if updated.rows_affected() == 1 { Ok(()) } else { Err(Error::Malformed("a log without a head")) }
}
