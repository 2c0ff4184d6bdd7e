//! What goes on where it was when its connection ends, as each does after some minutes.
use super::Operator;
use crate::client::{passing, reason};
use crate::commands::Refused;
use anyhow::{Error, Result};
use std::time::{Duration, Instant};
use tonic::{Status, Streaming};
use uuid::Uuid;

/// How long it is tried while nothing comes. A service keeps as long what it does for somebody who is gone.
const PATIENCE: Duration = Duration::from_mins(1);
/// What no process has for so long went with the one that had it: a new connection may lead to each of them.
const GONE: Duration = Duration::from_secs(10);
/// A pause before it is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// How a piece of work is followed to its end.
pub(super) struct Following {
    /// Its id, by which it is found again.
    pub(super) run: String,
    /// Whether anything came yet.
    pub(super) begun: bool,
    moved_at: Instant,
    /// Since when no process was met that has it.
    missed_since: Option<Instant>,
}

impl Following {
    pub(super) fn new() -> Self {
        Self { run: Uuid::now_v7().to_string(), begun: false, moved_at: Instant::now(), missed_since: None }
    }

    /// Something came.
    pub(super) fn moved(&mut self) {
        (self.begun, self.moved_at, self.missed_since) = (true, Instant::now(), None);
    }

    /// Connects anew after a failure that passes. Of several processes of a service one has the work: each connection may lead
    /// to another.
    pub(super) async fn again(&self, operator: &mut Operator<'_>, mut failed: Error) -> Result<()> {
        loop {
            if !may_pass(&failed) || self.moved_at.elapsed() > PATIENCE {
                return Err(failed);
            }
            tokio::time::sleep(PAUSE).await;
            match operator.reconnect().await {
                Ok(()) => return Ok(()),
                Err(error) => failed = error,
            }
        }
    }

    /// The same for what does no harm when it is done twice: where its process was replaced it is begun again.
    pub(super) async fn again_or_anew(&mut self, operator: &mut Operator<'_>, failed: Error) -> Result<()> {
        if is_missed(&failed) {
            let since = *self.missed_since.get_or_insert_with(Instant::now);
            if since.elapsed() > GONE {
                *self = Self::new();
            }
        }
        self.again(operator, failed).await
    }
}

fn may_pass(error: &Error) -> bool {
    is_missed(error) || error.downcast_ref().is_some_and(|refused: &Refused| passing(refused.answer()))
}

/// Whether the process that was met does not have it.
fn is_missed(error: &Error) -> bool {
    error.downcast_ref().is_some_and(|refused: &Refused| reason(refused.answer()) == "RUN_NOT_HERE")
}

/// Whether a stream ended where it ends, by the word that a service has for that: what cuts a connection on its way, or in the middle
/// of an answer, may end it in order too, and says nothing.
pub(super) async fn ended<T>(messages: &mut Streaming<T>) -> Result<()> {
    match messages.trailers().await.map_err(Refused::from)? {
        Some(_said) => Ok(()),
        None => Err(cut_short()),
    }
}

/// A stream ended in order, and too early.
pub(super) fn cut_short() -> Error {
    Refused::from(Status::unavailable("the service ended this before it was done")).into()
}
