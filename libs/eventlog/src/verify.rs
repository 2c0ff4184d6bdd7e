//! `verify`: walks the log and names the first event which is not as it was written, then goes on to the others.
//!
//! What is held does not grow with the log: checkpoints and commands come a few at a time beside the events, and of the
//! streams' ends only so many are in mind (`heads`); the others are looked up in the table when they are met again.

use std::collections::{HashMap, HashSet};

use futures::StreamExt as _;
use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use crate::chain::NO_LINK;
use crate::checkpoints::Along;
use crate::commands::Commands;
use crate::guards::Guards;
use crate::heads::{End, Heads};
use crate::merkle::{Frontier, leaf};
use crate::row::Row;
use crate::{Error, EventLog, Recorded, SignedCheckpoint, epoch};

/// Events taken at a time: their streams' ends are looked up together.
const BATCH: usize = 256;
/// Streams whose ends are in mind: some 40 MB.
const MOST_HEADS: usize = 1 << 18;
/// Faults after the first which are named; the others are counted.
const MOST_FURTHER: usize = 100;

/// The fault of an event that does not follow the one before it in its stream.
pub(crate) const ALTERED: &str = "its bytes, or the link to the event before it, were changed";

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// First position looked at: that after the last checkpoint before the one asked for which the key has signed.
    pub from: u64,
    /// Last position looked at.
    pub to: u64,
    /// How many checkpoints were met.
    pub checkpoints: u64,
    /// The end of the last one; what follows is not protected yet. Without a key nobody knows who signed: 0.
    pub protected_to: u64,
    /// The first fault; none when all is as it was written.
    pub broken: Option<Broken>,
    /// The faults of events after it, the first hundred. After a first fault the events are still looked at by themselves
    /// (bytes, versions, links, instants), and no more is said about commands, checkpoints and heads. One that only follows
    /// from another is told as it looks.
    pub further: Vec<Broken>,
    /// How many faults there are with the first.
    pub faults: u64,
    /// The most streams whose ends were in mind at once.
    pub most_held: usize,
}

/// An event which is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("position {position}: {fault}")]
pub struct Broken {
    /// Where.
    pub position: u64,
    /// The event's id, when there is an event.
    pub event_id: Option<Uuid>,
    /// Its stream, as it stands there, and its version in it.
    pub place: Option<(String, u64)>,
    /// What is wrong.
    pub fault: String,
}

/// The faults of a walk, in the order in which they were met.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    first: Option<Broken>,
    further: Vec<Broken>,
    count: u64,
}

impl Faults {
    pub(crate) fn any(&self) -> bool {
        self.first.is_some()
    }

    /// A fault at a position where there is no event, or which is not the event's own.
    pub(crate) fn at(&mut self, position: u64, fault: impl Into<String>) {
        self.add(Broken { position, event_id: None, place: None, fault: fault.into() });
    }

    pub(crate) fn add(&mut self, broken: Broken) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some(broken);
        } else if self.further.len() < MOST_FURTHER {
            self.further.push(broken);
        }
    }

    /// What was found over positions, or versions, `from` to `to`.
    pub(crate) fn verified(self, from: u64, to: u64) -> Verified {
        Verified {
            from,
            to,
            checkpoints: 0,
            protected_to: 0,
            broken: self.first,
            further: self.further,
            faults: self.count,
            most_held: 0,
        }
    }
}

impl EventLog {
    /// Checks positions, versions, links, instants, commands, checkpoints and heads from the last checkpoint before `from`
    /// on; 1 checks the whole log. Signatures are checked when `public_key` is given, that of the checkpoint it begins at
    /// first of all.
    ///
    /// # Errors
    /// [`Error::Database`]. A fault of the log is no error but an answer.
    pub async fn verify(&self, from: u64, public_key: Option<&[u8; 32]>) -> Result<Verified, Error> {
        self.verify_watched(from, public_key, &[], &watch::Sender::new(0)).await
    }

    /// [`EventLog::verify`], against checkpoints kept apart from the database as well: whoever rewrites the database,
    /// or restores it to an earlier point, takes those with him which are in it.
    ///
    /// # Errors
    /// As [`EventLog::verify`].
    pub async fn verify_against(
        &self,
        from: u64,
        public_key: Option<&[u8; 32]>,
        kept: &[SignedCheckpoint],
    ) -> Result<Verified, Error> {
        self.verify_watched(from, public_key, kept, &watch::Sender::new(0)).await
    }

    /// As [`EventLog::verify_against`]; `progress` holds the last position that was checked.
    ///
    /// # Errors
    /// As [`EventLog::verify`].
    pub async fn verify_watched(
        &self,
        from: u64,
        public_key: Option<&[u8; 32]>,
        kept: &[SignedCheckpoint],
        progress: &watch::Sender<u64>,
    ) -> Result<Verified, Error> {
        self.verify_within(MOST_HEADS, from, public_key, kept, progress).await
    }

    /// As [`EventLog::verify_watched`] with the ends of at most `most_heads` streams in mind: fewer cost less memory and
    /// more questions to the database.
    ///
    /// # Errors
    /// As [`EventLog::verify`].
    pub async fn verify_within(
        &self,
        most_heads: usize,
        from: u64,
        public_key: Option<&[u8; 32]>,
        kept: &[SignedCheckpoint],
        progress: &watch::Sender<u64>,
    ) -> Result<Verified, Error> {
        let mut walk = Walk::begin(self, most_heads, from, public_key.copied(), kept).await?;
        let (before, head) = (walk.before, walk.head);
        let mut batches = self.rows(before, head).chunks(walk.batch());
        let mut commands = Commands::between(self, before, head);
        while let Some(batch) = batches.next().await {
            let rows = batch.into_iter().collect::<Result<Vec<_>, _>>()?;
            walk.recall(&rows).await?;
            for row in rows {
                walk.step(row, &mut commands).await?;
            }
            progress.send_replace(walk.last);
        }
        drop(batches);
        if walk.last < head {
            walk.faults.at(walk.last + 1, "the event is missing");
        }
        if !walk.faults.any()
            && let Some(position) = commands.left().await?
        {
            walk.faults.at(position, "two commands say that they wrote this event");
        }
        walk.end().await?;
        Ok(Verified {
            checkpoints: walk.met,
            protected_to: if public_key.is_some() { walk.protected_to } else { 0 },
            most_held: walk.heads.most(),
            ..walk.faults.verified(before + 1, walk.last)
        })
    }
}

struct Walk<'a> {
    log: &'a EventLog,
    /// The position before the first of the walk, and the last one.
    before: u64,
    head: u64,
    /// The last position that was looked at.
    last: u64,
    frontier: Frontier,
    checkpoints: Along<'a>,
    public_key: Option<[u8; 32]>,
    heads: Heads,
    /// Streams whose first event was met.
    births: u64,
    /// A stream that was met, and has no head beside its events.
    unguarded: Option<String>,
    recorded_at: Timestamp,
    met: u64,
    /// The end of the last checkpoint that was found right, or of the one begun at.
    protected_to: u64,
    faults: Faults,
}

impl<'a> Walk<'a> {
    /// Epochs must be genuine; a signed checkpoint beyond the head needs an epoch which explains it.
    async fn begin(
        log: &'a EventLog,
        most_heads: usize,
        from: u64,
        public_key: Option<[u8; 32]>,
        kept: &[SignedCheckpoint],
    ) -> Result<Self, Error> {
        let mut faults = Faults::default();
        // From the database: another process may have raised it, or somebody have changed it, since it was opened.
        let epochs = epoch::load(log.core()).await?;
        if epochs.is_empty() {
            faults.at(1, "the row of epoch 1 is missing");
        }
        for (epoch, number) in epochs.iter().zip(1..) {
            if epoch.number != number || !epoch.genuine(log.core()) {
                faults.at(epoch.from_position, format!("the row of epoch {} is not ours", epoch.number));
            }
        }
        // What a later epoch replaced is no longer part of this log.
        let replaced = |signed: &SignedCheckpoint| {
            epochs.iter().any(|e| e.number > signed.epoch && e.from_position <= signed.size)
        };
        let kept: Vec<_> = kept.iter().filter(|signed| !replaced(signed)).cloned().collect();
        let (head, beyond) = log.end_and_signed_beyond().await?;
        if beyond || kept.iter().any(|signed| signed.size > head) {
            faults.at(head + 1, "events which were signed are gone, and no epoch says why");
        }
        let at_most = from.saturating_sub(1).min(head);
        let frontier = log.frontier_at_most(at_most, public_key.as_ref()).await?;
        let before = frontier.size();
        Ok(Self {
            log,
            before,
            head,
            last: before,
            frontier,
            checkpoints: Along::between(log, before, head, kept).await?,
            public_key,
            heads: Heads::new(most_heads),
            births: 0,
            unguarded: None,
            recorded_at: Timestamp::MIN,
            met: 0,
            protected_to: before,
            faults,
        })
    }

    /// So few events that the ends of their streams are in mind until the last of them was looked at: each is kept twice
    /// at most, and half of the bound is kept surely.
    fn batch(&self) -> usize {
        (self.heads.bound() / 4).clamp(1, BATCH)
    }

    /// Looks up where the streams of these events were before them, as far as it is not in mind.
    async fn recall(&mut self, rows: &[Row]) -> Result<(), Error> {
        let (mut met, mut first) = (HashSet::new(), Vec::new());
        for row in rows {
            // A version is there once only (unique index), so nothing can come before the first.
            if !self.heads.touch(&row.stream) && met.insert(row.stream.as_str()) && row.version > 1 {
                first.push(row);
            }
        }
        if first.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = first.iter().map(|row| row.stream.clone()).collect();
        let versions: Vec<i64> = first.iter().map(|row| row.version - 1).collect();
        let found = sqlx::query!(
            r#"SELECT asked.name AS "name!", e.version AS "version!", e.link AS "link!", e.position AS "position!",
                    EXISTS (SELECT FROM log.stream s WHERE s.log = $1 AND s.name = asked.name) AS "guarded!"
             FROM unnest($2::text[], $3::bigint[]) AS asked (name, version)
             CROSS JOIN LATERAL (
                SELECT version, link, position FROM log.event
                WHERE log = $1 AND stream = asked.name AND version = asked.version LIMIT 1) AS e"#,
            self.log.name(),
            &names,
            &versions
        )
        .fetch_all(self.log.pool())
        .await?;
        let at: HashMap<&str, i64> = first.iter().map(|row| (row.stream.as_str(), row.position)).collect();
        for row in found {
            if at.get(row.name.as_str()).is_some_and(|position| row.position < *position) {
                self.heads.keep(&row.name, End::read(row.version, &row.link, row.position));
            }
            if !row.guarded && self.unguarded.as_ref().is_none_or(|name| row.name < *name) {
                self.unguarded = Some(row.name);
            }
        }
        Ok(())
    }

    async fn step(&mut self, row: Row, commands: &mut Commands) -> Result<(), Error> {
        let (position, event_id) = (row.position.unsigned_abs(), row.event_id);
        if position != self.last + 1 {
            self.faults.at(self.last + 1, "the event is missing");
        }
        self.last = position;
        let (stream, end) = (row.stream.clone(), row.end());
        let fault = match row.into_recorded(self.log.core()) {
            Ok(event) => match self.check(&event).await? {
                Ok(()) => {
                    self.recorded_at = event.recorded_at;
                    self.heads.keep(&stream, end);
                    return self.follow(&event, commands).await;
                }
                Err(fault) => fault,
            },
            Err(error) => error.to_string(),
        };
        // What follows in its stream is compared with what stands here.
        self.heads.keep(&stream, end);
        let place = Some((stream, end.version));
        self.faults.add(Broken { position, event_id: Some(event_id), place, fault });
        Ok(())
    }

    /// The event by itself, and in its stream.
    async fn check(&self, event: &Recorded) -> Result<Result<(), String>, Error> {
        if event.recorded_at < self.recorded_at {
            return Ok(Err("it was recorded before the event before it".to_owned()));
        }
        let (version, link) = match self.heads.get(event.stream.as_str()) {
            Some(end) => (end.version, end.link),
            None if event.version == 1 => (0, NO_LINK),
            None => (self.version_before(event).await?, NO_LINK),
        };
        if event.version != version + 1 {
            let stream = &event.stream;
            return Ok(Err(format!("version {} of {stream} follows version {version}", event.version)));
        }
        if !event.follows(&link) {
            return Ok(Err(ALTERED.to_owned()));
        }
        Ok(Ok(()))
    }

    /// For the words of a fault: the version that stands before an event in its stream, which is not the one before it.
    async fn version_before(&self, event: &Recorded) -> Result<u64, Error> {
        let version = sqlx::query_scalar!(
            "SELECT version FROM log.event WHERE log = $1 AND stream = $2 AND version < $3 AND position < $4
             ORDER BY version DESC LIMIT 1",
            self.log.name(),
            event.stream.as_str(),
            event.version.cast_signed(),
            event.position.cast_signed()
        )
        .fetch_optional(self.log.pool())
        .await?;
        Ok(version.unwrap_or_default().unsigned_abs())
    }

    /// What stands beside a sound event: its command, and the checkpoints that end with it.
    async fn follow(&mut self, event: &Recorded, commands: &mut Commands) -> Result<(), Error> {
        if self.faults.any() {
            return Ok(());
        }
        if let Some((position, fault)) = commands.follow(event).await? {
            self.faults.at(position, fault);
            return Ok(());
        }
        self.births += u64::from(event.version == 1);
        self.frontier.push(leaf(event.position, &event.link));
        if self.checkpoints.next_size().is_none_or(|size| size > event.position) {
            return Ok(());
        }
        let root = self.frontier.root();
        for signed in self.checkpoints.take(event.position).await? {
            self.met += 1;
            let Some(signed) = signed else {
                self.faults.at(event.position, "the checkpoint here cannot be read");
                continue;
            };
            if self.public_key.is_some_and(|key| !signed.signed_by(&key)) {
                let fault = "the checkpoint here is not signed by this key".to_owned();
                let place = Some((event.stream.to_string(), event.version));
                let (position, event_id) = (event.position, Some(event.event_id));
                self.faults.add(Broken { position, event_id, place, fault });
            } else if signed.root != root {
                let after = self.protected_to + 1;
                let fault = format!("the log from {after} to here is not what was signed");
                self.faults.at(event.position, fault);
            } else {
                self.protected_to = signed.size;
            }
        }
        Ok(())
    }

    /// What stands beside the events must say the same as they do.
    async fn end(&mut self) -> Result<(), Error> {
        if self.faults.any() {
            return Ok(());
        }
        let (log, before, head) = (self.log, self.before, self.head);
        let guards = Guards { log, before, head, heads: &self.heads };
        if let Some((position, fault)) = guards.fault(self.births, self.unguarded.take()).await? {
            self.faults.at(position, fault);
        }
        Ok(())
    }
}
