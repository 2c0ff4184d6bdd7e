//! The rows as the projector writes them, in the set in use or in the one beside it.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::row::{CaseRow, TimelineRow};

/// Columns of a case row.
pub(crate) const COLUMNS: &str =
    "case_id, version, changed_at_us, party_version, party_changed_at_us, task, waiting_since_us, state";

/// One of the two sets of rows; the row of `projection` says which is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    A,
    B,
}

impl Tables {
    /// The set in use, which stays so until the transaction ends.
    pub(crate) async fn live(tx: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let slot =
            sqlx::query_scalar!(r#"SELECT projection_live('status') AS "live!""#).fetch_one(tx).await?;
        Self::named(&slot)
    }

    /// The set with the name in its row.
    pub(crate) fn named(slot: &str) -> Result<Self, sqlx::Error> {
        match slot {
            "a" => Ok(Self::A),
            "b" => Ok(Self::B),
            other => Err(sqlx::Error::Decode(format!("there is no set {other}").into())),
        }
    }

    /// Its name in the rows that tell of it.
    pub(crate) fn slot(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// The rows of cases.
    pub(crate) fn cases(self) -> &'static str {
        match self {
            Self::A => "case_row_a",
            Self::B => "case_row_b",
        }
    }

    /// The lines.
    pub(crate) fn lines(self) -> &'static str {
        match self {
            Self::A => "timeline_a",
            Self::B => "timeline_b",
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

/// The rows of some cases.
pub(crate) async fn load(
    conn: &mut PgConnection,
    tables: Tables,
    cases: &[Uuid],
) -> Result<Vec<CaseRow>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} FROM {} WHERE case_id = ANY($1)", tables.cases());
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(cases).fetch_all(conn).await?;
    rows.iter().map(case_row).collect()
}

/// Whether the line of a case at a version is of an event of this kind, recorded at this instant.
pub(crate) async fn has_line(
    tx: &mut PgConnection,
    tables: Tables,
    (case_id, version): (Uuid, u64),
    (kind, recorded_at_us): (&str, i64),
) -> Result<bool, sqlx::Error> {
    let lines = tables.lines();
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {lines}
         WHERE case_id = $1 AND version = $2 AND kind = $3 AND recorded_at_us = $4)"
    );
    let found = sqlx::query_scalar(AssertSqlSafe(sql)).bind(case_id).bind(signed(version));
    found.bind(kind).bind(recorded_at_us).fetch_one(tx).await
}

/// Writes rows of cases, each as it is now, in one statement.
pub(crate) async fn write_cases(
    conn: &mut PgConnection,
    tables: Tables,
    rows: &[CaseRow],
) -> Result<(), sqlx::Error> {
    let mut states = Vec::with_capacity(rows.len());
    for row in rows {
        states.push(json(&row.case)?);
    }
    let cases = tables.cases();
    let sql = format!(
        "INSERT INTO {cases} (case_id, receipt_number, party, officer, office, site, stage, task,
             waiting_since_us, submitted_at_us, version, changed_at_us, party_version, party_changed_at_us, state,
             representative, answer, expedited)
         SELECT case_id, receipt_number, party, officer, office, site, stage, task, waiting_since_us,
             submitted_at_us, version, changed_at_us, party_version, party_changed_at_us, state::jsonb,
             representative, answer, expedited
         FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
             $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[],
             $16::uuid[], $17::text[], $18::boolean[])
             AS new (case_id, receipt_number, party, officer, office, site, stage, task, waiting_since_us,
                 submitted_at_us, version, changed_at_us, party_version, party_changed_at_us, state, representative,
                 answer, expedited)
         ON CONFLICT (case_id) DO UPDATE SET receipt_number = excluded.receipt_number, party = excluded.party,
             officer = excluded.officer, office = excluded.office, site = excluded.site, stage = excluded.stage,
             task = excluded.task, waiting_since_us = excluded.waiting_since_us,
             submitted_at_us = excluded.submitted_at_us, version = excluded.version,
             changed_at_us = excluded.changed_at_us, party_version = excluded.party_version,
             party_changed_at_us = excluded.party_changed_at_us, state = excluded.state,
             representative = excluded.representative, answer = excluded.answer, expedited = excluded.expedited"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(column(rows, |row| row.case_id))
        .bind(column(rows, |row| row.case.receipt_number.as_str()))
        .bind(column(rows, |row| row.case.party))
        .bind(column(rows, |row| row.case.officer))
        .bind(column(rows, |row| row.case.office.as_str()))
        .bind(column(rows, CaseRow::site))
        .bind(column(rows, |row| row.case.stage.as_str()))
        .bind(column(rows, |row| row.task.as_str()))
        .bind(column(rows, |row| row.waiting_since_us))
        .bind(column(rows, |row| row.case.submitted_at_us))
        .bind(column(rows, |row| signed(row.version)))
        .bind(column(rows, |row| row.changed_at_us))
        .bind(column(rows, |row| signed(row.party_version)))
        .bind(column(rows, |row| row.party_changed_at_us))
        .bind(states)
        .bind(column(rows, |row| row.case.representative()))
        .bind(column(rows, CaseRow::answer))
        .bind(column(rows, |row| row.case.is_expedited()))
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes lines in one statement; one that is there already stays.
pub(crate) async fn write_lines(
    conn: &mut PgConnection,
    tables: Tables,
    rows: &[TimelineRow],
) -> Result<(), sqlx::Error> {
    let mut facts = Vec::with_capacity(rows.len());
    for row in rows {
        facts.push(json(&row.line.facts)?);
    }
    let lines = tables.lines();
    let sql = format!(
        "INSERT INTO {lines} (case_id, version, kind, text_id, facts, office_only, recorded_at_us)
         SELECT case_id, version, kind, text_id, facts::jsonb, office_only, recorded_at_us
         FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::bigint[])
             AS new (case_id, version, kind, text_id, facts, office_only, recorded_at_us)
         ON CONFLICT (case_id, version) DO NOTHING"
    );
    sqlx::query(AssertSqlSafe(sql))
        .bind(column(rows, |row| row.case_id))
        .bind(column(rows, |row| signed(row.version)))
        .bind(column(rows, |row| row.kind.as_str()))
        .bind(column(rows, |row| row.line.text.as_str()))
        .bind(facts)
        .bind(column(rows, |row| row.line.office_only))
        .bind(column(rows, |row| row.recorded_at_us))
        .execute(conn)
        .await?;
    Ok(())
}

fn column<'a, R, T: 'a>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

fn json(value: &impl serde::Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
