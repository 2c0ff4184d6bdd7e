//! The cashier: carries out what the domain decides, with the rows that must be true in the same commit.
use crate::domain::payment::{self, Charge, Payment, Payments};
use crate::processor::{Outcome, Processor};
use crate::store::attempt::{self, Attempt};
use crate::store::{ledger, refund};
use docket_eventlog::{Context, ExecuteError, Executed, Store, Subjects};
use docket_kernel::{Actor, SharedClock, derived_id};
use sqlx::PgPool;
use uuid::Uuid;

/// After so long an attempt without an answer is asked for again, in microseconds.
const ASK_AGAIN_US: i64 = 3_000_000;

/// Everything a payment needs.
#[derive(Clone)]
pub struct Cashier {
    /// Payments in the log.
    pub payments: Store<Payments>,
    /// Database.
    pub pool: PgPool,
    /// Clock.
    pub clock: SharedClock,
    /// Processor.
    pub processor: Processor,
}

impl Cashier {
    /// Begins an attempt, asks the processor, and records its answer. A repeat of the command asks again under the
    /// same idempotency key, so that it is the same charge.
    ///
    /// # Errors
    /// Refusals of [`payment::attempt`]; the log.
    pub async fn pay(
        &self,
        context: &Context,
        id: Uuid,
        account: Uuid,
        method: &str,
    ) -> Result<(Executed<Payments>, Outcome), ExecuteError> {
        let attempt_id = derived_id("payment.attempt", context.command_id, 0);
        let begun = self.begin(context, id, account, attempt_id, method).await?;
        let Some(open) = attempt::find(&self.pool, attempt_id).await? else {
            return Err(docket_kernel::Refusal::not_found().into());
        };
        if open.method_token.is_empty() {
            // Closed already: the first answer stands.
            let state = self.payments.load(id).await?;
            let outcome = self.known_outcome(&state.state);
            return Ok((executed(state), outcome));
        }
        let outcome = self.ask(&open).await?;
        let now = self.payments.load(id).await?;
        Ok((Executed { state: now.state, version: now.version, ..begun }, outcome))
    }

    fn known_outcome(&self, state: &Payment) -> Outcome {
        match (&state.settled, &state.last_refusal) {
            (Some(settled), _) => Outcome::Charged(Charge {
                reference: settled.processor_reference.clone(),
                amount_cents: settled.amount_cents,
                card_brand: settled.card_brand.clone(),
                card_last4: String::new(),
            }),
            (None, Some(code)) => Outcome::Declined(code.clone()),
            (None, None) => Outcome::Pending,
        }
    }

    async fn begin(
        &self,
        context: &Context,
        id: Uuid,
        account: Uuid,
        attempt_id: Uuid,
        method: &str,
    ) -> Result<Executed<Payments>, ExecuteError> {
        let now_us = self.clock.now().as_microsecond();
        let mut tx = self.pool.begin().await?;
        let text = attempt_id.to_string();
        let begun = self
            .payments
            .execute_in(&mut tx, context, id, Subjects::account(account), |state| {
                payment::attempt(state, &text)
            })
            .await?;
        let amount_cents = begun.state.opened.as_ref().map_or(0, |opened| opened.amount_cents);
        let row = Attempt {
            attempt_id,
            payment_id: id,
            amount_cents,
            method_token: method.to_owned(),
            started_at_us: now_us,
            tries: 0,
        };
        attempt::begin(&mut tx, &row, now_us + ASK_AGAIN_US).await?;
        tx.commit().await?;
        Ok(begun)
    }

    /// Asks the processor for an attempt and records what it says.
    ///
    /// # Errors
    /// The log.
    pub async fn ask(&self, open: &Attempt) -> Result<Outcome, ExecuteError> {
        let outcome = self
            .processor
            .charge(open.attempt_id, open.payment_id, open.amount_cents, &open.method_token)
            .await;
        match &outcome {
            Outcome::Charged(charge) => self.settle(open, charge).await?,
            Outcome::Declined(code) => self.refuse(open, code).await?,
            Outcome::Pending => {}
        }
        Ok(outcome)
    }

    /// Records a charge, with its postings; said twice, recorded once.
    ///
    /// # Errors
    /// The log; [`payment::settle`]'s refusal of another amount.
    pub async fn settle(&self, open: &Attempt, charge: &Charge) -> Result<(), ExecuteError> {
        let context = consequence("settle_payment", open.attempt_id);
        let account = self.account_of(open.payment_id).await?;
        let attempt_id = open.attempt_id.to_string();
        let mut tx = self.pool.begin().await?;
        let done = self
            .payments
            .execute_in(&mut tx, &context, open.payment_id, Subjects::account(account), |state| {
                payment::settle(state, &attempt_id, charge, open.started_at_us)
            })
            .await?;
        if !done.repeated {
            for event in done.events.iter().filter(|event| event.kind == "payment.fee_settled.v1") {
                let at_us = event.recorded_at.as_microsecond();
                ledger::transfer(
                    &mut tx,
                    event.event_id,
                    open.payment_id,
                    ledger::FEES_RECEIVED,
                    ledger::PROCESSOR_RECEIVABLE,
                    charge.amount_cents,
                    at_us,
                )
                .await?;
            }
            attempt::close(&mut tx, open.attempt_id, "settled").await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Records a refusal; said twice, recorded once.
    ///
    /// # Errors
    /// The log.
    pub async fn refuse(&self, open: &Attempt, code: &str) -> Result<(), ExecuteError> {
        let context = consequence("refuse_payment", open.attempt_id);
        let attempt_id = open.attempt_id.to_string();
        let mut tx = self.pool.begin().await?;
        self.payments
            .execute_in(&mut tx, &context, open.payment_id, Subjects::NONE, |state| {
                payment::refuse(state, &attempt_id, code)
            })
            .await?;
        attempt::close(&mut tx, open.attempt_id, "refused").await?;
        tx.commit().await?;
        Ok(())
    }

    /// Asks the processor for a refund and records it, with its postings.
    ///
    /// # Errors
    /// The processor or the log; it is asked again later.
    pub async fn give_back(&self, due: &refund::Refund) -> anyhow::Result<()> {
        let reference =
            self.processor.refund(due.refund_id, &due.processor_reference, due.amount_cents).await?;
        let context = consequence("issue_refund", due.refund_id);
        let refund_id = due.refund_id.to_string();
        let mut tx = self.pool.begin().await?;
        let done = self
            .payments
            .execute_in(&mut tx, &context, due.payment_id, Subjects::NONE, |state| {
                payment::issue_refund(state, &refund_id, &reference)
            })
            .await?;
        if !done.repeated {
            for event in &done.events {
                let at_us = event.recorded_at.as_microsecond();
                ledger::transfer(
                    &mut tx,
                    event.event_id,
                    due.payment_id,
                    ledger::PROCESSOR_RECEIVABLE,
                    ledger::FEES_RECEIVED,
                    due.amount_cents,
                    at_us,
                )
                .await?;
            }
        }
        refund::close(&mut tx, due.refund_id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The account of a payment, under whose key its personal fields are sealed.
    async fn account_of(&self, payment: Uuid) -> Result<Uuid, ExecuteError> {
        let state = self.payments.load(payment).await?.state;
        let account = state.opened.and_then(|opened| Uuid::try_parse(&opened.account_id).ok());
        account.ok_or_else(|| docket_kernel::Refusal::not_found().into())
    }
}

fn executed(loaded: docket_eventlog::Loaded<Payments>) -> Executed<Payments> {
    Executed { state: loaded.state, version: loaded.version, events: Vec::new(), repeated: true }
}

/// The context of what follows from the processor's answer: its command id comes from the attempt, so that an answer,
/// a webhook and a later question do the same thing once (L14).
fn consequence(policy: &str, cause: Uuid) -> Context {
    let command_id = derived_id(policy, cause, 0);
    Context {
        command_id,
        correlation_id: cause,
        causation_id: None,
        actor: Actor::machine(policy),
        on_behalf_of: None,
        auth_level: 0,
        traceparent: docket_messaging::current_traceparent(),
        request: Vec::new(),
    }
}
