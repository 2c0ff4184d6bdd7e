//! Gauges of what waits: parked streams, open and overdue obligations, overdue timers.

use std::time::Duration;

use docket_database::SILENT;
use docket_messaging::Stop;

use crate::{Base, Rounds};

/// How often they are counted.
const COUNT: Duration = Duration::from_secs(5);

/// Counts until `stop`. A database that is away leaves the last numbers standing; readiness tells of that.
pub(crate) async fn run(base: Base, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(COUNT, "what waits could not be counted").within(SILENT);
    while rounds.go_on(&stop).await {
        rounds.turn(count(&base)).await;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "gauges of small numbers")]
async fn count(base: &Base) -> anyhow::Result<()> {
    let now = base.clock.now().as_microsecond();
    let parked = sqlx::query!(
        r#"SELECT count(DISTINCT (consumer, log, stream)) AS "streams!", min(since_at_us) AS oldest
         FROM log.parked"#
    )
    .fetch_one(&base.pool)
    .await?;
    metrics::gauge!("docket_parked_streams", "consumer" => base.name).set(parked.streams as f64);
    let age = parked.oldest.map_or(0.0, |oldest| (now - oldest).max(0) as f64 / 1e6);
    metrics::gauge!("docket_parked_oldest_age_seconds", "consumer" => base.name).set(age);

    let obligations = sqlx::query!(
        r#"SELECT kind, count(*) FILTER (WHERE closed_by IS NULL) AS "open!",
                count(*) FILTER (WHERE closed_by IS NULL AND due_at_us <= $2) AS "overdue!"
         FROM log.obligation WHERE log = $1 GROUP BY kind"#,
        base.log.name(),
        now
    )
    .fetch_all(&base.pool)
    .await?;
    for row in obligations {
        metrics::gauge!("docket_obligations_open", "kind" => row.kind.clone()).set(row.open as f64);
        metrics::gauge!("docket_obligations_overdue", "kind" => row.kind).set(row.overdue as f64);
    }

    let timers = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM log.timer WHERE log = $1 AND due_at_us <= $2"#,
        base.log.name(),
        now
    )
    .fetch_one(&base.pool)
    .await?;
    metrics::gauge!("docket_timers_overdue", "log" => base.log.name()).set(timers as f64);
    Ok(())
}
