//! Refunds at the processor that failed after they were done: told by a webhook, and looked for in its list in case one never came.
use crate::cashier::Cashier;
use crate::processor::{Processor, failed};
use docket_database::{WORK, within};
use docket_kernel::{Clock as _, SystemClock};
use docket_service::{Rounds, Stop};
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
            if let Err(error) = within(WORK, cashier.follow_refund(refund)).await {
                let error = format!("{error:#}");
                tracing::warn!(%refund, error, "a refund that failed was not recorded; tried again");
            }
        }
    }
    Ok(())
}
