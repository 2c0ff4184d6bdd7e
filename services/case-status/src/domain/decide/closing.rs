//! A case is closed without a decision, and comes back when its party asks in time: the examination for naturalization to which nobody
//! came (8 CFR 335.6), and a case whose applicant died.

use docket_kernel::Refusal;
use docket_kernel::calendar::roll;
use docket_kernel::deadline::{OFFICE_ZONE, ends, office_date};
use docket_proto::case_status::events::v1 as pb;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::ending::{ending, inquiry_closed};
use super::{Decision, cause_unknown, pending};
use crate::domain::{Case, Interview, Outcome, REOPENING, needs};

/// Why a case is closed without a decision.
pub const CLOSINGS: [&str; 2] = ["examination_missed", "applicant_died"];

/// Closes a case without a decision. After an examination to which nobody came, the days to say why passed, and for a year the
/// applicant may ask to have the case reopened, without a fee (8 CFR 335.6(b)). What stands open ends with it.
///
/// # Errors
/// `CAUSE_UNKNOWN`, `NOT_CLOSABLE`, and what [`pending`] says.
pub fn close_administratively(case: &Case, officer: Uuid, why: &str, now: Timestamp) -> Decision {
    pending(case)?;
    let until = match why {
        "examination_missed" => {
            may_be_closed(case)?;
            roll(office_date(now).saturating_add(1.year())).to_string()
        }
        "applicant_died" => {
            of_an_applicant(case)?;
            String::new()
        }
        _ => return Err(cause_unknown(&CLOSINGS)),
    };
    let closed = pb::CaseAdministrativelyClosed {
        officer: officer.to_string(),
        cause: why.to_owned(),
        reopen_until_date: until,
    };
    let mut events = vec![closed.into()];
    events.extend(ending(case, "closed"));
    Ok(events)
}

/// Nobody came to the examination for naturalization, and nobody said why in the days that there were.
fn may_be_closed(case: &Case) -> Result<(), Refusal> {
    let silent = case.absence.as_ref().is_some_and(|absence| absence.passed && !absence.explained);
    if needs(&case.family).oath && case.interview == Interview::Missed && silent {
        return Ok(());
    }
    Err(Refusal::state(
        "NOT_CLOSABLE",
        "A case is closed so when nobody came to the examination for naturalization and nobody said why within 30 days (8 CFR 335.6(a)).",
    )
    .way_out("Wait for the days to pass, or set the interview again."))
}

/// What a petitioner asks for is another's, who may live.
fn of_an_applicant(case: &Case) -> Result<(), Refusal> {
    if case.family.ends_with("_petition") {
        return Err(Refusal::state(
            "NOT_CLOSABLE",
            "A petition is decided; it is not closed because somebody died.",
        )
        .way_out("Recommend a decision."));
    }
    Ok(())
}

/// Reopens a case that was closed without a decision, because its party asked in time; that request ends with it.
///
/// # Errors
/// `NOT_CLOSED`, `NOT_ASKED`, `ASKED_TOO_LATE`; not found without a case.
pub fn reopen_closed(case: &Case, officer: Uuid) -> Decision {
    can_be_reopened(case)?;
    let asked = case.inquiries.iter().find(|open| open.kind == REOPENING).ok_or_else(|| {
        Refusal::state("NOT_ASKED", "The applicant did not ask to have this case reopened (8 CFR 335.6(b)).")
            .way_out("Wait for the inquiry; the office may also reopen it on its own motion.")
    })?;
    let until: Date = case.reopen_until.parse().unwrap_or(Date::MAX);
    let over = ends(until, OFFICE_ZONE)?.max(ends(until, &case.zone)?);
    if asked.sent_at_us >= over.as_microsecond() {
        return Err(Refusal::state(
            "ASKED_TOO_LATE",
            format!("The case could be reopened when asked by {until} (8 CFR 335.6(c))."),
        )
        .way_out("Answer the inquiry; the applicant may file again.")
        .fact("reopen_until_date", until.to_string()));
    }
    Ok(vec![
        pb::CaseReopenedOnRequest { officer: officer.to_string(), asked_at_us: asked.sent_at_us }.into(),
        inquiry_closed(asked, "reopened"),
    ])
}

/// The case was closed without a decision, and may come back.
///
/// # Errors
/// `NOT_CLOSED`; not found without a case.
pub(super) fn can_be_reopened(case: &Case) -> Result<(), Refusal> {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    if case.outcome == Some(Outcome::AdministrativelyClosed) && !case.reopen_until.is_empty() {
        return Ok(());
    }
    Err(Refusal::state("NOT_CLOSED", "This case was not closed so that it can be reopened when asked.")
        .way_out("Look at how the case stands."))
}
