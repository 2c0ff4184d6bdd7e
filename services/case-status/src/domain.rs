//! The case: pure rules. `decide` says what may happen, `evolve` says what it changes; no clock, no input, no output.

pub mod appointment;
mod asked;
mod attendance;
mod card;
mod correction;
pub mod decide;
mod evolve;
mod fee;
pub mod hold;
mod links;
pub mod office;
pub mod reminder;
mod request;
mod review;
pub mod rules;
mod search;
mod state;
pub mod task;
mod thread;
pub mod timeline;
pub mod title;
mod wishes;

#[cfg(test)]
mod decide_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod laws_tests;
#[cfg(test)]
pub(crate) mod samples;

pub use asked::{APPOINTMENT_MISSED, Expedite, ExpediteState, Inquiry, REOPENING};
pub use attendance::{Absence, Appointment, Attempts, Biometrics, Booking, Check, Interview, Oath};
pub use card::{Card, CardState};
pub use correction::{Corrected, Correction, CorrectionState};
pub use docket_proto::events::case::Event;
pub use evolve::evolve;
pub use fee::{FeeOwed, FeeWaiver, KeptFee, Unpaid};
pub use hold::Hold;
pub use links::{BasisEnd, Direction, Link, LinkKind};
pub use request::{Deadline, Request, RequestKind, RequestState};
pub use review::{OwnMotion, Revocation, RevocationState};
pub use search::{Search, SearchState};
pub use state::{Appearance, Case, MoveRoute, Outcome, Recommendation, Stage};
pub use thread::WaitingThread;
pub use wishes::{GoesTo, Wishes};

/// Families whose cases are taken in by machine, with what each needs (8 CFR 335.1, 335.2 for naturalization).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a table: each need is there or not")]
pub struct Needs {
    /// Fingerprints, photograph and signature.
    pub biometrics: bool,
    /// An interview under oath.
    pub interview: bool,
    /// The English and civics test.
    pub test: bool,
    /// An oath of allegiance after the approval.
    pub oath: bool,
}

/// What a family needs; a family without a row of its own needs a decision only.
pub fn needs(family: &str) -> Needs {
    match family {
        "naturalization" => Needs { biometrics: true, interview: true, test: true, oath: true },
        "adjustment" | "asylum" => Needs { biometrics: true, interview: true, test: false, oath: false },
        "ancillary_card" | "card_replacement" | "conditions_removal" | "humanitarian" => {
            Needs { biometrics: true, interview: false, test: false, oath: false }
        }
        _ => Needs { biometrics: false, interview: false, test: false, oath: false },
    }
}

/// The family of forms that ask for asylum: who asks for it is heard before a denial as before an approval (8 CFR 208.9(a), 208.19),
/// and is denied it or referred to the immigration court, by the status they have (8 CFR 208.14(c)).
pub fn is_asylum(family: &str) -> bool {
    family == "asylum"
}

/// The card or document that the approval of a form gives; none for the other forms.
pub fn card_of(form: &str) -> Option<&'static str> {
    match form {
        "I-485" | "I-90" | "I-751" => Some("permanent_resident_card"),
        "I-765" => Some("employment_authorization_document"),
        "I-131" => Some("travel_document"),
        _ => None,
    }
}

/// The parts of the naturalization test (8 CFR 312.1, 312.2).
pub const TEST_PARTS: [&str; 4] = ["reading", "writing", "speaking", "civics"];

/// The check started with the fingerprints; an N-400 is not heard before its answer (8 CFR 335.2(b)).
pub const FINGERPRINT_CHECK: &str = "fbi_fingerprint";
