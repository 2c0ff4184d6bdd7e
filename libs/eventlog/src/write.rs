//! The one statement which writes a group: events, stream heads, commands and the head.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::chain::push;
use crate::commit::{Outcome, Round, StreamHead};
use crate::log::Core;
use crate::{Error, FORMAT};

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
    for part in parts {
        push(&mut bytes, part);
    }
    bytes
}

/// Writes events, stream heads, commands and the head in one statement.
pub(crate) async fn write(
    conn: &mut PgConnection,
    core: &Core,
    outcomes: &[Outcome],
    round: &Round,
) -> Result<(), Error> {
    let columns = Columns::of(outcomes);
    let touched: Vec<(&String, &StreamHead)> = round.streams.iter().filter(|(_, s)| s.touched).collect();
    let commands = &round.commands;
    // `as _`: arrays of borrowed texts and bytes, which the macro cannot tell from owned ones.
    let updated = sqlx::query!(
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
        core.name,
        round.recorded_at.as_microsecond(),
        i16::try_from(FORMAT).expect("a small number"),
        &columns.positions,
        &columns.streams as _,
        &columns.versions,
        &columns.ids,
        &columns.kinds as _,
        &columns.metadata as _,
        &columns.payloads as _,
        &columns.sealed,
        &columns.links as _,
        &touched.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>() as _,
        &touched.iter().map(|(_, head)| head.version.cast_signed()).collect::<Vec<_>>(),
        &touched.iter().map(|(_, head)| head.link.as_slice()).collect::<Vec<_>>() as _,
        &touched.iter().map(|(_, head)| head.first.cast_signed()).collect::<Vec<_>>(),
        &touched.iter().map(|(_, head)| head.last.cast_signed()).collect::<Vec<_>>(),
        &commands.iter().map(|command| command.actor.as_str()).collect::<Vec<_>>() as _,
        &commands.iter().map(|command| command.command_id).collect::<Vec<_>>(),
        &commands.iter().map(|command| command.fingerprint.as_slice()).collect::<Vec<_>>() as _,
        &commands.iter().map(|command| command.first.cast_signed()).collect::<Vec<_>>(),
        &commands.iter().map(|command| command.last.cast_signed()).collect::<Vec<_>>(),
        round.position.cast_signed()
    )
    .execute(conn)
    .await?;
    if updated.rows_affected() == 1 { Ok(()) } else { Err(Error::Malformed("a log without a head")) }
}
