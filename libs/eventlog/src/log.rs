//! The handle of a log: opened once per process, cloned freely.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use docket_database::answered;
use docket_kernel::{Actor, SharedClock, SubjectKind};
use docket_vault::Vault;
use sqlx::PgPool;
use tokio::sync::watch;
use uuid::Uuid;

use crate::appender::Appender;
use crate::meters::Meters;
use crate::{Context, Epoch, Error, Obligations, Queue, Timers, epoch, wake};

/// What is needed to open a log.
pub struct OpenLog {
    /// The log's name, unique over all services: `filing`, `cases-0`, `calendar`.
    pub name: &'static str,
    /// The service's database, as the role which may only append.
    pub pool: PgPool,
    /// The service's vault.
    pub vault: Vault,
    /// The clock.
    pub clock: SharedClock,
    /// The personal fields of a kind: `docket_proto::personal_fields`.
    pub personal: fn(&str) -> &'static [(u32, SubjectKind)],
    /// Program and version, stored with every event: `filing/0.1.0`.
    pub producer: String,
    /// Version of the catalogue or rule set in force; empty where none applies.
    pub rules: String,
    /// How much may wait to be appended.
    pub queue: Queue,
}

/// A log. Cheap to clone.
#[derive(Clone)]
pub struct EventLog {
    core: Arc<Core>,
    pub(crate) appender: Appender,
}

/// What the handle and the appending task share.
pub(crate) struct Core {
    pub(crate) name: &'static str,
    pub(crate) pool: PgPool,
    pub(crate) vault: Vault,
    pub(crate) clock: SharedClock,
    pub(crate) personal: fn(&str) -> &'static [(u32, SubjectKind)],
    pub(crate) producer: String,
    pub(crate) rules: String,
    pub(crate) head: watch::Sender<u64>,
    pub(crate) meters: Meters,
    /// Set once this process listens to the others.
    pub(crate) listening: OnceLock<()>,
    /// The furthest position that another process told of.
    heard_of: AtomicU64,
    epochs: RwLock<Vec<Epoch>>,
}

/// The end of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Last position; 0 when the log is empty.
    pub position: u64,
    /// The epoch in force.
    pub epoch: Epoch,
}

impl EventLog {
    /// Opens the log, beginning it at the first time, and starts its appending task.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Malformed`].
    pub async fn open(open: OpenLog) -> Result<Self, Error> {
        let OpenLog { name, pool, vault, clock, personal, producer, rules, queue } = open;
        let fsync =
            sqlx::query_scalar!(r#"SELECT current_setting('fsync') AS "fsync!""#).fetch_one(&pool).await?;
        if fsync == "off" {
            tracing::warn!(
                log = name,
                "the database runs with fsync off: a throw-away, nothing in it is durable"
            );
        }
        let head = watch::Sender::new(0);
        let epochs = RwLock::default();
        let meters = Meters::new(name);
        let (listening, heard_of) = (OnceLock::new(), AtomicU64::new(0));
        let core = Core {
            name,
            pool,
            vault,
            clock,
            personal,
            producer,
            rules,
            head,
            meters,
            listening,
            heard_of,
            epochs,
        };
        let core = Arc::new(core);
        epoch::begin_log(&core).await?;
        core.set_epochs(epoch::load(&core).await?);
        tokio::spawn(wake::tell(Arc::clone(&core)));
        let log = Self { appender: Appender::start(Arc::clone(&core), queue), core };
        log.core.saw_head(log.head().await?.position);
        Ok(log)
    }

    /// The log's name.
    pub fn name(&self) -> &'static str {
        self.core.name
    }

    /// The service's vault.
    pub fn vault(&self) -> &Vault {
        &self.core.vault
    }

    /// The clock of the log.
    pub fn clock(&self) -> &SharedClock {
        &self.core.clock
    }

    /// The service's database.
    pub fn pool(&self) -> &PgPool {
        &self.core.pool
    }

    /// Where the log ends now, and in which epoch.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn head(&self) -> Result<Head, Error> {
        let position = self.core.position().await?;
        let epoch = epoch::load(&self.core).await?.pop().ok_or(Error::Malformed("a log without an epoch"))?;
        Ok(Head { position, epoch })
    }

    /// Where the log ends now, whatever its epochs say.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn position(&self) -> Result<u64, Error> {
        self.core.position().await
    }

    /// Wakes when this process has written; holds the last position it knows of. Transactions of
    /// [`EventLog::append_in`] are seen when [`EventLog::committed`] was called; other processes' commits only while a
    /// [`crate::Subscription`] is held. Readers look gently besides.
    pub fn subscribe_head(&self) -> watch::Receiver<u64> {
        self.core.head.subscribe()
    }

    /// Wakes the readers after a transaction of [`EventLog::append_in`] was committed.
    pub fn committed(&self, last: u64) {
        self.core.saw_head(last);
    }

    /// Whether this very command was done before.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn was_done(&self, context: &Context) -> Result<bool, Error> {
        Ok(self.command(&context.actor, context.command_id).await?.is_some())
    }

    /// First and last position of a command done before; `last` is `first - 1` when it had no events.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn command(&self, actor: &Actor, command_id: Uuid) -> Result<Option<(u64, u64)>, Error> {
        let row = sqlx::query!(
            "SELECT first_position, last_position FROM log.command
             WHERE log = $1 AND actor = $2 AND command_id = $3",
            self.core.name,
            actor.to_string(),
            command_id
        )
        .fetch_optional(&self.core.pool)
        .await?;
        Ok(row.map(|row| (row.first_position.unsigned_abs(), row.last_position.unsigned_abs())))
    }

    /// The timers of this log.
    pub fn timers(&self) -> Timers {
        Timers::new(self.core.name, self.core.pool.clone())
    }

    /// The obligations of this log.
    pub fn obligations(&self) -> Obligations {
        Obligations::new(self.core.name, self.core.pool.clone())
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventLog({})", self.core.name)
    }
}

impl Core {
    pub(crate) fn set_epochs(&self, epochs: Vec<Epoch>) {
        *self.epochs.write().unwrap_or_else(PoisonError::into_inner) = epochs;
    }

    /// The number of the epoch in which a position was written.
    pub(crate) fn epoch_of(&self, position: u64) -> u64 {
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        epochs.iter().rev().find(|epoch| epoch.from_position <= position).map_or(1, |epoch| epoch.number)
    }

    /// Where the log ends now.
    pub(crate) async fn position(&self) -> Result<u64, Error> {
        let position = sqlx::query_scalar!("SELECT position FROM log.head WHERE log = $1", self.name);
        Ok(answered(position.fetch_one(&self.pool)).await?.unsigned_abs())
    }

    /// Another process has told of this position.
    pub(crate) fn heard(&self, position: u64) {
        self.heard_of.fetch_max(position, Ordering::Relaxed);
        self.saw_head(position);
    }

    pub(crate) fn has_heard(&self, position: u64) -> bool {
        position <= self.heard_of.load(Ordering::Relaxed)
    }

    pub(crate) fn saw_head(&self, position: u64) {
        let moved = self.head.send_if_modified(|head| {
            let moved = position > *head;
            *head = position.max(*head);
            moved
        });
        if moved {
            #[expect(clippy::cast_precision_loss, reason = "a gauge; positions stay far below 2^52")]
            metrics::gauge!("docket_log_head_position", "log" => self.name).set(position as f64);
        }
    }
}
