//! When a file was taken off a draft or an answer a week ago, then its sealed object goes too, unless somebody signed with it or a
//! hold is in force.
//!
//! The timer is set with the event and is gone only with the object, so that no crash leaves it behind. A week: so long whoever
//! brings the database back to an earlier point finds the files that it speaks of, as they find those of unfinished uploads.

use docket_eventlog::{Aggregate, Loaded, Recorded, Timer};
use docket_kernel::DecodeError;
use docket_service::ApplyError;
use jiff::{Timestamp, ToSpan as _};
use sqlx::PgConnection;
use uuid::Uuid;

use super::keep_draft::{TOMORROW_H, again, is_held, unreached};
use super::park;
use crate::desk::{Desk, evidence_in};
use crate::domain::taken_off;

/// The kind of its timers.
pub(super) const KIND: &str = "file_removed";
/// How long it is kept.
const GRACE_H: i64 = 7 * 24;

/// The timer of a file that is taken off now, by its name.
pub(crate) fn timer(evidence: &str, now: Timestamp) -> Timer {
    due(evidence, now + GRACE_H.hours())
}

fn due(evidence: &str, due_at: Timestamp) -> Timer {
    Timer::new(format!("file-removed:{evidence}"), KIND, due_at, evidence.as_bytes().to_vec())
}

/// Takes the object away. Everything may be repeated.
pub(super) async fn fire(desk: &Desk, tx: &mut PgConnection, timer: &Timer) -> Result<(), ApplyError> {
    let name = std::str::from_utf8(&timer.payload).map_err(|_| park("the timer's payload is no name"))?;
    let Some((filing, object_key)) = nobodys(desk, name).await? else { return Ok(()) };
    if is_held(desk, filing).await? {
        return again(desk, tx, due(name, desk.base.clock.now() + TOMORROW_H.hours())).await;
    }
    desk.base.objects.delete(&object_key).await.map_err(unreached)
}

/// The object of the file, and the filing under whose key it is sealed; none where it still belongs to something.
async fn nobodys(desk: &Desk, name: &str) -> Result<Option<(Uuid, String)>, ApplyError> {
    let no_name = |_refusal| park("the timer's payload names no file");
    if name.starts_with("responses/") {
        let (id, file) = evidence_in("responses", name).map_err(no_name)?;
        let loaded = desk.responses.load(id).await?;
        let events = events_of(&loaded)?;
        let key = taken_off::nobodys(events.iter().map(taken_off::of_response), file);
        return Ok(key.map(|key| (loaded.state.case, key.to_owned())));
    }
    let (id, file) = evidence_in("filings", name).map_err(no_name)?;
    let events = events_of(&desk.filings.load(id).await?)?;
    let key = taken_off::nobodys(events.iter().map(taken_off::of_filing), file);
    Ok(key.map(|key| (id, key.to_owned())))
}

/// What happened to a filing, or to a response.
pub(super) fn events_of<A: Aggregate>(loaded: &Loaded<A>) -> Result<Vec<A::Event>, DecodeError> {
    loaded.events.iter().map(Recorded::decode).collect()
}
