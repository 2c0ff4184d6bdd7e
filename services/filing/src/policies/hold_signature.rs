//! Every day each filing that is signed or approved and not sent is held against the form as it is, though nobody opens it: whoever
//! signed what now reads otherwise is told within a day.

use docket_eventlog::Timer;
use docket_service::{ApiError, ApplyError};
use jiff::{Timestamp, ToSpan as _};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::desk::Desk;
use crate::edition;

/// The kind of its timers.
pub(crate) const KIND: &str = "signature_held";
/// Between two looks.
const EVERY_H: i64 = 24;

/// The timer of a filing that is signed or approved now.
pub(crate) fn held(filing: Uuid, now: Timestamp) -> Timer {
    Timer::new(format!("signature-held:{filing}"), KIND, now + EVERY_H.hours(), filing.as_bytes().to_vec())
}

/// Looks, and looks again tomorrow where a signature or an approval stands.
pub(super) async fn fire(desk: &Desk, tx: &mut PgConnection, id: Uuid) -> Result<(), ApplyError> {
    let closed = desk.dossiers.find(id).await.map_err(later)?;
    if !closed.filing.is_agreed() {
        return Ok(());
    }
    let dossier = desk.dossiers.open(closed).await.map_err(later)?;
    let dossier = edition::present(desk, dossier).await.map_err(later)?;
    if dossier.filing.is_agreed() && !dossier.content.erased {
        let again = held(id, desk.base.clock.now());
        desk.log.timers().schedule_in(tx, &again).await?;
    }
    Ok(())
}

fn later(error: ApiError) -> ApplyError {
    ApplyError::Retry(anyhow::anyhow!("the filing: {}", error.cause()))
}
