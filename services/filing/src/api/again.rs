//! Filing again after a rejection: a new filing with all that people put into the old one, nothing retyped.
//!
//! The rejected filing stays what it was, with its notice and its refund; the new one is a case of its own.

use docket_eventlog::{Context, Expected, Store, StreamAppend, Subjects};
use docket_forms::{Answers, CarriedOver, Form};
use docket_proto::filing::events::v1::DraftEditionChanged;
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller, new_id};
use docket_vault::Subject;
use jiff::civil::Date;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::attach::new_salt;
use super::drafts::{Beginning, Joins, Opening, begun_elsewhere, opening, written};
use super::{packages, unnamed};
use crate::aggregates::Filings;
use crate::content::commitment;
use crate::desk::{Desk, acting_for, id_in};
use crate::domain::attached::{Attached, NewFile};
use crate::domain::filing::{self, CarriedOn, Filing, Phase, Start, TakenOver};
use crate::dossiers::Dossier;
use crate::{edition, waiver};

/// What begins anew with the content of a filing that is over.
pub(super) struct New<'a> {
    pub(super) form: &'a Form,
    /// The package that it joins; none for one of its own.
    pub(super) package: Option<Uuid>,
    /// How it comes into that package.
    pub(super) joins: Joins<'a>,
    /// Answers, as the present edition asks, that stand in it from the start, whatever the old one says.
    pub(super) answers: Answers,
}

/// Begins the new filing, by itself or in a package.
pub(super) async fn begin(
    desk: &Desk,
    caller: &Caller,
    context: &Context,
    request: &pb::StartDraftRequest,
) -> Result<Uuid, ApiError> {
    let old = over(desk, caller, &request.again).await?;
    let package = packages::admitted(desk, caller, &request.package).await?;
    let form = form_of(desk, &old, &request.form)?;
    let joins = Joins::package_if(package.is_some());
    let new = New { form, package, joins, answers: Answers::new() };
    begun(desk, caller, context, (&old, new)).await
}

/// The filing that is begun again.
async fn over(desk: &Desk, caller: &Caller, name: &str) -> Result<Dossier, ApiError> {
    desk.filing(caller, "StartDraft", id_in("again", "filings", name)?).await
}

/// The same for who was asked to file this form: their own filing of it.
pub(super) async fn own(desk: &Desk, caller: &Caller, name: &str, asked: &Form) -> Result<Dossier, ApiError> {
    let old = over(desk, caller, name).await?;
    if old.filing.account != caller.person()?.account {
        return Err(ApiError::not_found());
    }
    if old.filing.form != asked.id {
        return Err(ApiError::invalid(
            "again",
            "OTHER_FORM",
            format!("You are asked for form {}, and that filing is a {}.", asked.id, old.filing.form),
        ));
    }
    Ok(old)
}

/// Begins the new filing and notes it at the old one: all or nothing.
pub(super) async fn begun(
    desk: &Desk,
    caller: &Caller,
    context: &Context,
    (old, new): (&Dossier, New<'_>),
) -> Result<Uuid, ApiError> {
    let New { form, package, joins, answers: from_start } = new;
    let account = old.filing.account;
    let Opening { start, now, .. } = opening(desk, form, (account, package), Some(old.id)).await?;
    let represented = desk.represented(old).await?;
    let edition = edition_of(form, old);
    let start = Start { representation: represented.map(|(id, _)| id), edition, ..start };
    let context = &acting_for(context.clone(), caller, account);
    let new = new_id(now);
    let continued = filing::begin_again(&old.filing, new, begun_is_gone(desk, old).await?)?;
    if old.content.erased {
        return Err(ApiError::Erased);
    }
    let files = copies(desk, old, new).await?;
    let keys: Vec<String> = files.iter().map(|file| file.attached.object_key.clone()).collect();
    let waiting = files.iter().filter(|file| file.attached.being_checked);
    let waiting = waiting.map(|file| (file.attached.id, file.attached.object_key.clone())).collect();
    let kept = answers(form, old, &start);
    let (kept, carried) = with_those_from_start(form, (kept, from_start), &start)?;
    let taken = TakenOver {
        answers: written_as(kept),
        carried,
        waiver: asked_anew(desk.form(waiver::FORM)?, old),
        files,
        explained: old.explanations().map(|(kind, words)| (kind.to_owned(), words.to_owned())).collect(),
    };
    let begun = filing::take_over(&Filing::default(), start.clone(), taken)?;
    let appends = vec![
        StreamAppend::of(Store::<Filings>::stream(new), Expected::Version(0), Subjects::filing(new), &begun),
        StreamAppend::of(
            Store::<Filings>::stream(old.id),
            Expected::Version(old.filing.version),
            Subjects::filing(old.id),
            &continued,
        ),
    ];
    let beginning = Beginning { id: new, start: &start, now_us: now.as_microsecond(), joins, waiting };
    let written = written(desk, context, appends, &beginning).await;
    unnamed::take_away(desk, &keys, written.as_ref().map(|written| !written)).await;
    match written {
        Ok(true) => Ok(new),
        Ok(false) => begun_elsewhere(desk, context).await,
        Err(stale @ ApiError::Stale { .. }) => {
            // Whoever came first may have begun it again: then theirs is named.
            let old = desk.dossiers.opened(old.id).await?;
            filing::begin_again(&old.filing, new, begun_is_gone(desk, &old).await?)?;
            Err(stale)
        }
        Err(error) => Err(error),
    }
}

/// Whether the one that it was begun again as is no longer there to be filed. A draft that was given up or deleted stays so.
async fn begun_is_gone(desk: &Desk, old: &Dossier) -> Result<bool, ApiError> {
    let Some(begun) = old.filing.continued_as else { return Ok(false) };
    let phase = desk.dossiers.find(begun).await?.filing.phase;
    Ok(matches!(phase, Phase::Abandoned | Phase::Expired))
}

/// The old filing's form; naming another one is a mistake worth telling.
fn form_of<'a>(desk: &'a Desk, old: &Dossier, asked: &str) -> Result<&'a Form, ApiError> {
    let form = desk.form(&old.filing.form)?;
    if !asked.is_empty() && desk.form(asked)?.id != form.id {
        return Err(ApiError::invalid(
            "form",
            "OTHER_FORM",
            format!("The filing to begin again is a {}; leave the form out.", form.id),
        ));
    }
    Ok(form)
}

/// The edition in which it is begun again: the old one where lenses lead on from there, so that no answer is lost on the way.
fn edition_of(form: &Form, old: &Dossier) -> String {
    let date = old.filing.edition.parse().ok();
    let leads_on = date.is_some_and(|date| form.carry_over(date, &Answers::new()).is_ok());
    if leads_on { old.filing.edition.clone() } else { form.edition.to_string() }
}

/// The old answers; to the present edition only those which it still asks.
fn answers(form: &Form, old: &Dossier, start: &Start) -> Answers {
    let all = start.edition != form.edition.to_string();
    let asked = |(question, _): &(&String, &Value)| all || form.question(question).is_some();
    let kept = old.content.answers.iter().filter(asked);
    kept.map(|(question, answer)| (question.clone(), answer.clone())).collect()
}

/// The old answers with those from the start. What stands from the start is an answer to the present edition: into a draft that begins
/// in an earlier one it goes after the old answers were carried over, at once, and not through the lenses with them.
fn with_those_from_start(
    form: &Form,
    (mut kept, from_start): (Answers, Answers),
    start: &Start,
) -> Result<(Answers, Option<CarriedOn>), ApiError> {
    if from_start.is_empty() || start.edition == form.edition.to_string() {
        kept.extend(from_start);
        return Ok((kept, None));
    }
    let from: Date = start.edition.parse().map_err(ApiError::internal)?;
    let CarriedOver { answers, attention } = form.carry_over(from, &kept).map_err(ApiError::internal)?;
    let (questions, answers_json) = written_as(edition::changes(&kept, answers));
    let change = DraftEditionChanged {
        from_edition: start.edition.clone(),
        edition: form.edition.to_string(),
        questions,
        answers_json,
        attention_json: serde_json::to_string(&attention).map_err(ApiError::internal)?,
    };
    Ok((kept, Some(CarriedOn { change, answers: written_as(from_start) })))
}

/// Answers as an event has them.
fn written_as(answers: Map<String, Value>) -> (Vec<String>, String) {
    (answers.keys().cloned().collect(), Value::Object(answers).to_string())
}

/// The request for a waiver of the fee, asked anew and signed with the rest; none where it was refused: then the fee is due.
fn asked_anew(form: &Form, old: &Dossier) -> Option<(Vec<String>, String)> {
    let asked = old.waiver().filter(|_| !old.filing.waiver_refused)?;
    let kept: Map<String, Value> = asked
        .iter()
        .filter(|(question, _)| form.question(question).is_some())
        .map(|(question, answer)| (question.clone(), answer.clone()))
        .collect();
    Some(written_as(kept))
}

/// The old files, those added to its case unasked too, sealed anew under the new filing's key. They were checked when they came; one
/// that still waits for the virus scanner goes on waiting.
async fn copies(desk: &Desk, old: &Dossier, new: Uuid) -> Result<Vec<NewFile>, ApiError> {
    let mut files = Vec::with_capacity(old.filing.evidence.len() + old.filing.unsolicited.len());
    for file in old.files() {
        let read = desk.base.objects.get(&Subject::filing(old.id), &file.object_key).await?;
        let bytes = read.ok_or(ApiError::Erased)?;
        let salt = new_salt()?;
        files.push(NewFile {
            attached: Attached {
                id: new_id(desk.base.clock.now()),
                commitment: commitment(&salt, &bytes),
                object_key: desk.base.objects.put(&Subject::filing(new), &bytes).await?,
                ..file.clone()
            },
            file_name: old.content.file_name(file.id),
            salt: salt.to_vec(),
            same_as: None,
        });
    }
    Ok(files)
}
