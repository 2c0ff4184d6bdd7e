//! Filings as somebody opened them last, kept in memory for a while: of what is kept only what came since is read.
//!
//! A draft is saved answer by answer, and each save looks at the whole. What is kept is never believed by itself: the last
//! event that it knows is read again and must have the same link, so that a log restored to an earlier point is seen; and
//! its key must be there, so that nothing outlives an erasure by more than the key itself does.

use std::sync::Arc;

use docket_eventlog::{EventLog, Executed, Folded, Loaded, Mark, Recorded, Store};
use docket_forms::Answers;
use docket_service::ApiError;
use docket_vault::{REMEMBERED, Subject, Vault};
use jiff::Timestamp;
use moka::future::Cache;
use uuid::Uuid;

use crate::aggregates::Filings;
use crate::content::Content;
use crate::domain::Attached;
use crate::domain::filing::Filing;

/// Filings kept; one takes some 50 kB.
const MOST: u64 = 1_000;

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

    /// Where it stands.
    pub(crate) fn outline(&self) -> Outline<'_> {
        let (id, worked_at, erased) = (self.id, self.worked_at, self.content.erased);
        Outline { id, filing: &self.filing, worked_at, erased }
    }

    fn version(&self) -> u64 {
        self.mark.map_or(0, |mark| mark.version)
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

/// A filing whose content is not opened yet: enough to ask whether the caller may, and to say where it stands.
pub(crate) struct Closed {
    pub(crate) filing: Filing,
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

impl Closed {
    fn new(before: Dossier, filing: Filing, events: Vec<Recorded>, erased: bool) -> Self {
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
        let kept = Cache::builder().max_capacity(MOST).time_to_idle(REMEMBERED).build();
        Self { filings: Store::new(log.clone()), log, vault, kept }
    }

    /// A filing as it is now, closed.
    ///
    /// # Errors
    /// A log or vault that does not answer.
    pub(crate) async fn find(&self, id: Uuid) -> Result<Closed, ApiError> {
        let erased = self.vault.is_erased(&Subject::filing(id)).await?;
        if erased {
            self.kept.invalidate(&id).await;
        }
        if let Some(before) = self.kept.get(&id).await
            && let Some(mark) = &before.mark
            && let Some(events) = self.filings.since(id, mark).await?
        {
            let filing = before.folded().after(&events)?.state;
            return Ok(Closed::new(before, filing, events, erased));
        }
        let Loaded { state, events, .. } = self.filings.load(id).await?;
        Ok(Closed::new(Dossier::new(id), state, events, erased))
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
        let dossier = Dossier { id, filing: Arc::new(filing), content, worked_at, mark };
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
        self.open(Closed::new(before, done.state, done.events, false)).await
    }
}
