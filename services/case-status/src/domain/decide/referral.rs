//! Asylum that is not granted: denied to who is in a lawful status, referred to the immigration court where nobody is
//! (8 CFR 208.14(c)).

use docket_kernel::Refusal;
use docket_kernel::deadline::office_date;
use jiff::Timestamp;

use crate::domain::{Case, is_asylum, rules};

/// The rule by which a referral may come without an interview.
const UNHEARD: &str = "asylum.referral.unheard";

/// The status of who asks for asylum, as an officer states it when deciding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nonimmigrant status, temporary protected status or parole that holds.
    Lawful,
    /// None of these.
    None,
}

impl Status {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lawful => "lawful",
            Self::None => "none",
        }
    }
}

/// Whether a referral on a day may come without an interview.
pub(super) fn referred_unheard(now: Timestamp) -> bool {
    rules::holds(UNHEARD, office_date(now))
}

/// A denial may be recommended, unless the file itself shows that there is no lawful status.
///
/// # Errors
/// `REFERRED_NOT_DENIED`.
pub(super) fn may_be_denied(case: &Case) -> Result<(), Refusal> {
    if is_asylum(&case.family) && case.without_status { Err(referred_not_denied()) } else { Ok(()) }
}

/// A denial of asylum is for who is in a lawful status: the file does not show another one, and the officer says so.
///
/// # Errors
/// `REFERRED_NOT_DENIED`, `STATUS_MISSING`, `NOT_ASYLUM`.
pub(super) fn status_allows_denial(case: &Case, status: Option<Status>) -> Result<(), Refusal> {
    if !is_asylum(&case.family) {
        return status.map_or(Ok(()), |_| {
            Err(Refusal::invalid(
                "applicant_status",
                "NOT_ASYLUM",
                "The status is said of who asks for asylum, and in no other case.",
            ))
        });
    }
    may_be_denied(case)?;
    match status {
        Some(Status::Lawful) => Ok(()),
        Some(Status::None) => Err(referred_not_denied()),
        None => Err(Refusal::invalid(
            "applicant_status",
            "STATUS_MISSING",
            "Say whether who asks for asylum is in a lawful status now: lawful or none (8 CFR 208.14(c)).",
        )),
    }
}

/// A referral is of an application for asylum, and of who is in no lawful status.
///
/// # Errors
/// `NOT_ASYLUM`, `DENIED_NOT_REFERRED`.
pub(super) fn may_be_referred(case: &Case, status: Option<Status>) -> Result<(), Refusal> {
    if !is_asylum(&case.family) {
        return Err(Refusal::state(
            "NOT_ASYLUM",
            "Only an application for asylum is referred to the immigration court (8 CFR 208.14(c)(1)).",
        )
        .way_out("Approve the case or deny it."));
    }
    match status {
        Some(Status::Lawful) => Err(Refusal::state(
            "DENIED_NOT_REFERRED",
            "Who asks for asylum and is in a lawful status is denied it, not referred (8 CFR 208.14(c)(2)).",
        )
        .way_out("Recommend the denial, and deny the case.")),
        Some(Status::None) | None => Ok(()),
    }
}

fn referred_not_denied() -> Refusal {
    Refusal::state(
        "REFERRED_NOT_DENIED",
        "Who asks for asylum and is in no lawful status is not denied it, but referred to the immigration court (8 CFR 208.14(c)(1)).",
    )
    .way_out("Recommend the referral, and refer the case.")
}
