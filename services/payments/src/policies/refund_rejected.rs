//! When a filing is rejected at intake, then its fee goes back (8 CFR 103.2(a)(7)(ii)).
use crate::domain::payment::{self, Payments};
use crate::store::{payer, refund};
use async_trait::async_trait;
use docket_eventlog::{Context, Recorded, Store, Subjects};
use docket_kernel::derived_id;
use docket_proto::case_status::events::v1::FilingRejected;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;

/// The policy.
#[derive(Clone, Debug)]
pub struct RefundRejected {
    /// Payments in the log.
    pub payments: Store<Payments>,
}

#[async_trait]
impl Subscriber for RefundRejected {
    // The fold of a case is whole: an unknown kind parks that case here too, and no refund is lost over it.
    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let docket_proto::events::case::Event::FilingRejected(FilingRejected { refund: true, .. }) =
            event.decode()?
        else {
            return Ok(());
        };
        let filing = event.stream.id().ok_or_else(|| ApplyError::Park("the stream has no id".to_owned()))?;
        let Some(payment_id) = payer::payment_of(tx, filing).await? else { return Ok(()) };
        let refund_id = derived_id("refund_rejected", event.event_id, 0);
        let context = Context::reaction("refund_rejected", event, 0);
        let (refund_text, filing_text) = (refund_id.to_string(), filing.to_string());
        let done = self
            .payments
            .execute_in(tx, &context, payment_id, Subjects::NONE, |state| {
                payment::start_refund(state, &refund_text, &filing_text)
            })
            .await?;
        let Some(settled) = &done.state.settled else { return Ok(()) };
        if done.state.refunds.iter().any(|refund| refund.refund_id == refund_text) {
            let row = refund::Refund {
                refund_id,
                payment_id,
                filing_id: filing,
                amount_cents: settled.amount_cents,
                processor_reference: settled.processor_reference.clone(),
            };
            refund::begin(tx, &row, event.recorded_at.as_microsecond()).await?;
        }
        Ok(())
    }
}
