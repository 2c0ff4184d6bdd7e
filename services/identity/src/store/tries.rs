//! Tries of secrets. A try is charged before the secret is looked at and given back when it was right, or
//! when nobody could look.

use docket_kernel::Refusal;
use docket_service::ApiError;
use jiff::{SignedDuration, Timestamp};
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

/// The answer to a try that was charged. One that says nothing of the secret, since something was busy or away, gives the try back.
pub(crate) async fn judged<T>(pool: &PgPool, key: &str, answer: Result<T, ApiError>) -> Result<T, ApiError> {
    let refused = |error: &ApiError| matches!(error, ApiError::Refused(_) | ApiError::Reused(_));
    let unjudged = answer.as_ref().is_err_and(|error| !refused(error));
    if unjudged && let Err(error) = give_back(pool, key).await {
        tracing::warn!(%error, "a try that nobody judged could not be given back");
    }
    answer
}

/// Charges a try, when there may be one: its number.
///
/// # Errors
/// `TOO_MANY_TRIES`; the database.
pub(crate) async fn once(
    pool: &PgPool,
    policy: Policy,
    key: &str,
    now: Timestamp,
    way_out: &str,
) -> Result<u32, ApiError> {
    Ok(allowed(charge(pool, policy, key, now).await?, now, way_out)?)
}

/// The number of the try at `now`, or the refusal which names the next one.
///
/// # Errors
/// `TOO_MANY_TRIES`.
pub(crate) fn allowed(verdict: Verdict, now: Timestamp, way_out: &str) -> Result<u32, Refusal> {
    let refusal = Refusal::too_much("TOO_MANY_TRIES", "There were too many tries.");
    let (at, way_out) = match verdict {
        Verdict::Go(number) => return Ok(number),
        Verdict::Wait(at) => (at, "Wait, then try again."),
        Verdict::Locked(Some(at)) => (at, way_out),
        Verdict::Locked(None) => return Err(refusal.way_out(way_out)),
    };
    let wait = at.duration_since(now).max(SignedDuration::ZERO).unsigned_abs();
    Err(refusal.fact("next_try_at", at.to_string()).way_out(way_out).retry_after(wait))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::Status;
    use tonic_types::StatusExt as _;

    use super::*;

    #[test]
    fn who_waits_is_told_how_long_and_for_whom_waiting_is_no_help_is_not() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let told = |verdict| {
            let status = Status::from(ApiError::from(allowed(verdict, now, "Another way.").unwrap_err()));
            let info = status.get_details_error_info().unwrap();
            let wait = status.get_details_retry_info().and_then(|info| info.retry_delay);
            (info.reason, info.metadata.get("next_try_at").cloned(), wait)
        };
        let reason = "TOO_MANY_TRIES".to_owned();
        for seconds in [16, 86_400] {
            let at = now + SignedDuration::from_secs(seconds);
            let wait = Some(Duration::from_secs(seconds.unsigned_abs()));
            for verdict in [Verdict::Wait(at), Verdict::Locked(Some(at))] {
                assert_eq!(told(verdict), (reason.clone(), Some(at.to_string()), wait));
            }
        }
        assert_eq!(told(Verdict::Locked(None)), (reason, None, None));
        assert_eq!(allowed(Verdict::Go(3), now, "Another way.").unwrap(), 3);
    }
}
