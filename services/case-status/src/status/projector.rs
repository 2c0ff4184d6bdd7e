//! Applies the log of cases to the rows, each event once, in the transaction of the checkpoint.

use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::{CaseRow, project};
use super::tables::{self, Tables};
use super::watch::Changes;

/// Writes the rows.
pub(crate) struct Projector {
    /// Where changes are told.
    pub(crate) changes: Changes,
}

#[async_trait]
impl Subscriber for Projector {
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    fn rows_only(&self) -> bool {
        true
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let live = Tables::live(tx).await?;
        apply(tx, live, event).await
    }

    async fn after_commit(&self, event: &Recorded) {
        if let Some(case_id) = event.stream.id() {
            self.changes.tell(case_id);
        }
    }
}

/// Applies one event to the rows; one that they have already changes nothing.
async fn apply(tx: &mut PgConnection, tables: Tables, event: &Recorded) -> Result<(), ApplyError> {
    let case_id =
        event.stream.id().ok_or_else(|| ApplyError::Park("the stream's name holds no id".to_owned()))?;
    let before = tables::lock(tx, tables, case_id).await?;
    let before = before.unwrap_or_else(|| CaseRow { case_id, ..CaseRow::default() });
    if event.version <= before.version {
        return known(tx, tables, case_id, event).await;
    }
    if event.version != before.version + 1 {
        let (have, got) = (before.version, event.version);
        return Err(ApplyError::Park(format!("version {got} came after version {have}")));
    }
    let (row, line) = project(before, case_id, event)?;
    tables::write_cases(tx, tables, &[row]).await?;
    tables::write_lines(tx, tables, &[line]).await?;
    Ok(())
}

/// An event that the rows have: it must be the one they have. After a restore of the log another may stand at its version, and
/// what the rows tell is then of a history that is lost.
async fn known(
    tx: &mut PgConnection,
    tables: Tables,
    case_id: Uuid,
    event: &Recorded,
) -> Result<(), ApplyError> {
    let (kind, recorded_at_us) = (event.kind.as_str(), event.recorded_at.as_microsecond());
    if tables::has_line(tx, tables, (case_id, event.version), (kind, recorded_at_us)).await? {
        return Ok(());
    }
    let version = event.version;
    Err(ApplyError::Park(format!(
        "the rows have another event at version {version}: the log was restored; build the projection again"
    )))
}
