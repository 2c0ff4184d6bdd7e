//! How the log's stream on the broker stands to the log, and which process publishes it.

use std::time::Duration;

use docket_messaging::EPOCH;
use docket_proto::log::v1 as pb;
use tokio::time::timeout;

use crate::{ApiError, Base};

/// How long the broker may take: it also retries by itself while it is away.
const ASK: Duration = Duration::from_secs(3);

/// All of it; a broker that is away is an answer.
pub(super) async fn status(base: &Base) -> Result<pb::GetRelayStatusResponse, ApiError> {
    let head = base.log.head().await?;
    let mut status = pb::GetRelayStatusResponse {
        log: base.log.name().to_owned(),
        published: base.published,
        broker_reachable: base.broker.is_connected(),
        head: head.position,
        epoch: head.epoch.number,
        holder: holder(base).await?,
        ..pb::GetRelayStatusResponse::default()
    };
    if !status.published || !status.broker_reachable {
        return Ok(status);
    }
    // A broker that does not answer takes longer than we wait; one that knows no such stream says so at once.
    match timeout(ASK, base.broker.jetstream().get_stream(base.log.name())).await {
        Ok(Ok(stream)) => {
            let info = stream.cached_info();
            status.stream_exists = true;
            status.first_sequence = info.state.first_sequence;
            status.last_sequence = info.state.last_sequence;
            status.messages = info.state.messages;
            status.bytes = info.state.bytes;
            status.stream_epoch =
                info.config.metadata.get(EPOCH).and_then(|epoch| epoch.parse().ok()).unwrap_or_default();
        }
        Ok(Err(error)) => tracing::debug!(log = base.log.name(), %error, "the stream could not be looked at"),
        Err(_late) => status.broker_reachable = false,
    }
    Ok(status)
}

/// The connection that holds the relay's lock.
async fn holder(base: &Base) -> Result<Option<pb::LockHolder>, ApiError> {
    let row = sqlx::query!(
        r#"SELECT a.pid AS "pid!", coalesce(a.application_name, '') AS "application!",
                coalesce(host(a.client_addr), '') AS "address!",
                coalesce((extract(epoch FROM a.backend_start) * 1000000)::bigint, 0) AS "connected_at_us!"
         FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended($1, 0)
         LIMIT 1"#,
        format!("docket.relay.{}", base.log.name())
    )
    .fetch_optional(&base.pool)
    .await?;
    Ok(row.map(|row| pb::LockHolder {
        application: row.application,
        address: row.address,
        backend_pid: row.pid,
        connected_at_us: row.connected_at_us,
    }))
}
