//! The fee of the day: whether what was quoted for a payment still holds.
use crate::cashier::Cashier;
use crate::domain::payment::Changed;
use crate::domain::quote;
use docket_eventlog::Error;
use docket_kernel::deadline::office_date;
use uuid::Uuid;

impl Cashier {
    /// Which quotes of a payment hold no more on the office's day that it is now. Once it was paid, none is looked at.
    ///
    /// # Errors
    /// The log.
    pub async fn changed_quotes(&self, payment: Uuid) -> Result<Changed, Error> {
        let state = self.payments.load(payment).await?.state;
        let mut changed = Changed::new();
        if state.settled.is_some() {
            return Ok(changed);
        }
        let today = office_date(self.clock.now());
        for part in state.parts {
            let Ok(quote_id) = Uuid::try_parse(&part.quote_id) else { continue };
            let quoted = self.quotes.load(quote_id).await?.state.quoted;
            if let Some(forms) = quoted.and_then(|quoted| quote::changed(&self.catalogue, &quoted, today)) {
                changed.insert(part.quote_id, forms);
            }
        }
        Ok(changed)
    }
}
