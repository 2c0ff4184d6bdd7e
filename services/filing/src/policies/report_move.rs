//! When a Form AR-11 was accepted, then what it says becomes the address of record. It is owed from the acceptance on, and
//! identity is told by a task of its own, which may wait for it: whoever records the acceptance holds the head of the log.

use std::collections::HashMap;
use std::time::Duration;

use docket_eventlog::{Obligation, Recorded};
use docket_kernel::derived_id;
use docket_proto::identity::v1::RecordAddressRequest;
use docket_service::{ApiError, ApplyError, Stop};
use jiff::SignedDuration;
use sqlx::PgConnection;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::content::Content;
use crate::desk::Desk;
use crate::moved;

/// The kind of what is owed.
const OBLIGATION: &str = "address_of_record";
/// By when identity should have it.
const WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// How often it is looked for what is owed.
const LOOK: Duration = Duration::from_millis(500);
/// As many are looked at.
const MOST: u32 = 1_000;
/// Pauses after a try in vain, in seconds; the last one stays.
const PAUSES_S: [u64; 6] = [1, 2, 5, 10, 30, 60];

/// Owes the report of the acceptance `event`, in its transaction.
pub(super) async fn owe(
    desk: &Desk,
    tx: &mut PgConnection,
    event: &Recorded,
    filing: Uuid,
) -> Result<(), ApplyError> {
    let owed = Obligation {
        kind: OBLIGATION.to_owned(),
        key: key(filing, derived_id("report_move", event.event_id, 0)),
        owner: desk.base.name.to_owned(),
        due_at: event.recorded_at + WITHIN,
    };
    Ok(desk.log.obligations().open_in(tx, &owed).await?)
}

/// Holds the filing, and the id of the request to identity: the same however often it is sent.
fn key(filing: Uuid, request: Uuid) -> String {
    format!("{filing}:{request}")
}

fn read(key: &str) -> Option<(Uuid, Uuid)> {
    let (filing, request) = key.split_once(':')?;
    Some((Uuid::try_parse(filing).ok()?, Uuid::try_parse(request).ok()?))
}

/// How often one was tried in vain, and when it is tried again.
#[derive(Clone, Copy)]
struct Later {
    tries: usize,
    at: Instant,
}

/// Tells identity what is owed until `stop`. One that it does not take keeps no other waiting for longer than its answer.
pub(crate) async fn run(desk: Desk, stop: Stop) -> anyhow::Result<()> {
    let mut later = HashMap::new();
    while !stop.is_cancelled() {
        match desk.log.obligations().open(MOST).await {
            Ok(open) => {
                let keys = open.into_iter().filter(|owed| owed.kind == OBLIGATION).map(|owed| owed.key);
                later = tell_all(&desk, keys, &later, &stop).await;
            }
            Err(error) => tracing::debug!(%error, "what is owed to identity cannot be read; trying again"),
        }
        stop.run_until_cancelled(sleep(LOOK)).await;
    }
    Ok(())
}

/// Tries each whose time has come; gives those that are still owed.
async fn tell_all(
    desk: &Desk,
    keys: impl Iterator<Item = String>,
    before: &HashMap<String, Later>,
    stop: &Stop,
) -> HashMap<String, Later> {
    let mut left = HashMap::new();
    for key in keys {
        let known = before.get(&key).copied();
        if let Some(later) = known.filter(|later| later.at > Instant::now()) {
            left.insert(key, later);
            continue;
        }
        let Some(told) = stop.run_until_cancelled(tell(desk, &key)).await else { break };
        let Err(error) = told else { continue };
        let tries = known.map_or(0, |later| later.tries);
        // A peer that starts a second later than we do is nobody's worry.
        if tries >= 3 {
            let error = error.cause();
            tracing::warn!(key, tries = tries + 1, error, "an address of record is still owed to identity");
        }
        let pause = Duration::from_secs(PAUSES_S[tries.min(PAUSES_S.len() - 1)]);
        left.insert(key, Later { tries: tries + 1, at: Instant::now() + pause });
    }
    left
}

/// Tells identity one, and closes what was owed. Whose data were erased, here or there, has no address any more.
async fn tell(desk: &Desk, key: &str) -> Result<(), ApiError> {
    let (filing, request) =
        read(key).ok_or_else(|| ApiError::internal(anyhow::anyhow!("the key is none of ours")))?;
    let loaded = desk.filings.load(filing).await?;
    let content = Content::of_filing(&desk.log, &loaded.events).await?;
    if let Some(report) = moved::report(&content.answers).filter(|_| !content.erased) {
        let report = RecordAddressRequest {
            request_id: request.to_string(),
            account_id: loaded.state.account.to_string(),
            filing_id: filing.to_string(),
            ..report
        };
        match desk.record_address(report).await {
            Ok(()) | Err(ApiError::Erased) => {}
            Err(error) => return Err(error),
        }
    }
    let last = loaded.events.last().map_or(0, |event| event.position);
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    desk.log.obligations().close_in(&mut tx, OBLIGATION, key, last).await?;
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_is_read_from_its_key() {
        let (filing, request) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(read(&key(filing, request)), Some((filing, request)));
        assert_eq!(read("notice"), None);
    }
}
