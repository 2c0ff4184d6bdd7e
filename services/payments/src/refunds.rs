//! Refunds at the processor that failed after they were done, also those that finance made there by hand: told by a webhook, and looked
//! for in its list in case one never came.
use crate::cashier::Cashier;
use crate::processor::{Processor, failed, refund_id};
use crate::unexplained::nobodys;
use docket_database::{WORK, within};
use docket_kernel::{Clock as _, SystemClock};
use docket_service::{Rounds, Stop};
use serde_json::Value;
use std::time::Duration;

/// How far back the list is read, in seconds: a bank sends money back that it cannot place within some weeks.
const LOOK_BACK_S: i64 = 60 * 86_400;

/// Looks through the list until told to stop, at the start and then every so often.
///
/// # Errors
/// None: what fails is tried again.
pub async fn run(cashier: Cashier, every: Duration, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(every, "the refunds could not be read").bounded_inside();
    while rounds.go_on(&stop).await {
        rounds.turn(look(&cashier)).await;
    }
    Ok(())
}

/// One that does not answer keeps nobody from the others.
async fn look(cashier: &Cashier) -> anyhow::Result<()> {
    let mut looked = Ok(());
    for processor in cashier.processors.all() {
        looked = look_at(cashier, processor).await.and(looked);
    }
    looked
}

async fn look_at(cashier: &Cashier, processor: &Processor) -> anyhow::Result<()> {
    // The machine's time, never the office's, which may be ahead in development: the processor has its own.
    let since_s = SystemClock.now().as_second() - LOOK_BACK_S;
    let mut pages = processor.refunds(since_s);
    while let Some(refunds) = pages.next().await? {
        for refund in failed(&refunds) {
            if let Err(error) = within(WORK, moved(cashier, processor, refund)).await {
                let (refund, error) = (refund["id"].as_str(), format!("{error:#}"));
                tracing::warn!(refund, error, "a refund that failed was not recorded; tried again");
            }
        }
    }
    Ok(())
}

/// A refund moved on: one of ours is followed. One that finance made by hand may be the end of a charge that nobody expected, or may
/// have come back after it was taken for that.
///
/// # Errors
/// The processor or the log.
pub async fn moved(cashier: &Cashier, processor: &Processor, refund: &Value) -> anyhow::Result<()> {
    if let Some(ours) = refund_id(refund) {
        return cashier.follow_refund(ours).await;
    }
    let Some(intent) = refund["payment_intent"].as_str() else { return Ok(()) };
    let payment = processor.payment_of(intent).await?.unwrap_or_else(|| nobodys(intent));
    cashier.explain(payment, intent).await
}
