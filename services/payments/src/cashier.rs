//! The cashier: carries out what the domain decides, with the rows that must be true in the same commit.
use crate::domain::payment::{self, Changed, Charge, Dispute, Payment, Payments};
use crate::domain::quote::Quotes;
use crate::peers::Filing;
use crate::processor::{Going, GoingBack, Outcome, Processor};
use crate::processors::Processors;
use crate::store::attempt::{self, Attempt};
use crate::store::{ledger, owed, refund};
use docket_eventlog::{Context, Difference, Error, ExecuteError, Executed, Recorded, Store, Subjects};
use docket_forms::Catalogue;
use docket_kernel::{Actor, SharedClock, derived_id};
use docket_proto::events::payment::Event;
use docket_service::ApiError;
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;
use uuid::Uuid;

/// Everything a payment needs.
#[derive(Clone)]
pub struct Cashier {
    /// Payments in the log.
    pub payments: Store<Payments>,
    /// Quotes in the log.
    pub quotes: Store<Quotes>,
    /// The fee table.
    pub catalogue: Arc<Catalogue>,
    /// Database.
    pub pool: PgPool,
    /// Clock.
    pub clock: SharedClock,
    /// Processors.
    pub processors: Processors,
    /// Filing.
    pub filing: Filing,
}

impl Cashier {
    /// Begins an attempt, asks the processor, and records its answer. A repeat of the command asks again under the
    /// same idempotency key, so that it is the same charge; once there is an outcome, that is the answer.
    ///
    /// # Errors
    /// Refusals of [`payment::attempt`]; `PACKAGE_OVERTAKEN`; `REQUEST_ID_REUSED`; unavailable, while filing does not answer; the log.
    pub async fn pay(
        &self,
        context: &Context,
        id: Uuid,
        payer: Payer,
        method: &str,
    ) -> Result<Outcome, ApiError> {
        // Of this payment: another payer's command may have the same id.
        let attempt_id = derived_id(&format!("payment.attempt/{id}"), context.command_id, 0);
        self.begin(context, id, payer, attempt_id, method).await?;
        let Some(begun) = attempt::find(&self.pool, attempt_id).await? else {
            return Err(docket_kernel::Refusal::not_found().into());
        };
        Ok(match begun.outcome.as_deref() {
            None => self.ask(&begun).await?,
            Some(outcome) => self.known_outcome(id, outcome).await?,
        })
    }

    /// What came of an attempt that is closed.
    async fn known_outcome(&self, id: Uuid, outcome: &str) -> Result<Outcome, ExecuteError> {
        let state = self.payments.load(id).await?.state;
        Ok(match (outcome, state.settled) {
            ("settled", Some(settled)) => Outcome::Charged(Charge {
                reference: settled.processor_reference,
                processor: settled.processor,
                amount_cents: settled.amount_cents,
                card_brand: settled.card_brand,
                card_last4: String::new(),
            }),
            _ => Outcome::Declined(state.last_refusal.unwrap_or_default()),
        })
    }

    /// Begins an attempt at an instant. That instant decides: what was sent is held against its forms as of it, the fee is that
    /// of its day, and once it is charged the package counts as received then, however late the processor answers. A midnight
    /// between the look and the charge therefore changes nothing.
    async fn begin(
        &self,
        context: &Context,
        id: Uuid,
        payer: Payer,
        attempt_id: Uuid,
        method: &str,
    ) -> Result<(), ApiError> {
        let started_at_us = self.clock.now().as_microsecond();
        let changed = self.changed_quotes(id).await?;
        if attempt::find(&self.pool, attempt_id).await?.is_none() {
            self.can_go_in(id, payer, (attempt_id, started_at_us), &changed).await?;
        }
        let mut tx = docket_database::begin(&self.pool).await?;
        let (text, processor) = (attempt_id.to_string(), self.processors.current().name());
        let begun = self
            .payments
            .execute_in(&mut tx, context, id, Subjects::account(payer.account), |state| {
                payment::attempt(state, (&text, processor), &changed)
            })
            .await?;
        let row = Attempt {
            attempt_id,
            payment_id: id,
            amount_cents: begun.state.pending.as_ref().map_or(0, |pending| pending.amount_cents),
            method_token: method.to_owned(),
            started_at_us,
            outcome: None,
            intent: String::new(),
            processor: processor.to_owned(),
        };
        // Somebody else's command, of the payer or whom they let pay, may have the same id, and its attempt had its answer.
        if !attempt::begin(&mut tx, &row).await? && !begun.repeated {
            return Err(ApiError::Reused(Difference { fields: Vec::new() }));
        }
        owed::follow(self.payments.log(), &mut tx, &begun.events, &begun.state).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether what is to be paid for can still go in as it was sent; where it cannot, its payment is withdrawn, so that it can be
    /// put right. What was paid for once and is owed again went in long ago.
    async fn can_go_in(
        &self,
        id: Uuid,
        payer: Payer,
        (attempt_id, at_us): (Uuid, i64),
        changed: &Changed,
    ) -> Result<(), ApiError> {
        let state = self.payments.load(id).await?.state;
        payment::attempt(&state, (&attempt_id.to_string(), ""), changed)?;
        let Some(opened) = state.opened.as_ref().filter(|_| state.settled.is_none()) else { return Ok(()) };
        let overtaken = self.filing.overtaken(&opened.filing_ids, at_us).await?;
        if overtaken.is_empty() {
            return Ok(());
        }
        let context = self.consequence("withdraw_overtaken", attempt_id, id).await?;
        let decide = |state: &Payment| payment::withdraw_overtaken(state, opened, &overtaken);
        self.payments.execute(&context, id, Subjects::account(payer.account), decide).await?;
        let reader = payer.is_caller.then(|| payer.account.to_string());
        Err(payment::overtaken(&overtaken, reader.as_deref()).into())
    }

    /// Takes a payment back of which nothing was paid.
    ///
    /// # Errors
    /// Refusals of [`payment::withdraw`]; the log.
    pub async fn withdraw(&self, context: &Context, id: Uuid, account: Uuid) -> Result<(), ExecuteError> {
        self.payments.execute(context, id, Subjects::account(account), payment::withdraw).await?;
        Ok(())
    }

    /// Records a charge, with its postings; said twice, recorded once. False for a charge that does not fit the payment:
    /// it is never taken for the fee, the payment stays as it is, and finance has to look.
    ///
    /// # Errors
    /// The log.
    pub async fn settle(&self, open: &Attempt, charge: &Charge) -> Result<bool, ExecuteError> {
        let cause = match self.settle_fitting(open, charge).await {
            Ok(true) => return Ok(true),
            // Another charge settled this attempt.
            Ok(false) => "charge_unexpected".to_owned(),
            Err(ExecuteError::Refused(refusal)) => refusal.reason.to_lowercase(),
            Err(error) => return Err(error),
        };
        self.unexpected(open.payment_id, &open.attempt_id.to_string(), charge, &cause).await?;
        Ok(false)
    }

    /// Whoever paid may have been erased since the attempt began: the money came all the same, and of the charge only the digits of
    /// the card were theirs.
    async fn settle_fitting(&self, open: &Attempt, charge: &Charge) -> Result<bool, ExecuteError> {
        match self.settle_as(open, charge).await {
            Err(ExecuteError::Log(Error::Erased)) => {
                let nobodys = Charge { card_last4: String::new(), ..charge.clone() };
                self.settle_as(open, &nobodys).await
            }
            done => done,
        }
    }

    /// Whether the payment has this charge after it.
    async fn settle_as(&self, open: &Attempt, charge: &Charge) -> Result<bool, ExecuteError> {
        let context = self.consequence("settle_payment", open.attempt_id, open.payment_id).await?;
        let subjects = self.account_of(open).await?.map_or(Subjects::NONE, Subjects::account);
        let attempt_id = open.attempt_id.to_string();
        let refund_id = |nth| derived_id("refund_late", open.attempt_id, nth).to_string();
        let mut tx = docket_database::begin(&self.pool).await?;
        let done = self
            .payments
            .execute_in(&mut tx, &context, open.payment_id, subjects, |state| {
                payment::settle(state, &attempt_id, charge, open.started_at_us, refund_id)
            })
            .await?;
        if !done.repeated {
            ledger::post(&mut tx, open.payment_id, &done.events, &done.state).await?;
            attempt::settled(&mut tx, open.attempt_id, &charge.reference).await?;
            owed::answered(self.payments.log(), &mut tx, open.attempt_id, &done.events).await?;
            self.follow(&mut tx, open.payment_id, &done, self.clock.now()).await?;
        }
        tx.commit().await?;
        Ok(done.state.charges.contains_key(&charge.reference))
    }

    /// Records a refusal; said twice, recorded once.
    ///
    /// # Errors
    /// The log.
    pub async fn refuse(&self, open: &Attempt, code: &str) -> Result<(), ExecuteError> {
        let context = self.consequence("refuse_payment", open.attempt_id, open.payment_id).await?;
        let attempt_id = open.attempt_id.to_string();
        let mut tx = docket_database::begin(&self.pool).await?;
        let done = self
            .payments
            .execute_in(&mut tx, &context, open.payment_id, Subjects::NONE, |state| {
                payment::refuse(state, &attempt_id, code)
            })
            .await?;
        owed::follow(self.payments.log(), &mut tx, &done.events, &done.state).await?;
        attempt::refused(&mut tx, open.attempt_id).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The processor that something of ours was asked of, and where it is called `reference`. One that is not configured is told of, and is
    /// an obligation until it is: nothing can be asked of it, so what was stays as it is.
    ///
    /// # Errors
    /// The log.
    pub(crate) async fn at(&self, name: &str, reference: &str) -> Result<Option<&Processor>, Error> {
        let known = self.processors.named(name);
        if known.is_none() {
            tracing::error!(
                processor = name,
                reference,
                "a processor that took money is not configured; nothing can be asked of it"
            );
            let mut tx = docket_database::begin(&self.pool).await?;
            owed::not_configured(self.payments.log(), &mut tx, (name, reference), self.clock.now()).await?;
            tx.commit().await?;
        }
        Ok(known)
    }

    /// Asks the processor for a refund, once, and records what comes of it. What it took and has not done yet is asked for again.
    ///
    /// # Errors
    /// The processor or the log; it is asked again later.
    pub async fn give_back(&self, due: &refund::Refund) -> anyhow::Result<()> {
        let charge = &due.processor_reference;
        let Some(processor) = self.at(&due.processor, charge).await? else { return Ok(()) };
        let refund = processor.refund(due.refund_id, charge, due.amount_cents).await?;
        self.record_refund(due, &refund).await
    }

    /// Records how a refund stands that may have been done before: what went back may come back from the bank.
    ///
    /// # Errors
    /// The processor or the log.
    pub async fn follow_refund(&self, refund_id: Uuid) -> anyhow::Result<()> {
        let Some(known) = refund::find(&self.pool, refund_id).await? else { return Ok(()) };
        let charge = &known.processor_reference;
        let Some(processor) = self.at(&known.processor, charge).await? else { return Ok(()) };
        match processor.refund_of(refund_id, charge).await? {
            Some(refund) => self.record_refund(&known, &refund).await,
            None => Ok(()),
        }
    }

    async fn record_refund(&self, due: &refund::Refund, refund: &GoingBack) -> anyhow::Result<()> {
        let (id, reference) = (due.refund_id.to_string(), &refund.reference);
        match &refund.going {
            Going::Done => {
                let what = format!("issue_refund/{id}/{reference}");
                let issue = |state: &Payment| payment::issue_refund(state, &id, reference);
                self.book(due.payment_id, ("issue_refund", due.refund_id), &what, issue).await?;
            }
            Going::Failed(reason) => {
                let what = format!("fail_refund/{id}/{reference}");
                let paid_by = self.paid_by(due.payment_id, &due.processor_reference).await?;
                let fail = |state: &Payment| payment::fail_refund(state, &id, (reference, reason), paid_by);
                if self.book(due.payment_id, ("fail_refund", due.refund_id), &what, fail).await? {
                    tracing::error!(refund = %id, reason, "a refund did not arrive; the money is owed still");
                }
            }
            Going::UnderWay => {}
        }
        Ok(())
    }

    /// Records how a dispute stands, with its postings; said twice, recorded once. One that does not fit its payment, or is
    /// about none of ours, is unexplained, and finance has to look.
    ///
    /// # Errors
    /// The log.
    pub async fn record_dispute(&self, payment_id: Uuid, dispute: &Dispute) -> Result<(), ExecuteError> {
        match self.record_fitting_dispute(payment_id, dispute).await {
            Err(ExecuteError::Refused(refusal)) => {
                self.misfit(payment_id, dispute, &refusal.reason.to_lowercase()).await
            }
            other => other,
        }
    }

    async fn record_fitting_dispute(&self, payment_id: Uuid, dispute: &Dispute) -> Result<(), ExecuteError> {
        let cause = derived_id(&format!("dispute/{}", dispute.id), payment_id, dispute.standing as u32);
        let context = self.consequence("record_dispute", cause, payment_id).await?;
        let rest_id = derived_id("refund_rest", cause, 0).to_string();
        let mut tx = docket_database::begin(&self.pool).await?;
        let done = self
            .payments
            .execute_in(&mut tx, &context, payment_id, Subjects::NONE, |state| {
                payment::record_dispute(state, dispute, &rest_id)
            })
            .await?;
        if !done.repeated {
            ledger::post(&mut tx, payment_id, &done.events, &done.state).await?;
            self.follow(&mut tx, payment_id, &done, self.clock.now()).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Brings what is to be refunded, and what is owed, in step with a payment after its events, in their transaction.
    pub(crate) async fn follow(
        &self,
        tx: &mut PgConnection,
        payment_id: Uuid,
        done: &Executed<Payments>,
        due_at: Timestamp,
    ) -> Result<(), ExecuteError> {
        Ok(refund::follow(self.payments.log(), tx, payment_id, (&done.events, &done.state), due_at).await?)
    }

    /// The context of what follows from the processor's answer: its command id comes from the attempt or the refund, so
    /// that an answer, a webhook and a later question do the same thing once (L14).
    pub(crate) async fn consequence(
        &self,
        policy: &str,
        cause: Uuid,
        payment: Uuid,
    ) -> Result<Context, ExecuteError> {
        // Where a call is at hand, its trace is the one, and nothing is read for it.
        let known = !docket_messaging::current_traceparent().is_empty();
        let events = if known { Vec::new() } else { self.payments.load(payment).await?.events };
        consequence_in(&events, policy, cause)
    }

    /// The account that paid a charge: the attempt before it was its own; where no charge of the payment is so called, whose payment it
    /// is.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other events charge nothing")]
    async fn paid_by(&self, payment: Uuid, charge: &str) -> Result<Option<Uuid>, ExecuteError> {
        let loaded = self.payments.load(payment).await?;
        let mut attempted_by = None;
        for recorded in &loaded.events {
            let reference = match recorded.decode().map_err(docket_eventlog::Error::from)? {
                Event::PaymentAttempted(_) => {
                    attempted_by = recorded.metadata.actor.account_id();
                    continue;
                }
                Event::FeeSettled(settled) => settled.processor_reference,
                Event::PaymentMadeGood(made_good) => made_good.processor_reference,
                _ => continue,
            };
            if reference == charge && attempted_by.is_some() {
                return Ok(attempted_by);
            }
        }
        Ok(payer(&loaded.state))
    }

    /// The account under whose key what is personal of a charge is sealed: whoever paid, which the payer may have let somebody else
    /// do; none where there is no payment.
    async fn account_of(&self, open: &Attempt) -> Result<Option<Uuid>, ExecuteError> {
        let loaded = self.payments.load(open.payment_id).await?;
        let attempt_id = open.attempt_id.to_string();
        for recorded in &loaded.events {
            if let Event::PaymentAttempted(attempted) =
                recorded.decode().map_err(docket_eventlog::Error::from)?
                && attempted.attempt_id == attempt_id
            {
                return Ok(recorded.metadata.actor.account_id());
            }
        }
        Ok(payer(&loaded.state))
    }
}

/// The same as [`Cashier::consequence`], of a payment whose events were read.
pub(crate) fn consequence_in(
    events: &[Recorded],
    policy: &str,
    cause: Uuid,
) -> Result<Context, ExecuteError> {
    Ok(Context {
        command_id: derived_id(policy, cause, 0),
        correlation_id: cause,
        causation_id: None,
        actor: Actor::machine(policy),
        on_behalf_of: None,
        auth_level: 0,
        traceparent: trace_of(events, cause)?,
        request: Vec::new(),
    })
}

/// The trace that an outcome belongs to: the call at hand; for a webhook or a later question, which have none, what
/// began the attempt or the refund.
fn trace_of(events: &[Recorded], cause: Uuid) -> Result<String, ExecuteError> {
    let ours = docket_messaging::current_traceparent();
    if !ours.is_empty() {
        return Ok(ours);
    }
    let cause = cause.to_string();
    for recorded in events {
        let began = match recorded.decode().map_err(docket_eventlog::Error::from)? {
            Event::PaymentAttempted(attempted) => attempted.attempt_id == cause,
            Event::RefundStarted(started) => started.refund_id == cause,
            Event::PaymentOpened(_)
            | Event::PaymentWithdrawn(_)
            | Event::FeeRefused(_)
            | Event::FeeSettled(_)
            | Event::RefundIssued(_)
            | Event::RefundFailed(_)
            | Event::PayerInvited(_)
            | Event::PaymentDisputed(_)
            | Event::DisputeWon(_)
            | Event::PaymentReturned(_)
            | Event::PaymentMadeGood(_)
            | Event::FeeCancelled(_)
            | Event::MoneyUnexplained(_)
            | Event::MoneyExplained(_) => false,
        };
        if began {
            return Ok(recorded.metadata.traceparent.clone());
        }
    }
    Ok(String::new())
}

/// Whose payment it is.
#[derive(Clone, Copy, Debug)]
pub struct Payer {
    /// Account.
    pub account: Uuid,
    /// Whether they call themselves; else somebody whom they gave a code.
    pub is_caller: bool,
}

/// The account of a payment, also of one that was withdrawn.
pub(crate) fn payer(state: &Payment) -> Option<Uuid> {
    Uuid::try_parse(&state.last_opened()?.account_id).ok()
}
