//! What becomes of a request: served, answered in time or late, or passed over by its deadline.

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use docket_proto::types::v1::EvidenceRef;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::search::answered;
use super::{Decision, plan_deadline};
use crate::domain::{Case, Request, RequestState, Stage};

/// A response as filing received it.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The request it answers.
    pub request_id: Uuid,
    /// When it was received whole.
    pub received_at: Timestamp,
    /// Whether every item was answered.
    pub complete: bool,
    /// Evidence in it.
    pub evidence: Vec<EvidenceRef>,
    /// Those of its files that were not scanned for viruses yet, by evidence id.
    pub being_checked: Vec<String>,
}

/// The notice of a request was posted: the deadline stands, and only a later civil day of service moves it, to later
/// (lifecycle 15, 16). Served again, after the case has ended or after something else was asked: nothing.
///
/// # Errors
/// `NO_REQUEST_OPEN`, when the case has no such request.
pub fn serve_request(case: &Case, request_id: Uuid, notice_id: Uuid, served_on: Date) -> Decision {
    let request = known(case, request_id)?;
    let is_last = case.request.as_ref().is_some_and(|last| last.id == request_id);
    if request.served || !is_last || !case.may_be_answered() {
        return Ok(Vec::new());
    }
    let planned: Date = request.deadline.day0_date.parse().unwrap_or(Date::MIN);
    let deadline = if served_on > planned {
        let days = Some(request.deadline.base_days);
        let later = plan_deadline(case, request.kind, served_on, days, true)?;
        crate::domain::Deadline::from(&later)
    } else {
        request.deadline.clone()
    };
    Ok(vec![
        pb::RequestServed {
            request_id: request_id.to_string(),
            notice_id: notice_id.to_string(),
            deadline: Some((&deadline).into()),
        }
        .into(),
    ])
}

/// A response was received: timely iff before the deadline's end; a late one is kept and marked (lifecycle 18, 20), and tells
/// that the deadline passed, whichever of clock and answer comes first (lifecycle 17). An answer to an earlier request is kept
/// with that one, whatever was asked since. One that crosses with the end of an acceptance stays where it was filed: nothing
/// follows that end (lifecycle 5).
///
/// # Errors
/// `NO_REQUEST_OPEN`, `ALREADY_RESPONDED`.
pub fn record_response(case: &Case, response: &Response) -> Decision {
    let request = known(case, response.request_id)?;
    if case.stage == Stage::Voided {
        return Ok(Vec::new());
    }
    if request.received_at.is_some() {
        return Err(Refusal::state("ALREADY_RESPONDED", "A request is answered once, everything together.")
            .fact("request", format!("requests/{}", request.id)));
    }
    let mut events = pass_deadline(case, request.id, response.received_at)?;
    events.push(
        pb::ResponseRecorded {
            request_id: request.id.to_string(),
            received_at_us: response.received_at.as_microsecond(),
            timely: response.received_at < request.deadline.expires_at,
            complete: response.complete,
            evidence: response.evidence.clone(),
            being_checked: response.being_checked.clone(),
        }
        .into(),
    );
    // Who answers was reached.
    events.extend(answered(case, request.notice));
    Ok(events)
}

/// A file of a response that was received before it could be scanned was scanned. What is not clean is no part of it; the rest,
/// and when it was received, stay what they are. After the end of an acceptance nothing follows (lifecycle 5).
///
/// # Errors
/// None; without a case, and after that end: no events.
pub fn record_scan(case: &Case, request_id: Uuid, evidence_id: Uuid, verdict: &str) -> Decision {
    if !case.exists() || case.stage == Stage::Voided {
        return Ok(Vec::new());
    }
    Ok(vec![
        pb::ResponseFileScanned {
            request_id: request_id.to_string(),
            evidence_id: evidence_id.to_string(),
            verdict: verdict.to_owned(),
        }
        .into(),
    ])
}

/// The clock reached a deadline. Nothing is decided by it; it happens once, and never before the end (lifecycle 19).
///
/// # Errors
/// None; what no longer applies gives no events.
pub fn pass_deadline(case: &Case, request_id: Uuid, now: Timestamp) -> Decision {
    let due = case.may_be_answered()
        && case.request.as_ref().is_some_and(|request| {
            request.id == request_id
                && request.state == RequestState::Open
                && request.served
                && now >= request.deadline.expires_at
        });
    Ok(if due { vec![pb::DeadlinePassed { request_id: request_id.to_string() }.into()] } else { Vec::new() })
}

fn known(case: &Case, request_id: Uuid) -> Result<&Request, Refusal> {
    case.request_with(request_id).ok_or_else(|| {
        Refusal::state("NO_REQUEST_OPEN", "The case has no such request.")
            .way_out("Look at the case's open request.")
    })
}
