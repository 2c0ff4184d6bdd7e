//! What was sent and waits for its fee is overtaken by time: it could not go in any more as it is.

use docket_kernel::{Cents, Refusal};
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::draft::{Overtaken, may_sign, voided};
use super::helper::co_signatures_ended;
use super::received::recall;
use super::{Filer, Filing};

/// What was sent, held against its form as of the instant at which its fee is to be paid.
#[derive(Debug, Clone)]
pub struct Held {
    /// Whether the edition in which it was sent is still taken.
    pub edition_taken: bool,
    /// Why the form's rules would not let it be sent; nothing when they would.
    pub not_ready: Option<Refusal>,
    /// What it costs, in cents; why that cannot be said, where it cannot.
    pub costs_cents: Result<i64, Refusal>,
    /// Who files, as far as it decides who signs.
    pub filer: Filer,
}

/// All that changed since it was sent, so that it could not go in as it is; nothing where it can. It counts as received when its
/// fee is paid (8 CFR 103.2(a)(7)), so that day decides of edition, rules, fee and who may sign.
pub fn overtaken(filing: &Filing, held: &Held) -> Vec<Refusal> {
    let edition = (!held.edition_taken).then(|| edition_refused(filing));
    let fee = match &held.costs_cents {
        Ok(cents) => fee_changed(filing, *cents),
        Err(unknown) => Some(unknown.clone()),
    };
    [edition, signer_stands(filing, held.filer).err(), held.not_ready.clone(), fee]
        .into_iter()
        .flatten()
        .collect()
}

/// Whether whoever signed may still sign for who files: that is judged on the day of receipt too.
pub fn signer_stands(filing: &Filing, filer: Filer) -> Result<(), Refusal> {
    filing.signature.as_ref().map_or(Ok(()), |signature| may_sign(filing, signature.capacity, filer))
}

/// Takes such a filing back, now that its payment was withdrawn, and tells that its signature ended through no act of those who
/// prepare it; nothing where it does not wait for the fee of this package.
pub fn recall_overtaken(filing: &Filing, package: Uuid, overtaken: &Overtaken) -> Vec<Event> {
    let mut events = recall(filing, package, "");
    if !events.is_empty() {
        events.push(voided(filing, overtaken));
        events.extend(co_signatures_ended(filing));
    }
    events
}

/// Takes back, now that its payment was withdrawn, what whoever files it has stepped back from, and ends it; nothing where it does
/// not wait for the fee of this package.
pub fn recall_left(filing: &Filing, package: Uuid) -> Vec<Event> {
    let mut events = recall(filing, package, "");
    if !events.is_empty() {
        events.push(pb::DraftAbandoned { account_id: filing.account.to_string() }.into());
    }
    events
}

fn edition_refused(filing: &Filing) -> Refusal {
    Refusal::state(
        "EDITION_REFUSED",
        format!("The edition of {} of form {} is no longer taken.", filing.edition, filing.form),
    )
    .way_out("Open it: what you answered is carried over to the edition that is taken now. Then sign that.")
}

fn fee_changed(filing: &Filing, costs_cents: i64) -> Option<Refusal> {
    let shown = filing.fee.as_ref().filter(|fee| fee.total_cents != costs_cents)?;
    let (was, is) = (Cents(shown.total_cents), Cents(costs_cents));
    let words = format!("It cost {was} when it was sent, and costs {is} now.");
    Some(Refusal::state("FEE_OVERTAKEN", words).way_out("Ask for the fee, then sign and send it."))
}
