//! The answer to one request of the office: opened when the request is served, sent once.

use std::collections::BTreeSet;

use docket_kernel::Refusal;
use docket_proto::events::response::Event;
use docket_proto::filing::events::v1 as pb;
use docket_proto::types::v1::Deadline;
use uuid::Uuid;

use super::at_hand;
use super::attached::{Attached, NewFile, Refused, Verdict, all_scanned, scanned};
use super::filing::{MOST_FILES, already_attached, already_there};
use super::id;

/// The kind of a request for evidence.
pub const RFE: &str = "rfe";
/// That of a request for evidence after an examination for naturalization, on Form N-14.
pub const N14: &str = "n14";
/// That of a notice of intent to deny.
pub const NOID: &str = "noid";
/// That of a notice of intent to revoke.
pub const NOIR: &str = "noir";
/// That of a notice of intent to terminate.
pub const NOIT: &str = "noit";
/// That of a case which the office reopened and may decide against the party.
pub const OWN_MOTION: &str = "own_motion";
/// What answers the grounds of each of these: it may always be sent, and may be left out where items are asked for.
const REBUTTAL: &str = "rebuttal";

/// The answer to a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// Case; nil before it was opened.
    pub case: Uuid,
    /// Account of the party.
    pub account: Uuid,
    /// `rfe`, `noid`, `n14`, `noir`, `noit`, `own_motion`.
    pub request_kind: String,
    /// Deadline as printed.
    pub deadline: Option<Deadline>,
    /// Items asked for.
    pub items: Vec<String>,
    /// What is attached, in order.
    pub evidence: Vec<Attached>,
    /// What was taken out when it was scanned.
    pub refused: Vec<Refused>,
    /// Items that cannot be provided, as the party said.
    pub explained: BTreeSet<String>,
    /// When it went in, microseconds since the epoch; 0 before.
    pub received_at_us: i64,
    /// Why the request ended without an answer; empty unless it did.
    pub closed_cause: String,
}

/// Folds one event.
pub fn evolve(response: Response, event: &Event) -> Response {
    match event {
        Event::ResponseOpened(e) => Response {
            case: id(&e.case_id),
            account: id(&e.account_id),
            request_kind: e.request_kind.clone(),
            deadline: e.deadline.clone(),
            items: e.items.clone(),
            ..response
        },
        Event::ResponseEvidenceAdded(e) => {
            let (mut response, file) = (response, attached(e));
            // What is there needs no explanation. What may yet be taken out when it is scanned does until then.
            if !file.being_checked {
                response.explained.remove(&file.kind);
            }
            response.evidence.push(file);
            response
        }
        Event::ResponseEvidenceRemoved(e) => {
            let mut response = response;
            let removed = id(&e.evidence_id);
            response.evidence.retain(|evidence| evidence.id != removed);
            response
        }
        Event::ResponseEvidenceScanned(e) => {
            let mut response = response;
            let (file, was_sent) = (id(&e.evidence_id), response.received_at_us != 0);
            scanned(&mut response.evidence, &mut response.refused, (file, was_sent), &e.verdict);
            let is_clean = |found: &&Attached| found.id == file && !found.being_checked;
            if let Some(clean) = response.evidence.iter().find(is_clean) {
                response.explained.remove(&clean.kind);
            }
            response
        }
        Event::ResponseItemExplained(e) => {
            let mut response = response;
            response.explained.insert(e.item.clone());
            response
        }
        Event::ResponseItemExplanationDropped(e) => {
            let mut response = response;
            response.explained.remove(&e.item);
            response
        }
        Event::ResponseClosed(e) => Response { closed_cause: e.cause.clone(), ..response },
        Event::ResponseSubmitted(e) => Response { received_at_us: e.received_at_us, ..response },
    }
}

fn attached(e: &pb::ResponseEvidenceAdded) -> Attached {
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

impl Response {
    /// Whether it was opened.
    pub fn exists(&self) -> bool {
        !self.case.is_nil()
    }

    /// Whether the request still waits for its answer: neither answered nor ended, and its deadline not over.
    pub fn is_awaited(&self, now_us: i64) -> bool {
        let in_time = self.deadline.as_ref().is_none_or(|deadline| now_us < deadline.expires_at_us);
        self.open().is_ok() && in_time
    }

    /// Whether its last 24 hours have begun, or it is late already: nothing is won by waiting then.
    fn is_at_hand(&self, now_us: i64) -> bool {
        self.deadline.as_ref().is_some_and(|deadline| at_hand::is_near(deadline.expires_at_us, now_us))
    }

    /// Whether the answer can still be changed and sent.
    pub fn open(&self) -> Result<(), Refusal> {
        if !self.exists() {
            return Err(Refusal::not_found());
        }
        if self.received_at_us != 0 {
            return Err(Refusal::state(
                "ALREADY_SUBMITTED",
                "The answer to this request was sent; everything must come at one time (8 CFR 103.2(b)(11)).",
            )
            .way_out("Attach what else you have to the filing itself while the case is pending; it joins the case, and moves no day."));
        }
        if !self.closed_cause.is_empty() {
            return Err(Refusal::state("REQUEST_ENDED", "This request has ended; nothing is waited for.")
                .way_out("Nothing is to be sent. What you attached is kept.")
                .fact("cause", self.closed_cause.clone()));
        }
        Ok(())
    }

    /// Whether a file for `item` can be attached.
    pub fn closed_for(&self, item: &str) -> Result<(), Refusal> {
        self.open()?;
        let optional = self.optional_items();
        if self.items.iter().chain(&optional).any(|taken| taken == item) {
            return Ok(());
        }
        Err(Refusal::invalid(
            "kind",
            "ITEM_NOT_ASKED",
            format!(
                "Name the item that the file answers, one of: {}.",
                [self.items.as_slice(), &optional].concat().join(", ")
            ),
        ))
    }

    /// What may be sent beside the items.
    pub fn optional_items(&self) -> Vec<String> {
        let grounds = [NOID, NOIR, NOIT, OWN_MOTION].contains(&self.request_kind.as_str());
        let rebuttal = grounds && !self.items.iter().any(|asked| asked == REBUTTAL);
        if rebuttal { vec![REBUTTAL.to_owned()] } else { Vec::new() }
    }

    /// The items for which nothing is attached, and of which it is not said why.
    pub fn unanswered(&self) -> Vec<String> {
        let open = |item: &&String| !self.has_file(item) && !self.explained.contains(*item);
        self.items.iter().filter(open).cloned().collect()
    }

    /// The items of which it is said that they cannot be provided, and for which nothing is attached.
    pub fn lacking(&self) -> impl Iterator<Item = &String> {
        self.explained.iter().filter(|item| !self.has_file(item))
    }

    fn has_file(&self, item: &str) -> bool {
        self.evidence.iter().any(|file| file.kind == item)
    }
}

/// Opens the way to answer a request that was served. Served again, it stays as it was.
pub fn open(response: &Response, opened: pb::ResponseOpened) -> Result<Vec<Event>, Refusal> {
    if response.exists() {
        return Ok(Vec::new());
    }
    Ok(vec![opened.into()])
}

/// Closes the way to answer a request that ended. An answer that went in before stays what it is.
pub fn close(response: &Response, cause: &str) -> Result<Vec<Event>, Refusal> {
    if !response.exists() || response.received_at_us != 0 || !response.closed_cause.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![pb::ResponseClosed { cause: cause.to_owned() }.into()])
}

/// Attaches a file to one of the items.
pub fn attach(response: &Response, file: NewFile) -> Result<Vec<Event>, Refusal> {
    let attached = file.attached;
    response.closed_for(&attached.kind)?;
    if let Some(same) = file.same_as {
        return Err(already_attached(same));
    }
    if response.evidence.len() >= MOST_FILES {
        return Err(Refusal::too_much(
            "TOO_MANY_FILES",
            format!("A response takes at most {MOST_FILES} files."),
        )
        .way_out("Put pages that belong together into one PDF."));
    }
    Ok(vec![
        pb::ResponseEvidenceAdded {
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
        .into(),
    ])
}

/// Takes a file off.
pub fn detach(response: &Response, evidence: Uuid) -> Result<Vec<Event>, Refusal> {
    response.open()?;
    if !response.evidence.iter().any(|attached| attached.id == evidence) {
        return Err(Refusal::not_found());
    }
    Ok(vec![pb::ResponseEvidenceRemoved { evidence_id: evidence.to_string() }.into()])
}

/// Says why an item cannot be provided; without an explanation, takes that back. Other evidence of the fact, such as affidavits, is
/// attached for another item or said of here; whether it is enough, an officer decides (8 CFR 103.2(b)(2)).
pub fn explain(response: &Response, item: &str, explanation: Option<String>) -> Result<Vec<Event>, Refusal> {
    response.open()?;
    let item = item.to_owned();
    let Some(explanation) = explanation else {
        let stands = response.explained.contains(&item);
        return Ok(if stands {
            vec![pb::ResponseItemExplanationDropped { item }.into()]
        } else {
            Vec::new()
        });
    };
    if !response.items.contains(&item) {
        let rule = "Name an item of the request: what is not asked for needs no explanation.";
        return Err(Refusal::invalid("kind", "ITEM_NOT_ASKED", rule));
    }
    if response.has_file(&item) {
        return Err(already_there());
    }
    Ok(vec![pb::ResponseItemExplained { item, explanation }.into()])
}

/// Notes what the scan of a file came to that had to wait, also after the answer went in. One that was taken off: nothing.
pub fn scanned_file(
    response: &Response,
    evidence: Uuid,
    verdict: Verdict,
    representative: Option<Uuid>,
) -> Vec<Event> {
    if !response.evidence.iter().any(|file| file.id == evidence && file.being_checked) {
        return Vec::new();
    }
    vec![
        pb::ResponseEvidenceScanned {
            evidence_id: evidence.to_string(),
            verdict: verdict.as_str().to_owned(),
            case_id: response.case.to_string(),
            account_id: response.account.to_string(),
            representative: representative.map(|account| account.to_string()).unwrap_or_default(),
            answered: response.received_at_us != 0,
        }
        .into(),
    ]
}

/// Sends the one answer. What comes late goes in too: the case marks it (8 CFR 103.2(b)(11), (13)).
pub fn submit(response: &Response, partial_confirmed: bool, now_us: i64) -> Result<Vec<Event>, Refusal> {
    response.open()?;
    if response.evidence.is_empty() && response.explained.is_empty() {
        return Err(Refusal::state("NOTHING_ATTACHED", "Nothing is attached to the answer.")
            .way_out("Attach at least one of the items asked for, or say why it cannot be provided."));
    }
    if !response.is_at_hand(now_us) {
        all_scanned(
            &response.evidence,
            "It is done by itself, mostly within minutes: then send the answer. In the last 24 hours before the deadline it is taken with files that are being checked.",
        )?;
    }
    let unanswered = response.unanswered();
    if !unanswered.is_empty() && !partial_confirmed {
        return Err(Refusal::state(
            "INCOMPLETE",
            format!("Nothing is attached for: {}. Everything must come at one time.", unanswered.join(", ")),
        )
        .way_out(
            "Attach what is missing or say why it cannot be provided, or confirm that the case is to be decided on what is there.",
        )
        .fact("items", unanswered.join(",")));
    }
    let being_checked = response.evidence.iter().filter(|file| file.being_checked);
    let answered: BTreeSet<String> = response.evidence.iter().map(|evidence| evidence.kind.clone()).collect();
    Ok(vec![
        pb::ResponseSubmitted {
            case_id: response.case.to_string(),
            received_at_us: now_us,
            complete: unanswered.is_empty(),
            items: answered.into_iter().collect(),
            evidence: response.evidence.iter().map(Attached::reference).collect(),
            being_checked: being_checked.map(|file| file.id.to_string()).collect(),
            explained: response.lacking().cloned().collect(),
        }
        .into(),
    ])
}
