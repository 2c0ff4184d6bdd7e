//! Tries of secrets. A try is charged before the secret is looked at and given back when it was right.

use docket_kernel::Refusal;
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};

use crate::domain::{Policy, Tries, Verdict};

/// Charges a try, when there may be one.
pub(crate) async fn charge(
    pool: &PgPool,
    policy: Policy,
    key: &str,
    now: Timestamp,
) -> sqlx::Result<Verdict> {
    let mut tx = docket_database::begin(pool).await?;
    let now_us = now.as_microsecond();
    // One statement, so that a row which is forgiven in the same moment is made anew and not missed.
    let (failures, last_at_us): (i32, i64) = sqlx::query_as(
        "INSERT INTO tries (key, failures, last_at_us) VALUES ($1, 0, $2)
         ON CONFLICT (key) DO UPDATE SET failures = tries.failures RETURNING failures, last_at_us",
    )
    .bind(key)
    .bind(now_us)
    .fetch_one(&mut *tx)
    .await?;
    let last_at = Timestamp::from_microsecond(last_at_us).unwrap_or(now);
    let verdict = policy.judge(Some(Tries { failures: failures.unsigned_abs(), last_at }), now);
    if let Verdict::Go(number) = verdict {
        sqlx::query("UPDATE tries SET failures = $2, last_at_us = $3 WHERE key = $1")
            .bind(key)
            .bind(i32::try_from(number).unwrap_or(i32::MAX))
            .bind(now_us)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(verdict)
}

/// The secret was right: all tries are forgotten.
pub(crate) async fn forgive(tx: &mut PgConnection, key: &str) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM tries WHERE key = $1").bind(key).execute(tx).await?;
    Ok(())
}

/// The try could not be judged: it costs nothing.
pub(crate) async fn give_back(pool: &PgPool, key: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE tries SET failures = greatest(failures - 1, 0) WHERE key = $1")
        .bind(key)
        .execute(pool)
        .await?;
    Ok(())
}

/// The number of the try, or the refusal which names the next one.
///
/// # Errors
/// `TOO_MANY_TRIES`.
pub(crate) fn allowed(verdict: Verdict, way_out: &str) -> Result<u32, Refusal> {
    let refusal = Refusal::too_much("TOO_MANY_TRIES", "There were too many tries.");
    match verdict {
        Verdict::Go(number) => Ok(number),
        Verdict::Wait(at) => {
            Err(refusal.fact("next_try_at", at.to_string()).way_out("Wait, then try again."))
        }
        Verdict::Locked(Some(at)) => Err(refusal.fact("next_try_at", at.to_string()).way_out(way_out)),
        Verdict::Locked(None) => Err(refusal.way_out(way_out)),
    }
}
