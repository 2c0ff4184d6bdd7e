//! Compares the two sets, a hash for each case: over its row and all its lines.

use std::time::Duration;

use docket_service::{ApiError, Base};
use sqlx::{AssertSqlSafe, Row as _};
use tokio::time::sleep;
use uuid::Uuid;

use super::super::tables::Tables;
use super::build::{Limits, Progress, build};
use super::sets::{self, Set};

/// How often cases of which one set knows more are looked at while none of them goes on, before they count as different.
const STILL: u32 = 20;
/// How often they are looked at whatever they do: a case may go on for ever.
const LOOKS: u32 = 6_000;
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
/// looked at again for as long as it goes on.
pub(super) async fn compare(base: &Base, beside: &Set) -> Result<Found, ApiError> {
    let progress = Progress::default();
    let mut found = Found { position: beside.position, ..Found::default() };
    let mut patience = Patience::default();
    loop {
        found.position =
            build(base, beside.tables, found.position, false, Limits::default(), &progress).await?;
        sets::caught_up(base, beside.tables, found.position).await?;
        let seen = look_at(base, beside.tables, patience.cases()).await?;
        found.equal += seen.equal;
        found.differing += seen.differing.len() as u64;
        found.examples.extend(seen.differing);
        if seen.moving.cases.is_empty() {
            break;
        }
        if patience.is_over(seen.moving) {
            let cases = patience.cases().unwrap_or_default();
            found.differing += cases.len() as u64;
            found.examples.extend(cases);
            break;
        }
        sleep(PAUSE).await;
    }
    found.examples.truncate(EXAMPLES);
    Ok(found)
}

struct Seen {
    equal: u64,
    differing: Vec<Uuid>,
    moving: Moving,
}

/// Cases of which one set knows more than the other, in the order of their ids, with their versions in both.
#[derive(Debug, PartialEq, Eq)]
struct Moving {
    cases: Vec<Uuid>,
    versions: Vec<String>,
}

/// How long cases that move are looked at.
#[derive(Default)]
struct Patience {
    before: Option<Moving>,
    looks: u32,
    still: u32,
}

impl Patience {
    /// The cases to look at again; none before the first look, which is at all.
    fn cases(&self) -> Option<&[Uuid]> {
        self.before.as_ref().map(|moving| moving.cases.as_slice())
    }

    /// Whether none of these goes on any more, or they have gone on for too long.
    fn is_over(&mut self, now: Moving) -> bool {
        self.looks += 1;
        self.still = if self.before.as_ref() == Some(&now) { self.still + 1 } else { 1 };
        self.before = Some(now);
        self.still >= STILL || self.looks >= LOOKS
    }
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
                    live.version IS NOT DISTINCT FROM beside.version AS level,
                    live.version AS live_version, beside.version AS beside_version
             FROM live FULL JOIN beside USING (case_id))
         SELECT count(*) FILTER (WHERE equal) AS equal,
                coalesce(array_agg(case_id) FILTER (WHERE NOT equal AND level), '{{}}') AS differing,
                coalesce(array_agg(case_id ORDER BY case_id) FILTER (WHERE NOT equal AND NOT level), '{{}}') AS moving,
                coalesce(array_agg(concat(live_version, '/', beside_version) ORDER BY case_id)
                         FILTER (WHERE NOT equal AND NOT level), '{{}}') AS versions
         FROM both_sets"
    );
    let row = sqlx::query(AssertSqlSafe(sql)).bind(of).fetch_one(&base.pool).await?;
    Ok(Seen {
        equal: row.try_get::<i64, _>("equal")?.unsigned_abs(),
        differing: row.try_get("differing")?,
        moving: Moving { cases: row.try_get("moving")?, versions: row.try_get("versions")? },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moving(live: i64) -> Moving {
        Moving { cases: vec![Uuid::nil()], versions: vec![format!("{live}/1200")] }
    }

    #[test]
    fn a_case_is_looked_at_while_it_goes_on_and_a_little_longer_but_not_for_ever() {
        let mut patience = Patience::default();
        assert!((1..1_000).all(|version| !patience.is_over(moving(version))));
        assert!((2..STILL).all(|_| !patience.is_over(moving(999))) && patience.is_over(moving(999)));
        let mut patience = Patience::default();
        assert!((1..i64::from(LOOKS)).all(|version| !patience.is_over(moving(version))));
        assert!(patience.is_over(moving(i64::from(LOOKS))));
    }
}
