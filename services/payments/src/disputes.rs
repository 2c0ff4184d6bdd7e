//! Disputes at the processor: told by a webhook, and looked for in its list in case one never came.
use crate::cashier::Cashier;
use crate::processor::Processor;
use crate::unexplained::nobodys;
use docket_database::{WORK, within};
use docket_service::{Rounds, Stop};
use std::time::Duration;

/// How far back the list is read, in seconds: a bank may send a debit back for 60 days, a cardholder may dispute a charge for
/// 120.
pub(crate) const LOOK_BACK_S: i64 = 130 * 86_400;

/// Looks through the list until told to stop, at the start and then every so often.
///
/// # Errors
/// None: what fails is tried again.
pub async fn run(cashier: Cashier, every: Duration, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(every, "the disputes could not be read").bounded_inside();
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
    let since_s = docket_kernel::Clock::now(&docket_kernel::SystemClock).as_second() - LOOK_BACK_S;
    let mut pages = processor.disputes(since_s);
    while let Some(disputes) = pages.next().await? {
        for id in disputes.iter().filter_map(|dispute| dispute["id"].as_str()) {
            if let Err(error) = within(WORK, record(cashier, processor, id)).await {
                tracing::warn!(error = format!("{error:#}"), "a dispute was not recorded; tried again");
            }
        }
    }
    Ok(())
}

/// Records a dispute as its processor has it now; what a webhook says about it is only the reason to ask.
///
/// # Errors
/// The processor or the log.
pub async fn record(cashier: &Cashier, processor: &Processor, dispute_id: &str) -> anyhow::Result<()> {
    let Some(dispute) = processor.dispute(dispute_id).await? else { return Ok(()) };
    let payment = processor.payment_of(&dispute.charge).await?;
    let payment = payment.unwrap_or_else(|| nobodys(&dispute.charge));
    cashier.record_dispute(payment, &dispute).await?;
    Ok(())
}
