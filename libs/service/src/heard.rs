//! What we have heard of another service's log: asked before time is held against somebody who may have acted in time.

use std::time::Duration;

use docket_eventlog::StreamName;
use docket_messaging::{ApplyError, Behind, FeedHead, behind};
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::Base;

/// How long the owner may take to say where its log ends: others wait behind the question.
const PATIENCE: Duration = Duration::from_secs(2);
/// An owner that did not answer is not asked again for so long.
const PAUSE: Duration = Duration::from_secs(2);

/// The log of another service, as far as we have heard of it. Where that cannot be known, we have not heard all.
pub struct Heard {
    base: Base,
    log: &'static str,
    asked: Mutex<Asked>,
}

/// What the owner last said.
#[derive(Default)]
struct Asked {
    /// Where the log ended, and when by our clock that was asked.
    head: Option<(Timestamp, FeedHead)>,
    /// Why it did not say so the last time, and since when.
    failed: Option<(Instant, String)>,
}

impl Heard {
    /// Of a log that this service subscribes to.
    pub fn of(base: &Base, log: &'static str) -> Self {
        Self { base: base.clone(), log, asked: Mutex::default() }
    }

    /// Why it is not certain that all that was written to `stream` before an instant has had its effect here; none when it
    /// is. The instant has passed: the head is one that was asked for since.
    ///
    /// # Errors
    /// Our own database.
    pub async fn not_all_of(
        &self,
        stream: &StreamName,
        before: Timestamp,
    ) -> Result<Option<String>, ApplyError> {
        let mut asked = self.asked.lock().await;
        let head = match self.head_since(&mut asked, before).await {
            Ok(head) => head,
            Err(reason) => return Ok(Some(reason)),
        };
        let (base, log) = (&self.base, self.log);
        let waits_for = behind(&base.pool, (base.name, log), stream, &head).await?;
        if let Some(Behind::Epoch(_)) = waits_for {
            // The head may be the older one of the two.
            asked.head = None;
        }
        Ok(waits_for.map(|behind| format!("the log {log} is not read yet: {behind}")))
    }

    /// Where the log ended at the instant or later, or why that is not known.
    async fn head_since(&self, asked: &mut Asked, instant: Timestamp) -> Result<FeedHead, String> {
        if let Some((_, head)) = asked.head.as_ref().filter(|(at, _)| *at >= instant) {
            return Ok(head.clone());
        }
        if let Some((_, reason)) = asked.failed.as_ref().filter(|(since, _)| since.elapsed() < PAUSE) {
            return Err(reason.clone());
        }
        let now = self.base.clock.now();
        let reason = match timeout(PATIENCE, self.base.feed(self.log).head(self.log)).await {
            Ok(Ok(head)) => {
                *asked = Asked { head: Some((now, head.clone())), failed: None };
                return Ok(head);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => "no answer in time".to_owned(),
        };
        let reason = format!("where the log {} ends is not known: {reason}", self.log);
        asked.failed = Some((Instant::now(), reason.clone()));
        Err(reason)
    }
}
