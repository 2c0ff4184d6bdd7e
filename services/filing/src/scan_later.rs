//! Files that came while the virus scanner was away are scanned as soon as it is back, each once, by whichever node is first: a
//! clean one may be opened from then on; any other is taken out and not kept, and the log tells whom it concerns.

use std::time::Duration;

use docket_database::{WORK, answered, within};
use docket_eventlog::{Context, Recorded, Subjects};
use docket_kernel::{Actor, derived_id};
use docket_service::{Again, ApiError, Rounds, Stop};
use docket_vault::Subject;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::desk::{Desk, id_in};
use crate::domain::attached::{Attached, Verdict};
use crate::domain::{filing, response};
use crate::scanner;
use crate::store::representations;
use crate::store::unscanned::{self, Unscanned};

/// How often it is looked whether a file waits and the scanner is back.
const LOOK: Duration = Duration::from_secs(2);
/// A file over which something failed waits so long, in microseconds: half a minute, while others go before it.
const AGAIN_US: i64 = 30 * 1_000_000;
/// So often may a scanner that was found able to scan just before fail over a file: it may have been stopped at that very moment,
/// but hardly so often.
const TRIES: i32 = 5;

/// Scans what waits, until `stop`.
pub(crate) async fn run(desk: Desk, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(LOOK, "a file that waits could not be scanned").bounded_inside();
    while rounds.go_on(&stop).await {
        rounds
            .turn(async {
                let another = next(&desk).await;
                if let Err(error) = answered(tell(&desk)).await {
                    tracing::debug!(error = error.cause(), "it cannot be told how many files wait");
                }
                Ok(if another? { Again::AtOnce } else { Again::Later })
            })
            .await;
    }
    Ok(())
}

/// The next file, where one waits and the scanner is there. Whether there may be another at once.
async fn next(desk: &Desk) -> Result<bool, ApiError> {
    let mut tx = answered(docket_database::begin(&desk.base.pool)).await?;
    let Some(waiting) = answered(unscanned::take(&mut tx, desk.now_us())).await? else { return Ok(false) };
    if waiting.refused {
        // Its verdict stands in the log, and with this nothing of it is left.
        desk.base.objects.delete(&waiting.object_key).await?;
        answered(unscanned::delete(&mut tx, waiting.evidence_id)).await?;
        answered(tx.commit()).await?;
        return Ok(true);
    }
    if !desk.scanner.is_believed().await {
        return Ok(false);
    }
    let limit = WORK + desk.scanner.longest();
    let failed = match within(limit, settle(desk, &mut tx, &waiting)).await {
        Ok(Settled::Done(events)) => {
            answered(tx.commit()).await?;
            desk.committed(&events);
            return Ok(true);
        }
        Ok(Settled::Failed) => waiting.failed + 1,
        Err(error) => {
            tracing::warn!(
                evidence.id = %waiting.evidence_id, error = error.cause(),
                "a file that waits to be scanned cannot be had just now"
            );
            waiting.failed
        }
    };
    answered(tx.rollback()).await?;
    let later = desk.now_us() + AGAIN_US;
    answered(unscanned::put_off(&desk.base.pool, waiting.evidence_id, failed, later)).await?;
    Ok(true)
}

/// How it went with a file.
enum Settled {
    /// It waits no more.
    Done(Vec<Recorded>),
    /// The scanner failed over it.
    Failed,
}

/// What a file hangs on.
#[derive(Clone, Copy)]
enum Parent {
    Filing(Uuid),
    Response { id: Uuid, case: Uuid },
}

impl Parent {
    /// The filing under whose key the file is sealed.
    fn case(self) -> Uuid {
        match self {
            Self::Filing(case) | Self::Response { case, .. } => case,
        }
    }
}

async fn settle(desk: &Desk, tx: &mut PgConnection, waiting: &Unscanned) -> Result<Settled, ApiError> {
    let (parent, files) = hangs_on(desk, &waiting.parent).await?;
    let waits = files.iter().any(|file| file.id == waiting.evidence_id && file.being_checked);
    let bytes = if waits {
        desk.base.objects.get(&Subject::filing(parent.case()), &waiting.object_key).await?
    } else {
        None
    };
    // Taken off, or erased: nobody will ever open it.
    let Some(bytes) = bytes else {
        unscanned::delete(tx, waiting.evidence_id).await?;
        return Ok(Settled::Done(Vec::new()));
    };
    let Some(verdict) = verdict(desk, waiting, &bytes).await else { return Ok(Settled::Failed) };
    match verdict {
        Verdict::Clean => unscanned::delete(tx, waiting.evidence_id).await?,
        Verdict::Infected | Verdict::Unscannable => unscanned::refuse(tx, waiting.evidence_id).await?,
    }
    note(desk, tx, parent, (waiting.evidence_id, verdict)).await.map(Settled::Done)
}

async fn hangs_on(desk: &Desk, parent: &str) -> Result<(Parent, Vec<Attached>), ApiError> {
    if parent.starts_with("responses/") {
        let id = id_in("parent", "responses", parent)?;
        let response = desk.responses.load(id).await?.state;
        return Ok((Parent::Response { id, case: response.case }, response.evidence));
    }
    let id = id_in("parent", "filings", parent)?;
    Ok((Parent::Filing(id), desk.filings.load(id).await?.state.evidence))
}

/// What the scan comes to; nothing where the scanner failed and it is tried again.
async fn verdict(desk: &Desk, waiting: &Unscanned, bytes: &[u8]) -> Option<Verdict> {
    let evidence = waiting.evidence_id;
    match desk.scanner.scan(bytes).await {
        Ok(scanner::Verdict::Clean) => Some(Verdict::Clean),
        Ok(scanner::Verdict::Found(signature)) => {
            tracing::warn!(signature, evidence.id = %evidence, "a file that waited was refused by the scanner");
            Some(Verdict::Infected)
        }
        Err(error) if waiting.failed + 1 < TRIES => {
            tracing::warn!(%error, evidence.id = %evidence, "the scanner failed over a file that waits");
            None
        }
        Err(error) => {
            tracing::error!(%error, evidence.id = %evidence, "the scanner fails over this file: it is refused");
            Some(Verdict::Unscannable)
        }
    }
}

/// Appends the verdict: asked twice, by whichever nodes, done once.
async fn note(
    desk: &Desk,
    tx: &mut PgConnection,
    parent: Parent,
    (evidence, verdict): (Uuid, Verdict),
) -> Result<Vec<Recorded>, ApiError> {
    let context = context(evidence);
    let represented = representations::standing(&mut *tx, parent.case()).await?.map(|(_, account)| account);
    let subjects = Subjects::filing(parent.case());
    Ok(match parent {
        Parent::Filing(id) => {
            let decide =
                |state: &filing::Filing| Ok(filing::scanned_file(state, evidence, verdict, represented));
            desk.filings.execute_in(tx, &context, id, subjects, decide).await?.events
        }
        Parent::Response { id, .. } => {
            let decide = |state: &response::Response| {
                Ok(response::scanned_file(state, evidence, verdict, represented))
            };
            desk.responses.execute_in(tx, &context, id, subjects, decide).await?.events
        }
    })
}

fn context(evidence: Uuid) -> Context {
    let command_id = derived_id("scan_later", evidence, 0);
    Context {
        command_id,
        correlation_id: command_id,
        causation_id: None,
        actor: Actor::machine("scan_later"),
        on_behalf_of: None,
        auth_level: 0,
        traceparent: String::new(),
        request: Vec::new(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges of small numbers")]
async fn tell(desk: &Desk) -> Result<(), ApiError> {
    let (waiting, since_us) = unscanned::standing(&desk.base.pool).await?;
    metrics::gauge!("docket_files_being_checked").set(waiting as f64);
    let age_us = since_us.map_or(0, |since_us| (desk.now_us() - since_us).max(0));
    metrics::gauge!("docket_files_being_checked_age_seconds").set(age_us as f64 / 1e6);
    Ok(())
}
