//! Responses to requests of the office: listing and sending.

use docket_eventlog::Subjects;
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller};

use super::{uploads, view};
use crate::desk::{Desk, acting_for, id_in};
use crate::domain::response;
use crate::store::responses;

/// The caller's responses, newest first.
pub(super) async fn list(desk: &Desk, caller: &Caller) -> Result<pb::ListResponsesResponse, ApiError> {
    let account = caller.person()?.account;
    let mut listed = Vec::new();
    for id in responses::of_account(&desk.base.pool, account).await? {
        listed.push(view::response(&desk.response(caller, "ListResponses", id).await?));
    }
    Ok(pb::ListResponsesResponse { responses: listed })
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
