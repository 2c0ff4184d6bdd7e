//! Makes and stores signed checkpoints of the Merkle tree, and statements about one stream.
//!
//! A checkpoint is made every 10 s or 1,000 events; the tail after it is not protected yet. Each one is
//! also logged, so that a copy is kept apart from the database.

use std::collections::VecDeque;
use std::time::Duration;

use docket_database::answered;
use tokio::time::{MissedTickBehavior, interval};

use crate::merkle::{Frontier, Hash, leaf};
use crate::record::instant;
use crate::{CheckpointKey, Error, EventLog, SignedCheckpoint, Statement, StreamName};

const EVERY: Duration = Duration::from_secs(10);
const EVENTS: u64 = 1_000;
const BATCH: i64 = 1_000;
/// Checkpoints read at a time beside a walk.
const PAGE: i64 = 256;

/// A stored checkpoint with the peaks of its tree.
struct Stored {
    signed: SignedCheckpoint,
    frontier: Option<Frontier>,
}

struct Row {
    size: i64,
    root: Vec<u8>,
    frontier: Vec<u8>,
    epoch: i64,
    signed_at_us: i64,
    key_id: String,
    signature: Vec<u8>,
}

impl Row {
    fn into_stored(self, log: &str) -> Result<Stored, Error> {
        let size = self.size.unsigned_abs();
        let root: Hash = self.root.try_into().map_err(|_| Error::Malformed("a checkpoint's root"))?;
        // The peaks are not signed; they count only when they give the signed root.
        let frontier = Frontier::from_bytes(size, &self.frontier).filter(|peaks| peaks.root() == root);
        let signed = SignedCheckpoint {
            log: log.to_owned(),
            size,
            root,
            epoch: self.epoch.unsigned_abs(),
            signed_at: instant(self.signed_at_us)?,
            key_id: self.key_id,
            signature: self.signature.try_into().map_err(|_| Error::Malformed("a checkpoint's signature"))?,
        };
        Ok(Stored { signed, frontier })
    }
}

impl EventLog {
    /// Signs checkpoints until it is dropped. Several replicas may run it at once.
    ///
    /// # Errors
    /// Only such as will not pass by themselves, as [`Error::Malformed`] where an event is missing; a database which is away
    /// is waited for.
    pub async fn run_checkpoints(&self, key: CheckpointKey) -> Result<(), Error> {
        let mut head = self.subscribe_head();
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut signed = 0;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                moved = head.wait_for(|position| *position >= signed + EVENTS) => {
                    moved.map_err(|_| Error::Closed)?;
                }
            }
            // Ahead of the log where it was set back since: once looked at, that is no reason to look again.
            let hint = *head.borrow();
            match self.checkpoint(&key).await {
                Ok(checkpoint) => signed = checkpoint.map_or(0, |checkpoint| checkpoint.size).max(hint),
                Err(Error::Database(_)) => {
                    tracing::warn!(log = self.name(), "no checkpoint: the database is away");
                    tick.tick().await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Signs a checkpoint of the log as it is now; gives the last one when nothing came since, none when the
    /// log is empty.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Malformed`].
    pub async fn checkpoint(&self, key: &CheckpointKey) -> Result<Option<SignedCheckpoint>, Error> {
        let head = self.head().await?;
        let last =
            self.last_checkpoints(head.position, 1).await?.pop().map(|row| row.into_stored(self.name()));
        let last = last.transpose()?;
        if head.position == 0 {
            return Ok(None);
        }
        if let Some(last) = &last
            && last.signed.size == head.position
            && last.signed.epoch == head.epoch.number
        {
            return Ok(Some(last.signed.clone()));
        }
        let frontier = last.and_then(|last| last.frontier).unwrap_or_default();
        let frontier = self.grow(frontier, head.position).await?;
        let mut checkpoint = SignedCheckpoint {
            log: self.name().to_owned(),
            size: frontier.size(),
            root: frontier.root(),
            epoch: head.epoch.number,
            signed_at: instant(self.clock().now().as_microsecond())?,
            key_id: key.id.clone(),
            signature: [0; 64],
        };
        checkpoint.signature = key.sign(&checkpoint.message());
        self.store_checkpoint(&checkpoint, &frontier).await?;
        tracing::info!(
            log = self.name(),
            size = checkpoint.size,
            root = hex::encode(checkpoint.root),
            epoch = checkpoint.epoch,
            signed_at_us = checkpoint.signed_at.as_microsecond(),
            signature = hex::encode(checkpoint.signature),
            "checkpoint signed"
        );
        Ok(Some(checkpoint))
    }

    /// A signed statement about where a stream ends, within a checkpoint made now.
    ///
    /// # Errors
    /// As [`EventLog::checkpoint`]; [`Error::Malformed`] for an empty log.
    pub async fn statement(&self, key: &CheckpointKey, stream: &StreamName) -> Result<Statement, Error> {
        let checkpoint = self.checkpoint(key).await?.ok_or(Error::Malformed("a log without events"))?;
        let last = sqlx::query!(
            "SELECT version, link FROM log.event WHERE log = $1 AND stream = $2 AND position <= $3
             ORDER BY version DESC LIMIT 1",
            self.name(),
            stream.as_str(),
            checkpoint.size.cast_signed()
        )
        .fetch_optional(self.pool())
        .await?;
        let (version, link) = last.map_or_else(|| (0, vec![0; 32]), |last| (last.version, last.link));
        let mut statement = Statement {
            stream: stream.clone(),
            version: version.unsigned_abs(),
            link: link.try_into().map_err(|_| Error::Malformed("the link"))?,
            checkpoint,
            signature: [0; 64],
        };
        statement.signature = key.sign(&statement.message());
        Ok(statement)
    }

    /// Adds the leaves up to a position.
    async fn grow(&self, mut frontier: Frontier, to: u64) -> Result<Frontier, Error> {
        while frontier.size() < to {
            let links = sqlx::query!(
                "SELECT position, link FROM log.event WHERE log = $1 AND position > $2 AND position <= $3
                 ORDER BY position LIMIT $4",
                self.name(),
                frontier.size().cast_signed(),
                to.cast_signed(),
                BATCH
            );
            let links = answered(links.fetch_all(self.pool())).await?;
            if links.is_empty() {
                return Err(Error::Malformed("a position without an event"));
            }
            for row in links {
                let position = row.position.unsigned_abs();
                let link: Hash = row.link.try_into().map_err(|_| Error::Malformed("the link"))?;
                if position != frontier.size() + 1 {
                    return Err(Error::Malformed("a position without an event"));
                }
                frontier.push(leaf(position, &link));
            }
        }
        Ok(frontier)
    }

    async fn store_checkpoint(&self, signed: &SignedCheckpoint, frontier: &Frontier) -> Result<(), Error> {
        let checkpoint = sqlx::query!(
            "INSERT INTO log.checkpoint_signed (log, size, root, frontier, epoch, signed_at_us,
                                                key_id, signature)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (log, size, epoch) DO NOTHING",
            self.name(),
            signed.size.cast_signed(),
            signed.root.as_slice(),
            frontier.to_bytes(),
            signed.epoch.cast_signed(),
            signed.signed_at.as_microsecond(),
            &signed.key_id,
            signed.signature.as_slice()
        );
        answered(checkpoint.execute(self.pool())).await?;
        Ok(())
    }

    /// The last checkpoints of at most `size` events, the smallest first. Those of which a later epoch replaced a
    /// part are left out: their trees hold events which are no longer in the log.
    async fn last_checkpoints(&self, size: u64, limit: i64) -> Result<Vec<Row>, Error> {
        let last = sqlx::query_as!(
            Row,
            "SELECT size, root, frontier, epoch, signed_at_us, key_id, signature
             FROM log.checkpoint_signed c
             WHERE log = $1 AND size <= $2 AND NOT EXISTS (
                SELECT FROM log.epoch e
                WHERE e.log = c.log AND e.number > c.epoch AND e.from_position <= c.size)
             ORDER BY size DESC, epoch DESC LIMIT $3",
            self.name(),
            i64::try_from(size).unwrap_or(i64::MAX),
            limit
        );
        let mut rows = answered(last.fetch_all(self.pool())).await?;
        rows.reverse();
        Ok(rows)
    }

    /// The peaks of the last checkpoint of at most `size` events that can be gone on from; those of nothing when there
    /// is none. With a key, one that this key did not sign is no place to begin: whatever is before it would be believed.
    pub(crate) async fn frontier_at_most(
        &self,
        mut size: u64,
        public_key: Option<&[u8; 32]>,
    ) -> Result<Frontier, Error> {
        let signed = |stored: &Stored| public_key.is_none_or(|key| stored.signed.signed_by(key));
        while size > 0 {
            let rows = self.last_checkpoints(size, PAGE).await?;
            let Some(smallest) = rows.first() else { break };
            size = smallest.size.unsigned_abs() - 1;
            let stored = rows.into_iter().rev().filter_map(|row| row.into_stored(self.name()).ok());
            if let Some(frontier) = stored.filter(signed).find_map(|stored| stored.frontier) {
                return Ok(frontier);
            }
        }
        Ok(Frontier::default())
    }

    /// Where the log ends, and whether a checkpoint that still counts was signed beyond that. In one statement, since the
    /// log is appended to and signed meanwhile.
    pub(crate) async fn end_and_signed_beyond(&self) -> Result<(u64, bool), Error> {
        let end = sqlx::query!(
            r#"SELECT h.position, EXISTS (
                SELECT FROM log.checkpoint_signed c
                WHERE c.log = h.log AND c.size > h.position AND NOT EXISTS (
                    SELECT FROM log.epoch e
                    WHERE e.log = c.log AND e.number > c.epoch AND e.from_position <= c.size)) AS "beyond!"
             FROM log.head h WHERE h.log = $1"#,
            self.name()
        )
        .fetch_one(self.pool())
        .await?;
        Ok((end.position.unsigned_abs(), end.beyond))
    }
}

/// The checkpoints beside a walk, in the order of their sizes: those of the database a page at a time, and those that
/// were kept apart.
pub(crate) struct Along<'a> {
    log: &'a EventLog,
    /// Size and epoch of the last one that was read, and the largest size that is wanted.
    read: (i64, i64),
    up_to: i64,
    more: bool,
    ahead: VecDeque<Row>,
    kept: VecDeque<SignedCheckpoint>,
}

impl<'a> Along<'a> {
    /// Those of more than `before` events and of at most `up_to`.
    pub(crate) async fn between(
        log: &'a EventLog,
        before: u64,
        up_to: u64,
        mut kept: Vec<SignedCheckpoint>,
    ) -> Result<Self, Error> {
        kept.retain(|signed| signed.size > before);
        kept.sort_by_key(|signed| signed.size);
        let (read, up_to) = ((before.cast_signed(), i64::MAX), up_to.cast_signed());
        let mut along = Self { log, read, up_to, more: true, ahead: VecDeque::new(), kept: kept.into() };
        along.refill().await?;
        Ok(along)
    }

    /// The size of the next one.
    pub(crate) fn next_size(&self) -> Option<u64> {
        let stored = self.ahead.front().map(|row| row.size.unsigned_abs());
        let kept = self.kept.front().map(|signed| signed.size);
        stored.into_iter().chain(kept).min()
    }

    /// Takes those of at most `size` events; none in the place of one that cannot be read.
    pub(crate) async fn take(&mut self, size: u64) -> Result<Vec<Option<SignedCheckpoint>>, Error> {
        let mut taken = Vec::new();
        while let Some(row) = self.ahead.pop_front_if(|row| row.size.unsigned_abs() <= size) {
            taken.push(row.into_stored(self.log.name()).ok().map(|stored| stored.signed));
            self.refill().await?;
        }
        while let Some(signed) = self.kept.pop_front_if(|signed| signed.size <= size) {
            taken.push(Some(signed));
        }
        Ok(taken)
    }

    /// Reads the next page when the last one is used up.
    async fn refill(&mut self) -> Result<(), Error> {
        if !self.more || !self.ahead.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query_as!(
            Row,
            "SELECT size, root, frontier, epoch, signed_at_us, key_id, signature
             FROM log.checkpoint_signed c
             WHERE log = $1 AND (size, epoch) > ($2, $3) AND size <= $4 AND NOT EXISTS (
                SELECT FROM log.epoch e
                WHERE e.log = c.log AND e.number > c.epoch AND e.from_position <= c.size)
             ORDER BY size, epoch LIMIT $5",
            self.log.name(),
            self.read.0,
            self.read.1,
            self.up_to,
            PAGE
        )
        .fetch_all(self.log.pool())
        .await?;
        self.more = rows.len() as u64 == PAGE.unsigned_abs();
        if let Some(last) = rows.last() {
            self.read = (last.size, last.epoch);
        }
        self.ahead = rows.into();
        Ok(())
    }
}
