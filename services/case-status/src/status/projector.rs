//! Applies the log of cases to the rows, each event once, in the transaction of the checkpoint.

use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;

use super::row::{CaseRow, project};
use super::store;
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

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let case_id =
            event.stream.id().ok_or_else(|| ApplyError::Park("the stream's name holds no id".to_owned()))?;
        let before =
            store::lock(tx, case_id).await?.unwrap_or_else(|| CaseRow { case_id, ..CaseRow::default() });
        if event.version <= before.version {
            return Ok(());
        }
        if event.version != before.version + 1 {
            let (have, got) = (before.version, event.version);
            return Err(ApplyError::Park(format!("version {got} came after version {have}")));
        }
        let (row, line) = project(before, case_id, event)?;
        store::write(tx, &row, &line).await?;
        Ok(())
    }

    async fn after_commit(&self, event: &Recorded) {
        if let Some(case_id) = event.stream.id() {
            self.changes.tell(case_id);
        }
    }
}
