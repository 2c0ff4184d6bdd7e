//! When the fee of a package is settled, every filing in it goes in, all in one append.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use async_trait::async_trait;
use docket_eventlog::{Context, Expected, Folded, Recorded, Store, StreamAppend, Subjects};
use docket_messaging::{ApplyError, Subscriber};
use docket_proto::events::payment::Event;
use docket_proto::events::representation;
use docket_proto::payments::events::v1::{FeeSettled, fee_settled::Settlement};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{park, parse, report_move};
use crate::aggregates::{Filings, Representations};
use crate::content::Content;
use crate::desk::Desk;
use crate::domain::filing::{self, Represented, Settled};
use crate::domain::representation::Standing;
use crate::{check, facts, moved};

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

    async fn after_commit(&self, _event: &Recorded) {
        self.0.addresses.notify_one();
    }
}

impl SubmitPackage {
    async fn submit(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        e: &FeeSettled,
    ) -> Result<(), ApplyError> {
        let (mut streams, mut appearances) = (Vec::new(), Appearances::default());
        for (filing_id, nth) in e.filing_ids.iter().zip(0..) {
            let id = parse(filing_id)?;
            let loaded = self.0.filings.load(id).await?;
            let content = Content::of_filing(&self.0.log, &loaded.events).await?;
            if content.erased {
                return Err(ApplyError::Park("the filing was erased before its fee was settled".to_owned()));
            }
            let received_at_us = filing::received_at_us(&loaded.state, e.authorised_at_us);
            let form = self.0.form_as_sent(&loaded.state, received_at_us);
            let form = form.map_err(|_| park("the form in this edition is not in the catalogue"))?;
            // In a package that was paid for, a filing may cost nothing: then nothing of it can go back.
            let costs = loaded.state.fee.as_ref().is_some_and(|fee| fee.total_cents > 0);
            let signed_as = loaded.state.signature.as_ref().map(|signature| signature.capacity);
            let stated = signed_as.and_then(|capacity| moved::stated(form, &content.answers, capacity));
            let represented = appearances.standing(&self.0, loaded.state.representation).await?;
            let linked = check::linked(&mut *tx, form, (id, &loaded.state), represented.is_some()).await?;
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
                facts: facts::derive(form, &content.answers, linked, received_at_us),
                gives_address: stated.is_some(),
                represented,
            };
            let events = filing::submit(&loaded.state, settled).map_err(|no| park(no.reason))?;
            streams.push(StreamAppend::of(
                Store::<Filings>::stream(id),
                Expected::Version(loaded.version),
                Subjects::filing(id),
                &events,
            ));
            if stated.is_some() && !events.is_empty() {
                report_move::owe(&self.0, tx, event, (id, nth)).await?;
            }
        }
        streams.extend(appearances.unchanged());
        let append = Context::reaction("submit_package", event, 0).append(&self.0.log, streams);
        self.0.log.append_in(tx, append).await?;
        Ok(())
    }
}

/// The appearances under which the filings of a package were prepared, as they were read: nothing goes in once one of them has
/// moved on, so that nobody is named who acts no longer.
#[derive(Default)]
struct Appearances(BTreeMap<Uuid, Folded<Representations>>);

impl Appearances {
    /// The appearance, where it stands.
    async fn standing(
        &mut self,
        desk: &Desk,
        id: Option<Uuid>,
    ) -> Result<Option<Represented>, docket_eventlog::Error> {
        let Some(appearance) = id else { return Ok(None) };
        let seen = match self.0.entry(appearance) {
            Entry::Occupied(seen) => seen.into_mut(),
            Entry::Vacant(place) => place.insert(desk.representations.state(appearance).await?),
        };
        let stands = seen.state.standing == Standing::Active;
        let (representative, wishes) = (seen.state.representative, seen.state.wishes);
        Ok(stands.then_some(Represented { appearance, representative, wishes }))
    }

    /// Their streams, to which nothing is added.
    fn unchanged(&self) -> impl Iterator<Item = StreamAppend> {
        let nothing: &[representation::Event] = &[];
        self.0.iter().map(move |(id, seen)| {
            let stream = Store::<Representations>::stream(*id);
            StreamAppend::of(stream, Expected::Version(seen.version), Subjects::NONE, nothing)
        })
    }
}
