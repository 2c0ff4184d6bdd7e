//! When a package is ready for payment, then one payment is opened for all its filings, or opened anew after it was withdrawn; where
//! nothing is due it is settled at once.
use crate::domain::payment::{self, Payments};
use crate::domain::quote::Quotes;
use crate::store::payer;
use async_trait::async_trait;
use docket_eventlog::{Context, Recorded, Store, Subjects};
use docket_proto::events::package::Event;
use docket_proto::filing::events::v1::{PackageReadyForPayment, PackagedFiling};
use docket_proto::payments::events::v1::{FeePart, FeeQuoted, PaymentOpened};
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;
use std::collections::BTreeSet;
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
        let Event::PackageReadyForPayment(ready) = event.decode()? else { return Ok(()) };
        let package = event.stream.id().ok_or_else(|| park("the stream has no id"))?;
        let account = id(&ready.account_id)?;
        let filings = ready.filing_ids.iter().map(|text| id(text)).collect::<Result<Vec<_>, _>>()?;
        let parts = self.quoted_parts(&ready).await?;
        let opened = PaymentOpened {
            package_id: package.to_string(),
            quote_id: ready.quote_id,
            account_id: ready.account_id,
            amount_cents: ready.total_cents,
            filing_ids: ready.filing_ids,
            parts,
        };
        let at_us = event.recorded_at.as_microsecond();
        let context = Context::reaction("open_payment", event, 0);
        let done = self
            .payments
            .execute_in(tx, &context, package, Subjects::account(account), |state| {
                payment::open(state, opened.clone(), at_us)
            })
            .await?;
        if !done.repeated && !done.events.is_empty() {
            payer::keep(tx, package, account, &filings, at_us).await?;
        }
        Ok(())
    }
}

impl OpenPayment {
    /// What each filing costs, as it was quoted to the account whose filing it is; together they are the total.
    async fn quoted_parts(&self, ready: &PackageReadyForPayment) -> Result<Vec<FeePart>, ApplyError> {
        let packaged = packaged(ready);
        let named = packaged.iter().map(|filing| &filing.filing_id);
        if !named.clone().eq(&ready.filing_ids) || named.collect::<BTreeSet<_>>().len() != packaged.len() {
            return Err(park("the filings and what they cost do not name the same, each once"));
        }
        let mut left = ready.total_cents;
        for filing in &packaged {
            let quoted = self.quotes.load(id(&filing.quote_id)?).await?.state.quoted;
            let fits = |quoted: &FeeQuoted| {
                quoted.total_cents == filing.total_cents && quoted.account_id == filing.account_id
            };
            if !quoted.is_some_and(|quoted| fits(&quoted)) {
                return Err(park("the total is not what was quoted to this account"));
            }
            left -= filing.total_cents;
        }
        if left != 0 {
            return Err(park("the total is not the sum of what its filings cost"));
        }
        Ok(packaged.into_iter().map(part).collect())
    }
}

/// The filings of a package; an event from before packages held several names one, with the quote of the package.
fn packaged(ready: &PackageReadyForPayment) -> Vec<PackagedFiling> {
    if !ready.filings.is_empty() {
        return ready.filings.clone();
    }
    vec![PackagedFiling {
        filing_id: ready.filing_ids.first().cloned().unwrap_or_default(),
        quote_id: ready.quote_id.clone(),
        total_cents: ready.total_cents,
        account_id: ready.account_id.clone(),
    }]
}

fn part(filing: PackagedFiling) -> FeePart {
    FeePart { filing_id: filing.filing_id, quote_id: filing.quote_id, amount_cents: filing.total_cents }
}

fn id(text: &str) -> Result<Uuid, ApplyError> {
    Uuid::try_parse(text).map_err(|_malformed| park("an id is no UUID"))
}

fn park(reason: &str) -> ApplyError {
    ApplyError::Park(reason.to_owned())
}
