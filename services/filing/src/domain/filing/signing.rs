//! What is signed and sent: the fee that was shown, the text as it was checked, the signature, and the way to the payment.

use std::collections::{BTreeMap, BTreeSet};

use docket_kernel::Refusal;
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::draft::may_sign;
use super::evidence::scanned_whole;
use super::helper::{HelperRole, all_signed};
use super::{Capacity, Fee, Filer, Filing, Review};
use crate::domain::at_hand::LastDay;

/// Notes which fee was shown, and for which answers.
pub fn show_fee(filing: &Filing, fee: Fee) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    if filing.fee.as_ref() == Some(&fee) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::FeeShown {
            quote_id: fee.quote.to_string(),
            total_cents: fee.total_cents,
            content_mac: fee.answers_mac,
        }
        .into(),
    ])
}

/// What the edge found out about a filing before it is signed or sent.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Version of the content that was checked.
    pub content_version: u64,
    /// Why the form's rules do not let it be signed; nothing when they do.
    pub not_ready: Option<Refusal>,
    /// Keyed hash of the whole text as it is now.
    pub content_mac: Vec<u8>,
    /// Keyed hashes of the same text headed by the versions of the catalogue under which it was signed and approved.
    pub content_macs_before: Vec<Vec<u8>>,
    /// Keyed hash of the answers as they are now.
    pub answers_mac: Vec<u8>,
    /// Who signs beside the filer, as the answers say, in an account of their own: whoever helped, a co-signer.
    pub helpers: BTreeSet<HelperRole>,
    /// The last day on which the form can be filed in time; nothing where the law sets none, or it is over.
    pub last_day: Option<LastDay>,
    /// Keyed hashes of the parts that several co-signers sign.
    pub parts: BTreeMap<HelperRole, Vec<u8>>,
}

impl Checked {
    /// Whether a signature or an approval with this keyed hash was given for what the filing says now, word for word: the
    /// version of the catalogue in its heading says when it was given, and may be another.
    pub fn reads_as(&self, content_mac: &[u8]) -> bool {
        self.content_mac == content_mac || self.content_macs_before.iter().any(|before| before == content_mac)
    }

    /// Keyed hash of what somebody signs beside the filer: their part, or the whole text.
    pub fn signed_by(&self, role: HelperRole) -> &[u8] {
        self.parts.get(&role).unwrap_or(&self.content_mac)
    }

    pub(super) fn same_content(&self, filing: &Filing) -> Result<(), Refusal> {
        if self.content_version == filing.content_version { Ok(()) } else { Err(content_changed()) }
    }

    pub(super) fn still_true_of(&self, filing: &Filing) -> Result<(), Refusal> {
        self.same_content(filing)?;
        self.not_ready.clone().map_or(Ok(()), Err)
    }
}

pub(super) fn content_changed() -> Refusal {
    Refusal::state("CONTENT_CHANGED", "The filing is no longer what was shown for signature.")
        .way_out("Review it again, and sign the text you then see.")
}

/// A signature as it was given.
#[derive(Debug, Clone)]
pub struct Sign {
    /// Account of the signer.
    pub signer: Uuid,
    /// Role in which it is signed.
    pub role: String,
    /// As whom the signer signs.
    pub capacity: Capacity,
    /// Who files, as far as it decides who signs.
    pub filer: Filer,
    /// The appearance under which it was prepared, if that stands no longer.
    pub ended: Option<Uuid>,
    /// Hash of the text that was shown to the signer.
    pub shown_mac: Vec<u8>,
    /// Whether the typed name is the name in the form, or where another signs, the signer's own.
    pub name_agrees: bool,
    /// Name as typed.
    pub typed_name: String,
    /// Proven name where it differs; else empty.
    pub proven_name: String,
    /// Whether no name is proven for the signer's account.
    pub name_unproven: bool,
    /// Now, microseconds since the epoch.
    pub signed_at_us: i64,
    /// Version of the catalogue.
    pub catalogue_version: String,
    /// What is signed, as JSON; empty when it is too large for the event.
    pub sheet_json: String,
    /// Where the sealed object lies that has it then; else empty.
    pub sheet_key: String,
}

/// Signs the text that was shown (8 CFR 103.2(a)(2)).
pub fn sign(filing: &Filing, checked: &Checked, sign: Sign) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    checked.still_true_of(filing)?;
    if checked.content_mac != sign.shown_mac {
        return Err(content_changed());
    }
    // The fee is shown before the signature and for these very answers.
    if filing.fee.as_ref().is_none_or(|fee| fee.answers_mac != checked.answers_mac) {
        return Err(Refusal::state("FEE_NOT_SHOWN", "The fee for these answers has not been shown yet.")
            .way_out("Ask for the fee, then review and sign."));
    }
    let approved = matches!(&filing.review, Review::Approved(approved) if checked.reads_as(approved));
    // Where nobody stands for it any more, who signs answers for all of it, and there is nobody's work to approve.
    if filing.representation.is_some_and(|under| sign.ended != Some(under)) && !approved {
        return Err(Refusal::state(
            "NOT_APPROVED",
            "You have not approved what your representative prepared.",
        )
        .way_out("Review it, then approve it or give it back; then sign.")
        .fact("review", filing.review.as_str()));
    }
    scanned_whole(filing, checked.last_day)?;
    all_signed(filing, checked)?;
    may_sign(filing, sign.capacity, sign.filer)?;
    if !sign.name_agrees {
        return Err(name_differs(sign.capacity));
    }
    Ok(vec![
        pb::FilingSigned {
            signer: sign.signer.to_string(),
            role: sign.role,
            content_mac: checked.content_mac.clone(),
            signed_at_us: sign.signed_at_us,
            catalogue_version: sign.catalogue_version,
            typed_name: sign.typed_name,
            proven_name: sign.proven_name,
            name_unproven: sign.name_unproven,
            capacity: sign.capacity.as_str().to_owned(),
            sheet_json: sign.sheet_json,
            sheet_key: sign.sheet_key,
        }
        .into(),
    ])
}

fn name_differs(capacity: Capacity) -> Refusal {
    if capacity == Capacity::OneSelf {
        return Refusal::invalid(
            "typed_name",
            "NAME_DIFFERS",
            "Type your full legal name as it stands in the form (8 CFR 103.2(a)(2)): given name, then family name. Capitals and accents do not matter.",
        )
        .way_out("If the name in the form is wrong, correct it there first.");
    }
    Refusal::invalid(
        "typed_name",
        "NAME_DIFFERS",
        "You sign for somebody else (8 CFR 103.2(a)(2)): type your own full legal name, which is the one that you proved if you did: given name, then family name.",
    )
    .way_out("If you sign for yourself, leave the capacity out.")
}

/// Sends the signed filing on its way; the zone is that of whoever files, as of now.
pub fn send(filing: &Filing, checked: &Checked, zone: &str) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    let signature = filing.signed()?;
    checked.still_true_of(filing)?;
    scanned_whole(filing, checked.last_day)?;
    if !checked.reads_as(&signature.content_mac) {
        return Err(content_changed());
    }
    Ok(vec![pb::FilingSent { package_id: filing.package.to_string(), zone: zone.to_owned() }.into()])
}

/// Whether the fee that was shown is still what the filing costs on the day it is sent.
pub fn fee_stands(filing: &Filing, costs_cents: i64) -> Result<(), Refusal> {
    if filing.fee.as_ref().is_none_or(|fee| fee.total_cents == costs_cents) {
        return Ok(());
    }
    Err(Refusal::state("FEE_CHANGED", "The fee changed since it was shown.")
        .way_out("Ask for the fee again; your signature stands. Then send the filing."))
}
