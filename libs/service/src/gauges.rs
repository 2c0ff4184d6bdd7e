//! Gauges of what waits: parked streams, open and overdue obligations, overdue timers.

use std::collections::BTreeSet;
use std::time::Duration;

use docket_database::SILENT;
use docket_messaging::Stop;

use crate::{Base, Rounds};

/// How often they are counted.
const COUNT: Duration = Duration::from_secs(5);

/// Counts until `stop`. A database that is away leaves the last numbers standing; readiness tells of that.
pub(crate) async fn run(base: Base, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(COUNT, "what waits could not be counted").within(SILENT);
    let mut owed = BTreeSet::new();
    while rounds.go_on(&stop).await {
        rounds.turn(count(&base, &mut owed)).await;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "gauges of small numbers")]
async fn count(base: &Base, owed: &mut BTreeSet<String>) -> anyhow::Result<()> {
    obligations(base, owed).await?;
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

/// The open obligations. A kind of which none is open any more is told once again, with 0; `owed` are those that were told of.
#[expect(clippy::cast_precision_loss, reason = "gauges of small numbers")]
async fn obligations(base: &Base, owed: &mut BTreeSet<String>) -> anyhow::Result<()> {
    let tell = |kind: &str, open: u64, overdue: u64| {
        metrics::gauge!("docket_obligations_open", "kind" => kind.to_owned()).set(open as f64);
        metrics::gauge!("docket_obligations_overdue", "kind" => kind.to_owned()).set(overdue as f64);
    };
    let open = base.log.obligations().open_by_kind(base.clock.now()).await?;
    for of in &open {
        tell(&of.kind, of.open, of.overdue);
    }
    let open: BTreeSet<_> = open.into_iter().map(|of| of.kind).collect();
    for kind in owed.difference(&open) {
        tell(kind, 0, 0);
    }
    *owed = open;
    Ok(())
}
