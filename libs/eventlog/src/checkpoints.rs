//! Makes and stores signed checkpoints of the Merkle tree, and statements about one stream.
//!
//! A checkpoint is made every 10 s or 1,000 events; the tail after it is not protected yet. Each one is
//! also logged, so that a copy is kept apart from the database.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::merkle::{Frontier, Hash, leaf};
use crate::record::instant;
use crate::{CheckpointKey, Error, EventLog, SignedCheckpoint, Statement, StreamName};

const EVERY: Duration = Duration::from_secs(10);
const EVENTS: u64 = 1_000;
const BATCH: i64 = 1_000;

/// A stored checkpoint with the peaks of its tree.
pub(crate) struct Stored {
    pub(crate) signed: SignedCheckpoint,
    pub(crate) frontier: Option<Frontier>,
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
    /// Only such as will not pass by themselves; a database which is away is waited for.
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
        let last = self.stored_checkpoints(head.position, 1, false).await?.pop();
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
            )
            .fetch_all(self.pool())
            .await?;
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
        sqlx::query!(
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
        )
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The last checkpoints of at most `size` events, the smallest first. Those of which a later epoch replaced a
    /// part are left out unless asked for: their trees hold events which are no longer in the log.
    pub(crate) async fn stored_checkpoints(
        &self,
        size: u64,
        limit: i64,
        replaced_too: bool,
    ) -> Result<Vec<Stored>, Error> {
        let rows = sqlx::query_as!(
            Row,
            "SELECT size, root, frontier, epoch, signed_at_us, key_id, signature
             FROM log.checkpoint_signed c
             WHERE log = $1 AND size <= $2 AND ($4 OR NOT EXISTS (
                SELECT FROM log.epoch e
                WHERE e.log = c.log AND e.number > c.epoch AND e.from_position <= c.size))
             ORDER BY size DESC, epoch DESC LIMIT $3",
            self.name(),
            size.cast_signed(),
            limit,
            replaced_too
        )
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().rev().map(|row| row.into_stored(self.name())).collect()
    }
}
