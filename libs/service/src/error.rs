//! What can stand in the way of an answer, before it becomes a gRPC status.

use docket_eventlog::{Difference, ExecuteError};
use docket_kernel::{FieldFault, Refusal};
use docket_messaging::ApplyError;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::status::describe;

tokio::task_local! {
    /// The service on whose behalf this task answers: several may live in one process, in tests.
    pub(crate) static SERVICE: &'static str;
}

/// The name of the service this task answers for.
pub(crate) fn service_name() -> &'static str {
    SERVICE.try_with(|name| *name).unwrap_or("docket")
}

/// Why a call is not answered. `?` turns it into a `tonic::Status` (see `status`).
#[derive(Debug)]
#[non_exhaustive]
pub enum ApiError {
    /// The domain said no.
    Refused(Refusal),
    /// Somebody else changed the thing in the meantime.
    Stale {
        /// The version it has now.
        current: u64,
    },
    /// The request id was used for another request.
    Reused(Difference),
    /// No token, or one that is not accepted; nothing more is said.
    Unauthenticated,
    /// A second factor within the last ten minutes is asked for.
    StepUpRequired,
    /// The caller may know the thing but not do this.
    Denied {
        /// What was asked.
        action: String,
        /// The policy that forbids it; empty when none allows it.
        policy: String,
    },
    /// Something we depend on is away; the same request may be repeated.
    Unavailable(&'static str),
    /// The line to the database was cut while it was told to keep something: repeated with the same id, it is done once.
    OutcomeUnknown,
    /// Too much at once.
    Exhausted(&'static str),
    /// Data whose key was destroyed.
    Erased,
    /// Another service refused what we asked it for: our fault towards the caller, and no use in asking again. Holds who,
    /// with which code and reason; never its words, which may quote what somebody typed.
    RefusedByPeer(String),
    /// Our fault. The cause goes to the log, the caller gets an id.
    Internal(anyhow::Error),
}

impl ApiError {
    /// Unknown, or not the caller's to know: the same for both.
    pub fn not_found() -> Self {
        Self::Refused(Refusal::not_found())
    }

    /// A malformed field.
    pub fn invalid(field: impl Into<String>, reason: &'static str, message: impl Into<String>) -> Self {
        Self::Refused(Refusal::invalid(field, reason, message))
    }

    /// `what` is away: "the directory", "the card processor".
    pub fn unavailable(what: &'static str) -> Self {
        Self::Unavailable(what)
    }

    /// Our fault.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::Internal(cause.into())
    }

    /// What a log may hold of it: of a refusal its reason, never its words, which may quote what somebody typed.
    pub fn cause(&self) -> String {
        match self {
            Self::Refused(refusal) => format!("refused: {}", refusal.reason),
            Self::RefusedByPeer(how) => how.clone(),
            Self::Erased => "the data were erased".to_owned(),
            Self::Reused(_) => "the command id was used before".to_owned(),
            Self::Denied { action, policy } => format!("denied: {action} {policy}"),
            Self::Unavailable(what) => format!("{what} is away"),
            Self::Exhausted(what) => format!("{what} is busy"),
            Self::OutcomeUnknown => "the database was cut off".to_owned(),
            Self::Stale { .. } => "somebody else changed it".to_owned(),
            Self::Unauthenticated | Self::StepUpRequired => "not signed in".to_owned(),
            Self::Internal(cause) => describe(cause),
        }
    }

    /// What another service answered: that it has no such thing, or no longer, is passed on; its other refusals as
    /// "unavailable" or as our fault, never as its words.
    pub fn peer(what: &'static str, status: &tonic::Status) -> Self {
        let code = status.code();
        let away = [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled, Code::ResourceExhausted];
        let no =
            [Code::InvalidArgument, Code::FailedPrecondition, Code::AlreadyExists, Code::PermissionDenied];
        let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
        if code == Code::NotFound {
            Self::not_found()
        } else if away.contains(&code) {
            Self::Unavailable(what)
        } else if code == Code::FailedPrecondition && reason == "ERASED" {
            Self::Erased
        } else if no.contains(&code) {
            Self::RefusedByPeer(format!("{what} answered {code:?} {reason}"))
        } else {
            Self::Internal(anyhow::anyhow!("{what} answered {code:?}: {}", status.message()))
        }
    }
}

/// For a task, which tells of it in the log and goes on.
impl From<ApiError> for anyhow::Error {
    fn from(error: ApiError) -> Self {
        if let ApiError::Internal(cause) = error { cause } else { Self::msg(error.cause()) }
    }
}

/// What a reaction does that met with it: what is away is waited for, what is refused is parked.
impl From<ApiError> for ApplyError {
    fn from(error: ApiError) -> Self {
        let told = error.cause();
        match error {
            ApiError::Refused(_)
            | ApiError::RefusedByPeer(_)
            | ApiError::Erased
            | ApiError::Reused(_)
            | ApiError::Denied { .. } => Self::Park(told),
            ApiError::Unavailable(_) | ApiError::Exhausted(_) | ApiError::OutcomeUnknown => {
                Self::Away(anyhow::anyhow!(told))
            }
            ApiError::Stale { .. } | ApiError::Unauthenticated | ApiError::StepUpRequired => {
                Self::Retry(anyhow::anyhow!(told))
            }
            ApiError::Internal(cause) => Self::Retry(cause),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<FieldFault> for ApiError {
    fn from(fault: FieldFault) -> Self {
        Self::Refused(fault.into())
    }
}

impl From<Vec<FieldFault>> for ApiError {
    fn from(faults: Vec<FieldFault>) -> Self {
        Self::Refused(faults.into())
    }
}

impl From<docket_eventlog::Error> for ApiError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "what has no answer of its own is our fault")]
    fn from(error: docket_eventlog::Error) -> Self {
        use docket_eventlog::Error;
        match error {
            Error::Conflict { current, .. } => Self::Stale { current },
            Error::CommandReused { difference } => Self::Reused(difference),
            Error::TooLarge { .. } => {
                Self::Refused(Refusal::too_much("TOO_LARGE", "This is larger than can be kept."))
            }
            Error::TooManyEvents { events, most } => Self::Refused(
                Refusal::too_much(
                    "TOO_LARGE",
                    format!("This would be {events} events at once, and {most} can be kept."),
                )
                .way_out("Do it in several parts."),
            ),
            Error::Restored { log, place, end, epoch } => Self::Refused(restored(log, place, end, epoch)),
            Error::Overloaded => Self::Exhausted("the log"),
            Error::OutcomeUnknown => Self::OutcomeUnknown,
            Error::Closed => Self::Unavailable("the service, which is stopping,"),
            Error::Erased => Self::Erased,
            Error::Database(error) if is_away(&error) => Self::Unavailable("the database"),
            Error::Vault(error) => error.into(),
            other => Self::Internal(other.into()),
        }
    }
}

/// A reader of the log is beyond what the log has in common with what was read.
fn restored(log: &str, place: u64, end: u64, epoch: u64) -> Refusal {
    Refusal::state(
        "LOG_RESTORED",
        format!("{log} was restored: in epoch {epoch} it goes with position {place} no further than {end}."),
    )
    .fact("position", place.to_string())
    .fact("end", end.to_string())
    .fact("epoch", epoch.to_string())
    .way_out("Settle what was read beyond, then read on after what is common.")
}

/// Whether the database cannot be reached, rather than having said no.
#[expect(clippy::wildcard_enum_match_arm, reason = "a question about a few of very many")]
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => {
            true
        }
        // Class 57P: the server is starting or stopping.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}

impl From<ExecuteError> for ApiError {
    fn from(error: ExecuteError) -> Self {
        match error {
            ExecuteError::Refused(refusal) => refusal.into(),
            ExecuteError::Log(error) => error.into(),
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) { Self::Unavailable("the database") } else { Self::Internal(error.into()) }
    }
}

impl From<docket_vault::Error> for ApiError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "what has no answer of its own is our fault")]
    fn from(error: docket_vault::Error) -> Self {
        use docket_vault::Error;
        let text = error.to_string();
        match error {
            Error::Erased(_) => Self::Erased,
            Error::Held { since, reasons, .. } => {
                Refusal::state("LEGAL_HOLD", "A legal hold forbids erasing this.")
                    .fact("since", since.to_string())
                    .fact("reasons", reasons.join(","))
                    .into()
            }
            Error::SamePerson | Error::NotAPerson => {
                Refusal::state("FOUR_EYES", "Another person must approve the erasure.").into()
            }
            Error::AlreadyAsked { request, .. } => {
                Refusal::state("ERASURE_ALREADY_ASKED", "Approve or cancel the open request.")
                    .fact("request", request.to_string())
                    .into()
            }
            Error::NoOpenRequest(_) => {
                Refusal::state("NO_OPEN_ERASURE_REQUEST", "It was approved or cancelled, or never was.")
                    .into()
            }
            Error::NotACode => Refusal::invalid("reason", "REASON_IS_NO_CODE", text).into(),
            Error::KekAway(_) => Self::Unavailable("the keeper of the keys"),
            Error::Database(error) if is_away(&error) => Self::Unavailable("the database"),
            other => Self::Internal(other.into()),
        }
    }
}

impl From<docket_kernel::DecodeError> for ApiError {
    fn from(error: docket_kernel::DecodeError) -> Self {
        Self::Internal(error.into())
    }
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    fn answered(code: Code, reason: &str) -> ApiError {
        let details = tonic_types::ErrorDetails::with_error_info(reason, "identity.docket", []);
        ApiError::peer(
            "identity",
            &Status::with_error_details(code, "Rua Inventada 1 is no address.", details),
        )
    }

    fn parks(error: ApiError) -> Option<String> {
        match ApplyError::from(error) {
            ApplyError::Park(reason) => Some(reason),
            ApplyError::Retry(_) | ApplyError::Away(_) => None,
        }
    }

    #[test]
    fn the_cause_of_a_refusal_is_its_reason_and_never_its_words() {
        let refusal = Refusal::invalid("street", "STREET_UNKNOWN", "Rua Inventada 1 is no address.");
        assert_eq!(ApiError::from(refusal).cause(), "refused: STREET_UNKNOWN");
        let cause = anyhow::anyhow!("the disk is full").context("the objects");
        assert_eq!(ApiError::Internal(cause).cause(), "the objects: the disk is full");
    }

    #[test]
    fn what_a_peer_erased_is_erased_here() {
        let erased = Status::from(ApiError::Erased);
        assert!(matches!(ApiError::peer("identity", &erased), ApiError::Erased));
        assert!(parks(ApiError::peer("identity", &erased)).is_some());
    }

    #[test]
    fn what_a_peer_refuses_is_parked_without_its_words_and_what_is_away_is_waited_for() {
        for code in
            [Code::InvalidArgument, Code::FailedPrecondition, Code::AlreadyExists, Code::PermissionDenied]
        {
            let reason = parks(answered(code, "ADDRESS_MISSING")).unwrap();
            assert_eq!(reason, format!("identity answered {code:?} ADDRESS_MISSING"));
            // To the caller it is our fault.
            assert_eq!(Status::from(answered(code, "ADDRESS_MISSING")).code(), Code::Internal);
        }
        assert_eq!(parks(answered(Code::NotFound, "NOT_FOUND")).unwrap(), "refused: NOT_FOUND");
        for code in [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled, Code::ResourceExhausted] {
            assert!(matches!(ApplyError::from(answered(code, "")), ApplyError::Away(_)), "{code:?}");
        }
        for code in [Code::Internal, Code::Unknown, Code::Unimplemented] {
            assert!(matches!(ApplyError::from(answered(code, "")), ApplyError::Retry(_)), "{code:?}");
        }
    }
}
