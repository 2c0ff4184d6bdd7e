//! A case goes to another office: who had it sees it no more, and what was promised to the party stays (lifecycle 53).

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use uuid::Uuid;

use super::ending::{biometrics_cancelled, interview_cancelled};
use super::{Decision, in_review, pending};
use crate::domain::evolve::TRANSFERRED;
use crate::domain::office;
use crate::domain::{Appointment, Case, Event, Stage};

/// Why a case is sent.
pub const TRANSFERS: [&str; 2] = ["jurisdiction", "workload"];

/// Sends a pending case to another office that keeps cases. An appointment that the other office holds elsewhere falls away, and is
/// set there again.
///
/// # Errors
/// `CAUSE_UNKNOWN`, `OFFICE_UNKNOWN`, `ALREADY_THERE`, `DECISION_PENDING`, and what [`pending`] says.
pub fn transfer(case: &Case, to: &str, reason: &str, officer: Uuid) -> Decision {
    pending(case)?;
    if case.stage == Stage::DecisionPending {
        in_review(case)?;
    }
    if !TRANSFERS.contains(&reason) {
        let message = "Give the reason: jurisdiction or workload.";
        return Err(Refusal::invalid("reason", "CAUSE_UNKNOWN", message));
    }
    let keeping = office::offices().iter().filter(|office| office.cases);
    let codes: Vec<&str> = keeping.map(|office| office.code.as_str()).collect();
    if !codes.contains(&to) {
        let message = format!("Give an office that keeps cases: one of {}.", codes.join(", "));
        return Err(Refusal::invalid("office", "OFFICE_UNKNOWN", message));
    }
    if case.office == to {
        return Err(Refusal::state("ALREADY_THERE", "The case is with this office.")
            .way_out("Give it to an officer there.")
            .field("office"));
    }
    let (from_office, to_office) = (case.office.clone(), to.to_owned());
    let (reason, officer) = (reason.to_owned(), officer.to_string());
    let mut events: Vec<Event> = vec![pb::CaseTransferred { from_office, to_office, reason, officer }.into()];
    if elsewhere(case.biometrics_booking.appointment.as_ref(), to, "biometrics") {
        events.extend(biometrics_cancelled(case, TRANSFERRED));
    }
    if elsewhere(case.interview_booking.appointment.as_ref(), to, "interview") {
        events.extend(interview_cancelled(case, TRANSFERRED));
    }
    Ok(events)
}

/// Whether an office has such appointments at another place than the one that stands.
fn elsewhere(standing: Option<&Appointment>, to: &str, kind: &str) -> bool {
    let site = office::site(to, kind).map(|site| site.code.as_str());
    standing.is_some_and(|appointment| Some(appointment.office.as_str()) != site)
}
