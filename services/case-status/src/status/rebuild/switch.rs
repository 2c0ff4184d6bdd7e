//! Takes the set beside into use: the projector stands still, the last events are applied, one row changes.

use std::time::{Duration, Instant};

use docket_service::{ApiError, Base};
use sqlx::PgConnection;
use tokio::time::timeout;

use super::NAME;
use super::build::{Limits, Progress, build};
use super::sets::{self, Set};

/// How long the projector may stand still for the last events: nobody sees anything new meanwhile.
const STILL: Duration = Duration::from_secs(1);

/// What is kept of a switch, beside the generations.
pub(super) struct Note<'a> {
    pub(super) by: &'a str,
    pub(super) reason: &'a str,
    pub(super) differing: u64,
}

/// Switches from `live` to `beside`; gives how long the projector stood still. Whoever reads sees the old rows until the
/// commit and the new ones after it.
pub(super) async fn switch(
    base: &Base,
    live: &Set,
    beside: &Set,
    note: &Note<'_>,
) -> Result<Duration, ApiError> {
    let progress = Progress::default();
    // Nearly all of it while the projector goes on.
    let position = build(base, beside.tables, beside.position, false, Limits::default(), &progress).await?;
    let mut tx = docket_database::begin(&base.pool).await?;
    // It waits for the events at hand; those that come wait for us.
    sqlx::query!("SELECT set_config('lock_timeout', '10s', true) AS wait").fetch_one(&mut *tx).await?;
    let begun = Instant::now();
    sqlx::query!(
        "SELECT pg_advisory_xact_lock(hashtextextended('docket.projection.' || $1::text, 0))::text AS lock",
        NAME
    )
    .fetch_one(&mut *tx)
    .await?;
    // The projector stands still meanwhile: given up, the transaction gives the lock back, and nothing has changed but the
    // rows beside, which the next one goes on with.
    let rest = build(base, beside.tables, position, false, Limits::default(), &progress);
    let slow = |_elapsed| ApiError::Unavailable("the log of cases");
    let position = timeout(STILL, rest).await.map_err(slow)??;
    let kept_at = sets::consumed(base).await?;
    let now_us = base.clock.now().as_microsecond();
    mark(&mut tx, live, "kept", kept_at, now_us, note.by).await?;
    mark(&mut tx, beside, "live", position, now_us, note.by).await?;
    sqlx::query!(
        "INSERT INTO projection_switch (projection, from_generation, to_generation, differing, switched_at_us,
                                        switched_by, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        NAME,
        live.generation.cast_signed(),
        beside.generation.cast_signed(),
        note.differing.cast_signed(),
        now_us,
        note.by,
        note.reason
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("UPDATE projection SET live = $2 WHERE name = $1", NAME, beside.tables.slot())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    let took = begun.elapsed();
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        from = live.generation,
        to = beside.generation,
        position,
        took_ms,
        by = note.by,
        "other rows of the projection are in use"
    );
    Ok(took)
}

/// Says what a set is from now on, and how far it has got.
async fn mark(
    tx: &mut PgConnection,
    set: &Set,
    state: &str,
    position: u64,
    now_us: i64,
    by: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE projection_set SET state = $3, position = $4, changed_at_us = $5, changed_by = $6
         WHERE projection = $1 AND slot = $2",
        NAME,
        set.tables.slot(),
        state,
        position.cast_signed(),
        now_us,
        by
    )
    .execute(tx)
    .await?;
    Ok(())
}
