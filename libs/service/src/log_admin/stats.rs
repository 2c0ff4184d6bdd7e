//! The figures of a log: what is in it, how big it is, who reads it, what waits in it.

use std::time::Duration;

use docket_eventlog::OpenOfKind;
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::event_feed_service_client::EventFeedServiceClient;
use futures::future::join_all;

use super::view;
use crate::base::owner_of;
use crate::detached::outgoing;
use crate::{ApiError, Base};

/// How long another service may take to say where its log ends.
const ASK: Duration = Duration::from_secs(2);

/// All of it.
pub(super) async fn stats(base: &Base) -> Result<pb::GetLogStatsResponse, ApiError> {
    let head = base.log.head().await?;
    let row = sqlx::query!(
        r#"SELECT h.recorded_at_us, h.commits,
                (SELECT count(*) FROM log.stream s WHERE s.log = h.log) AS "streams!",
                (SELECT count(*) FROM log.command c WHERE c.log = h.log) AS "commands!"
         FROM log.head h WHERE h.log = $1"#,
        base.log.name()
    )
    .fetch_one(&base.pool)
    .await?;
    let mut stats = pb::GetLogStatsResponse {
        log: base.log.name().to_owned(),
        head: head.position,
        last_recorded_at_us: row.recorded_at_us,
        commits: row.commits.unsigned_abs(),
        epoch: Some(view::epoch(head.epoch)),
        streams: row.streams.unsigned_abs(),
        commands: row.commands.unsigned_abs(),
        kinds: kinds(base).await?,
        tables: tables(base).await?,
        checkpoint: checkpoint(base).await?,
        consumers: consumers(base).await?,
        obligations: obligations(base).await?,
        ..pb::GetLogStatsResponse::default()
    };
    waiting(base, &mut stats).await?;
    Ok(stats)
}

async fn kinds(base: &Base) -> Result<Vec<pb::KindCount>, ApiError> {
    let rows = sqlx::query!(
        r#"SELECT kind, count(*) AS "events!" FROM log.event WHERE log = $1 GROUP BY kind ORDER BY kind"#,
        base.log.name()
    )
    .fetch_all(&base.pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| pb::KindCount { kind: row.kind, events: row.events.unsigned_abs() })
        .collect())
}

/// Every table of the schema with its indexes; a partitioned one with its partitions.
async fn tables(base: &Base) -> Result<Vec<pb::TableSize>, ApiError> {
    let rows = sqlx::query!(
        r#"SELECT root.relname AS "name!",
                (SELECT sum(pg_total_relation_size(tree.relid)) FROM pg_partition_tree(root.oid) AS tree)::bigint AS parts,
                pg_total_relation_size(root.oid) AS "own!"
         FROM pg_class AS root JOIN pg_namespace AS space ON space.oid = root.relnamespace
         WHERE space.nspname = 'log' AND root.relkind IN ('r', 'p') AND NOT root.relispartition
         ORDER BY 3 DESC, 1"#
    )
    .fetch_all(&base.pool)
    .await?;
    let bytes = |parts: Option<i64>, own: i64| parts.unwrap_or_default().max(own).unsigned_abs();
    let mut tables: Vec<_> = rows
        .into_iter()
        .map(|row| pb::TableSize { bytes: bytes(row.parts, row.own), table: row.name })
        .collect();
    tables.sort_by_key(|table| std::cmp::Reverse(table.bytes));
    Ok(tables)
}

async fn checkpoint(base: &Base) -> Result<Option<pb::SignedCheckpointInfo>, ApiError> {
    let row = sqlx::query!(
        "SELECT size, root, epoch, signed_at_us, key_id FROM log.checkpoint_signed
         WHERE log = $1 ORDER BY epoch DESC, size DESC LIMIT 1",
        base.log.name()
    )
    .fetch_optional(&base.pool)
    .await?;
    Ok(row.map(|row| pb::SignedCheckpointInfo {
        size: row.size.unsigned_abs(),
        root: hex::encode(&row.root),
        epoch: row.epoch.unsigned_abs(),
        signed_at_us: row.signed_at_us,
        key_id: row.key_id,
    }))
}

/// How far this service is in the logs it reads, and where these end as their owners say.
async fn consumers(base: &Base) -> Result<Vec<pb::ConsumerPosition>, ApiError> {
    let rows = sqlx::query!(
        r#"SELECT log, min(position) AS "position!", max(epoch) AS "epoch!"
         FROM log.consumer_checkpoint WHERE consumer = $1 GROUP BY log ORDER BY log"#,
        base.name
    )
    .fetch_all(&base.pool)
    .await?;
    let asked = rows.into_iter().map(async |row| pb::ConsumerPosition {
        head: head_of(base, &row.log).await,
        log: row.log,
        position: row.position.unsigned_abs(),
        epoch: row.epoch.unsigned_abs(),
    });
    Ok(join_all(asked).await)
}

/// Where a log ends; none when its owner does not say in time.
pub(super) async fn head_of(base: &Base, log: &str) -> Option<u64> {
    if log == base.log.name() {
        return base.log.head().await.ok().map(|head| head.position);
    }
    let mut request = outgoing(pb::GetHeadRequest { log: log.to_owned() });
    request.set_timeout(ASK);
    let answer = EventFeedServiceClient::new(base.channel(owner_of(log))).get_head(request).await;
    answer.ok().map(|head| head.into_inner().position)
}

async fn obligations(base: &Base) -> Result<Vec<pb::ObligationCount>, ApiError> {
    let open = base.log.obligations().open_by_kind(base.clock.now()).await?;
    let count = |of: OpenOfKind| pb::ObligationCount { kind: of.kind, open: of.open, overdue: of.overdue };
    Ok(open.into_iter().map(count).collect())
}

/// Timers and parked streams.
async fn waiting(base: &Base, stats: &mut pb::GetLogStatsResponse) -> Result<(), ApiError> {
    let timers = sqlx::query!(
        r#"SELECT count(*) AS "all!", count(*) FILTER (WHERE due_at_us <= $2) AS "overdue!", min(due_at_us) AS next
         FROM log.timer WHERE log = $1"#,
        base.log.name(),
        base.clock.now().as_microsecond()
    )
    .fetch_one(&base.pool)
    .await?;
    stats.timers = timers.all.unsigned_abs();
    stats.timers_overdue = timers.overdue.unsigned_abs();
    stats.next_timer_us = timers.next.unwrap_or_default();
    let parked = sqlx::query!(
        r#"SELECT count(*) AS "events!", count(DISTINCT (log, stream)) AS "streams!" FROM log.parked WHERE consumer = $1"#,
        base.name
    )
    .fetch_one(&base.pool)
    .await?;
    stats.parked_streams = parked.streams.unsigned_abs();
    stats.parked_events = parked.events.unsigned_abs();
    Ok(())
}
