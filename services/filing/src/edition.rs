//! Drafts whose form changed since somebody worked on them, brought to it when they are opened, before anything is shown: answers of an
//! earlier edition are carried over, and a signature for what reads otherwise now ends.

use docket_eventlog::{Context, ExecuteError, Subjects};
use docket_forms::{Answers, CarriedOver, Form};
use docket_kernel::{Actor, RefusalCode, derived_id};
use docket_service::ApiError;
use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::desk::Desk;
use crate::domain::filing::{self, EditionChange, Overtaken};
use crate::dossiers::Dossier;
use crate::held;

/// How often it is tried again when somebody writes meanwhile.
const ATTEMPTS: usize = 5;

/// What the catalogue does to a draft.
enum Change {
    /// It is taken over to another edition.
    Edition(EditionChange),
    /// What was signed or approved reads otherwise.
    Voided(Overtaken),
}

/// The filing in the edition of its form that is taken today, by the office's calendar: a draft moves on from the first day on
/// which the next edition is taken, whether or not the one before is refused from then on, and not on the day on which a node
/// first knows of it. A signature stands in it only where it reads as it was signed. What was sent stays as it was signed.
///
/// # Errors
/// Unavailable, when the draft is in an edition that this catalogue does not have: another node has a newer one.
pub(crate) async fn present(desk: &Desk, mut dossier: Dossier) -> Result<Dossier, ApiError> {
    let mut attempts = 0;
    loop {
        if !dossier.outline().is_open() {
            return Ok(dossier);
        }
        let form = desk.form(&dossier.filing.form)?;
        let change = if dossier.filing.edition == form.edition.to_string() {
            match held::overtaken(desk, &dossier).await? {
                Some(overtaken) => Change::Voided(overtaken),
                None => return Ok(dossier),
            }
        } else {
            Change::Edition(carried_over(form, &dossier, held::concerned(desk, &dossier).await?)?)
        };
        if attempts == ATTEMPTS {
            return Err(ApiError::Unavailable("the draft in the new edition of its form"));
        }
        attempts += 1;
        let (id, version) = (dossier.id, dossier.filing.version);
        let context = context(form, &dossier, &change);
        let decide = |filing: &filing::Filing| match &change {
            Change::Edition(change) => filing::change_edition(filing, change.clone()),
            Change::Voided(overtaken) => filing::void_signature(filing, overtaken),
        };
        match desk.filings.execute(&context, id, Subjects::filing(id), decide).await {
            Ok(_) => tracing::info!(filing = %id, version, "a draft was brought to its form as it is now"),
            Err(ExecuteError::Refused(refusal)) if refusal.code == RefusalCode::Stale => {}
            Err(error) => return Err(error.into()),
        }
        dossier = desk.dossiers.opened(id).await?;
    }
}

/// Whether this catalogue leads from the edition of a draft to the one that is taken today, or the draft is not read by it at all.
pub(crate) fn is_here(desk: &Desk, draft: &filing::Filing) -> bool {
    if draft.open().is_err() {
        return true;
    }
    let Ok(form) = desk.form(&draft.form) else { return false };
    let from = draft.edition.parse().ok();
    draft.edition == form.edition.to_string()
        || from.is_some_and(|from: Date| form.carry_over(from, &Answers::new()).is_ok())
}

fn carried_over(form: &Form, dossier: &Dossier, overtaken: Overtaken) -> Result<EditionChange, ApiError> {
    let before = &dossier.content.answers;
    let from: Option<Date> = dossier.filing.edition.parse().ok();
    let carried = from.and_then(|from| form.carry_on(from, before, &dossier.content.attention).ok());
    let Some(CarriedOver { answers, attention }) = carried else {
        tracing::error!(filing = %dossier.id, edition = dossier.filing.edition, "no lens leads from a draft's edition");
        return Err(ApiError::Unavailable("the edition of this draft"));
    };
    let changes = changes(before, answers);
    Ok(EditionChange {
        edition: form.edition.to_string(),
        questions: changes.keys().cloned().collect(),
        answers_json: Value::Object(changes).to_string(),
        attention_json: serde_json::to_string(&attention).map_err(ApiError::internal)?,
        overtaken,
    })
}

/// What makes of the answers before those after: `null` for each that is gone.
pub(crate) fn changes(before: &Answers, after: Answers) -> Map<String, Value> {
    let gone = before.keys().filter(|question| !after.contains_key(*question));
    let gone: Vec<(String, Value)> = gone.map(|question| (question.clone(), Value::Null)).collect();
    let changed = after.into_iter().filter(|(question, answer)| before.get(question) != Some(answer));
    changed.chain(gone).collect()
}

/// The command of the catalogue: the same for everybody who opens the draft as it is.
fn context(form: &Form, dossier: &Dossier, change: &Change) -> Context {
    let version = dossier.filing.version;
    let name = match change {
        Change::Edition(_) => format!("edition:{}:{version}", form.edition),
        Change::Voided(overtaken) => format!("signature:{}:{version}", overtaken.catalogue_version),
    };
    let command_id = derived_id(&name, dossier.id, 0);
    Context {
        command_id,
        correlation_id: command_id,
        causation_id: None,
        actor: Actor::machine("catalogue"),
        on_behalf_of: None,
        auth_level: 0,
        traceparent: docket_messaging::current_traceparent(),
        request: Vec::new(),
    }
}
