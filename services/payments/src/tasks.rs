//! What is due at the processor: attempts without an answer, refunds under way.
use crate::cashier::Cashier;
use crate::disputes;
use crate::store::attempt::{self, Attempt};
use crate::store::{owed, refund};
use docket_database::{WORK, answered, within};
use docket_service::{Rounds, Stop};
use std::time::Duration;
use tokio::task::JoinSet;

/// How often the rows are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Asks for what is due until told to stop.
///
/// # Errors
/// None: what fails is tried again.
pub async fn run(cashier: Cashier, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(LOOK_EVERY, "what is due could not be read").bounded_inside();
    let (mut known, mut searching) = (false, JoinSet::new());
    while rounds.go_on(&stop).await {
        rounds
            .turn(async {
                known = known || within(WORK, look_at_processors(&cashier)).await.is_ok();
                once(&cashier, &mut searching).await
            })
            .await;
    }
    Ok(())
}

/// A processor that is not configured is owed to be as long as what it took may be disputed, which nobody would hear; what waited for
/// one that is configured again waits no more.
async fn look_at_processors(cashier: &Cashier) -> anyhow::Result<()> {
    owed::configured(cashier.payments.log(), &cashier.pool, &cashier.processors).await?;
    let since_us = cashier.clock.now().as_microsecond() - disputes::LOOK_BACK_S * 1_000_000;
    for name in attempt::asked_since(&cashier.pool, since_us).await? {
        cashier.at(&name, "disputes").await?;
    }
    Ok(())
}

/// Asks for each by itself: one that fails or waits for its answer holds up no other. The processor's whole list is read for one at a
/// time, and nobody waits for that; another one's turn comes when it is due again.
async fn once(cashier: &Cashier, searching: &mut JoinSet<()>) -> anyhow::Result<()> {
    while searching.try_join_next().is_some() {}
    let now_us = cashier.clock.now().as_microsecond();
    let mut asked = JoinSet::new();
    for open in answered(attempt::take_due(&cashier.pool, now_us)).await? {
        let cashier = cashier.clone();
        if cashier.is_to_be_searched(&open) {
            if searching.is_empty() {
                searching.spawn(search(cashier, open));
            }
            continue;
        }
        asked.spawn(async move {
            if let Err(error) = within(WORK, cashier.ask(&open)).await {
                tracing::warn!(attempt = %open.attempt_id, %error, "an attempt's outcome was not recorded; asked again");
            }
        });
    }
    for due in answered(refund::take_due(&cashier.pool, now_us)).await? {
        let cashier = cashier.clone();
        asked.spawn(async move {
            if let Err(error) = within(WORK, cashier.give_back(&due)).await {
                let error = format!("{error:#}");
                tracing::warn!(refund = %due.refund_id, error, "a refund was not done; tried again");
            }
        });
    }
    asked.join_all().await;
    Ok(())
}

async fn search(cashier: Cashier, open: Attempt) {
    if let Err(error) = cashier.search(&open).await {
        let error = format!("{error:#}");
        tracing::warn!(attempt = %open.attempt_id, error, "an attempt was not looked for; tried again");
    }
}
