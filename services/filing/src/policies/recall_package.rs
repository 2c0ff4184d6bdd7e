//! When the payment of a package is withdrawn, every filing in it that waits for the fee is a draft again, all in one append; whoever
//! signed what could go in no more as it was sent is told, and what somebody stepped back from ends.

use async_trait::async_trait;
use docket_eventlog::{Context, Expected, Folded, Recorded, Store, StreamAppend, Subjects};
use docket_messaging::{ApplyError, Subscriber};
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::PaymentWithdrawn;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{hold_signature, keep_draft, park, parse};
use crate::aggregates::{Filings, Packages};
use crate::desk::Desk;
use crate::domain::filing::Overtaken;
use crate::domain::{filing, package as packages};
use crate::store::representations;

/// Takes packages back.
pub(crate) struct RecallPackage(pub(crate) Desk);

#[async_trait]
impl Subscriber for RecallPackage {
    fn categories(&self) -> &'static [&'static str] {
        &["payment"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        if let Event::PaymentWithdrawn(withdrawn) = event.decode()? {
            self.recall(tx, event, &withdrawn).await?;
        }
        Ok(())
    }
}

impl RecallPackage {
    async fn recall(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        e: &PaymentWithdrawn,
    ) -> Result<(), ApplyError> {
        let package_id = parse(&e.package_id)?;
        let package = self.0.packages.state_in(tx, package_id).await?;
        let (mut streams, mut recalled, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for filing_id in &e.filing_ids {
            let id = parse(filing_id)?;
            let sent = self.0.filings.state_in(tx, id).await?;
            let is_left = package.state.is_left_by(id);
            let events = if is_left {
                filing::recall_left(&sent.state, package_id)
            } else if e.overtaken_filing_ids.contains(filing_id) {
                let overtaken = self.overtaken(tx, id, &sent).await?;
                filing::recall_overtaken(&sent.state, package_id, &overtaken)
            } else {
                filing::recall(&sent.state, package_id, &e.waited_until_date)
            };
            if events.is_empty() {
                continue;
            }
            if is_left { &mut ended } else { &mut recalled }.push(id);
            let (stream, version) = (Store::<Filings>::stream(id), sent.version);
            streams.push(StreamAppend::of(stream, Expected::Version(version), Subjects::filing(id), &events));
        }
        if streams.is_empty() {
            return Ok(());
        }
        streams.push(StreamAppend::of(
            Store::<Packages>::stream(package_id),
            Expected::Version(package.version),
            Subjects::NONE,
            &packages::recall(&package.state),
        ));
        let append = Context::reaction("recall_package", event, 0).append(&self.0.log, streams);
        self.0.log.append_in(tx, append).await?;
        for id in ended {
            keep_draft::end(&self.0, tx, id).await?;
        }
        self.keep(tx, recalled).await
    }

    /// Whom it concerns that a filing can go in no more as it was signed.
    async fn overtaken(
        &self,
        tx: &mut PgConnection,
        id: Uuid,
        sent: &Folded<Filings>,
    ) -> Result<Overtaken, ApplyError> {
        let form = self
            .0
            .catalogue
            .form(&sent.state.form)
            .ok_or_else(|| park("the form is not in the catalogue"))?;
        Ok(Overtaken {
            version: sent.version,
            representative: representations::standing(&mut *tx, id).await?.map(|(_, account)| account),
            catalogue_version: form.catalogue_version.clone(),
        })
    }

    /// From today on the drafts are kept as any others.
    async fn keep(&self, tx: &mut PgConnection, recalled: Vec<Uuid>) -> Result<(), ApplyError> {
        let now = self.0.base.clock.now();
        let first_look = keep_draft::first_look(now);
        for id in recalled {
            self.0.log.timers().schedule_in(tx, &keep_draft::kept(id, first_look)).await?;
            // What the client approved stands.
            self.0.log.timers().schedule_in(tx, &hold_signature::held(id, now)).await?;
        }
        Ok(())
    }
}
