//! Wake-ups between the processes of a service: one `LISTEN` each, and a `NOTIFY` after commits.
//!
//! The notice is a statement of its own and not part of the append: within a transaction PostgreSQL would make all
//! notifying commits of the whole server wait for each other. It carries the log's name and a position, and it may be
//! lost or late: readers look for themselves besides.

use std::sync::{Arc, Weak};
use std::time::Duration;

use docket_database::answered;
use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::{sleep, timeout};

use crate::failure::code;
use crate::log::Core;
use crate::{Error, EventLog};

const CHANNEL: &str = "docket_log";
/// At most one notice in this time: a burst of commits is one hint.
const EVERY: Duration = Duration::from_millis(20);
const AGAIN: Duration = Duration::from_secs(2);

impl EventLog {
    /// Starts to listen to the other processes, once for this handle and its copies; ends with the last of them.
    pub(crate) fn listen(&self) {
        if self.core().listening.set(()).is_err() {
            return;
        }
        let (name, core) = (self.name(), Arc::downgrade(self.core()));
        // Not from the service's pool: this connection would be missing there for ever.
        let options = self.pool().connect_options().as_ref().clone();
        tokio::spawn(async move {
            while core.strong_count() > 0 {
                let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
                if let Err(error) = heed(&core, &pool).await {
                    tracing::debug!(log = name, code = code(&error), "not listening now");
                }
                // It waits for the listener's connection, on which perhaps nothing comes any more.
                if timeout(AGAIN, pool.close()).await.is_err() {
                    tracing::debug!(log = name, "a listener's connection is left as it is");
                }
                sleep(AGAIN).await;
            }
        });
    }
}

/// Takes notices until the connection is lost or nobody has the log any more.
async fn heed(core: &Weak<Core>, pool: &PgPool) -> Result<(), Error> {
    let mut listener = answered(PgListener::connect_with(pool)).await?;
    answered(listener.listen(CHANNEL)).await?;
    loop {
        let Some(held) = core.upgrade() else { return Ok(()) };
        // Said again as a sign of life: notices alone would not come for ever from a database that died without a word.
        answered(sqlx::raw_sql("LISTEN docket_log").execute(&mut listener)).await?;
        // Also what was committed before we listened, or while a notice got lost.
        held.heard(held.position().await?);
        let name = held.name;
        drop(held);
        let quiet = sleep(AGAIN);
        tokio::pin!(quiet);
        loop {
            let notice = tokio::select! {
                notice = listener.recv() => notice?,
                () = &mut quiet => break,
            };
            let named = notice.payload().split_once(' ').filter(|(log, _)| *log == name);
            let position = named.and_then(|(_, position)| position.parse().ok());
            if let (Some(position), Some(held)) = (position, core.upgrade()) {
                held.heard(position);
            }
        }
    }
}

/// Tells the other processes of what this one commits, as long as somebody has the log.
pub(crate) async fn tell(core: Arc<Core>) {
    let (mut head, pool, name) = (core.head.subscribe(), core.pool.clone(), core.name);
    let core = {
        let weak = Arc::downgrade(&core);
        drop(core);
        weak
    };
    while head.changed().await.is_ok() {
        let position = *head.borrow_and_update();
        // What was heard from others is no news of ours.
        if core.upgrade().is_none_or(|core| core.has_heard(position)) {
            continue;
        }
        let payload = format!("{name} {position}");
        let told = sqlx::query!("SELECT pg_notify($1, $2)", CHANNEL, payload);
        if let Err(error) = answered(told.fetch_one(&pool)).await {
            tracing::debug!(log = name, code = code(&error.into()), "nobody was woken");
        }
        sleep(EVERY).await;
    }
}
