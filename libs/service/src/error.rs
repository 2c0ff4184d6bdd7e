//! What can stand in the way of an answer, before it becomes a gRPC status.

use docket_eventlog::{Difference, ExecuteError};
use docket_kernel::{FieldFault, Refusal};
use tonic_types::StatusExt as _;

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

    /// What another service answered: that a thing is not there or was erased is passed on, its other refusals as "unavailable" or as
    /// our fault, never as its words.
    pub fn peer(what: &'static str, status: &tonic::Status) -> Self {
        use tonic::Code;
        let code = status.code();
        let away = [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled, Code::ResourceExhausted];
        if code == Code::NotFound {
            Self::not_found()
        } else if status.get_details_error_info().is_some_and(|info| info.reason == "ERASED") {
            Self::Erased
        } else if away.contains(&code) {
            Self::Unavailable(what)
        } else {
            Self::Internal(anyhow::anyhow!("{what} answered {code:?}: {}", status.message()))
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
