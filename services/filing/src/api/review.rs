//! What a representative prepared is looked at by the client: asked for, given back, approved.

use docket_forms::Language;
use docket_kernel::Refusal;
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller};

use super::view;
use crate::check::Check;
use crate::desk::{Desk, acting_for, id_in};
use crate::domain::filing::{self, Filing};
use crate::policies::{hold_signature, remind_review};

/// The longest remark, in characters.
const LONGEST_REMARK: usize = 2_000;

/// Asks the client to look.
pub(super) async fn ask(
    desk: &Desk,
    caller: &Caller,
    request: pb::AskReviewRequest,
) -> Result<pb::Filing, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let dossier = desk.filing(caller, "AskReview", id).await?;
    let context = caller.context(&request.request_id, &request)?;
    let context = acting_for(context, caller, dossier.filing.account);
    let checked = Check::now(desk, &dossier).await?.checked(desk, &dossier);
    let act = ("AskReview", &context, Language::of(&request.language));
    let reminder = remind_review::first(id, &dossier.filing.zone, desk.base.clock.now());
    view::after_with(desk, caller, act, (id, &reminder), |state| filing::ask_review(state, &checked)).await
}

/// Gives it back.
pub(super) async fn give_back(
    desk: &Desk,
    caller: &Caller,
    request: pb::ReturnFilingRequest,
) -> Result<pb::Filing, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let dossier = desk.filing(caller, "ReturnFiling", id).await?;
    let remark = request.remark.trim().to_owned();
    if !(1..=LONGEST_REMARK).contains(&remark.chars().count()) {
        return Err(Refusal::invalid(
            "remark",
            "REMARK_LENGTH",
            "Say what is to be corrected, in 1 to 2,000 characters.",
        )
        .into());
    }
    let representative = desk.represented(&dossier).await?.map(|(_, account)| account);
    let act = ("ReturnFiling", &context, Language::of(&request.language));
    let decide = |state: &Filing| filing::give_back(state, remark.clone(), representative);
    view::after(desk, caller, act, id, decide).await
}

/// Approves the text that was shown.
pub(super) async fn approve(
    desk: &Desk,
    caller: &Caller,
    request: pb::ApproveFilingRequest,
) -> Result<pb::Filing, ApiError> {
    let id = id_in("name", "filings", &request.name)?;
    let context = caller.context(&request.request_id, &request)?;
    let dossier = desk.filing(caller, "ApproveFiling", id).await?;
    let check = Check::now(desk, &dossier).await?;
    let checked = check.checked(desk, &dossier);
    let representative = desk.represented(&dossier).await?.map(|(_, account)| account);
    let act = ("ApproveFiling", &context, Language::of(&request.language));
    let (shown, under) = (&request.content_hash, check.form.catalogue_version.as_str());
    let decide = |state: &Filing| filing::approve(state, &checked, shown, (representative, under));
    let held = hold_signature::held(id, desk.base.clock.now());
    view::after_with(desk, caller, act, (id, &held), decide).await
}
