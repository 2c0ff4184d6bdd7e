//! Requests to the party: for evidence (RFE), with a continued examination (N-14), or to answer a notice of intent to deny
//! (NOID), each with its planned deadline.

use docket_kernel::Refusal;
use docket_kernel::calendar::roll;
use docket_kernel::deadline::{Deadline, Rule, ServiceChannel, office_date};
use docket_proto::case_status::events::v1 as pb;
use docket_proto::types::v1 as types;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::{Decision, in_review, no_open_request, stated};
use crate::domain::{Case, Interview, RequestKind};

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Id of the request.
    pub request_id: Uuid,
    /// Items with reason codes.
    pub items: Vec<pb::RequestedItem>,
    /// Days to answer; none for the rule's own.
    pub days: Option<u32>,
    /// A supervisor asks and may give fewer days than the minimum.
    pub supervised: bool,
    /// Explanation to the party; sealed by the log.
    pub explanation: String,
}

/// A denial, a revocation or a termination that is intended.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Id of the request.
    pub request_id: Uuid,
    /// The grounds, in words to the party; sealed by the log.
    pub grounds: String,
    /// Derogatory information that the party may not know of; sealed by the log, empty when there is none.
    pub derogatory_information: String,
    /// What is asked for beside the answer to the grounds; may be none.
    pub items: Vec<pb::RequestedItem>,
    /// Days to answer; none for the rule's own.
    pub days: Option<u32>,
    /// A supervisor intends it.
    pub supervised: bool,
}

/// Asks for evidence (8 CFR 103.2(b)(8)); at most 84 days (103.2(b)(8)(iv)).
///
/// # Errors
/// `REVIEW_NOT_STARTED`, `DECISION_PENDING`, `REQUEST_OPEN`, `ITEMS_MISSING`, `PERIOD_TOO_LONG`, `PERIOD_TOO_SHORT`.
pub fn request_evidence(case: &Case, asked: &Asked, now: Timestamp) -> Decision {
    let deadline = ask(case, RequestKind::Rfe, asked, now)?;
    Ok(vec![
        pb::EvidenceRequested {
            request_id: asked.request_id.to_string(),
            items: asked.items.clone(),
            deadline: Some(deadline),
            explanation: asked.explanation.clone(),
        }
        .into(),
    ])
}

/// Continues the examination and asks for what is missing, 30 days (8 CFR 335.3(b), 335.7); once only.
///
/// # Errors
/// `INTERVIEW_MISSING`, `CONTINUED_ALREADY`, and those of [`request_evidence`].
pub fn continue_examination(case: &Case, asked: &Asked, now: Timestamp) -> Decision {
    in_review(case)?;
    if case.interview != Interview::Completed {
        return Err(Refusal::state(
            "INTERVIEW_MISSING",
            "Only an examination that was held can be continued.",
        )
        .way_out("Hold the interview first, or send a request for evidence (rfe)."));
    }
    if case.continued {
        return Err(Refusal::state("CONTINUED_ALREADY", "The examination was continued once already.")
            .way_out("Send a request for evidence (rfe)."));
    }
    let deadline = ask(case, RequestKind::N14, asked, now)?;
    Ok(vec![
        pb::ExaminationContinued {
            request_id: asked.request_id.to_string(),
            items: asked.items.clone(),
            deadline: Some(deadline),
            explanation: asked.explanation.clone(),
        }
        .into(),
    ])
}

/// Tells the party why the case is to be denied, with what may be answered to it; at most 30 days (8 CFR 103.2(b)(8)(iv)). What
/// the party may not know of is told as well (103.2(b)(16)(i)). It is no decision, and nothing but the answer is needed.
///
/// # Errors
/// `REVIEW_NOT_STARTED`, `DECISION_PENDING`, `REQUEST_OPEN`, `GROUNDS_MISSING`, `ITEMS_MISSING`, `PERIOD_TOO_LONG`.
pub fn intend_denial(case: &Case, intent: &Intent, now: Timestamp) -> Decision {
    in_review(case)?;
    no_open_request(case)?;
    said(intent)?;
    let deadline = plan(case, RequestKind::Noid, intent.days, intent.supervised, now)?;
    Ok(vec![
        pb::DenialIntended {
            request_id: intent.request_id.to_string(),
            items: intent.items.clone(),
            deadline: Some(deadline),
            grounds: intent.grounds.clone(),
            derogatory_information: intent.derogatory_information.clone(),
        }
        .into(),
    ])
}

/// What is intended says its grounds, and what it asks for beside.
///
/// # Errors
/// `GROUNDS_MISSING`, `ITEMS_MISSING`.
pub(super) fn said(intent: &Intent) -> Result<(), Refusal> {
    if intent.grounds.trim().is_empty() {
        return Err(Refusal::invalid(
            "grounds",
            "GROUNDS_MISSING",
            "Say the grounds in words that the party can answer (8 CFR 103.2(b)(8)(iv)).",
        ));
    }
    if intent.items.iter().any(|item| item.code.is_empty()) {
        return Err(Refusal::invalid(
            "items",
            "ITEMS_MISSING",
            "Name each item by its code, for example tax_transcripts, or ask for none.",
        ));
    }
    Ok(())
}

fn ask(case: &Case, kind: RequestKind, asked: &Asked, now: Timestamp) -> Result<types::Deadline, Refusal> {
    in_review(case)?;
    no_open_request(case)?;
    if asked.items.is_empty() || asked.items.iter().any(|item| item.code.is_empty()) {
        return Err(Refusal::invalid(
            "items",
            "ITEMS_MISSING",
            "Ask for at least one item by its code, for example tax_transcripts.",
        ));
    }
    plan(case, kind, asked.days, asked.supervised, now)
}

pub(super) fn plan(
    case: &Case,
    kind: RequestKind,
    chosen: Option<u32>,
    supervised: bool,
    now: Timestamp,
) -> Result<types::Deadline, Refusal> {
    // Notices that start a period are posted on working days, which gives no less time.
    let day0 = roll(office_date(now));
    let deadline = plan_deadline(case, kind, day0, chosen, supervised)?;
    Ok(stated(&deadline))
}

/// The deadline of a request served on `day0`, with the days an officer chose or the rule's own, by posting it to the account: no mail days (8 CFR 103.8(a)(2)(v)).
///
/// # Errors
/// `PERIOD_TOO_LONG`, `PERIOD_TOO_SHORT`, an unknown zone, a year beyond the tables.
pub fn plan_deadline(
    case: &Case,
    kind: RequestKind,
    day0: Date,
    chosen: Option<u32>,
    supervised: bool,
) -> Result<Deadline, Refusal> {
    let id = match (kind, case.form.as_str()) {
        (RequestKind::N14, _) => "n14",
        (RequestKind::Noid, _) => "noid",
        (RequestKind::Noir, _) => "noir",
        (RequestKind::Noit, _) => "noit",
        (RequestKind::OwnMotion, "N-400") => "n400.reopen",
        (RequestKind::OwnMotion, _) => "own_motion",
        (RequestKind::Rfe, "I-539") => "rfe.i539",
        (RequestKind::Rfe, "I-601A") => "rfe.i601a",
        (RequestKind::Rfe, _) => "rfe",
    };
    let mut rule = Rule::of(id).abroad(case.abroad);
    if let Some(days) = chosen {
        rule = rule.days(days);
    }
    if supervised {
        rule = rule.supervised();
    }
    Deadline::compute(rule, day0, ServiceChannel::Posted, &case.zone)
}
