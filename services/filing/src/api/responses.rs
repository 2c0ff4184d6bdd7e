//! Responses to requests of the office: listing and sending.

use docket_eventlog::Subjects;
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller, page};
use uuid::Uuid;

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
