//! The one statement which writes a group: events, stream heads, commands and the head; and the same for one event.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::chain::push;
use crate::log::Core;
use crate::prepare::Prepared;
use crate::round::{Outcome, Round, StreamHead};
use crate::{Error, FORMAT};

/// The rows of a group, column by column, as the statement takes them.
#[derive(Default)]
pub(crate) struct Rows<'a> {
    positions: Vec<i64>,
    streams: Vec<&'a str>,
    versions: Vec<i64>,
    ids: Vec<Uuid>,
    kinds: Vec<&'a str>,
    metadata: Vec<&'a [u8]>,
    payloads: Vec<&'a [u8]>,
    sealed: Vec<Vec<u8>>,
    links: Vec<&'a [u8]>,
    heads: Heads<'a>,
    commands: Commands<'a>,
}

#[derive(Default)]
struct Heads<'a> {
    names: Vec<&'a str>,
    versions: Vec<i64>,
    links: Vec<&'a [u8]>,
    firsts: Vec<i64>,
    lasts: Vec<i64>,
}

#[derive(Default)]
struct Commands<'a> {
    actors: Vec<&'a str>,
    ids: Vec<Uuid>,
    fingerprints: Vec<&'a [u8]>,
    firsts: Vec<i64>,
    lasts: Vec<i64>,
}

impl<'a> Rows<'a> {
    /// The rows of what the round has decided.
    pub(crate) fn of(group: &[&'a Prepared], outcomes: &'a [Outcome], round: &'a Round) -> Self {
        let mut rows = Self::default();
        for (append, outcome) in group.iter().copied().zip(outcomes) {
            let Outcome::Written(written) = outcome else { continue };
            let events = append.streams.iter().flat_map(|s| s.events.iter().map(move |e| (&s.stream, e)));
            for (((stream, event), place), position) in events.zip(&written.places).zip(written.first..) {
                rows.positions.push(position.cast_signed());
                rows.streams.push(stream.as_str());
                rows.versions.push(place.version.cast_signed());
                rows.ids.push(event.event_id);
                rows.kinds.push(&event.kind);
                rows.metadata.push(&append.metadata_bytes);
                rows.payloads.push(&event.payload);
                rows.sealed.push(framed(&event.sealed));
                rows.links.push(&place.link);
            }
        }
        rows.heads.fill(round);
        rows.commands.fill(group, round);
        rows
    }
}

impl<'a> Heads<'a> {
    fn fill(&mut self, round: &'a Round) {
        for (name, StreamHead { version, link, first, last, touched }) in &round.streams {
            if *touched {
                self.names.push(name);
                self.versions.push(version.cast_signed());
                self.links.push(link);
                self.firsts.push(first.cast_signed());
                self.lasts.push(last.cast_signed());
            }
        }
    }
}

impl<'a> Commands<'a> {
    fn fill(&mut self, group: &[&'a Prepared], round: &Round) {
        for command in &round.commands {
            let append = group[command.append];
            self.actors.push(&append.actor);
            self.ids.push(append.command_id);
            self.fingerprints.push(&append.fingerprint);
            self.firsts.push(command.first.cast_signed());
            self.lasts.push(command.last.cast_signed());
        }
    }
}

/// The sealed parts as one column: each with its length before it, as the link hashes them.
fn framed(parts: &[bytes::Bytes]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        push(&mut framed, part);
    }
    framed
}

/// Writes if the log still ends where the round began, no command of the group was done before, and none of
/// the streams in `absent` exists; whether it did. It waits for whoever holds the head, and then finds it moved; in a
/// transaction that holds the head itself it always writes.
pub(crate) async fn write(
    conn: &mut PgConnection,
    core: &Core,
    rows: &Rows<'_>,
    round: &Round,
    absent: &[&str],
) -> Result<bool, Error> {
    if let ([_], [_], [_]) =
        (rows.positions.as_slice(), rows.heads.names.as_slice(), rows.commands.ids.as_slice())
    {
        return write_one(conn, core, rows, round, absent).await;
    }
    // Arrays unnested where they are selected go row by row; in FROM each would be laid down whole first, which costs a tenth.
    // `as _`: arrays of borrowed texts and bytes, which the macro cannot tell from owned ones.
    let written = sqlx::query_scalar!(
        r#"WITH head AS (
            UPDATE log.head SET position = $23, recorded_at_us = $2, commits = commits + 1
            WHERE log = $1 AND commits = $24
              AND NOT EXISTS (
                SELECT FROM unnest($18::text[], $19::uuid[]) AS asked (actor, command_id)
                CROSS JOIN LATERAL (
                    SELECT FROM log.command c
                    WHERE c.log = $1 AND c.actor = asked.actor AND c.command_id = asked.command_id LIMIT 1) AS c)
              AND NOT EXISTS (SELECT FROM log.stream s WHERE s.log = $1 AND s.name = ANY($25))
            RETURNING position
         ), event AS (
            INSERT INTO log.event (log, position, stream, version, event_id, kind, recorded_at_us, metadata,
                                   payload, sealed, link, format)
            SELECT $1, unnest($4::bigint[]), unnest($5::text[]), unnest($6::bigint[]), unnest($7::uuid[]),
                   unnest($8::text[]), $2, unnest($9::bytea[]), unnest($10::bytea[]), unnest($11::bytea[]),
                   unnest($12::bytea[]), $3
            FROM head
         ), stream AS (
            INSERT INTO log.stream (log, name, version, link, first_position, last_position)
            SELECT $1, unnest($13::text[]), unnest($14::bigint[]), unnest($15::bytea[]), unnest($16::bigint[]),
                   unnest($17::bigint[])
            FROM head
            ON CONFLICT (log, name) DO UPDATE
            SET version = excluded.version, link = excluded.link, last_position = excluded.last_position
         ), command AS (
            INSERT INTO log.command (log, actor, command_id, request_mac, first_position, last_position)
            SELECT $1, unnest($18::text[]), unnest($19::uuid[]), unnest($20::bytea[]), unnest($21::bigint[]),
                   unnest($22::bigint[])
            FROM head
         )
         SELECT count(*) AS "count!" FROM head"#,
        core.name,
        round.recorded_at.as_microsecond(),
        i16::try_from(FORMAT).expect("a small number"),
        &rows.positions,
        &rows.streams as _,
        &rows.versions,
        &rows.ids,
        &rows.kinds as _,
        &rows.metadata as _,
        &rows.payloads as _,
        &rows.sealed,
        &rows.links as _,
        &rows.heads.names as _,
        &rows.heads.versions,
        &rows.heads.links as _,
        &rows.heads.firsts,
        &rows.heads.lasts,
        &rows.commands.actors as _,
        &rows.commands.ids,
        &rows.commands.fingerprints as _,
        &rows.commands.firsts,
        &rows.commands.lasts,
        round.position.cast_signed(),
        round.commits,
        absent as _
    )
    .fetch_one(conn)
    .await?;
    Ok(written == 1)
}

/// [`write`] for one event of one command, the usual case of a quiet log: the same without arrays of rows, in half the
/// time.
async fn write_one(
    conn: &mut PgConnection,
    core: &Core,
    rows: &Rows<'_>,
    round: &Round,
    absent: &[&str],
) -> Result<bool, Error> {
    let (heads, commands) = (&rows.heads, &rows.commands);
    let written = sqlx::query_scalar!(
        r#"WITH head AS (
            UPDATE log.head SET position = $4, recorded_at_us = $2, commits = commits + 1
            WHERE log = $1 AND commits = $5
              AND NOT EXISTS (SELECT FROM log.command c WHERE c.log = $1 AND c.actor = $15 AND c.command_id = $16)
              AND NOT EXISTS (SELECT FROM log.stream s WHERE s.log = $1 AND s.name = ANY($20))
            RETURNING position
         ), event AS (
            INSERT INTO log.event (log, position, stream, version, event_id, kind, recorded_at_us, metadata,
                                   payload, sealed, link, format)
            SELECT $1, $4, $6, $7, $8, $9, $2, $10, $11, $12, $13, $3 FROM head
         ), stream AS (
            INSERT INTO log.stream (log, name, version, link, first_position, last_position)
            SELECT $1, $6, $7, $13, $14, $4 FROM head
            ON CONFLICT (log, name) DO UPDATE
            SET version = excluded.version, link = excluded.link, last_position = excluded.last_position
         ), command AS (
            INSERT INTO log.command (log, actor, command_id, request_mac, first_position, last_position)
            SELECT $1, $15, $16, $17, $18, $19 FROM head
         )
         SELECT count(*) AS "count!" FROM head"#,
        core.name,
        round.recorded_at.as_microsecond(),
        i16::try_from(FORMAT).expect("a small number"),
        round.position.cast_signed(),
        round.commits,
        rows.streams[0],
        rows.versions[0],
        rows.ids[0],
        rows.kinds[0],
        rows.metadata[0],
        rows.payloads[0],
        &rows.sealed[0],
        rows.links[0],
        heads.firsts[0],
        commands.actors[0],
        commands.ids[0],
        commands.fingerprints[0],
        commands.firsts[0],
        commands.lasts[0],
        absent as _
    )
    .fetch_one(conn)
    .await?;
    Ok(written == 1)
}
