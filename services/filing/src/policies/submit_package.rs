//! When the fee of a package is settled, every filing in it goes in, all in one append.

use async_trait::async_trait;
use docket_eventlog::{Context, Expected, Recorded, Store, StreamAppend, Subjects};
use docket_messaging::{ApplyError, Subscriber};
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::{FeeSettled, fee_settled::Settlement};
use sqlx::PgConnection;

use super::{park, parse};
use crate::aggregates::Filings;
use crate::content::Content;
use crate::desk::Desk;
use crate::domain::filing::{self, Settled};
use crate::facts;
use crate::store::representations;

/// Submits packages.
pub(crate) struct SubmitPackage(pub(crate) Desk);

#[async_trait]
impl Subscriber for SubmitPackage {
    fn categories(&self) -> &'static [&'static str] {
        &["payment"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        if let Event::FeeSettled(settled) = event.decode()? {
            self.submit(tx, event, &settled).await?;
        }
        Ok(())
    }
}

impl SubmitPackage {
    async fn submit(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        e: &FeeSettled,
    ) -> Result<(), ApplyError> {
        let mut streams = Vec::new();
        for filing_id in &e.filing_ids {
            let id = parse(filing_id)?;
            let loaded = self.0.filings.load(id).await?;
            let content = Content::of_filing(&self.0.log, &loaded.events).await?;
            if content.erased {
                return Err(ApplyError::Park("the filing was erased before its fee was settled".to_owned()));
            }
            let form =
                self.0.form(&loaded.state.form).map_err(|_| park("the form is not in the catalogue"))?;
            let received_at_us = filing::received_at_us(&loaded.state, e.authorised_at_us);
            // In a package that was paid for, a filing may cost nothing: then nothing of it can go back.
            let costs = loaded.state.fee.as_ref().is_some_and(|fee| fee.total_cents > 0);
            let settled = Settled {
                package: parse(&e.package_id)?,
                payment: match e.settlement() {
                    Settlement::Paid if costs => {
                        Some(event.stream.id().ok_or_else(|| park("the stream is no payment"))?)
                    }
                    Settlement::Paid
                    | Settlement::NothingDue
                    | Settlement::WaiverRequested
                    | Settlement::Unspecified => None,
                },
                authorised_at_us: e.authorised_at_us,
                family: form.family.clone(),
                other_name: !content.signature.proven_name.is_empty(),
                facts: facts::derive(form, &content.answers, received_at_us),
                represented: representations::standing(&mut *tx, id).await?,
            };
            let events = filing::submit(&loaded.state, settled).map_err(|no| park(no.reason))?;
            streams.push(StreamAppend::of(
                Store::<Filings>::stream(id),
                Expected::Version(loaded.version),
                Subjects::filing(id),
                &events,
            ));
        }
        let append = Context::reaction("submit_package", event, 0).append(&self.0.log, streams);
        self.0.log.append_in(tx, append).await?;
        Ok(())
    }
}
