//! Filings as somebody opened them last, kept in memory for a while: of what is kept only what came since is read.
//!
//! A draft is saved answer by answer, and each save looks at the whole. What is kept is never believed by itself: the last
//! event that it knows is read again and must have the same link, or the log must find that very event at the stream's end
//! when a command is appended, so that a log restored to an earlier point is seen; and its key must be there, so that nothing
//! outlives an erasure by more than the key itself does.

use std::sync::Arc;

use docket_eventlog::{EventLog, Executed, Folded, Loaded, Mark, Recorded, Store};
use docket_forms::Answers;
use docket_service::ApiError;
use docket_vault::{REMEMBERED, Subject, Vault};
use jiff::Timestamp;
use moka::future::Cache;
use serde_json::Value;
use uuid::Uuid;

use crate::aggregates::Filings;
use crate::content::Content;
use crate::domain::Attached;
use crate::domain::filing::Filing;

/// Bytes kept, as [`weight`] estimates them: a thousand filings as they usually are, and fewer where they are large.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// What a filing takes beside what people put into it.
const FRAME: usize = 4 * 1024;
/// What a file, or a question that was ever answered, takes beside its name.
const ROW: usize = 256;

/// A filing with its content opened.
#[derive(Clone)]
pub(crate) struct Dossier {
    pub(crate) id: Uuid,
    pub(crate) filing: Arc<Filing>,
    pub(crate) content: Arc<Content>,
    /// When it was last worked on.
    pub(crate) worked_at: Option<Timestamp>,
    /// The last event in it; none when nothing happened yet.
    mark: Option<Mark>,
}

impl Dossier {
    fn new(id: Uuid) -> Self {
        Self { id, filing: Arc::default(), content: Arc::default(), worked_at: None, mark: None }
    }

    /// The filing as a command may decide about it.
    pub(crate) fn folded(&self) -> Folded<Filings> {
        Folded { state: Filing::clone(&self.filing), version: self.version() }
    }

    /// The same as of its last event, which a command may have to find in the log as it was.
    pub(crate) fn folded_to(&self) -> Option<(Folded<Filings>, Mark)> {
        Some((self.folded(), self.mark?))
    }

    /// Where it stands.
    pub(crate) fn outline(&self) -> Outline<'_> {
        let (id, worked_at, erased) = (self.id, self.worked_at, self.content.erased);
        Outline { id, filing: &self.filing, worked_at, erased }
    }

    fn version(&self) -> u64 {
        self.mark.map_or(0, |mark| mark.version)
    }

    /// About how many bytes it takes in memory.
    fn weight(&self) -> usize {
        let (filing, content) = (&self.filing, &self.content);
        let answers = [Some(&content.answers), content.waiver.as_ref()];
        let attention = content.attention.iter().map(|one| ROW + weight(&one.answer));
        let words = content.explanations.values().chain([&content.remark, &content.signature.sheet_json]);
        let names = content.files.values().map(|file| ROW + file.file_name.len());
        let rows = self.files().count() + filing.answered.len() + filing.waiver_answered.len();
        let parts = [
            FRAME,
            rows * ROW,
            answers.into_iter().flatten().map(weight_of_all).sum(),
            attention.sum(),
            words.map(String::len).sum(),
            names.sum(),
        ];
        parts.into_iter().sum()
    }

    /// All its files: what was attached to what is signed, and what was added unasked later.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Attached> {
        self.filing.evidence.iter().chain(&self.filing.unsolicited)
    }

    /// The answers to Form I-912, while a waiver of the fee is asked for.
    pub(crate) fn waiver(&self) -> Option<&Answers> {
        self.content.waiver.as_ref().filter(|_| self.filing.fee_waiver)
    }

    /// What cannot be provided, by kind, and why; an explanation that no longer stands is left out.
    pub(crate) fn explanations(&self) -> impl Iterator<Item = (&str, &str)> {
        let words = |kind: &str| self.content.explanations.get(kind).map_or("", String::as_str);
        self.filing.explained.iter().map(move |kind| (kind.as_str(), words(kind)))
    }
}

/// About how many bytes answers take: their texts, and as much again as a value or a name takes for itself.
fn weight_of_all(answers: &Answers) -> usize {
    answers.iter().map(|(name, answer)| size_of::<Value>() + name.len() + weight(answer)).sum()
}

fn weight(answer: &Value) -> usize {
    let own = size_of::<Value>();
    match answer {
        Value::Null | Value::Bool(_) | Value::Number(_) => own,
        Value::String(text) => own + text.len(),
        Value::Array(items) => own + items.iter().map(weight).sum::<usize>(),
        Value::Object(parts) => own + weight_of_all(parts),
    }
}

/// A filing whose content is not opened yet: enough to ask whether the caller may, and to say where it stands.
pub(crate) struct Closed {
    pub(crate) filing: Arc<Filing>,
    /// When it was last worked on.
    worked_at: Option<Timestamp>,
    /// Its key was destroyed.
    erased: bool,
    /// As it was opened last.
    before: Dossier,
    /// What came since.
    events: Vec<Recorded>,
}

/// Where a filing stands, without its content.
pub(crate) struct Outline<'a> {
    pub(crate) id: Uuid,
    pub(crate) filing: &'a Filing,
    pub(crate) worked_at: Option<Timestamp>,
    pub(crate) erased: bool,
}

impl Outline<'_> {
    /// Whether what is in it can still be changed: it is not sent, and nobody erased it.
    pub(crate) fn is_open(&self) -> bool {
        self.filing.open().is_ok() && !self.erased
    }
}

impl Closed {
    fn new(before: Dossier, filing: Arc<Filing>, events: Vec<Recorded>, erased: bool) -> Self {
        let worked = events.iter().find(|event| event.version == filing.worked);
        let worked_at = worked.map_or(before.worked_at, |event| Some(event.recorded_at));
        Self { filing, worked_at, erased, before, events }
    }

    pub(crate) fn outline(&self) -> Outline<'_> {
        let (id, worked_at, erased) = (self.before.id, self.worked_at, self.erased);
        Outline { id, filing: &self.filing, worked_at, erased }
    }
}

/// The filings that were opened lately. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Dossiers {
    log: EventLog,
    vault: Vault,
    filings: Store<Filings>,
    kept: Cache<Uuid, Dossier>,
}

impl Dossiers {
    pub(crate) fn new(log: EventLog, vault: Vault) -> Self {
        let kept = Cache::builder()
            .weigher(|_, dossier: &Dossier| u32::try_from(dossier.weight()).unwrap_or(u32::MAX))
            .max_capacity(MOST_BYTES)
            .time_to_idle(REMEMBERED)
            .build();
        Self { filings: Store::new(log.clone()), log, vault, kept }
    }

    /// A filing as it is now, closed.
    ///
    /// # Errors
    /// A log or vault that does not answer.
    pub(crate) async fn find(&self, id: Uuid) -> Result<Closed, ApiError> {
        let (before, erased) = self.known(id).await?;
        if let Some(before) = before
            && let Some(mark) = &before.mark
            && let Some(events) = self.filings.since(id, mark).await?
        {
            let filing = match events.as_slice() {
                [] => Arc::clone(&before.filing),
                more => Arc::new(before.folded().after(more)?.state),
            };
            return Ok(Closed::new(before, filing, events, erased));
        }
        let Loaded { state, events, .. } = self.filings.load(id).await?;
        Ok(Closed::new(Dossier::new(id), Arc::new(state), events, erased))
    }

    /// A filing as it is kept, whatever came since; none where it is not kept, or was erased.
    ///
    /// # Errors
    /// A vault that does not answer.
    pub(crate) async fn kept(&self, id: Uuid) -> Result<Option<Dossier>, ApiError> {
        Ok(self.known(id).await?.0)
    }

    /// A filing as it is kept, and whether it was erased: then it is kept no more.
    async fn known(&self, id: Uuid) -> Result<(Option<Dossier>, bool), ApiError> {
        let erased = self.vault.is_erased(&Subject::filing(id)).await?;
        if erased {
            self.kept.invalidate(&id).await;
        }
        Ok((self.kept.get(&id).await, erased))
    }

    /// Opens its content, and keeps it.
    ///
    /// # Errors
    /// A vault that does not answer.
    pub(crate) async fn open(&self, closed: Closed) -> Result<Dossier, ApiError> {
        let Closed { filing, worked_at, erased, before, events } = closed;
        let Some(last) = events.last() else { return Ok(before) };
        let Dossier { id, mut content, .. } = before;
        if erased || events.iter().any(|event| !event.sealed.is_empty()) {
            let content = Arc::make_mut(&mut content);
            content.follow(&self.log, &events).await?;
            content.erased |= erased;
        }
        let mark = Some(last.mark());
        let dossier = Dossier { id, filing, content, worked_at, mark };
        if !dossier.content.erased {
            self.kept.insert(id, dossier.clone()).await;
        }
        Ok(dossier)
    }

    /// Finds and opens a filing, for who may see it.
    ///
    /// # Errors
    /// As [`Dossiers::find`].
    pub(crate) async fn opened(&self, id: Uuid) -> Result<Dossier, ApiError> {
        self.open(self.find(id).await?).await
    }

    /// The filing after a command that was decided on this dossier, or on what came later.
    ///
    /// # Errors
    /// As [`Dossiers::find`].
    pub(crate) async fn after(&self, before: Dossier, done: Executed<Filings>) -> Result<Dossier, ApiError> {
        let next = done.events.first().is_some_and(|event| event.version == before.version() + 1);
        if done.repeated || !next {
            return self.opened(before.id).await;
        }
        self.open(Closed::new(before, Arc::new(done.state), done.events, false)).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(answers: &Value, sheet_json: String) -> Dossier {
        let mut content =
            Content { answers: answers.as_object().cloned().expect("an object"), ..Content::default() };
        content.signature.sheet_json = sheet_json;
        Dossier { content: Arc::new(content), ..Dossier::new(Uuid::nil()) }
    }

    #[test]
    fn a_filing_weighs_what_people_put_into_it() {
        let small = with(&json!({ "basis": "lpr_5_years" }), String::new()).weight();
        assert!((FRAME..2 * FRAME).contains(&small), "{small}");
        let long = "A word. ".repeat(1_000);
        let explained =
            with(&json!({ "additional_info": [{ "text": long }, { "text": long }] }), String::new());
        assert!((16_000..18_000).contains(&(explained.weight() - FRAME)), "{}", explained.weight());
        let signed = with(&json!({}), "s".repeat(240 * 1024));
        assert_eq!(signed.weight(), FRAME + 240 * 1024);
    }

    #[test]
    fn what_is_kept_is_bounded_by_its_weight() {
        // Large ones: not a thousand of them, but what goes into the bound.
        let large = u64::try_from(with(&json!({}), "s".repeat(240 * 1024)).weight()).unwrap();
        assert!((100..1_000).contains(&(MOST_BYTES / large)));
    }
}
