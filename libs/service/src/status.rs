//! The one place where an error becomes a gRPC status with `google.rpc` details.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use docket_kernel::{Refusal, RefusalCode};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

use crate::ApiError;
use crate::error::service_name;

/// When a repetition is worth it.
const RETRY: Duration = Duration::from_secs(1);

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Refused(refusal) => refused(refusal),
            ApiError::Stale { current } => {
                let facts = [("current_version".to_owned(), current.to_string())];
                with_reason(
                    Code::Aborted,
                    "Somebody changed this in the meantime. Look again.",
                    "STALE",
                    facts,
                )
            }
            ApiError::Reused(difference) => {
                let facts = [("differs".to_owned(), difference.to_string())];
                let message = "This request id was used before, for another request. Take a new one.";
                with_reason(Code::AlreadyExists, message, "REQUEST_ID_REUSED", facts)
            }
            ApiError::Unauthenticated => Self::unauthenticated("Sign in and send the access token."),
            ApiError::StepUpRequired => {
                let message = "Give your second factor again; then repeat this within ten minutes.";
                with_reason(Code::PermissionDenied, message, "STEP_UP_REQUIRED", [])
            }
            ApiError::Denied { action, policy } => {
                let facts = [("action".to_owned(), action), ("policy".to_owned(), policy)];
                let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
                with_reason(Code::PermissionDenied, "This is not yours to do.", "NOT_YOUR_ACT", facts)
            }
            ApiError::Unavailable(what) => {
                let details = ErrorDetails::with_retry_info(Some(RETRY));
                Self::with_error_details(
                    Code::Unavailable,
                    format!("{what} cannot be reached; try again"),
                    details,
                )
            }
            ApiError::OutcomeUnknown => {
                let details = ErrorDetails::with_retry_info(Some(RETRY));
                let message = "The line to the database was cut, and it is not known whether this was done. Repeat it with the same request id.";
                Self::with_error_details(Code::Unavailable, message, details)
            }
            ApiError::Exhausted(what) => {
                let details = ErrorDetails::with_retry_info(Some(RETRY));
                Self::with_error_details(
                    Code::ResourceExhausted,
                    format!("{what} is busy; try again"),
                    details,
                )
            }
            ApiError::Erased => with_reason(
                Code::FailedPrecondition,
                "These data were erased and cannot come back.",
                "ERASED",
                [],
            ),
            ApiError::RefusedByPeer(how) => internal(&anyhow::anyhow!(how)),
            ApiError::Internal(cause) => internal(&cause),
        }
    }
}

/// When to come again only where waiting helps, and it is known how long: most limits do not pass by themselves.
fn refused(refusal: Refusal) -> Status {
    let code = match refusal.code {
        RefusalCode::Invalid => Code::InvalidArgument,
        RefusalCode::State => Code::FailedPrecondition,
        RefusalCode::NotFound => Code::NotFound,
        RefusalCode::NotYours => Code::PermissionDenied,
        RefusalCode::Exists => Code::AlreadyExists,
        RefusalCode::Stale => Code::Aborted,
        RefusalCode::TooMuch => Code::ResourceExhausted,
    };
    let mut details = ErrorDetails::new();
    let facts: HashMap<String, String> = refusal.facts.into_iter().collect();
    details.set_error_info(refusal.reason, domain(), facts);
    for fault in &refusal.faults {
        // So that programs need not read prose; `rule_and_words` takes it apart again.
        details.add_bad_request_violation(&fault.field, format!("{}: {}", fault.reason, fault.message));
    }
    if refusal.code == RefusalCode::State {
        let subject = refusal.field.clone().unwrap_or_default();
        details.add_precondition_failure_violation(refusal.reason, subject, &refusal.message);
    }
    if refusal.retry_after.is_some() {
        details.set_retry_info(refusal.retry_after);
    }
    if !refusal.way_out.is_empty() {
        details.add_help_link(&refusal.way_out, "");
    }
    Status::with_error_details(code, refusal.message, details)
}

/// The id of the rule and its words, in the description of a field; words alone where others wrote it.
pub(crate) fn rule_and_words(description: &str) -> (&str, &str) {
    description.split_once(": ").unwrap_or(("", description))
}

fn with_reason(
    code: Code,
    message: &str,
    reason: &str,
    facts: impl IntoIterator<Item = (String, String)>,
) -> Status {
    let facts: HashMap<String, String> = facts.into_iter().collect();
    Status::with_error_details(code, message, ErrorDetails::with_error_info(reason, domain(), facts))
}

fn domain() -> String {
    format!("{}.docket", service_name())
}

/// The caller gets an id, the log the cause under the same id.
fn internal(cause: &anyhow::Error) -> Status {
    let id = Uuid::new_v4();
    tracing::error!(error.id = %id, error = describe(cause), "a call failed by our fault");
    let facts = [("error_id".to_owned(), id.to_string())];
    with_reason(Code::Internal, &format!("This is our fault. Tell us the id {id}."), "INTERNAL", facts)
}

/// The chain of causes, without the values that a database puts into its messages.
pub(crate) fn describe(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let separator = if text.is_empty() { "" } else { ": " };
        let shared = cause.downcast_ref::<Arc<sqlx::Error>>().map(AsRef::as_ref);
        if let Some(sqlx::Error::Database(error)) = cause.downcast_ref::<sqlx::Error>().or(shared) {
            let place = error.constraint().or_else(|| error.table()).unwrap_or("a statement");
            let code = error.code().unwrap_or_default();
            write!(text, "{separator}SQLSTATE {code} at {place}").expect("a String takes everything");
            break;
        }
        write!(text, "{separator}{cause}").expect("a String takes everything");
    }
    text
}

#[cfg(test)]
mod tests {
    use docket_kernel::FieldFault;

    use super::*;

    #[test]
    fn every_fault_of_a_request_is_named_at_once() {
        let faults = vec![
            FieldFault::new("email", "EMAIL_MALFORMED", "Write it as a@b.c."),
            FieldFault::new("zip", "ZIP", "Five digits."),
        ];
        let status = Status::from(ApiError::from(faults));
        assert_eq!(status.code(), Code::InvalidArgument);
        let bad = status.get_details_bad_request().unwrap();
        let fields: Vec<_> = bad.field_violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["email", "zip"]);
        assert_eq!(bad.field_violations[0].description, "EMAIL_MALFORMED: Write it as a@b.c.");
    }

    #[test]
    fn a_refusal_by_the_state_names_its_reason_facts_and_way_out() {
        let refusal = Refusal::state("NO_REQUEST_OPEN", "There is no open request.")
            .fact("case", "1")
            .way_out("Wait for a letter.");
        let status = Status::from(ApiError::from(refusal));
        assert_eq!(status.code(), Code::FailedPrecondition);
        let info = status.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("NO_REQUEST_OPEN", "docket.docket"));
        assert_eq!(info.metadata["case"], "1");
        assert_eq!(status.get_details_help().unwrap().links[0].description, "Wait for a letter.");
        assert_eq!(status.get_details_precondition_failure().unwrap().violations.len(), 1);
    }

    #[test]
    fn a_full_queue_and_an_unknown_outcome_say_when_to_try_again() {
        use docket_eventlog::Error;
        for (error, code) in
            [(Error::Overloaded, Code::ResourceExhausted), (Error::OutcomeUnknown, Code::Unavailable)]
        {
            let status = Status::from(ApiError::from(error));
            assert_eq!(status.code(), code);
            let wait = status.get_details_retry_info().unwrap().retry_delay.unwrap();
            assert!(!wait.is_zero(), "{status:?}");
        }
    }

    #[test]
    fn a_limit_says_when_to_come_again_only_where_waiting_helps() {
        let five_minutes = Duration::from_mins(5);
        let files = Refusal::too_much("TOO_MANY_FILES", "A filing takes at most 60 files.");
        let large = docket_eventlog::Error::TooManyEvents { events: 9, most: 8 };
        let refusal = Refusal::too_much("TOO_MANY_TRIES", "There were too many tries.");
        for (error, wait) in [
            (ApiError::from(files), None),
            (ApiError::from(large), None),
            (ApiError::from(refusal.retry_after(five_minutes)), Some(five_minutes)),
        ] {
            let status = Status::from(error);
            assert_eq!(status.code(), Code::ResourceExhausted);
            assert!(status.get_details_error_info().is_some(), "a limit has a reason: {status:?}");
            assert_eq!(status.get_details_retry_info().and_then(|info| info.retry_delay), wait);
        }
    }

    #[test]
    fn our_faults_give_an_id_and_nothing_else() {
        let status = Status::from(ApiError::internal(anyhow::anyhow!("secret cause")));
        assert_eq!(status.code(), Code::Internal);
        assert!(!format!("{status:?}").contains("secret cause"));
        assert!(status.get_details_error_info().unwrap().metadata.contains_key("error_id"));
    }

    #[test]
    fn a_peer_that_says_what_is_not_there_or_erased_is_heard_and_its_other_refusals_are_not() {
        let peer = |said: ApiError| ApiError::peer("identity", &Status::from(said));
        assert!(matches!(peer(ApiError::Erased), ApiError::Erased));
        assert!(matches!(peer(ApiError::not_found()), ApiError::Refused(_)));
        let refusal = Refusal::state("NO_REQUEST_OPEN", "There is no open request.");
        let ApiError::RefusedByPeer(how) = peer(refusal.into()) else { panic!("a refusal") };
        assert_eq!(how, "identity answered FailedPrecondition NO_REQUEST_OPEN");
        assert!(matches!(peer(ApiError::unavailable("the database")), ApiError::Unavailable("identity")));
    }

    #[test]
    fn unauthenticated_says_nothing_more() {
        let status = Status::from(ApiError::Unauthenticated);
        assert_eq!(status.code(), Code::Unauthenticated);
        assert!(status.details().is_empty());
    }
}
