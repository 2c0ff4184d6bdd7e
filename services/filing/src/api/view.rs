//! What is shown of a filing and of a response.

use docket_eventlog::{Context, Subjects, Timer};
use docket_forms::{Answers, Attention, EvidenceLevel, FindingKind, Happened, Language, Level};
use docket_kernel::{Refusal, resource};
use docket_proto::events::filing::Event;
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller, in_spanish};
use jiff::civil::Date;
use uuid::Uuid;

use super::{helpers, packages};
use crate::check::Check;
use crate::content::Content;
use crate::desk::{Desk, ResponseDossier};
use crate::domain::at_hand::LastDay;
use crate::domain::attached::{Attached, Refused};
use crate::domain::filing::{Filing, Phase};
use crate::domain::keep;
use crate::dossiers::{Dossier, Outline};
use crate::policies::keep_draft;

/// A filing with what is missing and wrong, without its answers. What was sent is not judged again.
pub(crate) async fn filing(
    desk: &Desk,
    dossier: &Dossier,
    language: Language,
) -> Result<pb::Filing, ApiError> {
    Ok(judged(desk, dossier, language).await?.0)
}

/// The same, and whether anything else is filed with it or pending.
async fn judged(desk: &Desk, dossier: &Dossier, language: Language) -> Result<(pb::Filing, bool), ApiError> {
    let mut view = summary(desk, &dossier.outline()).await;
    let mut accompanied = false;
    view.evidence = evidence_of(dossier);
    view.unsolicited = attached("filings", dossier.id, &dossier.filing.unsolicited, &dossier.content);
    if is_judged(&dossier.filing) && !dossier.content.erased {
        let check = Check::said_in(desk, dossier, language).await?;
        accompanied = !check.given.linked.is_empty();
        view.ready = check.is_ready();
        view.shown = check.shown();
        view.findings.extend(overtaken(&dossier.filing, language));
        view.findings.extend(of_scans(&dossier.filing, check.last_day(desk, dossier), language));
        view.findings.extend(hard_to_read(&dossier.filing, language));
        view.helpers = helpers::view_of(desk, dossier, Some(&check));
        for evaluation in check.into_evaluations() {
            view.findings.extend(evaluation.findings.into_iter().map(finding));
            view.missing.extend(evaluation.missing.into_iter().map(missing));
            view.evidence_needs.extend(evaluation.evidence.into_iter().map(need));
            view.filled.extend(evaluation.filled.into_iter().map(filled_in));
        }
    } else {
        view.findings.extend(of_late_scans(&dossier.filing, language));
        view.helpers = helpers::view_of(desk, dossier, None);
    }
    Ok((view, accompanied))
}

/// A filing with its answers and what the client wants corrected, for a caller who may read them.
pub(crate) async fn whole(
    desk: &Desk,
    caller: &Caller,
    dossier: &Dossier,
    language: Language,
) -> Result<pb::Filing, ApiError> {
    let (mut view, accompanied) = judged(desk, dossier, language).await?;
    let enclosed = desk.enclosed(&dossier.filing).await?.into_iter();
    view.enclosed = enclosed
        .map(|added| pb::Enclosed { name: resource::name("filings", added.filing), form: added.form })
        .collect();
    if accompanied {
        // A hint: where the others cannot be looked at now, the filing itself still can.
        let others = packages::differences(desk, caller, dossier, language).await;
        view.findings.extend(others.unwrap_or_default());
    }
    if !dossier.content.erased {
        view.answers_json = json(&dossier.content.answers);
        view.waiver_answers_json = dossier.waiver().map(json).unwrap_or_default();
        view.remark.clone_from(&dossier.content.remark);
        let explained = dossier.explanations();
        let explained = explained.map(|(kind, words)| pb::MissingEvidence {
            kind: kind.to_owned(),
            explanation: words.to_owned(),
        });
        view.explanations = explained.collect();
        view.attention = dossier.content.attention.iter().map(|one| carried_over(one, language)).collect();
    }
    Ok(view)
}

fn json(answers: &Answers) -> String {
    serde_json::to_string(answers).expect("names and JSON values make JSON")
}

/// The filing after a decision about it; `act` is the rpc, the command's context, and the reader's language.
pub(crate) async fn after(
    desk: &Desk,
    caller: &Caller,
    act: (&str, &Context, Language),
    id: Uuid,
    decide: impl Fn(&Filing) -> Result<Vec<Event>, Refusal> + Send + Sync,
) -> Result<pb::Filing, ApiError> {
    let (action, context, language) = act;
    desk.filings.execute(context, id, Subjects::filing(id), decide).await?;
    filing(desk, &desk.filing(caller, action, id).await?, language).await
}

/// The same, with a timer that is set with the decision.
pub(crate) async fn after_with(
    desk: &Desk,
    caller: &Caller,
    act: (&str, &Context, Language),
    (id, timer): (Uuid, &Timer),
    decide: impl Fn(&Filing) -> Result<Vec<Event>, Refusal> + Send + Sync,
) -> Result<pb::Filing, ApiError> {
    let (action, context, language) = act;
    desk.execute_with(&desk.filings, context, (id, Subjects::filing(id), timer), decide).await?;
    filing(desk, &desk.filing(caller, action, id).await?, language).await
}

/// A filing in short: where it stands.
pub(crate) async fn summary(desk: &Desk, outline: &Outline<'_>) -> pb::Filing {
    let filing = outline.filing;
    pb::Filing {
        name: resource::name("filings", outline.id),
        form: filing.form.clone(),
        state: filing.phase.as_str().to_owned(),
        etag: filing.version,
        edition: filing.edition.clone(),
        receipt_number: filing.receipt_number.clone(),
        package_id: filing.package.to_string(),
        submitted_at_us: filing.submitted_at_us,
        erased: outline.erased,
        fee_waiver: filing.fee_waiver,
        continues: named(filing.continues),
        continued_as: named(filing.continued_as),
        representation: filing
            .representation
            .map(|id| resource::name("representations", id))
            .unwrap_or_default(),
        kept_until_date: kept_until(desk, outline).await.map(|day| day.to_string()).unwrap_or_default(),
        review: filing.representation.map(|_| filing.review.as_str().to_owned()).unwrap_or_default(),
        ..pb::Filing::default()
    }
}

/// That what was signed or approved reads otherwise now; nothing once it is signed or approved again.
fn overtaken(filing: &Filing, language: Language) -> Option<pb::Finding> {
    let message = "This form reads otherwise now than when it was signed or approved, so that no longer stands. Review it as it reads now, then sign it again.";
    filing.overtaken.then(|| advice("signature-overtaken", "", message, language))
}

/// What still waits for the virus scanner, and what it did not let through, until another file of its kind is there.
fn of_scans(filing: &Filing, last_day: Option<LastDay>, language: Language) -> Vec<pb::Finding> {
    let waits = if last_day.is_some_and(|last| last.at_hand) {
        "This file is still being checked for viruses. The last 24 hours for this form run: it can be signed and sent as it is."
    } else {
        "This file is still being checked for viruses: the filing can be signed when that is done."
    };
    let refused = "A file of this kind was checked for viruses later than it came, was found unsafe, and was taken off. Scan or photograph the document anew, and attach that.";
    scans(filing, (waits, refused), language)
}

/// The same of what was sent with files that were waiting, on its last day.
fn of_late_scans(filing: &Filing, language: Language) -> Vec<pb::Finding> {
    if filing.is_gone() {
        return Vec::new();
    }
    let waits = "This file is still being checked for viruses: it is part of what was sent, and nobody can open it until that is done.";
    let refused = "A file of this kind was checked for viruses later than it came, was found unsafe, and was taken out. The rest stands as it was sent. Scan or photograph the document anew, and add it to the case.";
    scans(filing, (waits, refused), language)
}

fn scans(filing: &Filing, (waits, refused): (&str, &str), language: Language) -> Vec<pb::Finding> {
    let waiting = filing.evidence.iter().filter(|file| file.being_checked);
    let waiting = waiting.map(|file| advice("file-being-checked", &file.kind, waits, language));
    let refused = filing.refused.iter().map(|file| advice("file-refused", &file.kind, refused, language));
    waiting.chain(refused).collect()
}

/// That a draft cannot be opened on this node: its line in a list says so.
pub(super) fn not_here(language: Language) -> pb::Finding {
    let message = "This filing cannot be opened just now: the server that was asked does not know its edition yet. Nothing of it is lost. Ask again in a few minutes.";
    advice("filing-not-here", "", message, language)
}

/// What the person was told of when the files came, as long as they are there.
fn hard_to_read(filing: &Filing, language: Language) -> impl Iterator<Item = pb::Finding> {
    let of_file = move |file: &Attached| {
        let kind = file.kind.clone();
        file.hard_to_read.clone().into_iter().map(move |page| {
            let message = match page.fault.as_str() {
                "blank" => format!("Page {} of a file seems to be blank.", page.page),
                "dark" => format!("Page {} of a file is so dark that it may be hard to read.", page.page),
                "blurred" => format!("Page {} of a file seems to be blurred.", page.page),
                "cut" => format!("Page {} of a file seems to be cut: lines run off its edge.", page.page),
                "undrawn" => format!("Page {} of a file cannot be shown as a picture.", page.page),
                _ => format!("Page {} of a file has only {} dots an inch.", page.page, page.dots_per_inch),
            };
            let advised = advice("file-hard-to-read", &kind, &message, language);
            let choice = if page.fault == "undrawn" {
                "An officer sees only the original, if it opens at all: save it anew as a PDF, or photograph the paper, and send that instead."
            } else {
                "Look at it: leave it if it can be read well, or send a better one."
            };
            let choice = advice("", "", choice, language);
            pb::Finding { message: format!("{} {}", advised.message, choice.message), ..advised }
        })
    };
    filing.evidence.iter().flat_map(of_file)
}

/// A word of this service about a field; it hinders nothing by itself.
fn advice(rule: &str, field: &str, message: &str, language: Language) -> pb::Finding {
    pb::Finding {
        rule: rule.to_owned(),
        level: "warn".to_owned(),
        field: field.to_owned(),
        message: if language == Language::Es { in_spanish(message) } else { message.to_owned() },
        kind: "advice".to_owned(),
        ..pb::Finding::default()
    }
}

fn carried_over(one: &Attention, language: Language) -> pb::CarriedOver {
    let (happened, message) = match &one.happened {
        Happened::Dropped { reason } => ("dropped", reason.clone()),
        Happened::OptionGone { option } => ("option_gone", format!("{option} can no longer be chosen.")),
        Happened::TooMany { kept } => ("too_many", format!("There is room for {kept} of them.")),
        Happened::NoLongerFits { why } => ("no_longer_fits", why.clone()),
        Happened::New => ("new", String::new()),
    };
    let message = if language == Language::Es { in_spanish(&message) } else { message };
    pb::CarriedOver {
        was: one.was.clone().unwrap_or_default(),
        field: one.field.clone().unwrap_or_default(),
        happened: happened.to_owned(),
        message,
        answer_json: one.answer.to_string(),
    }
}

/// The last day on which a draft is kept as things are: work on one filing of a package keeps all of it.
async fn kept_until(desk: &Desk, outline: &Outline<'_>) -> Option<Date> {
    let own = outline.worked_at.filter(|_| is_judged(outline.filing))?;
    // Where the others cannot be looked at now, the filing itself still can.
    let beside = keep_draft::worked_beside(desk, (outline.id, outline.filing.package)).await;
    Some(keep::kept_until(own.max(beside.ok().flatten().unwrap_or(own))))
}

fn named(filing: Option<Uuid>) -> String {
    filing.map(|id| resource::name("filings", id)).unwrap_or_default()
}

/// The answer to a request.
pub(crate) fn response(dossier: &ResponseDossier) -> pb::Response {
    let response = &dossier.response;
    pb::Response {
        name: resource::name("responses", dossier.id),
        case: resource::name("cases", response.case),
        request_kind: response.request_kind.clone(),
        deadline: response.deadline.clone(),
        items: response.items.clone(),
        evidence: attached("responses", dossier.id, &response.evidence, &dossier.content),
        received_at_us: response.received_at_us,
        closed_cause: response.closed_cause.clone(),
        optional_items: response.optional_items(),
        refused: response.refused.iter().map(|file| refused(dossier, file)).collect(),
        explanations: response.lacking().map(|item| explained(dossier, item)).collect(),
    }
}

fn explained(dossier: &ResponseDossier, item: &str) -> pb::MissingEvidence {
    let explanation = dossier.content.explanations.get(item).cloned().unwrap_or_default();
    pb::MissingEvidence { kind: item.to_owned(), explanation }
}

fn refused(dossier: &ResponseDossier, file: &Refused) -> pb::RefusedFile {
    pb::RefusedFile {
        name: format!("{}/evidence/{}", resource::name("responses", dossier.id), file.id),
        kind: file.kind.clone(),
        file_name: dossier.content.file_name(file.id),
        verdict: file.verdict.clone(),
    }
}

/// One attached file.
pub(crate) fn evidence(collection: &str, parent: Uuid, file: &Attached, content: &Content) -> pb::Evidence {
    pb::Evidence {
        name: format!("{}/evidence/{}", resource::name(collection, parent), file.id),
        kind: file.kind.clone(),
        file_name: content.file_name(file.id),
        media_type: file.media_type.clone(),
        size: file.size,
        foreign_language: file.foreign_language,
        being_checked: file.being_checked,
        hard_to_read: file.hard_to_read.clone(),
    }
}

/// What is attached to a filing.
pub(super) fn evidence_of(dossier: &Dossier) -> Vec<pb::Evidence> {
    attached("filings", dossier.id, &dossier.filing.evidence, &dossier.content)
}

fn attached(collection: &str, parent: Uuid, files: &[Attached], content: &Content) -> Vec<pb::Evidence> {
    files.iter().map(|file| evidence(collection, parent, file, content)).collect()
}

fn is_judged(filing: &Filing) -> bool {
    matches!(filing.phase, Phase::Draft | Phase::Signed)
}

fn finding(finding: docket_forms::Finding) -> pb::Finding {
    pb::Finding {
        rule: finding.rule,
        level: match finding.level {
            Level::Block => "block",
            Level::Warn => "warn",
        }
        .to_owned(),
        field: finding.field,
        message: format!("{} {}", finding.message, finding.because).trim_end().to_owned(),
        cite: finding.cite,
        rests_on: finding.rests_on,
        kind: match finding.kind {
            FindingKind::Intake => "intake",
            FindingKind::Rfe => "rfe",
            FindingKind::Consistency => "consistency",
            FindingKind::Advice => "advice",
        }
        .to_owned(),
    }
}

fn filled_in(filled: docket_forms::FilledIn) -> pb::FilledIn {
    pb::FilledIn {
        question: filled.question,
        label: filled.label,
        cents: filled.cents,
        because: filled.because,
        cite: filled.cite,
    }
}

fn missing(missing: docket_forms::Missing) -> pb::MissingAnswer {
    pb::MissingAnswer {
        field: missing.field,
        label: missing.label,
        section: missing.section,
        because: missing.because,
        rests_on: missing.rests_on,
        cite: missing.cite,
    }
}

fn need(need: docket_forms::EvidenceNeed) -> pb::EvidenceNeed {
    pb::EvidenceNeed {
        kind: need.kind,
        title: need.title,
        level: match need.level {
            EvidenceLevel::Initial => "initial",
            EvidenceLevel::Later => "later",
        }
        .to_owned(),
        substitutes: need.substitutes,
        satisfied: need.satisfied,
        because: need.because,
        rests_on: need.rests_on,
        explained: need.explained,
        cite: need.cite,
        substitute_titles: need.substitute_titles,
    }
}
