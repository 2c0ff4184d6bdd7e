//! Reactions to what other services wrote, each a command of its own.

mod follow_case;
mod submit_package;

pub(crate) use follow_case::FollowCase;
pub(crate) use submit_package::SubmitPackage;
