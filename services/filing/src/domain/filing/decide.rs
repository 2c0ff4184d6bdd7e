//! What may be done with a filing, one function a command.

use std::collections::{BTreeMap, BTreeSet};

use docket_kernel::{Refusal, resource};
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use jiff::civil::Date;
use uuid::Uuid;

use super::helper::{HelperRole, all_signed, co_signatures_ended};
use super::{AUTHORITY_TO_SIGN, Capacity, Fee, Filer, Filing, MOST_FILES, Phase, Review};
use crate::domain::at_hand::LastDay;
use crate::domain::attached::{Attached, NewFile, Verdict, all_scanned};
use crate::domain::representation::not_represented;

/// What a draft starts with.
#[derive(Debug, Clone)]
pub struct Start {
    /// Form.
    pub form: String,
    /// Edition.
    pub edition: String,
    /// Package.
    pub package: Uuid,
    /// Account.
    pub account: Uuid,
    /// Zone of the filer.
    pub zone: String,
    /// The rejected filing that is taken over.
    pub continues: Option<Uuid>,
    /// The appearance under which a representative begins it for the account.
    pub representation: Option<Uuid>,
}

/// Begins a draft.
pub fn start(filing: &Filing, start: Start) -> Result<Vec<Event>, Refusal> {
    if filing.phase != Phase::Absent {
        return Err(Refusal::exists("DRAFT_EXISTS", "There is already a filing with this id."));
    }
    Ok(vec![
        pb::DraftStarted {
            form: start.form,
            edition: start.edition,
            package_id: start.package.to_string(),
            account_id: start.account.to_string(),
            channel: "online".to_owned(),
            zone: start.zone,
            continues: start.continues.map(|filing| filing.to_string()).unwrap_or_default(),
            representation_id: start.representation.map(|id| id.to_string()).unwrap_or_default(),
        }
        .into(),
    ])
}

/// What goes into a draft that is begun: of a filing that is over, or of others in its package.
#[derive(Debug, Clone, Default)]
pub struct TakenOver {
    /// Questions, and their answers, JSON.
    pub answers: (Vec<String>, String),
    /// The same of Form I-912; none where no waiver of the fee is asked for again.
    pub waiver: Option<(Vec<String>, String)>,
    /// All files, those too that were added to its case unasked.
    pub files: Vec<NewFile>,
    /// What cannot be provided, by kind, and why.
    pub explained: Vec<(String, String)>,
}

/// Begins a draft with what was in other filings. Nothing of it is signed, and all of it can be changed.
pub fn take_over(filing: &Filing, begun: Start, taken: TakenOver) -> Result<Vec<Event>, Refusal> {
    let mut events = start(filing, begun)?;
    let (questions, answers_json) = taken.answers;
    if !questions.is_empty() {
        events.push(pb::DraftAnswered { questions, answers_json }.into());
    }
    if let Some((questions, answers_json)) = taken.waiver {
        let changed = questions.clone();
        events.push(pb::FeeWaiverRequested { questions, answers_json, changed }.into());
    }
    // First the words, then the files: what is there needs no explanation.
    let explained = taken.explained.into_iter();
    events.extend(
        explained.map(|(kind, explanation)| pb::MissingEvidenceExplained { kind, explanation }.into()),
    );
    events.extend(taken.files.into_iter().map(added));
    Ok(events)
}

/// Notes that a filing that was rejected, or whose acceptance was taken back, was begun again as another; once, unless that one is
/// `gone`: given up or no longer kept, so that nothing of it can be filed.
pub fn begin_again(filing: &Filing, next: Uuid, gone: bool) -> Result<Vec<Event>, Refusal> {
    match (filing.phase, filing.continued_as.filter(|_| !gone)) {
        (Phase::Absent, _) => Err(Refusal::not_found()),
        (Phase::Rejected | Phase::Voided, None) => {
            Ok(vec![pb::FilingContinued { filing_id: next.to_string() }.into()])
        }
        (Phase::Rejected | Phase::Voided, Some(begun)) => {
            Err(Refusal::state("BEGUN_AGAIN", "You have begun this filing again already; nothing is lost.")
                .way_out("Go on with the one you began.")
                .fact("filing", resource::name("filings", begun)))
        }
        _ => Err(Refusal::state(
            "NOT_REJECTED",
            "Only a filing that was rejected, or whose acceptance was taken back, is begun again.",
        )
        .way_out("Start the form anew if you want to file once more.")
        .field("again")
        .fact("state", filing.phase.as_str())),
    }
}

/// Saves answers that were normalised before.
pub fn answer(
    filing: &Filing,
    etag: u64,
    questions: Vec<String>,
    answers_json: String,
) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    if etag != 0 {
        let answered_at = |question: &str| filing.answered.get(question).copied().unwrap_or_default();
        not_answered_since(filing, etag, &questions, answered_at)?;
    }
    if questions.is_empty() {
        return Ok(Vec::new());
    }
    Ok(changing(filing, vec![pb::DraftAnswered { questions, answers_json }.into()]))
}

/// What changes a filing, and that the client's approval of what it was no longer holds, where there was one, nor what several
/// co-signers signed.
fn changing(filing: &Filing, mut changes: Vec<Event>) -> Vec<Event> {
    let ended = co_signatures_ended(filing).filter(|_| !changes.is_empty());
    if !changes.is_empty() && matches!(filing.review, Review::Approved(_)) {
        let representative = filing.prepared_by.map(|account| account.to_string()).unwrap_or_default();
        changes.push(pb::ApprovalVoided { account_id: filing.account.to_string(), representative }.into());
    }
    changes.extend(ended);
    changes
}

/// Answers carried over to another edition of the form.
#[derive(Debug, Clone)]
pub struct EditionChange {
    /// Edition now.
    pub edition: String,
    /// Questions whose answers changed with it.
    pub questions: Vec<String>,
    /// Their answers now, JSON.
    pub answers_json: String,
    /// What a person should look at, JSON.
    pub attention_json: String,
    /// The version that they were carried over from, and whom it concerns that a signature or an approval ends with them.
    pub overtaken: Overtaken,
}

/// What was signed or approved reads otherwise now, through no act of those who prepare it.
#[derive(Debug, Clone)]
pub struct Overtaken {
    /// Version of the filing that was looked at.
    pub version: u64,
    /// Account of the representative who stands for it.
    pub representative: Option<Uuid>,
    /// Version of the catalogue by which it reads otherwise.
    pub catalogue_version: String,
}

/// Ends the signature and the approval of a filing that reads otherwise than what they were given for; not when it was written
/// to meanwhile. Where there is neither, nothing.
pub fn void_signature(filing: &Filing, overtaken: &Overtaken) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    if filing.version != overtaken.version {
        return Err(Refusal::stale("The filing was written to while its signature was looked at."));
    }
    let ended = co_signatures_ended(filing).filter(|_| filing.is_agreed());
    Ok(signature_voided(filing, overtaken).into_iter().chain(ended).collect())
}

fn signature_voided(filing: &Filing, overtaken: &Overtaken) -> Option<Event> {
    filing.is_agreed().then(|| voided(filing, overtaken))
}

/// That a signature ended through no act of those who prepare the filing.
pub(super) fn voided(filing: &Filing, overtaken: &Overtaken) -> Event {
    pb::SignatureVoided {
        account_id: filing.account.to_string(),
        representative: overtaken.representative.map(|account| account.to_string()).unwrap_or_default(),
        catalogue_version: overtaken.catalogue_version.clone(),
    }
    .into()
}

/// Whether somebody in this capacity may sign for who files, with what is attached.
pub(super) fn may_sign(filing: &Filing, capacity: Capacity, filer: Filer) -> Result<(), Refusal> {
    capacity.allowed(filer, filing.evidence.iter().any(|file| file.kind == AUTHORITY_TO_SIGN))
}

/// Takes a draft over to another edition of its form; not when it was written to meanwhile, so that no answer is left behind.
pub fn change_edition(filing: &Filing, change: EditionChange) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    if filing.version != change.overtaken.version {
        return Err(Refusal::stale("The draft was written to while it was taken over to the new edition."));
    }
    if filing.edition == change.edition {
        return Ok(Vec::new());
    }
    let changed = pb::DraftEditionChanged {
        from_edition: filing.edition.clone(),
        edition: change.edition,
        questions: change.questions,
        answers_json: change.answers_json,
        attention_json: change.attention_json,
    };
    let voided = signature_voided(filing, &change.overtaken);
    Ok(std::iter::once(changed.into()).chain(voided).chain(co_signatures_ended(filing)).collect())
}

/// What somebody else answered after the writer looked is not overwritten unseen; everything else is merged. `answered_at` says at
/// which version a question was answered last, 0 when never.
fn not_answered_since(
    filing: &Filing,
    etag: u64,
    questions: &[String],
    answered_at: impl Fn(&str) -> u64,
) -> Result<(), Refusal> {
    let load =
        "Load the filing again and look at both answers; then send yours with its etag, if it still holds.";
    if etag > filing.version {
        return Err(Refusal::stale("The filing has no such version.")
            .way_out(load)
            .fact("version", filing.version.to_string()));
    }
    let since = |question: &&str| answered_at(question) > etag;
    let contested: Vec<&str> = questions.iter().map(String::as_str).filter(since).collect();
    if contested.is_empty() {
        return Ok(());
    }
    Err(Refusal::meanwhile(
        "ANSWERED_MEANWHILE",
        format!(
            "Somebody else answered this after you looked: {}. Nothing of yours was saved.",
            contested.join(", ")
        ),
    )
    .way_out(load)
    .fact("questions", contested.join(","))
    .fact("version", filing.version.to_string()))
}

/// A request for a waiver of the fee with Form I-912, as it is to be.
#[derive(Debug, Clone)]
pub struct WaiverAsked {
    /// Version of the filing whose request the answers were merged into.
    pub merged_at: u64,
    /// Version of the filing that the writer saw; 0 when nothing is asked of it.
    pub etag: u64,
    /// Questions answered otherwise than before, cleared ones too.
    pub changed: Vec<String>,
    /// All questions that are answered, and their answers, JSON.
    pub answers: (Vec<String>, String),
}

/// Asks for a waiver of the fee with the whole of Form I-912; not when the request was written to after it was merged, so that no
/// answer is left behind.
pub fn ask_fee_waiver(filing: &Filing, asked: WaiverAsked) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    waiver_not_answered_since(filing, asked.etag, &asked.changed)?;
    if filing.waiver_changed > asked.merged_at {
        return Err(Refusal::stale("The request for a waiver was written to at this very moment."));
    }
    if filing.fee_waiver && asked.changed.is_empty() {
        return Ok(Vec::new());
    }
    let (questions, answers_json) = asked.answers;
    let requested = pb::FeeWaiverRequested { questions, answers_json, changed: asked.changed };
    Ok(changing(filing, vec![requested.into()]))
}

/// No longer asks for a waiver of the fee.
pub fn drop_fee_waiver(filing: &Filing, etag: u64) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    let asked: Vec<String> = filing.waiver_answered.keys().cloned().collect();
    waiver_not_answered_since(filing, etag, &asked)?;
    let dropped = filing.fee_waiver.then(|| pb::FeeWaiverDropped {}.into());
    Ok(changing(filing, dropped.into_iter().collect()))
}

/// The same of the request for a waiver; who answers a request that was taken back meanwhile is told as well.
fn waiver_not_answered_since(filing: &Filing, etag: u64, questions: &[String]) -> Result<(), Refusal> {
    if etag == 0 {
        return Ok(());
    }
    not_answered_since(filing, etag, questions, |question| {
        if filing.fee_waiver {
            filing.waiver_answered.get(question).copied().unwrap_or_default()
        } else {
            filing.waiver_changed
        }
    })
}

/// Attaches a file that was checked and sealed, and scanned or marked as being checked.
pub fn attach(filing: &Filing, file: NewFile) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    if let Some(same) = file.same_as {
        return Err(already_attached(same));
    }
    if filing.evidence.len() >= MOST_FILES {
        return Err(Refusal::too_much(
            "TOO_MANY_FILES",
            format!("A filing takes at most {MOST_FILES} files."),
        )
        .way_out("Put pages that belong together into one PDF."));
    }
    Ok(changing(filing, vec![added(file)]))
}

fn added(file: NewFile) -> Event {
    let attached = file.attached;
    pb::EvidenceAdded {
        evidence: Some(attached.reference()),
        media_type: attached.media_type,
        size: attached.size,
        object_key: attached.object_key,
        foreign_language: attached.foreign_language,
        file_name: file.file_name,
        salt: file.salt,
        being_checked: attached.being_checked,
        hard_to_read: attached.hard_to_read,
    }
    .into()
}

/// Notes what the scan of a file came to that had to wait, also after the filing was sent: it stays what it is, without a file that is
/// not clean. One that was taken off meanwhile, or whose draft has ended: nothing.
pub fn scanned_file(
    filing: &Filing,
    evidence: Uuid,
    verdict: Verdict,
    representative: Option<Uuid>,
) -> Vec<Event> {
    let waits = |file: &Attached| file.id == evidence && file.being_checked;
    if filing.is_gone() || !filing.evidence.iter().any(waits) {
        return Vec::new();
    }
    let scanned: Event = pb::EvidenceScanned {
        evidence_id: evidence.to_string(),
        verdict: verdict.as_str().to_owned(),
        account_id: filing.account.to_string(),
        representative: representative.map(|account| account.to_string()).unwrap_or_default(),
    }
    .into();
    match verdict {
        Verdict::Infected | Verdict::Unscannable if filing.open().is_ok() => changing(filing, vec![scanned]),
        Verdict::Clean | Verdict::Infected | Verdict::Unscannable => vec![scanned],
    }
}

/// What is signed was scanned, unless the last 24 hours run in which the law takes the form: then it is worth more in time than whole.
fn scanned_whole(filing: &Filing, last_day: Option<LastDay>) -> Result<(), Refusal> {
    let Some(last) = last_day else {
        return all_scanned(
            &filing.evidence,
            "It is done by itself, mostly within minutes: then sign. Or take the file off and go on without it.",
        );
    };
    if last.at_hand {
        return Ok(());
    }
    let way_out = "It is done by itself, mostly within minutes: then sign. In the last 24 hours of the last day for this form it is taken with files that are being checked.";
    all_scanned(&filing.evidence, way_out).map_err(|refusal| refusal.fact("last_day", last.on.to_string()))
}

/// The refusal of a file that is there already, byte for byte.
pub(crate) fn already_attached(same: Uuid) -> Refusal {
    Refusal::state("ALREADY_ATTACHED", "This very file is attached already; nothing is lost.")
        .way_out("Use the one that is there, or choose another file.")
        .fact("evidence", same.to_string())
}

/// Takes a file off.
pub fn detach(filing: &Filing, evidence: Uuid) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    if !filing.evidence.iter().any(|attached| attached.id == evidence) {
        return Err(Refusal::not_found());
    }
    Ok(changing(filing, vec![pb::EvidenceRemoved { evidence_id: evidence.to_string() }.into()]))
}

/// Says why evidence of a kind cannot be provided; without an explanation, takes that back.
pub fn explain_missing(
    filing: &Filing,
    kind: &str,
    explanation: Option<String>,
) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    let kind = kind.to_owned();
    let said = match explanation {
        Some(_) if filing.evidence.iter().any(|file| file.kind == kind) => {
            return Err(Refusal::state("EVIDENCE_ATTACHED", "A file of this kind is attached already.")
                .way_out("Take the file off first if it is not what is asked for.")
                .field("kind"));
        }
        Some(explanation) => vec![pb::MissingEvidenceExplained { kind, explanation }.into()],
        None if filing.explained.contains(&kind) => {
            vec![pb::MissingEvidenceExplanationDropped { kind }.into()]
        }
        None => Vec::new(),
    };
    Ok(changing(filing, said))
}

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

/// Whom the end of a draft concerns.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    /// Version of the filing that was looked at: nothing ends that moved on since.
    pub version: u64,
    /// Account of the representative who prepares it.
    pub representative: Option<Uuid>,
    /// The last day on which it is kept.
    pub kept_until: Date,
}

impl Ending {
    fn still_true_of(&self, filing: &Filing) -> bool {
        filing.version == self.version && filing.open().is_ok()
    }

    fn representative(&self) -> String {
        self.representative.map(|account| account.to_string()).unwrap_or_default()
    }
}

/// Tells, so many days before, that a draft will be deleted; nothing when it moved on meanwhile.
pub fn announce_expiry(filing: &Filing, ending: Ending, days: u32) -> Result<Vec<Event>, Refusal> {
    if !ending.still_true_of(filing) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::DraftExpiryAnnounced {
            account_id: filing.account.to_string(),
            representative: ending.representative(),
            kept_until_date: ending.kept_until.to_string(),
            days,
        }
        .into(),
    ])
}

/// Ends a draft whose time is over, of which was told a day before; nothing when it moved on meanwhile.
pub fn expire(filing: &Filing, ending: Ending) -> Result<Vec<Event>, Refusal> {
    if !ending.still_true_of(filing) || filing.told.is_none_or(|(_, days)| days != 1) {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::DraftExpired {
            account_id: filing.account.to_string(),
            representative: ending.representative(),
            kept_until_date: ending.kept_until.to_string(),
        }
        .into(),
    ])
}

/// Gives a draft up.
pub fn abandon(filing: &Filing) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    Ok(vec![pb::DraftAbandoned { account_id: filing.account.to_string() }.into()])
}

/// Asks the client to look at what is prepared.
pub fn ask_review(filing: &Filing, checked: &Checked) -> Result<Vec<Event>, Refusal> {
    filing.open()?;
    if filing.representation.is_none() {
        return Err(not_represented());
    }
    checked.still_true_of(filing)?;
    match filing.review {
        Review::Asked | Review::Approved(_) => Ok(Vec::new()),
        Review::None | Review::Returned => Ok(vec![
            pb::FilingReviewAsked {
                content_mac: checked.content_mac.clone(),
                account_id: filing.account.to_string(),
            }
            .into(),
        ]),
    }
}

/// Reminds the client, so many days after they were asked at a version, to look; nothing when they did, or were reminded of it
/// already.
pub fn remind_review(filing: &Filing, asked: u64, days: u32) -> Result<Vec<Event>, Refusal> {
    if !filing.awaits_review() || filing.asked.0 != asked || filing.asked.1 >= days {
        return Ok(Vec::new());
    }
    Ok(vec![pb::FilingReviewReminded { account_id: filing.account.to_string(), days }.into()])
}

/// Gives the filing back to the representative who stands for it.
pub fn give_back(
    filing: &Filing,
    remark: String,
    representative: Option<Uuid>,
) -> Result<Vec<Event>, Refusal> {
    reviewable(filing)?;
    let representative = representative.map(|account| account.to_string()).unwrap_or_default();
    Ok(vec![pb::FilingReturned { remark, representative }.into()])
}

/// Approves the text that was shown, as the representative who stands for it prepared it, under a version of the catalogue.
pub fn approve(
    filing: &Filing,
    checked: &Checked,
    shown_mac: &[u8],
    (representative, catalogue_version): (Option<Uuid>, &str),
) -> Result<Vec<Event>, Refusal> {
    reviewable(filing)?;
    checked.still_true_of(filing)?;
    if checked.content_mac != shown_mac {
        return Err(content_changed());
    }
    let representative = representative.map(|account| account.to_string()).unwrap_or_default();
    let (content_mac, catalogue_version) = (shown_mac.to_vec(), catalogue_version.to_owned());
    Ok(vec![pb::FilingApproved { content_mac, representative, catalogue_version }.into()])
}

fn reviewable(filing: &Filing) -> Result<(), Refusal> {
    filing.open()?;
    if matches!(filing.review, Review::Asked | Review::Approved(_)) {
        return Ok(());
    }
    Err(Refusal::state("REVIEW_NOT_ASKED", "Your representative has not asked you to look at this filing.")
        .way_out("Wait until it is ready, or ask your representative.")
        .fact("review", filing.review.as_str()))
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

/// Takes back what waits for the fee of this package, now that its payment was withdrawn; nothing where it does not.
/// `waited_until` is the last day on which it waited, where nobody paid, and empty else.
pub fn recall(filing: &Filing, package: Uuid, waited_until: &str) -> Vec<Event> {
    if filing.phase != Phase::Sent || filing.package != package {
        return Vec::new();
    }
    let recalled = pb::FilingRecalled {
        package_id: package.to_string(),
        account_id: filing.account.to_string(),
        waited_until_date: waited_until.to_owned(),
    };
    vec![recalled.into()]
}

/// How the fee of a package was settled.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Package.
    pub package: Uuid,
    /// Payment; none when nothing was due.
    pub payment: Option<Uuid>,
    /// When it was authorised, microseconds since the epoch.
    pub authorised_at_us: i64,
    /// Family of the form.
    pub family: String,
    /// Whether another name than the one it was signed under is proven for the signer's account.
    pub other_name: bool,
    /// Facts derived from the answers on the receipt date.
    pub facts: pb::DerivedFacts,
    /// Whether it gives the address of who files.
    pub gives_address: bool,
    /// The appearance that stands, with the account of its representative.
    pub represented: Option<(Uuid, Uuid)>,
}

/// The instant at which a signed filing counts as received: the later of signature and authorisation.
pub fn received_at_us(filing: &Filing, authorised_at_us: i64) -> i64 {
    filing.signature.as_ref().map_or(authorised_at_us, |signed| signed.signed_at_us.max(authorised_at_us))
}

/// Lets the filing go in, now that its fee is settled.
pub fn submit(filing: &Filing, settled: Settled) -> Result<Vec<Event>, Refusal> {
    let (Phase::Sent, Some(signature)) = (filing.phase, &filing.signature) else {
        return Err(Refusal::state("NOT_SENT", "The filing does not wait for its fee.")
            .fact("state", filing.phase.as_str()));
    };
    if settled.package != filing.package {
        return Err(Refusal::state("OTHER_PACKAGE", "The fee was settled for another package."));
    }
    let co_signers = filing.helpers.keys().filter(|role| role.is_co_signer());
    let mut co_signed = co_signers.filter_map(|role| filing.helper_went(*role, &signature.content_mac));
    let names_proven =
        !settled.other_name && !signature.name_unproven && co_signed.all(|signed| signed.name_proven);
    Ok(vec![
        pb::FilingSubmitted {
            package_id: filing.package.to_string(),
            form: filing.form.clone(),
            edition: filing.edition.clone(),
            family: settled.family,
            account_id: filing.account.to_string(),
            submitted_at_us: received_at_us(filing, settled.authorised_at_us),
            content_mac: signature.content_mac.clone(),
            evidence: filing.evidence.iter().map(Attached::reference).collect(),
            payment_id: settled.payment.map(|id| id.to_string()).unwrap_or_default(),
            zone: filing.zone.clone(),
            catalogue_version: signature.catalogue_version.clone(),
            facts: Some(pb::DerivedFacts {
                signed_as: signed_as(signature.capacity, names_proven).to_owned(),
                fee_waiver: filing.fee_waiver,
                ..settled.facts
            }),
            representation_id: settled.represented.map(|(id, _)| id.to_string()).unwrap_or_default(),
            representative: settled.represented.map(|(_, who)| who.to_string()).unwrap_or_default(),
            gives_address: settled.gives_address,
            co_signers: filing.co_signers().map(|account| account.to_string()).collect(),
        }
        .into(),
    ])
}

/// Who signs under a name that is not the one proven for them, because none is or another one, for themselves or as co-signer, may be
/// somebody else: a person looks at it (8 CFR 103.2(a)(2)). Where somebody signs for another a person looks in any case.
fn signed_as(capacity: Capacity, names_proven: bool) -> &'static str {
    if capacity == Capacity::OneSelf && !names_proven { "self_other_name" } else { capacity.as_str() }
}

/// Notes the receipt number.
pub fn accept(filing: &Filing, receipt_number: String) -> Result<Vec<Event>, Refusal> {
    if filing.phase == Phase::Accepted && filing.receipt_number == receipt_number {
        return Ok(Vec::new());
    }
    submitted(filing)?;
    Ok(vec![pb::AcceptanceRecorded { receipt_number, ..pb::AcceptanceRecorded::default() }.into()])
}

/// Notes that intake rejected the filing: it is over.
pub fn reject(filing: &Filing, codes: Vec<String>) -> Result<Vec<Event>, Refusal> {
    submitted(filing)?;
    Ok(vec![pb::RejectionRecorded { codes, ..pb::RejectionRecorded::default() }.into()])
}

/// Notes that the office took its acceptance back: the filing is over.
pub fn void(filing: &Filing, cause: String) -> Result<Vec<Event>, Refusal> {
    if filing.phase != Phase::Accepted {
        return Err(Refusal::state("NOT_SUBMITTED", "The filing has not gone in.")
            .fact("state", filing.phase.as_str()));
    }
    Ok(vec![pb::VoidingRecorded { cause, ..pb::VoidingRecorded::default() }.into()])
}

fn submitted(filing: &Filing) -> Result<(), Refusal> {
    if filing.phase == Phase::Submitted {
        return Ok(());
    }
    Err(Refusal::state("NOT_SUBMITTED", "The filing has not gone in.").fact("state", filing.phase.as_str()))
}
