//! An attempt is asked for at the processor: under its idempotency key while that is kept, and from then on looked for, so that one
//! attempt never charges twice.
use crate::cashier::Cashier;
use crate::processor::Outcome;
use crate::store::attempt::{self, Attempt};
use docket_database::{WORK, answered, within};
use docket_eventlog::ExecuteError;
use docket_kernel::{Clock as _, SystemClock};

/// So long after it began an attempt may be asked for again, in microseconds. A processor keeps a key for a day, and may forget it
/// then; asked for once more after that, it would charge once more.
const KEPT_US: i64 = 20 * 3_600_000_000;
/// So long after it began, what the processor does not have is never coming, in microseconds: nothing is asked for any more since
/// [`KEPT_US`].
const NEVER_COMING_US: i64 = 24 * 3_600_000_000;
/// How far its clock and ours may differ, in seconds.
const CLOCKS_S: i64 = 3_600;
/// The class of a refusal because it never came to the processor.
const NEVER_CAME: &str = "never_came";

impl Cashier {
    /// Asks the processor for an attempt and records what it says.
    ///
    /// # Errors
    /// The log.
    pub async fn ask(&self, open: &Attempt) -> Result<Outcome, ExecuteError> {
        let outcome = self.outcome(open).await?;
        match &outcome {
            Outcome::Charged(charge) if !self.settle(open, charge).await? => return Ok(Outcome::Pending),
            Outcome::Charged(_) | Outcome::Pending => {}
            Outcome::Declined(code) => self.refuse(open, code).await?,
        }
        Ok(outcome)
    }

    async fn outcome(&self, open: &Attempt) -> Result<Outcome, ExecuteError> {
        let asked = if open.intent.is_empty() { open.attempt_id.to_string() } else { open.intent.clone() };
        let Some(processor) = self.at(&open.processor, &asked).await? else { return Ok(Outcome::Pending) };
        if !open.intent.is_empty() {
            return Ok(processor.standing(&open.intent).await);
        }
        let intent = if self.age_us(open) < KEPT_US {
            let first = attempt::asks(&self.pool, open.attempt_id).await? == 1;
            let ids = (open.attempt_id, open.payment_id);
            let asked = processor.charge(ids, open.amount_cents, &open.method_token, first).await;
            match (asked.outcome, asked.intent) {
                (Outcome::Pending, Some(intent)) => intent,
                (outcome, _) => return Ok(outcome),
            }
        } else {
            match processor.find(open.attempt_id).await {
                Ok(Some(intent)) => intent,
                // Whether it never comes is for `search` to say.
                Ok(None) => return Ok(Outcome::Pending),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(attempt = %open.attempt_id, error, "an attempt was not looked for; tried again");
                    return Ok(Outcome::Pending);
                }
            }
        };
        attempt::keep_intent(&self.pool, open.attempt_id, &intent).await?;
        Ok(processor.standing(&intent).await)
    }

    /// Whether nothing can come of an attempt any more but what the processor has already.
    pub fn is_to_be_searched(&self, open: &Attempt) -> bool {
        open.intent.is_empty() && self.age_us(open) >= NEVER_COMING_US
    }

    /// Looks for such an attempt by the processor's index, and where that says nothing, in its whole list since the attempt began; what is
    /// in neither is over. The list of a busy office takes long, so each question is bounded, and not all of them together.
    ///
    /// # Errors
    /// The processor or the log.
    pub async fn search(&self, open: &Attempt) -> anyhow::Result<()> {
        let id = open.attempt_id;
        // By the machine's time: the office's may be ahead in development, and then more of the list is read.
        let since_s = SystemClock.now().as_second() - self.age_us(open) / 1_000_000 - CLOCKS_S;
        let Some(processor) = within(WORK, self.at(&open.processor, &id.to_string())).await? else {
            return Ok(());
        };
        let mut found = processor.find(id).await?;
        if found.is_none() {
            found = processor.find_since(id, since_s).await?;
        }
        let Some(intent) = found else { return Ok(within(WORK, self.refuse(open, NEVER_CAME)).await?) };
        answered(attempt::keep_intent(&self.pool, id, &intent)).await?;
        within(WORK, self.ask(&Attempt { intent, ..open.clone() })).await?;
        Ok(())
    }

    fn age_us(&self, open: &Attempt) -> i64 {
        self.clock.now().as_microsecond() - open.started_at_us
    }
}
