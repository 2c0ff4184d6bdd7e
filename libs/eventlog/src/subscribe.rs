//! A live subscription: everything after a position, in order, for as long as somebody asks.
//!
//! What wakes it is only a hint: a commit of this process, a notice of another (`wake`), or a look now and then. What it
//! gives is read by position, so nothing is missed whichever hint is lost.
//!
//! A log that is restored to an earlier point writes other events at positions that were read already. Whoever read them
//! is told, as a consumer is, and is given nothing of the other history.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::parting::Seen;
use crate::{Error, EventLog, Filter, Page};

/// How long after a silence the log is looked at without a hint.
const LOOK: Duration = Duration::from_secs(1);
/// Most events given at once: all that is ever held in memory.
const BATCH: u32 = 500;

/// A place in a log that moves forward as it is read.
#[derive(Debug)]
pub struct Subscription {
    log: EventLog,
    filter: Filter,
    after: u64,
    /// The epoch of the log when it was last looked at; none before the first look.
    epoch: Option<Seen>,
    head: watch::Receiver<u64>,
}

impl EventLog {
    /// Everything wanted after `after`, also what is yet to come.
    pub fn subscribe(&self, after: u64, filter: Filter) -> Subscription {
        self.listen();
        Subscription { log: self.clone(), filter, after, epoch: None, head: self.subscribe_head() }
    }
}

impl Subscription {
    /// Up to where everything was given.
    pub fn position(&self) -> u64 {
        self.after
    }

    /// The next events, at least one; waits for them. Dropping the future loses nothing.
    ///
    /// # Errors
    /// As [`EventLog::read_stream`]; ask again to go on from where it was. [`Error::Restored`] when the log has no longer
    /// what was read up to here, each time it is asked.
    pub async fn next(&mut self) -> Result<Page, Error> {
        loop {
            // First the hint is taken, then the log is read: what comes between wakes again.
            self.head.mark_unchanged();
            let end = self.log.end_for(self.after, &mut self.epoch).await?;
            let page = self.log.read_page_to(end, self.after, BATCH, &self.filter).await?;
            let moved = page.up_to > self.after;
            self.after = page.up_to;
            if !page.events.is_empty() {
                return Ok(page);
            }
            if moved {
                continue;
            }
            // Also where the hint is of what is gone, since the log was set back. A late or lost hint costs at most a look; the
            // log itself cannot be closed while we hold it.
            let _looked = timeout(LOOK, self.head.changed()).await;
        }
    }
}
