//! Charges at the processor: told by webhooks, and looked for in its list, so that none is there of which nobody knows; and whether
//! those that nobody expected went back.
use crate::cashier::Cashier;
use crate::processor::{Processor, named};
use crate::store::attempt::{self, Attempt};
use crate::store::owed;
use crate::unexplained::nobodys;
use docket_database::{WORK, answered, within};
use docket_kernel::{Clock as _, SystemClock};
use docket_service::{Rounds, Stop};
use serde_json::Value;
use std::time::Duration;

/// How far back the list is read, in seconds.
const LOOK_BACK_S: i64 = 7 * 86_400;
/// The same at the start, which may be one after a restore.
const FIRST_LOOK_BACK_S: i64 = 30 * 86_400;
/// So many unexplained ones are looked at in one round.
const AT_ONCE: u32 = 1_000;

/// Looks through the list until told to stop, at the start and then every so often.
///
/// # Errors
/// None: what fails is tried again.
pub async fn run(cashier: Cashier, every: Duration, stop: Stop) -> anyhow::Result<()> {
    let mut back_s = FIRST_LOOK_BACK_S;
    let mut rounds = Rounds::every(every, "the charges could not be read").bounded_inside();
    while rounds.go_on(&stop).await {
        rounds
            .turn(async {
                look(&cashier, back_s).await?;
                back_s = LOOK_BACK_S;
                Ok(())
            })
            .await;
    }
    Ok(())
}

/// One that does not answer keeps nobody from the others.
async fn look(cashier: &Cashier, back_s: i64) -> anyhow::Result<()> {
    let mut looked = Ok(());
    for processor in cashier.processors.all() {
        looked = look_at(cashier, processor, back_s).await.and(looked);
    }
    explain_all(cashier).await.and(looked)
}

async fn look_at(cashier: &Cashier, processor: &Processor, back_s: i64) -> anyhow::Result<()> {
    // The machine's time, never the office's, which may be ahead in development: the processor has its own.
    let since_s = SystemClock.now().as_second() - back_s;
    let mut pages = processor.intents(since_s);
    while let Some(intents) = pages.next().await? {
        take_all(cashier, processor, &intents).await?;
    }
    Ok(())
}

/// Takes what of a page was charged and settled no attempt yet.
async fn take_all(cashier: &Cashier, processor: &Processor, intents: &[Value]) -> anyhow::Result<()> {
    let charged: Vec<&Value> = intents.iter().filter(|intent| intent["status"] == "succeeded").collect();
    let ids: Vec<String> =
        charged.iter().filter_map(|intent| intent["id"].as_str()).map(str::to_owned).collect();
    let known = answered(attempt::settled_by(&cashier.pool, &ids)).await?;
    for intent in charged {
        if known.iter().any(|id| intent["id"] == id.as_str()) {
            continue;
        }
        if let Err(error) = within(WORK, take(cashier, processor, intent)).await {
            tracing::warn!(error = format!("{error:#}"), "a charge was not recorded; tried again");
        }
    }
    Ok(())
}

/// Records what was charged for an intent: as the outcome of its attempt, or as a charge that nobody expects.
///
/// # Errors
/// The log.
pub async fn take(cashier: &Cashier, processor: &Processor, intent: &Value) -> anyhow::Result<()> {
    let Some(charge) = processor.charge_of(intent) else { return Ok(()) };
    if let Some(attempt) = known(cashier, intent).await? {
        // Of an attempt that has its answer it is no receipt's, and is asked for each time the list is read.
        let charge = if attempt.outcome.is_none() { processor.with_card(charge).await } else { charge };
        // Not fitting is told to finance.
        let _fits = cashier.settle(&attempt, &charge).await?;
        return Ok(());
    }
    let attempt_id = named(intent, "attempt").map(|id| id.to_string()).unwrap_or_default();
    let payment = named(intent, "payment").unwrap_or_else(|| nobodys(&charge.reference));
    cashier.unexpected(payment, &attempt_id, &charge, "attempt_unknown").await?;
    Ok(())
}

/// Something of a charge went back: where nobody expected it, that may be its end.
///
/// # Errors
/// The processor or the log.
pub async fn went_back(cashier: &Cashier, charge: &Value) -> anyhow::Result<()> {
    let Some(intent) = charge["payment_intent"].as_str() else { return Ok(()) };
    let payment = named(charge, "payment").unwrap_or_else(|| nobodys(intent));
    cashier.explain(payment, intent).await
}

async fn explain_all(cashier: &Cashier) -> anyhow::Result<()> {
    for open in answered(cashier.payments.log().obligations().open_of(owed::UNEXPLAINED, AT_ONCE)).await? {
        let Some((payment, reference)) = owed::unexplained_of(&open.key) else { continue };
        if let Err(error) = within(WORK, cashier.explain(payment, reference)).await {
            let error = format!("{error:#}");
            tracing::warn!(reference, error, "an unexplained charge was not looked at; tried again");
        }
    }
    Ok(())
}

/// The attempt that an intent is for, as we told the processor.
///
/// # Errors
/// The database.
pub async fn known(cashier: &Cashier, intent: &Value) -> anyhow::Result<Option<Attempt>> {
    match named(intent, "attempt") {
        Some(id) => Ok(attempt::find(&cashier.pool, id).await?),
        None => Ok(None),
    }
}
