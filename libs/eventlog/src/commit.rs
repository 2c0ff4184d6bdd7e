//! One group of appends in one open transaction: lock the head, look, choose in memory, write once.
//!
//! No constraint can fail, so one append's conflict costs nobody else anything. The head row stays
//! locked until the transaction ends, so positions become visible in their order.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::chain::{NO_LINK, link};
use crate::log::Core;
use crate::prepare::Prepared;
use crate::record::instant;
use crate::write::write;
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
pub(crate) struct Round {
    pub(crate) position: u64,
    pub(crate) recorded_at: Timestamp,
    pub(crate) streams: HashMap<String, StreamHead>,
    known: HashMap<(String, Uuid), Done>,
    /// Commands done in this round.
    pub(crate) commands: Vec<NewCommand>,
}

#[derive(Clone)]
pub(crate) struct StreamHead {
    pub(crate) version: u64,
    pub(crate) link: [u8; 32],
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) touched: bool,
}

struct Done {
    fingerprint: Vec<u8>,
    first: u64,
    last: u64,
}

pub(crate) struct NewCommand {
    pub(crate) actor: String,
    pub(crate) command_id: Uuid,
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

async fn lock(conn: &mut PgConnection, core: &Core) -> Result<Round, Error> {
    // Durable before answered, whatever the session's default: `off` becomes `on` for this transaction.
    let head = sqlx::query!(
        "UPDATE log.head SET commits = commits + 1 WHERE log = $1
         RETURNING position, recorded_at_us,
                   set_config('idle_in_transaction_session_timeout', $2, true) AS frozen_owner,
                   CASE current_setting('synchronous_commit') WHEN 'off'
                   THEN set_config('synchronous_commit', 'on', true) ELSE '' END AS durable",
        core.name,
        FROZEN_OWNER
    )
    .fetch_one(conn)
    .await?;
    // To the microsecond, as it is stored; never before the event before it.
    let now = core.clock.now().as_microsecond().max(head.recorded_at_us);
    Ok(Round {
        position: head.position.unsigned_abs(),
        recorded_at: instant(now)?,
        streams: HashMap::new(),
        known: HashMap::new(),
        commands: Vec::new(),
    })
}

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
         JOIN log.command c
           ON c.log = $1 AND c.actor = asked.actor AND c.command_id = asked.command_id"#,
        core.name,
        &names as _,
        &actors as _,
        &ids
    )
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
