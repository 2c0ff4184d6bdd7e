//! Every day each file that people handed in is read to its end and compared with what was taken, and so is what they signed
//! where it lies beside its event: what a store loses or turns into something else is found within a day, by us, while there
//! is a copy to take it from.

use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use docket_database::{WORK, answered, within};
use docket_service::{Again, ApiError, Proof, Rounds, Stop};
use docket_vault::Subject;
use uuid::Uuid;

use crate::content::Content;
use crate::desk::Desk;
use crate::domain::attached::Attached;
use crate::store::scrub::{self, Claim, Damaged};

/// A pass begins so long after the one before began, in microseconds: a day.
const EVERY_US: i64 = 86_400 * 1_000_000;
/// A batch is somebody else's to take so long after it was taken, in microseconds: ten minutes.
const CLAIM_US: i64 = 600 * 1_000_000;
/// Filings of a batch.
const BATCH: i64 = 20;
/// Between batches: people come first.
const BREATH: Duration = Duration::from_millis(100);
/// How long one file may take, with what is asked about its key: as long as a batch is ours.
const FILE: Duration = Duration::from_mins(10);
/// How often it is looked whether it is time, and whether what was damaged is whole again.
const LOOK: Duration = Duration::from_secs(5);

/// Reads all files, day by day, until `stop`.
pub(crate) async fn run(desk: Desk, stop: Stop) -> anyhow::Result<()> {
    // There from the start, so that its first step is seen.
    metrics::counter!("docket_filings_not_read_over").increment(0);
    let mut rounds = Rounds::every(LOOK, "files could not be read over").bounded_inside();
    while rounds.go_on(&stop).await {
        rounds.turn(next(&desk)).await;
    }
    Ok(())
}

/// A batch when it is time for one, after which there may be another; else what was found damaged.
async fn next(desk: &Desk) -> anyhow::Result<Again> {
    let (pool, now_us) = (&desk.base.pool, desk.now_us());
    let claimed = answered(scrub::claim(pool, now_us, EVERY_US, now_us + CLAIM_US)).await?;
    match claimed {
        Some(claim) => batch(desk, claim).await?,
        None => {
            for (filing, objects) in answered(scrub::with_damage(pool)).await? {
                confirm(desk, filing, &objects).await?;
            }
        }
    }
    answered(tell(desk)).await?;
    Ok(if claimed.is_some() { Again::After(BREATH) } else { Again::Later })
}

async fn batch(desk: &Desk, claim: Claim) -> Result<(), ApiError> {
    let pool = &desk.base.pool;
    let filings = answered(scrub::filings_after(pool, claim.up_to, BATCH)).await?;
    let mut unread = Vec::new();
    for filing in &filings {
        if let Err(error) = read_over(desk, *filing).await {
            unread.push((*filing, error));
        }
    }
    if unread.len() == filings.len()
        && let Some((_, error)) = unread.pop()
    {
        // The store is away, or the database: it is this batch's turn until they are back.
        return Err(error);
    }
    for (filing, error) in unread {
        // One that cannot be read keeps no other from being read.
        metrics::counter!("docket_filings_not_read_over").increment(1);
        tracing::error!(filing.id = %filing, error = error.cause(), "a filing's files could not be read over");
    }
    let ended_at_us = filings.is_empty().then(|| desk.now_us());
    let up_to = filings.last().copied().unwrap_or(claim.up_to);
    answered(scrub::settle(pool, claim, up_to, ended_at_us)).await?;
    Ok(())
}

/// Reads the files of a filing and of the answers in its case, and tells of what is damaged.
async fn read_over(desk: &Desk, filing: Uuid) -> Result<(), ApiError> {
    let suspects: Vec<String> =
        read(desk, filing, |_| true).await?.into_iter().map(|file| file.object_key).collect();
    for file in confirm(desk, filing, &suspects).await? {
        tracing::error!(
            filing.id = %filing, evidence.id = file.evidence.map(tracing::field::display),
            object.key = file.object_key, file.fault,
            "a file is not what was taken: bring it back from a copy"
        );
    }
    Ok(())
}

/// Reads these objects of a filing once more and notes which of them are damaged: one that was taken off meanwhile is missed
/// by nobody, and one that is back is forgotten.
async fn confirm(desk: &Desk, filing: Uuid, objects: &[String]) -> Result<Vec<Damaged>, ApiError> {
    let damaged = match objects {
        [] => Vec::new(),
        objects => read(desk, filing, |key| objects.iter().any(|object| object == key)).await?,
    };
    for file in &damaged {
        answered(scrub::damaged(&desk.base.pool, filing, file)).await?;
    }
    let keys: Vec<String> = damaged.iter().map(|file| file.object_key.clone()).collect();
    answered(scrub::only_damaged(&desk.base.pool, filing, &keys)).await?;
    Ok(damaged)
}

/// Reads the objects of a filing and of the answers in its case that are wanted, by their names; those that are damaged.
async fn read(desk: &Desk, filing: Uuid, wanted: impl Fn(&str) -> bool) -> Result<Vec<Damaged>, ApiError> {
    let loaded = within(WORK, desk.filings.load(filing)).await?;
    let content = within(WORK, Content::of_filing(&desk.log, &loaded.events)).await?;
    let mut damaged = Vec::new();
    let files = loaded.state.evidence.iter().chain(&loaded.state.unsolicited);
    for file in files.filter(|file| wanted(&file.object_key)) {
        damaged.extend(prove(desk, filing, file, &content).await?);
    }
    for sheet in loaded.state.sheets.iter().filter(|key| !content.erased && wanted(key)) {
        damaged.extend(prove_sheet(desk, filing, sheet).await?);
    }
    for response in answered(scrub::responses_of(&desk.base.pool, filing)).await? {
        let loaded = within(WORK, desk.responses.load(response)).await?;
        let content = within(WORK, Content::of_response(&desk.log, &loaded.events)).await?;
        for file in loaded.state.evidence.iter().filter(|file| wanted(&file.object_key)) {
            damaged.extend(prove(desk, filing, file, &content).await?);
        }
    }
    Ok(damaged)
}

/// Reads one file; what is wrong with it.
async fn prove(
    desk: &Desk,
    filing: Uuid,
    file: &Attached,
    content: &Content,
) -> Result<Option<Damaged>, ApiError> {
    let Some(sealed) = content.files.get(&file.id).filter(|_| !content.erased) else { return Ok(None) };
    let mut digest = Context::new(&SHA256);
    digest.update(&sealed.salt);
    let subject = Subject::filing(filing);
    let mut take = |bytes: &[u8]| digest.update(bytes);
    let proof = within(FILE, desk.base.objects.prove(&subject, &file.object_key, &mut take)).await?;
    metrics::counter!("docket_files_read_over").increment(1);
    // Sealed here, for this filing, and yet perhaps not what was taken.
    let fault = if proof == Proof::Whole && digest.finish().as_ref() != file.commitment.as_slice() {
        Some("another")
    } else {
        fault(proof)
    };
    let (object_key, evidence, found_at_us) = (file.object_key.clone(), Some(file.id), desk.now_us());
    Ok(fault.map(|fault| Damaged { object_key, evidence, fault, found_at_us }))
}

/// Reads what was signed with one signature, be it one that holds or not; what is wrong with it. It is sealed under the name
/// by which the event knows it, so what opens is what was written.
async fn prove_sheet(desk: &Desk, filing: Uuid, sheet: &str) -> Result<Option<Damaged>, ApiError> {
    let subject = Subject::filing(filing);
    let proof = within(FILE, desk.base.objects.prove(&subject, sheet, &mut |_bytes| {})).await?;
    metrics::counter!("docket_files_read_over").increment(1);
    let (object_key, found_at_us) = (sheet.to_owned(), desk.now_us());
    Ok(fault(proof).map(|fault| Damaged { object_key, evidence: None, fault, found_at_us }))
}

/// What is wrong with an object that was read to its end.
fn fault(proof: Proof) -> Option<&'static str> {
    match proof {
        Proof::Whole => None,
        Proof::Missing => Some("missing"),
        // The key is there: it opened what the events hold.
        Proof::Altered | Proof::Erased => Some("altered"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges of small numbers")]
async fn tell(desk: &Desk) -> Result<(), ApiError> {
    let (damaged, began_at_us) = scrub::standing(&desk.base.pool).await?;
    metrics::gauge!("docket_files_damaged").set(damaged as f64);
    let age_us = began_at_us.map_or(0, |began_at_us| (desk.now_us() - began_at_us).max(0));
    metrics::gauge!("docket_file_scrub_age_seconds").set(age_us as f64 / 1e6);
    Ok(())
}
