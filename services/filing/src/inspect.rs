//! The process in which a stranger's file is read: it says what it found, and nothing else.
//!
//! `docket-filing inspect-file` takes the file on its standard input and writes the verdict, JSON, to its standard output.

use std::io::Write as _;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::confined;
use crate::file_type::{self, Fault, MediaType};

/// The word after the program's name.
pub(crate) const ARGUMENT: &str = "inspect-file";
/// Seconds of processor time.
pub(crate) const SECONDS: u64 = 60;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Taken(MediaType),
    Refused(Fault),
}

/// Reads the file on standard input and says what it is.
pub(crate) fn inspect_file() -> ExitCode {
    if let Err(code) = confined::enter(SECONDS) {
        return code;
    }
    let said = confined::given().and_then(|bytes| {
        let verdict = match file_type::check(&bytes) {
            Ok(media_type) => Verdict::Taken(media_type),
            Err(fault) => Verdict::Refused(fault),
        };
        std::io::stdout().lock().write_all(&serde_json::to_vec(&verdict)?)
    });
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_as_it_is_written() {
        for (verdict, written) in [
            (Verdict::Taken(MediaType::Png), r#"{"taken":"png"}"#),
            (Verdict::Refused(Fault::NotAllowed), r#"{"refused":"not_allowed"}"#),
        ] {
            assert_eq!(serde_json::to_string(&verdict).unwrap(), written);
            assert_eq!(serde_json::from_str::<Verdict>(written).unwrap(), verdict);
        }
    }
}
