//! `verify`: walks the log and names the first event which is not as it was written.

use std::collections::{HashMap, HashSet};

use futures::StreamExt as _;
use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use crate::chain::NO_LINK;
use crate::checkpoints::Stored;
use crate::commands::Commands;
use crate::merkle::{Frontier, Hash, leaf};
use crate::row::Row;
use crate::{Epoch, Error, EventLog, Recorded, SignedCheckpoint, epoch};

/// How often a walk says how far it has got, in events.
const PROGRESS: u64 = 1_000;

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// First position looked at: that after the last checkpoint before the one asked for.
    pub from: u64,
    /// Last position looked at.
    pub to: u64,
    /// How many checkpoints were met.
    pub checkpoints: u64,
    /// The end of the last one; what follows is not protected yet.
    pub protected_to: u64,
    /// The first fault; none when all is as it was written.
    pub broken: Option<Broken>,
}

/// The first event which is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("position {position}: {fault}")]
pub struct Broken {
    /// Where.
    pub position: u64,
    /// The event's id, when there is an event.
    pub event_id: Option<Uuid>,
    /// What is wrong.
    pub fault: String,
}

impl EventLog {
    /// Checks positions, versions, links, instants, commands, checkpoints and heads from the last checkpoint before `from`
    /// on; 1 checks the whole log. Signatures are checked when `public_key` is given.
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
        let head = self.head().await?.position;
        let mut checkpoints = self.stored_checkpoints(i64::MAX.unsigned_abs(), i64::MAX, true).await?;
        checkpoints.extend(kept.iter().cloned().map(|signed| Stored { signed, frontier: None }));
        checkpoints.sort_by_key(|checkpoint| checkpoint.signed.size);
        let mut walk = Walk::new(self, checkpoints, public_key.copied());
        // From the database: another process may have raised it, or somebody have changed it, since it was opened.
        walk.epochs = epoch::load(self.core()).await?;
        let from = walk.begin(head, from);
        let mut rows = self.rows(walk.frontier.size(), head);
        let mut commands = Commands::between(self, walk.frontier.size(), head);
        while walk.broken.is_none() && walk.frontier.size() < head {
            if walk.frontier.size().is_multiple_of(PROGRESS) {
                progress.send_replace(walk.frontier.size());
            }
            match rows.next().await {
                Some(row) => walk.step(row?, &mut commands).await?,
                None => walk.fault(walk.frontier.size() + 1, None, "the event is missing"),
            }
        }
        drop(rows);
        if let Some(position) = commands.left().await? {
            walk.fault(position, None, "two commands say that they wrote this event");
        }
        walk.end(from, head).await?;
        Ok(Verified {
            from,
            to: walk.frontier.size(),
            checkpoints: walk.met,
            protected_to: walk.protected_to,
            broken: walk.broken,
        })
    }
}

struct Walk<'a> {
    log: &'a EventLog,
    frontier: Frontier,
    checkpoints: Vec<Stored>,
    /// The first checkpoint not met yet.
    next: usize,
    public_key: Option<[u8; 32]>,
    epochs: Vec<Epoch>,
    streams: HashMap<String, (u64, Hash)>,
    recorded_at: Timestamp,
    met: u64,
    protected_to: u64,
    broken: Option<Broken>,
}

impl<'a> Walk<'a> {
    fn new(log: &'a EventLog, checkpoints: Vec<Stored>, public_key: Option<[u8; 32]>) -> Self {
        Self {
            log,
            frontier: Frontier::default(),
            checkpoints,
            next: 0,
            public_key,
            epochs: Vec::new(),
            streams: HashMap::new(),
            recorded_at: Timestamp::MIN,
            met: 0,
            protected_to: 0,
            broken: None,
        }
    }

    fn fault(&mut self, position: u64, event_id: Option<Uuid>, fault: impl Into<String>) {
        if self.broken.is_none() {
            self.broken = Some(Broken { position, event_id, fault: fault.into() });
        }
    }

    /// Epochs must be genuine; a signed checkpoint beyond the head needs an epoch which explains it. Gives the
    /// position where the walk begins.
    fn begin(&mut self, head: u64, from: u64) -> u64 {
        let epochs = std::mem::take(&mut self.epochs);
        for (epoch, number) in epochs.iter().zip(1..) {
            if epoch.number != number || !epoch.genuine(self.log.core()) {
                self.fault(
                    epoch.from_position,
                    None,
                    format!("the row of epoch {} is not ours", epoch.number),
                );
            }
        }
        // What a later epoch replaced is no longer part of this log.
        self.checkpoints.retain(|Stored { signed, .. }| {
            !epochs.iter().any(|e| e.number > signed.epoch && e.from_position <= signed.size)
        });
        if self.checkpoints.iter().any(|checkpoint| checkpoint.signed.size > head) {
            self.fault(head + 1, None, "events which were signed are gone, and no epoch says why");
        }
        let start = self.checkpoints.iter().rev().find(|c| c.signed.size < from && c.frontier.is_some());
        self.frontier = start.and_then(|checkpoint| checkpoint.frontier.clone()).unwrap_or_default();
        self.protected_to = self.frontier.size();
        self.frontier.size() + 1
    }

    async fn step(&mut self, row: Row, commands: &mut Commands) -> Result<(), Error> {
        if self.broken.is_some() {
            return Ok(());
        }
        let expected = self.frontier.size() + 1;
        let (position, event_id) = (row.position.unsigned_abs(), row.event_id);
        if position != expected {
            self.fault(expected, None, "the event is missing");
            return Ok(());
        }
        let event = match row.into_recorded(self.log.core()) {
            Ok(event) => event,
            Err(error) => {
                self.fault(position, Some(event_id), error.to_string());
                return Ok(());
            }
        };
        if let Err(fault) = self.check(&event).await? {
            self.fault(position, Some(event_id), fault);
            return Ok(());
        }
        if let Some((position, fault)) = commands.follow(&event).await? {
            self.fault(position, None, fault);
            return Ok(());
        }
        self.recorded_at = event.recorded_at;
        self.frontier.push(leaf(position, &event.link));
        self.streams.insert(event.stream.as_str().to_owned(), (event.version, event.link));
        self.meet_checkpoint(&event);
        Ok(())
    }

    async fn check(&self, event: &Recorded) -> Result<Result<(), String>, Error> {
        if event.recorded_at < self.recorded_at {
            return Ok(Err("it was recorded before the event before it".to_owned()));
        }
        let (version, link) = self.previous(event).await?;
        if event.version != version + 1 {
            let stream = &event.stream;
            return Ok(Err(format!("version {} of {stream} follows version {version}", event.version)));
        }
        if !event.follows(&link) {
            return Ok(Err("its bytes, or the link to the event before it, were changed".to_owned()));
        }
        Ok(Ok(()))
    }

    /// Version and link of the event before in the stream; from the database when the walk began after it.
    async fn previous(&self, event: &Recorded) -> Result<(u64, Hash), Error> {
        if let Some(previous) = self.streams.get(event.stream.as_str()) {
            return Ok(*previous);
        }
        // A version is there once only (unique index), so nothing can come before the first.
        if event.version == 1 {
            return Ok((0, NO_LINK));
        }
        let row = sqlx::query!(
            "SELECT version, link FROM log.event WHERE log = $1 AND stream = $2 AND position < $3
             ORDER BY position DESC LIMIT 1",
            self.log.name(),
            event.stream.as_str(),
            event.position.cast_signed()
        )
        .fetch_optional(self.log.pool())
        .await?;
        let Some(row) = row else { return Ok((0, NO_LINK)) };
        Ok((row.version.unsigned_abs(), row.link.try_into().unwrap_or(NO_LINK)))
    }

    fn meet_checkpoint(&mut self, event: &Recorded) {
        let size = self.frontier.size();
        // In the order of their sizes: those before the walk are passed over once.
        let passed = self.checkpoints[self.next..].iter().take_while(|c| c.signed.size < size).count();
        self.next += passed;
        let here = self.checkpoints[self.next..].iter().map(|c| &c.signed).take_while(|c| c.size == size);
        let here: Vec<_> = here.cloned().collect();
        if here.is_empty() {
            return;
        }
        self.next += here.len();
        let root = self.frontier.root();
        for checkpoint in here {
            self.met += 1;
            if self.public_key.is_some_and(|key| !checkpoint.signed_by(&key)) {
                self.fault(size, Some(event.event_id), "the checkpoint here is not signed by this key");
            } else if checkpoint.root != root {
                let after = self.protected_to + 1;
                self.fault(size, None, format!("the log from {after} to here is not what was signed"));
            } else {
                self.protected_to = size;
            }
        }
    }

    /// The guards beside the events must say the same as the events. Those which moved since the walk began are
    /// not looked at.
    async fn end(&mut self, from: u64, head: u64) -> Result<(), Error> {
        if self.broken.is_some() {
            return Ok(());
        }
        // In one statement, so that what is appended meanwhile moves both sides at once.
        let beyond = sqlx::query_scalar!(
            "SELECT min(beyond.position) FROM log.head, LATERAL (
                SELECT min(position) FROM log.event
                WHERE log = head.log AND position > head.position
                UNION ALL
                SELECT min(last_position) FROM log.stream
                WHERE log = head.log AND last_position > head.position
                UNION ALL
                SELECT min(last_position) FROM log.command
                WHERE log = head.log AND last_position > head.position
             ) AS beyond (position)
             WHERE head.log = $1",
            self.log.name()
        )
        .fetch_one(self.log.pool())
        .await?;
        if let Some(beyond) = beyond {
            self.fault(beyond.unsigned_abs(), None, "the head says that the log ends before this");
        }
        let guards = sqlx::query!(
            "SELECT name, version, link, last_position FROM log.stream WHERE log = $1",
            self.log.name()
        )
        .fetch_all(self.log.pool())
        .await?;
        let mut unguarded: HashSet<&String> = self.streams.keys().collect();
        let mut differs = None;
        for guard in &guards {
            unguarded.remove(&guard.name);
            let last = guard.last_position.unsigned_abs();
            let same = match self.streams.get(&guard.name) {
                Some((v, l)) => *v == guard.version.unsigned_abs() && l.as_slice() == guard.link,
                // Its events are before those which were walked.
                None => last < from,
            };
            if last <= head && !same {
                differs = Some((last, format!("the head of {} differs from its events", guard.name)));
            }
        }
        if let Some(name) = unguarded.into_iter().min() {
            differs = Some((head, format!("the head of {name} is missing")));
        }
        if let Some((position, fault)) = differs {
            self.fault(position, None, fault);
        }
        Ok(())
    }
}
