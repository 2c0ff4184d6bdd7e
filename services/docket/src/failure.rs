//! How a command ends that did not do what it was asked: its exit code, and what it says, for people or as one JSON object.
use crate::client::{passing, plainly};
use crate::commands::Refused;
use anyhow::Error;
use serde_json::{Map, Value, json};
use std::fmt;
use std::process::ExitCode;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// The ways to end, by exit code; the same with `--json` and without it. What is added gets a new number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It could not be done here, or what was compared or proven differs.
    Failed = 1,
    /// The words of the call are off.
    Usage = 2,
    /// A service refused it by its rules.
    Refused = 3,
    /// Somebody is away or busy: the same call may be tried again.
    Away = 4,
    /// There is no such thing, or it is not the caller's to know.
    NotFound = 5,
    /// Nobody is signed in, or this person may not do it, or not without a fresh second factor.
    NotAllowed = 6,
    /// A fault of a service.
    Internal = 7,
}

/// What `docket help` says of them.
pub const EXIT_CODES: &str = "Exit codes, the same with --json:
  0 done                       4 away or busy: try again
  1 failed here, or differs    5 not found
  2 the call's words are off   6 not allowed: sign in, step up, or ask somebody who may
  3 refused by a service       7 a fault of a service
With --json what went wrong is one JSON object on the error side.";

impl Ending {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Away => "away",
            Self::NotFound => "not_found",
            Self::NotAllowed => "not_allowed",
            Self::Internal => "internal",
        }
    }

    fn of(error: &Error) -> Self {
        if let Some(said) = error.downcast_ref::<Said>() {
            return said.0;
        }
        answer(error).map_or(Self::Failed, Self::of_answer)
    }

    fn of_answer(status: &Status) -> Self {
        let details = status.get_error_details();
        match status.code() {
            Code::NotFound => Self::NotFound,
            Code::PermissionDenied | Code::Unauthenticated => Self::NotAllowed,
            Code::Unavailable | Code::DeadlineExceeded => Self::Away,
            Code::ResourceExhausted if details.retry_info().is_some() => Self::Away,
            // A line that was cut looks like this, and says no reason.
            Code::Unknown | Code::Internal | Code::Cancelled if passing(status) => Self::Away,
            Code::Unknown | Code::Internal | Code::Cancelled | Code::DataLoss | Code::Unimplemented => {
                Self::Internal
            }
            Code::Ok
            | Code::InvalidArgument
            | Code::AlreadyExists
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange => Self::Refused,
        }
    }
}

/// Words of our own for a failure whose ending is known.
#[derive(Debug)]
pub struct Said(pub Ending, pub String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.1)
    }
}
impl std::error::Error for Said {}

/// What a service answered, where that is the cause.
fn answer(error: &Error) -> Option<&Status> {
    let refused = error.downcast_ref::<Refused>().map(Refused::answer);
    refused.or_else(|| error.chain().find_map(|cause| cause.downcast_ref::<Status>()))
}

/// Says why a command was not done; gives its exit code.
pub fn told(error: &Error, as_json: bool) -> ExitCode {
    let ending = Ending::of(error);
    if as_json {
        eprintln!("{}", object(error, ending));
    } else {
        eprintln!("docket: {error:#}");
    }
    ExitCode::from(ending as u8)
}

/// Says what is wrong with the words of a call, or prints the help that was asked for.
pub fn misspelt(error: &clap::Error, as_json: bool) -> ExitCode {
    if !error.use_stderr() || !as_json {
        let _ = error.print();
        return ExitCode::from(u8::from(error.use_stderr()) * Ending::Usage as u8);
    }
    let words = error.to_string();
    let words = words.trim().trim_start_matches("error: ").to_owned();
    let said = Error::new(Said(Ending::Usage, words));
    told(&said, true)
}

/// What went wrong, for a program: what a service did not say is null, or empty where there may be several.
fn object(error: &Error, ending: Ending) -> Value {
    let status = answer(error);
    let details = status.map(tonic_types::StatusExt::get_error_details).unwrap_or_default();
    let info = details.error_info();
    let facts: Map<String, Value> =
        info.iter().flat_map(|info| &info.metadata).map(|(name, fact)| (name.clone(), json!(fact))).collect();
    let faults = faults(&details);
    let way_out: Vec<&str> =
        details.help().iter().flat_map(|help| &help.links).map(|link| link.description.as_str()).collect();
    let request_id = details.request_info().map(|request| request.request_id.as_str());
    let spoken = details.localized_message().map(|spoken| spoken.message.as_str());
    let message = status.map_or_else(
        || format!("{error:#}"),
        |status| {
            let said = spoken.unwrap_or(status.message());
            if said.is_empty() { plainly(status) } else { said.to_owned() }
        },
    );
    json!({
        "ending": ending.word(),
        "exit_code": ending as u8,
        "code": status.map(|status| crate::client::code_name(status.code())),
        "reason": info.map(|info| &info.reason),
        "message": message,
        "about": about(error),
        "field": faults.first().map(|fault| fault["field"].clone()),
        "faults": faults,
        "way_out": way_out,
        "retry_after_s": details.retry_info().and_then(|retry| retry.retry_delay).map(|after| after.as_secs_f64()),
        "request_id": request_id,
        "facts": facts,
    })
}

/// What a service was asked about when it refused, such as a file, where the command says so.
fn about(error: &Error) -> Option<String> {
    answer(error)?;
    let ours = error.chain().take_while(|cause| !cause.is::<Refused>() && !cause.is::<Status>());
    let words: Vec<String> = ours.map(ToString::to_string).collect();
    (!words.is_empty()).then(|| words.join(": "))
}

/// The fields that are wrong, each with its reason, which stands before the words.
fn faults(details: &ErrorDetails) -> Vec<Value> {
    let faults = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
    let faults = faults.iter().map(|fault| {
        let (reason, words) = fault.description.split_once(": ").unwrap_or(("", &fault.description));
        let spoken = fault.localized_message.as_ref().map(|spoken| spoken.message.as_str());
        json!({"field": fault.field, "reason": reason, "message": spoken.unwrap_or(words)})
    });
    faults.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;
    use std::time::Duration;

    fn refused(code: Code, details: ErrorDetails) -> Error {
        Refused::from(Status::with_error_details(code, "No.", details)).into()
    }

    #[test]
    fn an_ending_is_known_by_what_a_service_answered_whatever_was_said_around_it() {
        let info = || ErrorDetails::with_error_info("WHY", "filing.docket", []);
        let retry = || ErrorDetails::with_retry_info(Some(Duration::from_secs(1)));
        for (code, details, ending) in [
            (Code::FailedPrecondition, info(), Ending::Refused),
            (Code::InvalidArgument, info(), Ending::Refused),
            (Code::ResourceExhausted, info(), Ending::Refused),
            (Code::ResourceExhausted, retry(), Ending::Away),
            (Code::Unavailable, retry(), Ending::Away),
            (Code::Internal, ErrorDetails::new(), Ending::Away),
            (Code::Internal, info(), Ending::Internal),
            (Code::Unimplemented, ErrorDetails::new(), Ending::Internal),
            (Code::NotFound, ErrorDetails::new(), Ending::NotFound),
            (Code::PermissionDenied, info(), Ending::NotAllowed),
            (Code::Unauthenticated, ErrorDetails::new(), Ending::NotAllowed),
        ] {
            assert_eq!(Ending::of(&refused(code, details.clone()).context("a file")), ending, "{code:?}");
            let bare = Error::from(Status::with_error_details(code, "No.", details));
            assert_eq!(Ending::of(&bare), ending, "{code:?}");
        }
        assert_eq!(Ending::of(&anyhow::anyhow!("a file is missing")), Ending::Failed);
        let told =
            Err::<(), _>(std::io::Error::other("gone")).with_context(|| Said(Ending::Away, "away".into()));
        assert_eq!(Ending::of(&told.unwrap_err()), Ending::Away);
    }

    #[test]
    fn a_program_is_told_all_that_the_details_say() {
        let mut details =
            ErrorDetails::with_error_info("TOO_LATE", "filing.docket", [("day".into(), "Monday".into())]);
        details.add_bad_request_violation("answers.name", "NAME_MISSING: Say the name.");
        details.add_help_link("Begin anew.", "").set_retry_info(Some(Duration::from_millis(1500)));
        details.set_request_info("id-7", "");
        let error = refused(Code::FailedPrecondition, details).context("card.pdf");
        let expected = json!({
            "ending": "refused", "exit_code": 3, "code": "FAILED_PRECONDITION", "reason": "TOO_LATE", "message": "No.",
            "about": "card.pdf", "field": "answers.name",
            "faults": [{"field": "answers.name", "reason": "NAME_MISSING", "message": "Say the name."}],
            "way_out": ["Begin anew."], "retry_after_s": 1.5, "request_id": "id-7", "facts": {"day": "Monday"},
        });
        assert_eq!(object(&error, Ending::of(&error)), expected);
        let own = object(&anyhow::anyhow!("no such file"), Ending::Failed);
        let expected = json!({
            "ending": "failed", "exit_code": 1, "code": null, "reason": null, "message": "no such file",
            "about": null, "field": null, "faults": [], "way_out": [], "retry_after_s": null, "request_id": null, "facts": {},
        });
        assert_eq!(own, expected);
    }
}
