//! Compares the two sets, a hash for each case: over its row and all its lines.

use std::time::Duration;

use docket_service::{ApiError, Base};
use sqlx::{AssertSqlSafe, Row as _};
use tokio::time::sleep;
use uuid::Uuid;

use super::super::tables::Tables;
use super::build::{Limits, Progress, build};
use super::sets::{self, Set};

/// How often cases that move meanwhile are looked at again before they count as different.
const LOOKS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// Cases that are named.
const EXAMPLES: usize = 20;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) equal: u64,
    pub(super) differing: u64,
    pub(super) examples: Vec<Uuid>,
    /// The set beside is up to here.
    pub(super) position: u64,
}

/// Brings the set beside up to date and compares. The projection goes on meanwhile: a case of which one set knows more is
/// looked at again.
pub(super) async fn compare(base: &Base, beside: &Set) -> Result<Found, ApiError> {
    let progress = Progress::default();
    let mut found = Found { position: beside.position, ..Found::default() };
    let mut of: Option<Vec<Uuid>> = None;
    for look in 1..=LOOKS {
        found.position =
            build(base, beside.tables, found.position, false, Limits::default(), &progress).await?;
        sets::caught_up(base, beside.tables, found.position).await?;
        let seen = look_at(base, beside.tables, of.as_deref()).await?;
        found.equal += seen.equal;
        found.differing += seen.differing.len() as u64;
        found.examples.extend(seen.differing);
        let mut moving = seen.moving;
        if look == LOOKS {
            found.differing += moving.len() as u64;
            found.examples.append(&mut moving);
        }
        if moving.is_empty() {
            break;
        }
        of = Some(moving);
        sleep(PAUSE).await;
    }
    found.examples.truncate(EXAMPLES);
    Ok(found)
}

struct Seen {
    equal: u64,
    differing: Vec<Uuid>,
    /// Of these one set knows more than the other.
    moving: Vec<Uuid>,
}

/// Some cases, or all, as of one moment.
async fn look_at(base: &Base, beside: Tables, of: Option<&[Uuid]>) -> Result<Seen, ApiError> {
    let hashed = |tables: Tables| {
        let (cases, lines) = (tables.cases(), tables.lines());
        format!(
            "SELECT case_id, version, sha256(convert_to(to_jsonb(c)::text || coalesce((
                 SELECT string_agg(to_jsonb(l)::text, '' ORDER BY l.version) FROM {lines} AS l
                 WHERE l.case_id = c.case_id), ''), 'UTF8')) AS hash
             FROM {cases} AS c WHERE $1::uuid[] IS NULL OR case_id = ANY($1)"
        )
    };
    let (live, beside) = (hashed(beside.other()), hashed(beside));
    let sql = format!(
        "WITH live AS ({live}), beside AS ({beside}), both_sets AS (
             SELECT case_id, live.hash IS NOT DISTINCT FROM beside.hash AS equal,
                    live.version IS NOT DISTINCT FROM beside.version AS level
             FROM live FULL JOIN beside USING (case_id))
         SELECT count(*) FILTER (WHERE equal) AS equal,
                coalesce(array_agg(case_id) FILTER (WHERE NOT equal AND level), '{{}}') AS differing,
                coalesce(array_agg(case_id) FILTER (WHERE NOT equal AND NOT level), '{{}}') AS moving
         FROM both_sets"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(of).fetch_one(&base.pool).await?;
    Ok(Seen {
        equal: row.try_get::<i64, _>("equal")?.unsigned_abs(),
        differing: row.try_get("differing")?,
        moving: row.try_get("moving")?,
    })
}
