//! Reactions to what other services wrote and to time, each a command of its own.

pub(crate) mod clear_removed;
mod due;
mod follow_case;
pub(crate) mod hold_signature;
pub(crate) mod keep_draft;
mod recall_package;
mod remind_payer;
pub(crate) mod remind_review;
pub(crate) mod report_move;
mod submit_package;

pub(crate) use due::Due;
pub(crate) use follow_case::FollowCase;
pub(crate) use recall_package::RecallPackage;
pub(crate) use remind_payer::RemindPayer;
pub(crate) use submit_package::SubmitPackage;

use docket_messaging::ApplyError;
use uuid::Uuid;

/// An id in an event of others.
fn parse(id: &str) -> Result<Uuid, ApplyError> {
    Uuid::try_parse(id).map_err(|_malformed| park("an id is malformed"))
}

fn park(reason: &str) -> ApplyError {
    ApplyError::Park(reason.to_owned())
}
