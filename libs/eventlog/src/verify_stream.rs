//! `verify` of one stream: its events in the order of their versions, and the head beside them. It does not stop at the
//! first fault, and a stream of any length is looked at a page at a time.

use uuid::Uuid;

use crate::chain::NO_LINK;
use crate::heads::End;
use crate::read::stream_rows;
use crate::row::Row;
use crate::verify::{ALTERED, Broken, Faults};
use crate::{Error, EventLog, StreamName, Verified};

/// Events read at a time.
const PAGE: u32 = 1_000;

impl EventLog {
    /// Checks versions, order, bytes and links of one stream, and its head; none when nothing speaks of such a stream.
    /// `from` and `to` are versions here, and no checkpoint is met.
    ///
    /// # Errors
    /// [`Error::Database`]. A fault of the stream is no error but an answer.
    pub async fn verify_stream(&self, name: &StreamName) -> Result<Option<Verified>, Error> {
        // Before the events: it may move on meanwhile, but never back.
        let guard = self.guard(name).await?;
        let mut faults = Faults::default();
        let mut last = End { version: 0, link: NO_LINK, position: 0 };
        loop {
            let from = last.version + 1;
            let page = stream_rows(self.pool(), self.core(), name, from, u64::MAX, PAGE).await?;
            let more = page.len() == PAGE as usize;
            for row in page {
                let (id, here) = (row.event_id, row.end());
                if let Err(fault) = self.follows(&last, row) {
                    faults.add(broken(name, &here, Some(id), fault));
                }
                // What follows is compared with what stands here.
                last = here;
            }
            if !more {
                break;
            }
        }
        if let Some(fault) = head_fault(name, guard.as_ref(), &last) {
            let at = guard.filter(|guard| guard.version > last.version).unwrap_or(last);
            faults.add(broken(name, &at, None, fault));
        }
        Ok((guard.is_some() || last.version > 0).then(|| faults.verified(1, last.version)))
    }

    /// Whether the row is the next event of the stream.
    fn follows(&self, last: &End, row: Row) -> Result<(), String> {
        let (position, version) = (row.position.unsigned_abs(), row.version.unsigned_abs());
        if version != last.version + 1 {
            return Err(format!("version {version} follows version {}", last.version));
        }
        if position <= last.position {
            return Err(format!(
                "it stands before version {}, which is at position {}",
                last.version, last.position
            ));
        }
        let event = row.into_recorded(self.core()).map_err(|error| error.to_string())?;
        if !event.follows(&last.link) {
            return Err(ALTERED.to_owned());
        }
        Ok(())
    }

    async fn guard(&self, name: &StreamName) -> Result<Option<End>, Error> {
        let row = sqlx::query!(
            "SELECT version, link, last_position FROM log.stream WHERE log = $1 AND name = $2",
            self.name(),
            name.as_str()
        )
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|row| End::read(row.version, &row.link, row.last_position)))
    }
}

/// What is wrong with the head, which may have been moved on since it was read.
fn head_fault(name: &StreamName, guard: Option<&End>, last: &End) -> Option<String> {
    match guard {
        None if last.version > 0 => Some(format!("the head of {name} is missing")),
        Some(guard) if guard.version > last.version || (guard.version == last.version && guard != last) => {
            Some(format!("the head of {name} differs from its events"))
        }
        None | Some(_) => None,
    }
}

fn broken(name: &StreamName, at: &End, event_id: Option<Uuid>, fault: String) -> Broken {
    Broken { position: at.position, event_id, place: Some((name.to_string(), at.version)), fault }
}
