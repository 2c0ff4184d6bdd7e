//! Responses to requests of the office: listing, what of them cannot be provided, and sending.

use docket_eventlog::Subjects;
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller, page};
use uuid::Uuid;

use super::evidence::{explanation_in, says_enough};
use super::{uploads, view};
use crate::desk::{Desk, acting_for, id_in};
use crate::domain::response;
use crate::store::responses;

/// The list, in its page tokens.
const LIST: &str = "ListResponses";

/// The caller's responses, newest first.
pub(super) async fn list(
    desk: &Desk,
    caller: &Caller,
    request: &pb::ListResponsesRequest,
) -> Result<pb::ListResponsesResponse, ApiError> {
    let account = caller.person()?.account;
    let size = page::size(request.page_size);
    let after = page::after(LIST, &request.page_token)?;
    let mut ids = responses::of_account(&desk.base.pool, account, after, i64::from(size) + 1).await?;
    let next_page_token = page::cut(LIST, &mut ids, size, Uuid::to_string);
    let mut listed = Vec::with_capacity(ids.len());
    for id in ids {
        listed.push(view::response(&desk.response(caller, LIST, id).await?));
    }
    Ok(pb::ListResponsesResponse { responses: listed, next_page_token })
}

/// The answers that went in to the requests in a case, oldest first, for whoever may read what was filed in it. What is still being
/// prepared is nobody's but those who prepare it.
pub(super) async fn of_case(desk: &Desk, caller: &Caller, case: &str) -> Result<Vec<pb::Response>, ApiError> {
    const ACTION: &str = "ListCaseResponses";
    let case = id_in("case", "cases", case)?;
    let account = desk.closed(caller, ACTION, case).await?.filing.account;
    let mut sent = Vec::new();
    for id in responses::opened_since(&desk.base.pool, (case, account), 0).await? {
        // Of rows from before the case was kept there are those of other cases of the account.
        let known = desk.responses.load(id).await?.state;
        if known.case == case && known.received_at_us != 0 {
            sent.push(view::response(&desk.response(caller, ACTION, id).await?));
        }
    }
    sent.sort_by_key(|response| response.received_at_us);
    Ok(sent)
}

/// Says why something that is asked for cannot be provided, or takes that back.
pub(super) async fn explain(
    desk: &Desk,
    caller: &Caller,
    request: pb::ExplainMissingEvidenceRequest,
) -> Result<pb::Response, ApiError> {
    const ACTION: &str = "ExplainMissingEvidence";
    let id = id_in("name", "responses", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let response = desk.response(caller, ACTION, id).await?.response;
    let explanation = explanation_in(&request);
    if let Some(words) = &explanation {
        says_enough(words)?;
    }
    let (case, context) = (response.case, acting_for(context, caller, response.account));
    let decide = |state: &response::Response| response::explain(state, &request.kind, explanation.clone());
    desk.responses.execute(&context, id, Subjects::filing(case), decide).await?;
    Ok(view::response(&desk.response(caller, ACTION, id).await?))
}

/// Sends the one answer to a request.
pub(super) async fn submit(
    desk: &Desk,
    caller: &Caller,
    request: pb::SubmitResponseRequest,
) -> Result<pb::SubmitResponseResponse, ApiError> {
    let id = id_in("name", "responses", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let response = desk.response(caller, "SubmitResponse", id).await?.response;
    if response.open().is_ok() {
        uploads::none_under_way(desk, &request.name).await?;
    }
    let (case, context) = (response.case, acting_for(context, caller, response.account));
    let received_at_us = desk.now_us();
    desk.responses
        .execute(&context, id, Subjects::filing(case), |state| {
            response::submit(state, request.partial_confirmed, received_at_us)
        })
        .await?;
    let dossier = desk.response(caller, "SubmitResponse", id).await?;
    Ok(pb::SubmitResponseResponse { response: Some(view::response(&dossier)) })
}
