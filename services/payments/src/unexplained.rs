//! Money that fits nothing is booked as unexplained, with an obligation for finance, until the processor has it no more.
use crate::cashier::{Cashier, consequence_in};
use crate::domain::payment::{self, Charge, Dispute, Payment};
use crate::store::{attempt, ledger, refund};
use docket_eventlog::{Context, ExecuteError, Subjects};
use docket_kernel::derived_id;
use docket_proto::events::payment::Event;
use uuid::Uuid;

/// The stream of money that the processor knows no payment of.
pub fn nobodys(reference: &str) -> Uuid {
    derived_id(&format!("unexplained/{reference}"), Uuid::nil(), 0)
}

impl Cashier {
    /// Books a charge that does not fit its payment, once.
    ///
    /// # Errors
    /// The log.
    pub async fn unexpected(
        &self,
        payment: Uuid,
        attempt_id: &str,
        charge: &Charge,
        cause: &str,
    ) -> Result<(), ExecuteError> {
        let decide = |state: &Payment| payment::unexpected_charge(state, attempt_id, charge, cause);
        let what = format!("unexpected/{}", charge.reference);
        if self.book(payment, ("book_money", derived_id(&what, payment, 0)), &what, decide).await? {
            let reference = &charge.reference;
            tracing::error!(%payment, reference, cause, "a charge does not fit its payment; finance has to look");
        }
        Ok(())
    }

    /// Books a dispute that does not fit its payment, and its end, each once.
    ///
    /// # Errors
    /// The log.
    pub async fn misfit(&self, payment: Uuid, dispute: &Dispute, cause: &str) -> Result<(), ExecuteError> {
        let decide = |state: &Payment| payment::misfit(state, dispute, cause);
        let what = format!("misfit/{}/{}", dispute.id, dispute.standing as u32);
        if self.book(payment, ("book_money", derived_id(&what, payment, 0)), &what, decide).await? {
            let reference = &dispute.id;
            tracing::error!(%payment, reference, cause, "a dispute does not fit its payment; finance has to look");
        }
        Ok(())
    }

    /// Looks whether an unexplained charge went back, all of it, and records that; or that what had gone back came back to the processor,
    /// and is unexplained anew.
    ///
    /// # Errors
    /// The processor or the log.
    pub async fn explain(&self, payment: Uuid, reference: &str) -> anyhow::Result<()> {
        let state = self.payments.state(payment).await?.state;
        let charge = state.unexplained.get(reference).filter(|money| money.amount_cents > 0);
        let Some(money) = charge.filter(|money| money.is_open() || money.was_given_back()) else {
            return Ok(());
        };
        let Some(processor) = self.at(&money.processor, reference).await? else { return Ok(()) };
        let gone = processor.all_went_back(reference).await?;
        // Each time that it came back has names of its own.
        let times = if money.came_back == 0 { String::new() } else { format!("/{}", money.came_back) };
        if money.is_open() && gone {
            let what = format!("given_back/{reference}{times}");
            let decide = |state: &Payment| payment::given_back(state, reference);
            self.book(payment, ("book_money", derived_id(&what, payment, 0)), &what, decide).await?;
        } else if money.was_given_back() && !gone {
            let what = format!("came_back/{reference}{times}");
            let decide = |state: &Payment| payment::came_back(state, reference);
            if self.book(payment, ("book_money", derived_id(&what, payment, 0)), &what, decide).await? {
                tracing::error!(%payment, reference, "what was given back of an unexplained charge did not arrive; finance has to look");
            }
        }
        Ok(())
    }

    /// Records what is decided of a payment's money, with its postings and all that follows; whether anything was. What decides nothing
    /// is not noted as done: it may later. It is done once under the name `what`, by the policy, because of what the cause began.
    pub(crate) async fn book(
        &self,
        payment: Uuid,
        (policy, cause): (&str, Uuid),
        what: &str,
        decide: impl Fn(&Payment) -> Vec<Event>,
    ) -> Result<bool, ExecuteError> {
        let loaded = self.payments.load(payment).await?;
        if decide(&loaded.state).is_empty() {
            return Ok(false);
        }
        let context = consequence_in(&loaded.events, policy, cause)?;
        let context = Context { command_id: derived_id(what, payment, 0), ..context };
        let mut tx = docket_database::begin(&self.pool).await?;
        let done = self
            .payments
            .execute_in(&mut tx, &context, payment, Subjects::NONE, |state| Ok(decide(state)))
            .await?;
        if !done.repeated {
            ledger::post(&mut tx, payment, &done.events, &done.state).await?;
            for recorded in &done.events {
                match recorded.decode().map_err(docket_eventlog::Error::from)? {
                    Event::FeeRefused(refused) => {
                        attempt::refused(&mut tx, refund::id(&refused.attempt_id)).await?;
                    }
                    Event::RefundIssued(issued) => {
                        refund::close(&mut tx, refund::id(&issued.refund_id)).await?;
                    }
                    Event::RefundFailed(failed) => {
                        let now_us = self.clock.now().as_microsecond();
                        refund::reopen(&mut tx, refund::id(&failed.refund_id), now_us).await?;
                    }
                    Event::PaymentOpened(_)
                    | Event::PaymentWithdrawn(_)
                    | Event::PaymentAttempted(_)
                    | Event::FeeSettled(_)
                    | Event::RefundStarted(_)
                    | Event::PayerInvited(_)
                    | Event::PaymentDisputed(_)
                    | Event::DisputeWon(_)
                    | Event::PaymentReturned(_)
                    | Event::PaymentMadeGood(_)
                    | Event::FeeCancelled(_)
                    | Event::MoneyUnexplained(_)
                    | Event::MoneyExplained(_) => {}
                }
            }
            self.follow(&mut tx, payment, &done, self.clock.now()).await?;
        }
        tx.commit().await?;
        Ok(!done.events.is_empty())
    }
}
