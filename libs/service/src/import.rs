//! `import FILE`: checks a portable file of a log against its chain and its signatures, and puts a whole log into the
//! empty log of a throw-away database. Nothing of the system needs to run.
//!
//! What is held does not grow with the log: a file of more streams than may be in mind is read several times (`ends`).

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use docket_eventlog::merkle::{Frontier, Hash, leaf};
use docket_eventlog::{Recorded, Statement, StreamName};
use docket_proto::export_file::Records;
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::export_record::Record;
use jiff::Timestamp;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::ends::{End, Ends, MOST};
use crate::log_admin::signed_checkpoint;

/// Format of the file this program reads.
const FORMAT: u32 = 1;
/// Events written in one statement.
const BATCH: usize = 500;

/// The records of a file on disk.
pub(crate) type FileRecords = Records<BufReader<File>>;

/// What is imported, and where to.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Import {
    /// The file.
    pub file: PathBuf,
    /// Database to put it into, as its owner: `postgres://…`; without one the file is only checked.
    #[arg(long, env = "DOCKET_IMPORT_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// The key that must have signed it, 64 hexadecimal digits; else the key that the file names.
    #[arg(long)]
    pub public_key: Option<String>,
}

impl Import {
    /// Checks the file, and writes it when a database is named; gives a sentence about what it holds.
    ///
    /// # Errors
    /// The first thing that is not as it was written, or a log that is not empty; then nothing is written at all.
    pub async fn run(&self) -> anyhow::Result<String> {
        self.run_within(MOST).await
    }

    /// As [`Import::run`] with the ends of at most `most_ends` streams in mind: fewer cost less memory and more readings.
    ///
    /// # Errors
    /// As [`Import::run`].
    pub async fn run_within(&self, most_ends: usize) -> anyhow::Result<String> {
        let (mut records, mut check) = open(&self.file, self.public_key.as_deref(), Ends::new(most_ends))?;
        if self.database.is_some() {
            ensure!(!check.of_stream(), "this is one stream; only a whole log can be put into a database");
        }
        let pool = match &self.database {
            Some(url) => Some(empty_log(url, &check.header).await?),
            None => None,
        };
        let mut tx = match &pool {
            Some(pool) => Some(docket_database::begin(pool).await?),
            None => None,
        };
        let end = loop {
            let (batch, end) = batch(&mut records, &mut check)?;
            let done = check.commands_done(usize::from(end.is_none()));
            if let Some(tx) = &mut tx {
                write_events(tx, &batch).await?;
                write_commands(tx, &check.header.log, &done).await?;
            }
            if let Some(end) = end {
                break end;
            }
        };
        check.end(&mut records, &end)?;
        if let Some(tx) = &mut tx {
            write_guards(tx, &check).await?;
            write_heads(tx, &check).await?;
        }
        let (of_stream, root) = (check.of_stream(), check.root());
        let Check { header, events, ends, .. } = check;
        let key = hex::encode(&header.public_key);
        let mut rest = ends.rest();
        while let Some(ends) = rest {
            let check = read_again(&self.file, &key, ends)?;
            ensure!(check.root() == root, "the file was changed while it was read");
            if let Some(tx) = &mut tx {
                write_heads(tx, &check).await?;
            }
            rest = check.ends.rest();
        }
        if let Some(tx) = tx {
            tx.commit().await?;
        }
        let what = if of_stream { header.stream } else { format!("the log {}", header.log) };
        Ok(format!("{events} events of {what}, as they were written; signed by {key}"))
    }
}

/// Reads the whole file once more, and follows other streams.
fn read_again(path: &Path, key: &str, ends: Ends) -> anyhow::Result<Check> {
    let (mut records, mut check) = open(path, Some(key), ends)?;
    let end = loop {
        let (_events, end) = batch(&mut records, &mut check)?;
        check.commands_done(1);
        if let Some(end) = end {
            break end;
        }
    };
    check.end(&mut records, &end)?;
    Ok(check)
}

/// The file, and what must hold in it, for a reading that follows so many streams; read up to its first event.
pub(crate) fn open(path: &Path, known: Option<&str>, ends: Ends) -> anyhow::Result<(FileRecords, Check)> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let mut records = Records::new(BufReader::new(file));
    let known = known.map(public_key).transpose()?;
    let check = Check::begin(next(&mut records)?, known, ends)?;
    Ok((records, check))
}

/// The next record; there is one until the end.
pub(crate) fn next(records: &mut FileRecords) -> anyhow::Result<Record> {
    records.read()?.context("the file ends before its end: it was cut off")
}

/// The next events, each checked; and the end when it is there.
fn batch(
    records: &mut FileRecords,
    check: &mut Check,
) -> anyhow::Result<(Vec<Recorded>, Option<pb::ExportEnd>)> {
    let mut batch = Vec::with_capacity(BATCH);
    while batch.len() < BATCH {
        match next(records)? {
            Record::Event(stored) => batch.push(check.event(Recorded::from_message(stored)?)?),
            Record::End(end) => return Ok((batch, Some(end))),
            Record::Header(_) => bail!("a second header: this is not one file"),
        }
    }
    Ok((batch, None))
}

fn public_key(digits: &str) -> anyhow::Result<[u8; 32]> {
    let mut key = [0; 32];
    hex::decode_to_slice(digits, &mut key).context("the public key is not 64 hexadecimal digits")?;
    Ok(key)
}

/// A command, as the events tell that it was done.
pub(crate) struct Done {
    actor: String,
    command_id: Uuid,
    first: u64,
    last: u64,
}

/// What must hold from record to record.
pub(crate) struct Check {
    pub(crate) header: pb::ExportHeader,
    public_key: [u8; 32],
    pub(crate) ends: Ends,
    /// Those that were not written yet.
    commands: Vec<Done>,
    frontier: Frontier,
    recorded_at: Timestamp,
    events: u64,
}

impl Check {
    fn begin(first: Record, known: Option<[u8; 32]>, ends: Ends) -> anyhow::Result<Self> {
        let Record::Header(header) = first else { bail!("the file does not begin with a header") };
        ensure!(header.format == FORMAT, "format {}: this program reads format {FORMAT}", header.format);
        let public_key: [u8; 32] = header.public_key.as_ref().try_into().context("the public key")?;
        ensure!(
            known.is_none_or(|known| known == public_key),
            "the file names another key than the one given"
        );
        Ok(Self {
            header,
            public_key,
            ends,
            commands: Vec::new(),
            frontier: Frontier::default(),
            recorded_at: Timestamp::MIN,
            events: 0,
        })
    }

    pub(crate) fn of_stream(&self) -> bool {
        !self.header.stream.is_empty()
    }

    /// The link of the last event of a stream so far; zeros before the first, none of a stream that this reading does not
    /// follow.
    pub(crate) fn link(&self, stream: &StreamName) -> Option<Hash> {
        self.ends.follow(stream).then(|| self.ends.before_next(stream).1)
    }

    /// The root of the tree over what was read.
    pub(crate) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The commands that were met and not taken yet, but for so many of the last, of which more events may follow.
    pub(crate) fn commands_done(&mut self, open: usize) -> Vec<Done> {
        self.commands.drain(..self.commands.len().saturating_sub(open)).collect()
    }

    /// The event, when it follows what came before.
    pub(crate) fn event(&mut self, event: Recorded) -> anyhow::Result<Recorded> {
        let position = event.position;
        ensure!(event.log == self.header.log, "position {position}: an event of the log {}", event.log);
        ensure!(
            event.recorded_at >= self.recorded_at,
            "position {position}: recorded before the event before it"
        );
        if self.of_stream() {
            ensure!(event.stream.as_str() == self.header.stream, "position {position}: another stream");
        } else {
            let expected = self.frontier.size() + 1;
            ensure!(position == expected, "position {expected}: the event is missing");
            self.frontier.push(leaf(position, &event.link));
        }
        if self.ends.follow(&event.stream) {
            self.follow(&event)?;
        }
        self.recorded_at = event.recorded_at;
        self.events += 1;
        self.command_of(&event);
        Ok(event)
    }

    /// The event in its stream.
    fn follow(&mut self, event: &Recorded) -> anyhow::Result<()> {
        let position = event.position;
        let (version, link) = self.ends.before_next(&event.stream);
        ensure!(
            event.version == version + 1,
            "position {position}: version {} follows {version}",
            event.version
        );
        ensure!(event.follows(&link), "position {position}: its bytes, or the link before it, were changed");
        self.ends.keep(&event.stream, event.version, event.link, position);
        Ok(())
    }

    /// The events of a command follow each other.
    fn command_of(&mut self, event: &Recorded) {
        let (actor, command_id) = (event.metadata.actor.to_string(), event.metadata.command_id);
        let last = event.position;
        match self.commands.last_mut().filter(|done| (done.command_id, &done.actor) == (command_id, &actor)) {
            Some(done) => done.last = last,
            None => self.commands.push(Done { actor, command_id, first: last, last }),
        }
    }

    /// Nothing is missing at the end, as it was signed, and nothing comes after it.
    pub(crate) fn end(&self, records: &mut FileRecords, end: &pb::ExportEnd) -> anyhow::Result<()> {
        ensure!(!records.has_more()?, "there is more after the end");
        ensure!(end.events == self.events, "{} events, and the end says {}", self.events, end.events);
        let Some(signed) = &end.checkpoint else {
            ensure!(self.events == 0, "nothing is signed about these events");
            return Ok(());
        };
        let checkpoint = signed_checkpoint(&self.header.log, signed).context("the checkpoint")?;
        if !self.of_stream() {
            ensure!(checkpoint.signed_by(&self.public_key), "the checkpoint is not signed by this key");
            let whole = checkpoint.size == self.frontier.size() && checkpoint.root == self.frontier.root();
            ensure!(whole, "these events are not those that were signed");
            return Ok(());
        }
        let said = end.statement.as_ref().context("nothing is signed about this stream")?;
        let stream = StreamName::new(self.header.stream.clone())?;
        let last = self.ends.before_next(&stream);
        let statement = Statement {
            stream,
            version: said.version,
            link: said.link.as_ref().try_into().context("the link")?,
            checkpoint,
            signature: said.signature.as_ref().try_into().context("the signature")?,
        };
        ensure!(statement.signed_by(&self.public_key), "the statement is not signed by this key");
        ensure!(
            (statement.version, statement.link) == last,
            "the stream does not end where it was signed to end"
        );
        Ok(())
    }
}

/// The database with the tables of a log, which must be empty, and never have been opened: whoever opens a log begins its
/// first epoch there, and the file brings those of its own.
async fn empty_log(url: &str, header: &pb::ExportHeader) -> anyhow::Result<PgPool> {
    let pool = PgPoolOptions::new().max_connections(1).connect(url).await.context("the database")?;
    docket_eventlog::migrate(&pool, None).await.context("the log's schema")?;
    let head = sqlx::query_scalar!("SELECT position FROM log.head WHERE log = $1", header.log)
        .fetch_optional(&pool)
        .await?;
    ensure!(head.unwrap_or_default() == 0, "the log {} in this database is not empty", header.log);
    ensure!(
        docket_eventlog::epochs(&pool, &header.log).await?.is_empty(),
        "the log {} in this database was opened before, and has begun an epoch of its own: name a database in which no service has opened it",
        header.log
    );
    Ok(pool)
}

async fn write_events(tx: &mut PgConnection, events: &[Recorded]) -> anyhow::Result<()> {
    let signed =
        |number: fn(&Recorded) -> u64| events.iter().map(|e| number(e).cast_signed()).collect::<Vec<_>>();
    let text = |of: fn(&Recorded) -> &str| events.iter().map(|e| of(e).to_owned()).collect::<Vec<_>>();
    sqlx::query!(
        "INSERT INTO log.event (log, position, stream, version, event_id, kind, recorded_at_us, metadata, payload,
                                sealed, link, format)
         SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::uuid[], $6::text[], $7::bigint[],
                              $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[], $12::smallint[])",
        &text(|e| e.log.as_str()),
        &signed(|e| e.position),
        &text(|e| e.stream.as_str()),
        &signed(|e| e.version),
        &events.iter().map(|e| e.event_id).collect::<Vec<_>>(),
        &text(|e| e.kind.as_str()),
        &events.iter().map(|e| e.recorded_at.as_microsecond()).collect::<Vec<_>>(),
        &events.iter().map(|e| e.metadata_bytes[..].to_vec()).collect::<Vec<_>>(),
        &events.iter().map(|e| e.payload[..].to_vec()).collect::<Vec<_>>(),
        &events.iter().map(sealed).collect::<Vec<_>>(),
        &events.iter().map(|e| e.link.to_vec()).collect::<Vec<_>>(),
        &events.iter().map(|e| i16::try_from(e.format).unwrap_or_default()).collect::<Vec<_>>()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// What was asked is in no file: whoever asks again with the same id is told that it was used.
async fn write_commands(tx: &mut PgConnection, log: &str, done: &[Done]) -> anyhow::Result<()> {
    let number = |of: fn(&Done) -> u64| done.iter().map(|d| of(d).cast_signed()).collect::<Vec<_>>();
    sqlx::query!(
        "INSERT INTO log.command (log, actor, command_id, request_mac, first_position, last_position)
         SELECT $1, c.actor, c.command_id, '', c.first_position, c.last_position
         FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::bigint[])
              AS c (actor, command_id, first_position, last_position)",
        log,
        &done.iter().map(|d| d.actor.clone()).collect::<Vec<_>>(),
        &done.iter().map(|d| d.command_id).collect::<Vec<_>>(),
        &number(|d| d.first),
        &number(|d| d.last)
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Every sealed part with its length before it (u64, big-endian), as the table holds them.
fn sealed(event: &Recorded) -> Vec<u8> {
    let parts = event.sealed.iter();
    parts.flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied())).collect()
}

/// The log's head, and the epochs with the seals of the service that wrote them.
async fn write_guards(tx: &mut PgConnection, check: &Check) -> anyhow::Result<()> {
    let log = &check.header.log;
    sqlx::query!(
        "INSERT INTO log.head (log, position, recorded_at_us, commits) VALUES ($1, $2, $3, 1)
         ON CONFLICT (log) DO UPDATE SET position = excluded.position, recorded_at_us = excluded.recorded_at_us,
                                         commits = log.head.commits + 1",
        log,
        check.frontier.size().cast_signed(),
        if check.events == 0 { 0 } else { check.recorded_at.as_microsecond() }
    )
    .execute(&mut *tx)
    .await?;
    for stored in &check.header.epochs {
        let epoch = stored.epoch.as_ref().context("an epoch")?;
        sqlx::query!(
            "INSERT INTO log.epoch (log, number, id, from_position, reason, started_at_us, mac)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            log,
            epoch.number.cast_signed(),
            Uuid::try_parse(&epoch.id)?,
            epoch.from_position.cast_signed(),
            &epoch.reason,
            epoch.started_at_us,
            stored.mac.as_ref()
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// The heads of the streams that this reading followed.
async fn write_heads(tx: &mut PgConnection, check: &Check) -> anyhow::Result<()> {
    let ends: Vec<_> = check.ends.iter().collect();
    for ends in ends.chunks(BATCH) {
        let number =
            |of: fn(&End) -> u64| ends.iter().map(|(_, end)| of(end).cast_signed()).collect::<Vec<_>>();
        sqlx::query!(
            "INSERT INTO log.stream (log, name, version, link, first_position, last_position)
             SELECT $1, s.name, s.version, s.link, s.first_position, s.last_position
             FROM unnest($2::text[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bigint[])
                  AS s (name, version, link, first_position, last_position)",
            check.header.log,
            &ends.iter().map(|(name, _)| name.as_str().to_owned()).collect::<Vec<_>>(),
            &number(|end| end.version),
            &ends.iter().map(|(_, end)| end.link.to_vec()).collect::<Vec<_>>(),
            &number(|end| end.first),
            &number(|end| end.last)
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}
