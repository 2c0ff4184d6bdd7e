//! When a package is ready for payment, then its payment is opened; where nothing is due it is settled at once.
use crate::domain::payment::{self, Payments};
use crate::domain::quote::Quotes;
use crate::store::payer;
use async_trait::async_trait;
use docket_eventlog::{Context, Recorded, Store, Subjects};
use docket_proto::events::package::Event;
use docket_proto::payments::events::v1::PaymentOpened;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;
use uuid::Uuid;

/// The policy.
#[derive(Clone, Debug)]
pub struct OpenPayment {
    /// Payments in the log.
    pub payments: Store<Payments>,
    /// Quotes in the log.
    pub quotes: Store<Quotes>,
}

#[async_trait]
impl Subscriber for OpenPayment {
    fn categories(&self) -> &'static [&'static str] {
        &["package"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let Event::PackageReadyForPayment(ready) = event.decode()?;
        let package = event.stream.id().ok_or_else(|| ApplyError::Park("the stream has no id".to_owned()))?;
        let account = id(&ready.account_id)?;
        let filings = ready.filing_ids.iter().map(|text| id(text)).collect::<Result<Vec<_>, _>>()?;
        let quoted = self.quotes.load(id(&ready.quote_id)?).await?.state.quoted;
        if quoted.is_none_or(|q| q.total_cents != ready.total_cents || q.account_id != ready.account_id) {
            return Err(ApplyError::Park("the total is not what was quoted to this account".to_owned()));
        }
        let opened = PaymentOpened {
            package_id: package.to_string(),
            quote_id: ready.quote_id,
            account_id: ready.account_id,
            amount_cents: ready.total_cents,
            filing_ids: ready.filing_ids,
        };
        let at_us = event.recorded_at.as_microsecond();
        let context = Context::reaction("open_payment", event, 0);
        self.payments
            .execute_in(tx, &context, package, Subjects::account(account), |state| {
                payment::open(state, opened.clone(), at_us)
            })
            .await?;
        payer::keep(tx, package, account, &filings, at_us).await?;
        Ok(())
    }
}

fn id(text: &str) -> Result<Uuid, ApplyError> {
    Uuid::try_parse(text).map_err(|_malformed| ApplyError::Park("an id is no UUID".to_owned()))
}
