//! When a filing is rejected at intake or its acceptance is voided, then its fee goes back or is owed no more, and nothing of
//! what other filings of its package paid (8 CFR 103.2(a)(7)(ii), 106.1(c)). What the fee table keeps of it, the case says.
use crate::domain::payment::{self, Fate, Payments};
use crate::store::{ledger, payer, refund};
use async_trait::async_trait;
use docket_eventlog::{Context, Recorded, Store, Subjects};
use docket_kernel::derived_id;
use docket_proto::case_status::events::v1::{AcceptanceVoided, FilingRejected};
use docket_proto::events::case::Event;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;

/// Its name in ids that are derived: the refunds of earlier events have them.
const POLICY: &str = "refund_rejected";

/// The policy.
#[derive(Clone, Debug)]
pub struct EndFee {
    /// Payments in the log.
    pub payments: Store<Payments>,
}

#[async_trait]
impl Subscriber for EndFee {
    // The fold of a case is whole: an unknown kind parks that case here too, and no refund is lost over it.
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let Some((fate, reason)) = fate(&event.decode()?) else { return Ok(()) };
        let filing = event.stream.id().ok_or_else(|| ApplyError::Park("the stream has no id".to_owned()))?;
        let Some(payment_id) = payer::payment_of(tx, filing).await? else { return Ok(()) };
        let context = Context::reaction(POLICY, event, 0);
        let refund_id = |nth| derived_id(POLICY, event.event_id, nth).to_string();
        let filing_text = filing.to_string();
        let done = self
            .payments
            .execute_in(tx, &context, payment_id, Subjects::NONE, |state| {
                payment::end_fee(state, refund_id, &filing_text, fate, reason)
            })
            .await?;
        // Heard once more, its state is that of the first time, and refunds that began since are under way all the same.
        if !done.repeated {
            ledger::post(tx, payment_id, &done.events, &done.state).await?;
            let after = (&*done.events, &done.state);
            refund::follow(self.payments.log(), tx, payment_id, after, event.recorded_at).await?;
        }
        Ok(())
    }
}

/// What an event of a case means for its fee, and why.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other events mean nothing for the fee")]
fn fate(event: &Event) -> Option<(Fate, &'static str)> {
    match event {
        Event::FilingRejected(FilingRejected { refund: true, kept, .. }) => {
            let fate = kept.as_ref().map_or(Fate::Refund, |kept| Fate::RefundBut(kept.cents));
            Some((fate, "filing_rejected"))
        }
        Event::FilingRejected(_) => Some((Fate::Keep, "filing_rejected")),
        Event::AcceptanceVoided(AcceptanceVoided { refund: true, .. }) => {
            Some((Fate::Refund, "acceptance_voided"))
        }
        Event::AcceptanceVoided(_) => Some((Fate::NotHonoured, "acceptance_voided")),
        _ => None,
    }
}
