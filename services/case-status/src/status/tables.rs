//! The rows as the projector writes them: in use, or built again beside those.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::row::{CaseRow, TimelineRow};

/// Columns of a case row.
pub(crate) const COLUMNS: &str =
    "case_id, version, changed_at_us, party_version, party_changed_at_us, task, waiting_since_us, state";

/// Which rows: those in use, or those built again beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    /// In use.
    Live,
    /// Built again.
    Rebuilt,
}

impl Tables {
    /// The rows of cases.
    pub(crate) fn cases(self) -> &'static str {
        match self {
            Self::Live => "case_row",
            Self::Rebuilt => "case_row_rebuilt",
        }
    }

    /// The lines.
    pub(crate) fn lines(self) -> &'static str {
        match self {
            Self::Live => "timeline",
            Self::Rebuilt => "timeline_rebuilt",
        }
    }
}

/// Reads a row of [`COLUMNS`].
pub(crate) fn case_row(row: &PgRow) -> Result<CaseRow, sqlx::Error> {
    let state: serde_json::Value = row.try_get("state")?;
    let unsigned = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
    Ok(CaseRow {
        case_id: row.try_get("case_id")?,
        case: serde_json::from_value(state).map_err(|error| sqlx::Error::Decode(error.into()))?,
        version: unsigned("version")?,
        changed_at_us: row.try_get("changed_at_us")?,
        party_version: unsigned("party_version")?,
        party_changed_at_us: row.try_get("party_changed_at_us")?,
        task: row.try_get("task")?,
        waiting_since_us: row.try_get("waiting_since_us")?,
    })
}

/// The row of a case for the projector, locked.
pub(crate) async fn lock(
    tx: &mut PgConnection,
    tables: Tables,
    case_id: Uuid,
) -> Result<Option<CaseRow>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM {} WHERE case_id = $1 FOR UPDATE", tables.cases());
    let row = sqlx::query(AssertSqlSafe(sql)).bind(case_id).fetch_optional(tx).await?;
    row.as_ref().map(case_row).transpose()
}

/// Writes the rows after an event.
pub(crate) async fn write(
    tx: &mut PgConnection,
    tables: Tables,
    row: &CaseRow,
    line: &TimelineRow,
) -> Result<(), sqlx::Error> {
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let state = serde_json::to_value(&row.case).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let (cases, lines) = (tables.cases(), tables.lines());
    let sql = format!(
        "INSERT INTO {cases} (case_id, receipt_number, party, officer, office, site, stage, task,
             waiting_since_us, submitted_at_us, version, changed_at_us, party_version, party_changed_at_us, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (case_id) DO UPDATE SET receipt_number = excluded.receipt_number, party = excluded.party,
             officer = excluded.officer, office = excluded.office, site = excluded.site, stage = excluded.stage,
             task = excluded.task, waiting_since_us = excluded.waiting_since_us,
             submitted_at_us = excluded.submitted_at_us, version = excluded.version,
             changed_at_us = excluded.changed_at_us, party_version = excluded.party_version,
             party_changed_at_us = excluded.party_changed_at_us, state = excluded.state"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(row.case_id)
        .bind(&row.case.receipt_number)
        .bind(row.case.party)
        .bind(row.case.officer)
        .bind(&row.case.office)
        .bind(row.site())
        .bind(row.case.stage.as_str())
        .bind(&row.task)
        .bind(row.waiting_since_us)
        .bind(row.case.submitted_at_us)
        .bind(signed(row.version))
        .bind(row.changed_at_us)
        .bind(signed(row.party_version))
        .bind(row.party_changed_at_us)
        .bind(state)
        .execute(&mut *tx)
        .await?;
    let facts = serde_json::to_value(&line.line.facts).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let sql = format!(
        "INSERT INTO {lines} (case_id, version, kind, text_id, facts, office_only, recorded_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(line.case_id)
        .bind(signed(line.version))
        .bind(&line.kind)
        .bind(&line.line.text)
        .bind(facts)
        .bind(line.line.office_only)
        .bind(line.recorded_at_us)
        .execute(tx)
        .await?;
    Ok(())
}
