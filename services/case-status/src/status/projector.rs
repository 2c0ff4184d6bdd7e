//! Applies the log of cases to the rows, each event once, in the transaction of the checkpoint.

use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;

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
        return Ok(());
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
