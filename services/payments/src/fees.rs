//! The fee of the day: whether what was quoted for a payment still holds.
use crate::cashier::Cashier;
use crate::domain::payment::Changed;
use crate::domain::quote;
use docket_eventlog::{Error, Loaded};
use docket_kernel::deadline::office_date;
use uuid::Uuid;

impl Cashier {
    /// Which quotes of a payment hold no more on the office's day that it is now. Once it was paid, none is looked at.
    ///
    /// # Errors
    /// The log.
    pub async fn changed_quotes(&self, payment: Uuid) -> Result<Changed, Error> {
        let Loaded { state, events, .. } = self.payments.load(payment).await?;
        let mut changed = Changed::new();
        // Filing held the fee against its rules when it sent the package, which opened the payment a moment later.
        let opened = events.iter().rfind(|event| event.kind == "payment.opened.v1");
        let Some(opened) = opened.filter(|_| state.settled.is_none()) else { return Ok(changed) };
        let (sent_on, today) = (office_date(opened.recorded_at), office_date(self.clock.now()));
        for part in state.parts {
            let Ok(quote_id) = Uuid::try_parse(&part.quote_id) else { continue };
            let quoted = self.quotes.load(quote_id).await?.state.quoted;
            let rows = quoted.unwrap_or_default().rows;
            if let Some(forms) = quote::changed(&self.catalogue, &rows, sent_on, today) {
                changed.insert(part.quote_id, forms);
            }
        }
        Ok(changed)
    }
}
