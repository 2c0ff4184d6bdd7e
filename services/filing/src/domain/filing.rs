//! One filing from its first answer to its receipt: its state and its fold; what may be done with it is in the files beside.

use std::collections::{BTreeMap, BTreeSet};

use docket_kernel::{Refusal, resource};
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::attached::{Attached, Refused, scanned};
use super::id;

mod appointment;
mod capacity;
mod draft;
mod enclosed;
mod end;
mod evidence;
mod helper;
mod overtaken;
mod received;
mod review;
mod signing;
mod unsolicited;

pub use appointment::{appoint, may_be_represented};
pub use capacity::{AUTHORITY_TO_SIGN, Capacity, Filer};
pub use draft::{
    CarriedOn, EditionChange, Overtaken, Start, TakenOver, WaiverAsked, answer, answered_in, ask_fee_waiver,
    begin_again, change_edition, drop_fee_waiver, start, take_over, void_signature,
};
pub use enclosed::follow;
pub use end::{Ending, abandon, announce_expiry, expire};
pub(crate) use evidence::{already_attached, already_there};
pub use evidence::{attach, detach, explain_missing, scanned_file};
pub(crate) use helper::code_unknown as helper_code_unknown;
pub use helper::{
    Helper, HelperCode, HelperRole, HelperSign, HelperSignature, NameProven, ask_helper, invited_at,
    may_co_sign, shows_to, sign_as_helper, withdraw_helper,
};
pub use overtaken::{Held, overtaken, recall_left, recall_overtaken, signer_stands};
pub use received::{Represented, Settled, accept, recall, received_at_us, reject, submit, void};
pub use review::{approve, ask_review, give_back, remind_review};
pub use signing::{Checked, Sign, fee_stands, send, show_fee, sign};
pub use unsolicited::{OTHER, Standing, add_unsolicited, may_add_unsolicited};

/// Most files on one filing, and most added to its case unasked.
pub const MOST_FILES: usize = 60;

/// The code with which intake rejects a filing whose waiver of the fee was refused: it is filed again with the fee, and there is no
/// appeal (8 CFR 106.3).
const WAIVER_REFUSED: &str = "I912-DENIED";

/// Where a filing stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Phase {
    /// It was never begun.
    #[default]
    Absent,
    /// Being filled in.
    Draft,
    /// Signed; an edit makes it a draft again.
    Signed,
    /// Sent; waits for its fee. It is a draft again when the payment is withdrawn.
    Sent,
    /// Its fee is settled and it went in.
    Submitted,
    /// It has a receipt number.
    Accepted,
    /// Intake rejected it; what was filled in can be taken over into a new filing.
    Rejected,
    /// The office took its acceptance back; what was filled in can be taken over into a new filing.
    Voided,
    /// Given up before it was sent; its content is erased.
    Abandoned,
    /// Nobody worked on it for so long that it is not kept any more; its content is erased.
    Expired,
}

impl Phase {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Draft => "draft",
            Self::Signed => "signed",
            Self::Sent => "sent",
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Voided => "voided",
            Self::Abandoned => "abandoned",
            Self::Expired => "expired",
        }
    }
}

/// What the client says of what a representative prepared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Review {
    /// Nothing yet, or it was changed since.
    #[default]
    None,
    /// The representative asked for it.
    Asked,
    /// The client gave it back.
    Returned,
    /// The client approved the text with this keyed hash.
    Approved(Vec<u8>),
}

impl Review {
    /// The word on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Asked => "asked",
            Self::Returned => "returned",
            Self::Approved(_) => "approved",
        }
    }
}

/// The fee that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    /// Quote.
    pub quote: Uuid,
    /// Total in cents.
    pub total_cents: i64,
    /// Keyed hash of the answers it was computed for.
    pub answers_mac: Vec<u8>,
}

/// A signature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Keyed hash of the signed text.
    pub content_mac: Vec<u8>,
    /// When, microseconds since the epoch.
    pub signed_at_us: i64,
    /// Version of the catalogue it was checked with.
    pub catalogue_version: String,
    /// As whom the signer signed.
    pub capacity: Capacity,
    /// Whether no name was proven for the signer's account.
    pub name_unproven: bool,
    /// The appearance under which it was prepared.
    pub representation: Option<Uuid>,
    /// Where the sealed object lies that has what was signed; empty where the event has it.
    pub sheet_key: String,
}

/// A filing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filing {
    /// Where it stands.
    pub phase: Phase,
    /// Events so far; what `etag` shows.
    pub version: u64,
    /// Version at which answers or evidence last changed.
    pub content_version: u64,
    /// For each question that was ever answered or cleared, the version at which it was last.
    pub answered: BTreeMap<String, u64>,
    /// Form.
    pub form: String,
    /// Edition of the form.
    pub edition: String,
    /// Package it is filed in.
    pub package: Uuid,
    /// Account that files.
    pub account: Uuid,
    /// Zone of the filer.
    pub zone: String,
    /// What is attached, in order.
    pub evidence: Vec<Attached>,
    /// What was taken off when it was scanned, until another file of its kind is attached.
    pub refused: Vec<Refused>,
    /// Kinds of evidence of which the filer said why they cannot be provided.
    pub explained: BTreeSet<String>,
    /// What was added unasked after it was accepted, in order; nobody signed it.
    pub unsolicited: Vec<Attached>,
    /// Whether a waiver of the fee is asked for.
    pub fee_waiver: bool,
    /// For each question of Form I-912 that was ever answered or cleared, the version at which it was last.
    pub waiver_answered: BTreeMap<String, u64>,
    /// The version at which the waiver was asked for or taken back last.
    pub waiver_changed: u64,
    /// Whether it was rejected because that waiver was refused.
    pub waiver_refused: bool,
    /// The fee that was shown last.
    pub fee: Option<Fee>,
    /// The signature that holds.
    pub signature: Option<Signature>,
    /// Where the sealed objects lie that have what was ever signed and was larger than an event.
    pub sheets: Vec<String>,
    /// Receipt number; empty before acceptance.
    pub receipt_number: String,
    /// Received instant, microseconds since the epoch; 0 before.
    pub submitted_at_us: i64,
    /// The rejected filing that this one took over.
    pub continues: Option<Uuid>,
    /// The filing that took over this rejected one.
    pub continued_as: Option<Uuid>,
    /// The appearance under which a representative prepares it, or acts in its case.
    pub representation: Option<Uuid>,
    /// What the client says of it.
    pub review: Review,
    /// Version at which the client was asked last, and how many days later they were reminded last; 0 while they were not.
    pub asked: (u64, u32),
    /// Version of the catalogue that heads the text which the client approved last; empty where that is not known.
    pub approved_under: String,
    /// The representative's account who prepared what the client approved last, where it is known.
    pub prepared_by: Option<Uuid>,
    /// Whether what was signed or approved last reads otherwise now through no act of those who prepare it, and neither was given
    /// since.
    pub overtaken: bool,
    /// Who was asked to sign beside the filer, and what they signed.
    pub helpers: BTreeMap<HelperRole, Helper>,
    /// How many mails asked somebody to sign it.
    pub invitations: u32,
    /// Version at which somebody last worked on it.
    pub worked: u64,
    /// What was told since then of its end: the version, and how many days before.
    pub told: Option<(u64, u32)>,
}

/// Folds one event. Never fails: what happened, happened.
pub fn evolve(filing: Filing, event: &Event) -> Filing {
    let version = filing.version + 1;
    // To be told of its end is no work on it, nor is what the catalogue or a reminder does; everything else is.
    let (worked, told) = if let Event::DraftExpiryAnnounced(e) = event {
        (filing.worked, Some((version, e.days)))
    } else if is_of_no_person(event) {
        (filing.worked, filing.told)
    } else {
        (version, None)
    };
    let filing = Filing { version, worked, told, ..filing };
    match event {
        // Signatures end by the change in the same append, which the fold knows already.
        Event::DraftExpiryAnnounced(_) | Event::CoSignaturesEnded(_) => filing,
        Event::DraftExpired(_) => Filing { phase: Phase::Expired, ..filing },
        Event::DraftAbandoned(_) => Filing { phase: Phase::Abandoned, ..filing },
        Event::DraftStarted(e) => Filing {
            phase: Phase::Draft,
            content_version: filing.version,
            form: e.form.clone(),
            edition: e.edition.clone(),
            package: id(&e.package_id),
            account: id(&e.account_id),
            zone: e.zone.clone(),
            continues: Uuid::try_parse(&e.continues).ok(),
            representation: Uuid::try_parse(&e.representation_id).ok(),
            ..filing
        },
        Event::RepresentativeAppointed(e) => appointment::appointed(filing, e),
        Event::FilingReviewAsked(_) => Filing { review: Review::Asked, asked: (version, 0), ..filing },
        Event::FilingReviewReminded(e) => Filing { asked: (filing.asked.0, e.days), ..filing },
        Event::FilingReturned(_) => Filing { review: Review::Returned, ..filing },
        Event::FilingApproved(e) => Filing {
            review: Review::Approved(e.content_mac.clone()),
            prepared_by: Uuid::try_parse(&e.representative).ok(),
            approved_under: e.catalogue_version.clone(),
            overtaken: false,
            ..filing
        },
        // It comes with the change that voids it, which the fold knows already.
        Event::ApprovalVoided(_) => Filing { review: Review::None, ..filing },
        Event::SignatureVoided(_) => Filing { overtaken: true, ..edited(filing) },
        Event::DraftAnswered(e) => answered(edited(filing), &e.questions),
        Event::DraftEditionChanged(e) => edition_changed(filing, e),
        Event::EvidenceAdded(e) => evidence_added(edited(filing), attached(e)),
        Event::EvidenceScanned(e) => scanned_as(filing, e),
        Event::EvidenceRemoved(e) => {
            let mut filing = edited(filing);
            let removed = id(&e.evidence_id);
            filing.evidence.retain(|evidence| evidence.id != removed);
            filing
        }
        Event::MissingEvidenceExplained(e) => {
            let mut filing = edited(filing);
            filing.explained.insert(e.kind.clone());
            filing
        }
        Event::MissingEvidenceExplanationDropped(e) => {
            let mut filing = edited(filing);
            filing.explained.remove(&e.kind);
            filing
        }
        Event::UnsolicitedEvidenceAdded(e) => {
            let mut filing = filing;
            filing.unsolicited.push(unsolicited::added(e));
            filing
        }
        Event::FeeWaiverRequested(e) => waiver_asked(edited(filing), e),
        Event::FeeWaiverDropped(_) => {
            let filing = edited(filing);
            Filing { fee_waiver: false, waiver_changed: filing.version, ..filing }
        }
        Event::FeeShown(e) => Filing {
            fee: Some(Fee {
                quote: id(&e.quote_id),
                total_cents: e.total_cents,
                answers_mac: e.content_mac.clone(),
            }),
            ..filing
        },
        Event::HelperAsked(e) => helper::asked(filing, e),
        Event::HelperAskWithdrawn(e) => helper::withdrawn(filing, e),
        Event::HelperSigned(e) => helper::signed(filing, e),
        Event::FilingSigned(e) => signed(filing, e),
        Event::FilingSent(e) => sent(filing, e),
        Event::FilingRecalled(_) => Filing { phase: Phase::Draft, signature: None, fee: None, ..filing },
        Event::FilingSubmitted(e) => {
            Filing { phase: Phase::Submitted, submitted_at_us: e.submitted_at_us, ..filing }
        }
        Event::AcceptanceRecorded(e) => {
            Filing { phase: Phase::Accepted, receipt_number: e.receipt_number.clone(), ..filing }
        }
        Event::VoidingRecorded(_) => Filing { phase: Phase::Voided, ..filing },
        Event::RejectionRecorded(e) => Filing {
            phase: Phase::Rejected,
            waiver_refused: e.codes.iter().any(|code| code == WAIVER_REFUSED),
            ..filing
        },
        Event::FilingContinued(e) => Filing { continued_as: Uuid::try_parse(&e.filing_id).ok(), ..filing },
    }
}

/// Whether it comes about without anybody who prepares the filing.
fn is_of_no_person(event: &Event) -> bool {
    matches!(
        event,
        Event::DraftEditionChanged(_)
            | Event::SignatureVoided(_)
            | Event::FilingReviewReminded(_)
            | Event::EvidenceScanned(_)
            | Event::CoSignaturesEnded(_)
    )
}

/// A change of what would be signed: no signature and no approval stands for it any more. What the client gave back stays
/// so until it is shown again.
fn edited(mut filing: Filing) -> Filing {
    let review = edited_review(&filing);
    let helpers = helper::after_change(std::mem::take(&mut filing.helpers));
    Filing {
        phase: Phase::Draft,
        signature: None,
        content_version: filing.version,
        review,
        helpers,
        ..filing
    }
}

/// What is there needs no explanation, and what was refused of its kind is no longer missed.
fn evidence_added(mut filing: Filing, file: Attached) -> Filing {
    filing.explained.remove(&file.kind);
    filing.refused.retain(|refused| refused.kind != file.kind);
    filing.evidence.push(file);
    filing
}

/// That a file may be opened changes nothing of what is signed; that it is taken off does, until it is sent.
fn scanned_as(mut filing: Filing, e: &pb::EvidenceScanned) -> Filing {
    let files = filing.evidence.len();
    let was_sent = !matches!(filing.phase, Phase::Draft | Phase::Signed);
    scanned(&mut filing.evidence, &mut filing.refused, (id(&e.evidence_id), was_sent), &e.verdict);
    if filing.evidence.len() == files {
        return filing;
    }
    if filing.open().is_ok() { edited(filing) } else { Filing { content_version: filing.version, ..filing } }
}

/// Who was asked to look still is.
fn edition_changed(filing: Filing, e: &pb::DraftEditionChanged) -> Filing {
    let review = if filing.review == Review::Asked { Review::Asked } else { edited_review(&filing) };
    Filing { edition: e.edition.clone(), review, ..answered(edited(filing), &e.questions) }
}

fn edited_review(filing: &Filing) -> Review {
    if filing.review == Review::Returned { Review::Returned } else { Review::None }
}

fn answered(mut filing: Filing, questions: &[String]) -> Filing {
    let version = filing.version;
    filing.answered.extend(questions.iter().map(|question| (question.clone(), version)));
    filing
}

fn signed(mut filing: Filing, e: &pb::FilingSigned) -> Filing {
    filing.sheets.extend(Some(e.sheet_key.clone()).filter(|key| !key.is_empty()));
    let signature = Signature {
        content_mac: e.content_mac.clone(),
        signed_at_us: e.signed_at_us,
        catalogue_version: e.catalogue_version.clone(),
        capacity: Capacity::of_event(&e.capacity),
        name_unproven: e.name_unproven,
        representation: filing.representation,
        sheet_key: e.sheet_key.clone(),
    };
    let helpers = helper::without_codes(std::mem::take(&mut filing.helpers));
    Filing { phase: Phase::Signed, signature: Some(signature), overtaken: false, helpers, ..filing }
}

/// What was sent before the zone was kept with it stays in that of the draft.
fn sent(filing: Filing, e: &pb::FilingSent) -> Filing {
    let zone = if e.zone.is_empty() { filing.zone.clone() } else { e.zone.clone() };
    Filing { phase: Phase::Sent, zone, ..filing }
}

fn waiver_asked(mut filing: Filing, e: &pb::FeeWaiverRequested) -> Filing {
    let version = filing.version;
    let changed = if e.changed.is_empty() { &e.questions } else { &e.changed };
    filing.waiver_answered.extend(changed.iter().map(|question| (question.clone(), version)));
    Filing { fee_waiver: true, waiver_changed: version, ..filing }
}

fn attached(e: &pb::EvidenceAdded) -> Attached {
    let evidence = e.evidence.clone().unwrap_or_default();
    Attached {
        id: id(&evidence.evidence_id),
        kind: evidence.kind,
        commitment: evidence.commitment,
        media_type: e.media_type.clone(),
        size: e.size,
        object_key: e.object_key.clone(),
        foreign_language: e.foreign_language,
        being_checked: e.being_checked,
        hard_to_read: e.hard_to_read.clone(),
    }
}

impl Filing {
    /// Whether it has ended before it was sent.
    pub fn is_gone(&self) -> bool {
        matches!(self.phase, Phase::Abandoned | Phase::Expired)
    }

    /// Keyed hashes of the texts that were signed and approved and are not sent.
    pub fn agreed(&self) -> impl Iterator<Item = &[u8]> {
        let signed = self.signature.as_ref().map(|signature| signature.content_mac.as_slice());
        let approved = match &self.review {
            Review::Approved(content_mac) => Some(content_mac.as_slice()),
            Review::None | Review::Asked | Review::Returned => None,
        };
        signed.into_iter().chain(approved).filter(|_| self.open().is_ok())
    }

    /// Whether somebody signed it or the client approved it, and it is not sent.
    pub fn is_agreed(&self) -> bool {
        self.agreed().next().is_some()
    }

    /// Whether the client was asked to look at it and has said nothing yet.
    pub fn awaits_review(&self) -> bool {
        self.open().is_ok() && self.review == Review::Asked
    }

    /// The signature that holds.
    ///
    /// # Errors
    /// `NOT_SIGNED`.
    pub fn signed(&self) -> Result<&Signature, Refusal> {
        self.signature.as_ref().ok_or_else(|| {
            let refusal = if self.overtaken {
                Refusal::state(
                    "NOT_SIGNED",
                    "The form reads otherwise now than when it was signed or approved, so that no longer stands.",
                )
                .way_out("Review the filing as it reads now and sign that; then ask again.")
            } else {
                Refusal::state("NOT_SIGNED", "The filing is not signed.")
                    .way_out("Review it and sign it; then ask again.")
            };
            refusal.fact("state", self.phase.as_str())
        })
    }

    /// Whether answers and evidence may change.
    pub fn open(&self) -> Result<(), Refusal> {
        match self.phase {
            Phase::Absent => Err(Refusal::not_found()),
            Phase::Abandoned | Phase::Expired => Err(self.gone()),
            Phase::Draft | Phase::Signed => Ok(()),
            Phase::Rejected | Phase::Voided => Err(self.rejected()),
            Phase::Sent | Phase::Submitted | Phase::Accepted => Err(self.already_submitted()),
        }
    }

    fn gone(&self) -> Refusal {
        Refusal::state("DRAFT_GONE", "This draft was deleted and was never filed.")
            .way_out("Begin the form anew.")
            .fact("state", self.phase.as_str())
    }

    fn rejected(&self) -> Refusal {
        let refusal = Refusal::state(
            "FILING_REJECTED",
            "Intake did not accept this filing, and it stays as it was sent.",
        );
        match self.continued_as {
            Some(next) => refusal
                .way_out("You have begun it again: go on there. Where that one is gone too, begin this one again: your answers and files are taken over into a new filing.")
                .fact("filing", resource::name("filings", next)),
            None => {
                refusal.way_out("Begin it again: your answers and files are taken over into a new filing.")
            }
        }
    }

    fn already_submitted(&self) -> Refusal {
        Refusal::state("ALREADY_SUBMITTED", "This filing has been sent and can no longer be changed.")
            .way_out(if self.phase == Phase::Sent {
                "Pay the fee, and the filing goes in at once; or withdraw the payment, and it is a draft again."
            } else {
                "Look at the case: it shows what was received and what comes next."
            })
            .fact("state", self.phase.as_str())
    }
}
