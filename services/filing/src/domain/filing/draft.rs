//! How a draft begins, and what changes its answers: people, another edition of its form, the request for a waiver of the fee.

use docket_kernel::{Refusal, resource};
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::evidence::added;
use super::helper::co_signatures_ended;
use super::{AUTHORITY_TO_SIGN, Capacity, Filer, Filing, Phase, Review};
use crate::domain::attached::NewFile;

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
    /// What brings these to the present edition at once, where answers of that one are to stand in it.
    pub carried: Option<CarriedOn>,
    /// The same of Form I-912; none where no waiver of the fee is asked for again.
    pub waiver: Option<(Vec<String>, String)>,
    /// All files, those too that were added to its case unasked.
    pub files: Vec<NewFile>,
    /// What cannot be provided, by kind, and why.
    pub explained: Vec<(String, String)>,
}

/// Answers of an earlier edition that are carried over as the draft begins, and what stands in it from the start.
#[derive(Debug, Clone)]
pub struct CarriedOn {
    /// The step to the present edition.
    pub change: pb::DraftEditionChanged,
    /// Questions of that edition, and their answers, JSON.
    pub answers: (Vec<String>, String),
}

/// Begins a draft with what was in other filings. Nothing of it is signed, and all of it can be changed.
pub fn take_over(filing: &Filing, begun: Start, taken: TakenOver) -> Result<Vec<Event>, Refusal> {
    let mut events = start(filing, begun)?;
    let (questions, answers_json) = taken.answers;
    if !questions.is_empty() {
        events.push(pb::DraftAnswered { questions, answers_json }.into());
    }
    if let Some(CarriedOn { change, answers: (questions, answers_json) }) = taken.carried {
        events.push(change.into());
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

/// Whether answers that were read by the questions of an edition may be saved; not in a draft that is in another by now.
pub fn answered_in(filing: &Filing, edition: &str) -> Result<(), Refusal> {
    if filing.edition == edition {
        return Ok(());
    }
    Err(taken_over_meanwhile())
}

fn taken_over_meanwhile() -> Refusal {
    Refusal::stale("The draft was written to while it was taken over to the new edition.")
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
pub(super) fn changing(filing: &Filing, mut changes: Vec<Event>) -> Vec<Event> {
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
        return Err(taken_over_meanwhile());
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
