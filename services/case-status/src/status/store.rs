//! The tables of the projection. One condition says who sees a row; get, list, count, timeline and watch all use it.

use std::collections::HashMap;

use sqlx::PgPool;
use uuid::Uuid;

use super::row::{AHEAD_US, CaseRow, TimelineRow};
use super::tables::{COLUMNS, Tables, case_row};
use super::viewer::Viewer;
use crate::domain::timeline::Line;

/// Who sees a case: its party and who acts for the party, the officer who has it, supervisors of its office, intake before acceptance.
/// $1 account, $2 offices where the viewer is an officer, $3 offices supervised, with the empty one of before acceptance where
/// that is intake's, $4 whether the viewer is intake.
const VISIBLE: &str = "(party = $1 OR representative = $1
    OR (party IS DISTINCT FROM $1 AND representative IS DISTINCT FROM $1 AND (
    (officer = $1 AND office = ANY($2)) OR office = ANY($3) OR ($4 AND stage = 'submitted'))))";

/// A list of what [`VISIBLE`] shows in one set, nothing where that is not in use: in as many parts as there are ways to see a case, each
/// read in order and no further than a page goes. Of the set itself, since what a view puts together from both is not read in order.
/// $5 and $6 the last case of the page before, and when it changed; $7 how many.
fn listed(tables: Tables) -> String {
    let (cases, slot) = (tables.cases(), tables.slot());
    let part = |of: &str, changed: &str| {
        format!(
            "(SELECT case_id, {changed} AS shown_us FROM {cases}
              WHERE {of} AND ({changed}, case_id) < ($5, $6)
                  AND (SELECT live = '{slot}' FROM projection WHERE name = 'status')
              ORDER BY {changed} DESC, case_id DESC LIMIT $7)"
        )
    };
    let office = |of: &str| {
        let of = format!("{of} AND party IS DISTINCT FROM $1 AND representative IS DISTINCT FROM $1");
        part(&of, "changed_at_us")
    };
    let of_party = part("party = $1", "party_changed_at_us");
    let of_representative = part("representative = $1", "party_changed_at_us");
    let of_officer = office("officer = $1 AND office = ANY($2)");
    let of_supervisor = office("office = supervised.at");
    let of_intake = office("$4 AND office = '' AND stage = 'submitted'");
    format!(
        "SELECT {COLUMNS}, shown_us FROM (
             SELECT case_id, shown_us FROM (
                 {of_party} UNION {of_representative} UNION {of_officer} UNION {of_intake}
                 UNION (SELECT each.case_id, each.shown_us
                        FROM unnest($3::text[]) AS supervised (at) CROSS JOIN LATERAL {of_supervisor} AS each)) AS seen
             ORDER BY shown_us DESC, case_id DESC LIMIT $7) AS shown
         JOIN {cases} USING (case_id)"
    )
}

/// How a case is named.
#[derive(Debug, Clone)]
pub(crate) enum Key {
    /// By its id.
    Id(Uuid),
    /// By its receipt number.
    Receipt(String),
}

/// A queue of the worklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Queue {
    /// The viewer's own cases.
    Mine,
    /// Of the offices supervised, and of the sites where the viewer works.
    Office,
    /// Of the offices supervised, without an officer; and what waits for intake.
    Unassigned,
}

impl Queue {
    /// $5 sites where the viewer captures biometrics, $6 sites where the viewer hears oaths, $7 offices whose cards the
    /// viewer follows. Who is expected at a site stands in its queue whatever else is to be done in the case. An officer's own
    /// queue leaves a card to those who make and mail it, and a reopening to a supervisor.
    fn condition(self) -> &'static str {
        match self {
            Self::Mine => {
                "(officer = $1 AND office = ANY($2) AND representative IS DISTINCT FROM $1 AND (answer <> ''
                    OR (task <> '' AND task NOT IN ('produce_card', 'mail_card', 'see_to_card', 'reopen'))))"
            }
            Self::Office => {
                "(party IS DISTINCT FROM $1 AND representative IS DISTINCT FROM $1 AND (
                    ((task <> '' OR answer <> '') AND office = ANY($3))
                    OR (state->>'biometrics' = 'scheduled' AND stage IN ('accepted', 'in_review', 'decision_pending')
                        AND site <> '' AND site = ANY($5))
                    OR (task IN ('record_oath', 'issue_certificate') AND site = ANY($6))
                    OR (task IN ('produce_card', 'mail_card', 'see_to_card') AND office = ANY($7))
                    OR ($4 AND task = 'intake')))"
            }
            Self::Unassigned => {
                "(party IS DISTINCT FROM $1 AND representative IS DISTINCT FROM $1 AND officer IS NULL AND (
                    ((task <> '' OR answer <> '') AND office = ANY($3))
                    OR ($4 AND task = 'intake')))"
            }
        }
    }
}

/// A case the viewer may see.
pub(crate) async fn get(pool: &PgPool, viewer: &Viewer, key: &Key) -> Result<Option<CaseRow>, sqlx::Error> {
    let (id, receipt) = match key {
        Key::Id(id) => (Some(*id), None),
        Key::Receipt(receipt) => (None, Some(receipt.as_str())),
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM case_row WHERE {VISIBLE} AND (case_id = $5 OR ($6 <> '' AND receipt_number = $6))"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(viewer.account)
        .bind(&viewer.officer_at)
        .bind(&viewer.supervises)
        .bind(viewer.is_intake)
        .bind(id)
        .bind(receipt.unwrap_or_default())
        .fetch_optional(pool)
        .await?;
    row.as_ref().map(case_row).transpose()
}

/// Cases the viewer may see, newest change first, after a key of the page before.
pub(crate) async fn list(
    pool: &PgPool,
    viewer: &Viewer,
    after: Option<(i64, Uuid)>,
    limit: u32,
) -> Result<Vec<CaseRow>, sqlx::Error> {
    let (after_us, after_id) = after.unwrap_or((i64::MAX, Uuid::max()));
    let (a, b) = (listed(Tables::A), listed(Tables::B));
    let sql = format!("{a} UNION ALL {b} ORDER BY shown_us DESC, case_id DESC");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(viewer.account)
        .bind(&viewer.officer_at)
        .bind(&viewer.supervises)
        .bind(viewer.is_intake)
        .bind(after_us)
        .bind(after_id)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await?;
    rows.iter().map(case_row).collect()
}

/// Stage and outcome of cases, by id.
pub(crate) type Linked = HashMap<Uuid, (String, String)>;

/// How the cases stand that these are linked with.
pub(crate) async fn linked(
    pool: &PgPool,
    rows: impl IntoIterator<Item = &CaseRow>,
) -> Result<Linked, sqlx::Error> {
    let ids: Vec<Uuid> = rows.into_iter().flat_map(|row| &row.case.links).map(|link| link.case).collect();
    if ids.is_empty() {
        return Ok(Linked::new());
    }
    let sql = "SELECT case_id, stage, coalesce(state->>'outcome', '') FROM case_row WHERE case_id = ANY($1)";
    let rows: Vec<(Uuid, String, String)> = sqlx::query_as(sql).bind(ids).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(id, stage, outcome)| (id, (stage, outcome))).collect())
}

/// Lines of a case the viewer was found to see, oldest first, recorded up to an instant.
pub(crate) async fn lines(
    pool: &PgPool,
    case_id: Uuid,
    office: bool,
    as_of_us: i64,
) -> Result<Vec<TimelineRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT version AS "version!", kind AS "kind!", text_id AS "text_id!", facts AS "facts!",
                office_only AS "office_only!", recorded_at_us AS "recorded_at_us!"
         FROM timeline WHERE case_id = $1 AND ($2 OR NOT office_only) AND recorded_at_us <= $3 ORDER BY version"#,
        case_id,
        office,
        as_of_us,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(TimelineRow {
                case_id,
                version: row.version.unsigned_abs(),
                kind: row.kind,
                line: Line {
                    text: row.text_id,
                    facts: serde_json::from_value(row.facts)
                        .map_err(|error| sqlx::Error::Decode(error.into()))?,
                    office_only: row.office_only,
                },
                recorded_at_us: row.recorded_at_us,
            })
        })
        .collect()
}

/// A queue, expedited cases first and else the oldest receipt, and how many are in it: both as of one moment.
pub(crate) async fn queue(
    pool: &PgPool,
    viewer: &Viewer,
    queue: Queue,
    after: Option<(i64, Uuid)>,
    limit: u32,
) -> Result<(Vec<CaseRow>, u64), sqlx::Error> {
    let mut moment =
        docket_database::begin_with(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let condition = queue.condition();
    let (after_place, after_id) = after.unwrap_or((i64::MIN, Uuid::nil()));
    let place = format!("(submitted_at_us - CASE WHEN expedited THEN {AHEAD_US} ELSE 0 END)");
    let sql = format!(
        "SELECT {COLUMNS} FROM case_row
         WHERE {condition} AND ({place}, case_id) > ($8, $9) AND $5::text[] IS NOT NULL
           AND $6::text[] IS NOT NULL AND $7::text[] IS NOT NULL AND $2::text[] IS NOT NULL AND $3::text[] IS NOT NULL AND $4 IS NOT NULL
         ORDER BY {place}, case_id LIMIT $10"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(viewer.account)
        .bind(&viewer.officer_at)
        .bind(&viewer.supervises)
        .bind(viewer.is_intake)
        .bind(&viewer.captures_at)
        .bind(&viewer.oaths_at)
        .bind(&viewer.records_at)
        .bind(after_place)
        .bind(after_id)
        .bind(i64::from(limit))
        .fetch_all(&mut *moment)
        .await?;
    let sql = format!(
        "SELECT count(*) FROM case_row WHERE {condition} AND $5::text[] IS NOT NULL
           AND $6::text[] IS NOT NULL AND $7::text[] IS NOT NULL AND $2::text[] IS NOT NULL AND $3::text[] IS NOT NULL AND $4 IS NOT NULL"
    );
    let total: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(viewer.account)
        .bind(&viewer.officer_at)
        .bind(&viewer.supervises)
        .bind(viewer.is_intake)
        .bind(&viewer.captures_at)
        .bind(&viewer.oaths_at)
        .bind(&viewer.records_at)
        .fetch_one(&mut *moment)
        .await?;
    moment.commit().await?;
    Ok((rows.iter().map(case_row).collect::<Result<_, _>>()?, total.unsigned_abs()))
}

/// A case by its receipt number, whoever asks: only its form and title may leave. That somebody asks for asylum is told to
/// nobody (8 CFR 208.6), nor anything of who says that a case of theirs is protected (8 USC 1367): it is as if there were none.
pub(crate) async fn public(pool: &PgPool, receipt_number: &str) -> Result<Option<CaseRow>, sqlx::Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM case_row
         WHERE receipt_number = $1 AND receipt_number <> '' AND state->>'family' <> 'asylum'
           AND NOT EXISTS (SELECT FROM case_row AS known
               WHERE known.party = case_row.party AND known.state->>'move_route' = 'protected')"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(receipt_number).fetch_optional(pool).await?;
    row.as_ref().map(case_row).transpose()
}
