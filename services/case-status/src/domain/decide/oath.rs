//! After an approval of naturalization: checked again by another officer, the oath, the certificate (8 CFR 337, 338).

use docket_kernel::Refusal;
use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use uuid::Uuid;

use super::correction::none_open;
use super::{Decision, MovedBy, absent, answer_by, attended, not_scheduled};
use crate::domain::appointment::is_its_day_over;
use crate::domain::{Appointment, Case, Oath};

/// Who missed so many ceremonies without a good cause is presumed to have given up (8 CFR 337.10).
const GIVEN_UP: u32 = 2;
/// The rule of the days to say why.
const EXPLAINED: &str = "oath.noshow.explain";

/// Another officer than the interviewer checks the approved case again (Policy Manual vol. 12 part J).
///
/// # Errors
/// `NOT_APPROVED`, `SAME_OFFICER`. Checked already: nothing.
pub fn reverify(case: &Case, officer: Uuid) -> Decision {
    oath_to_come(case)?;
    if case.interviewer == Some(officer) {
        return Err(Refusal::not_yours(
            "SAME_OFFICER",
            "Who held the interview does not check the case again.",
        )
        .way_out("Another officer of the office does."));
    }
    if case.reverified_by.is_some() {
        return Ok(Vec::new());
    }
    Ok(vec![pb::ReverificationCompleted { officer: officer.to_string() }.into()])
}

/// Sets the ceremony (Form N-445), or another one when nobody took the oath until the day was over (8 CFR 337.10).
///
/// # Errors
/// `NOT_APPROVED`, `REVERIFICATION_MISSING`, `OATH_MISSED_TWICE`, `NOT_NEEDED` when one is set whose day is not over, or the oath was taken.
pub fn schedule_oath(case: &Case, appointment: &Appointment, now: Timestamp) -> Decision {
    oath_to_come(case)?;
    if case.reverified_by.is_none() {
        return Err(Refusal::state(
            "REVERIFICATION_MISSING",
            "The case was not checked again after its approval.",
        )
        .way_out("Another officer than the interviewer checks it first."));
    }
    let is_over = |standing: &Appointment| is_its_day_over(standing, now);
    match case.oath {
        Oath::ToSchedule => {}
        Oath::Missed if case.oaths_missed < GIVEN_UP => {}
        Oath::Missed => {
            return Err(Refusal::state(
                "OATH_MISSED_TWICE",
                "The person missed two ceremonies and is presumed not to want to be naturalized any more (8 CFR 337.10).",
            )
            .way_out("Excuse the absence for a good cause, or reopen the case on the office's own motion."));
        }
        Oath::Scheduled if case.oath_booking.appointment.as_ref().is_none_or(is_over) => {}
        Oath::Scheduled => {
            return Err(Refusal::state("NOT_NEEDED", "A ceremony is set already.")
                .way_out("Move the appointment that stands."));
        }
        Oath::None | Oath::Taken => {
            return Err(Refusal::state("NOT_NEEDED", "The oath was taken already."));
        }
    }
    Ok(vec![pb::OathScheduled { appointment: Some(appointment.into()) }.into()])
}

/// Sets the ceremony on another day: the office does, when somebody wrote that they cannot come.
///
/// # Errors
/// `NOT_APPROVED`, `OATH_NOT_MOVABLE` for the party, `NOT_SCHEDULED`.
pub fn move_oath(case: &Case, to: &Appointment, by: MovedBy) -> Decision {
    oath_to_come(case)?;
    if by == MovedBy::Party {
        return Err(Refusal::state("OATH_NOT_MOVABLE", "An oath ceremony cannot be moved online.")
            .way_out("Write to the office if you cannot come."));
    }
    if case.oath != Oath::Scheduled {
        return Err(not_scheduled());
    }
    Ok(vec![pb::OathScheduled { appointment: Some(to.into()) }.into()])
}

/// Records that nobody came to the ceremony, once its day is over, and until when that can be explained. It decides nothing.
///
/// # Errors
/// `OATH_NOT_SCHEDULED`, `ALREADY_ATTENDED`, `TOO_EARLY`; not found without a case.
pub fn miss_oath(case: &Case, now: Timestamp) -> Decision {
    ceremony_stands(case)?;
    let appointment_id = absent(case.oath_booking.appointment.as_ref(), now)?.to_string();
    let deadline = Some(answer_by(case, EXPLAINED, now)?);
    Ok(vec![pb::OathMissed { appointment_id, deadline }.into()])
}

/// Records the oath: the person is a citizen from here on (8 CFR 337.9).
///
/// # Errors
/// `OATH_NOT_SCHEDULED`, `ALREADY_ATTENDED`, `TOO_EARLY`.
pub fn take_oath(case: &Case, now: Timestamp, early_by_agreement: bool) -> Decision {
    ceremony_stands(case)?;
    let appointment_id = attended(case.oath_booking.appointment.as_ref(), now, early_by_agreement)?;
    Ok(vec![
        pb::OathTaken {
            appointment_id: appointment_id.to_string(),
            taken_on_date: office_date(now).to_string(),
            early_by_agreement,
        }
        .into(),
    ])
}

fn ceremony_stands(case: &Case) -> Result<(), Refusal> {
    known(case)?;
    match case.oath {
        Oath::Scheduled => Ok(()),
        Oath::Taken => Err(Refusal::state("ALREADY_ATTENDED", "The oath was taken already.")),
        Oath::None | Oath::ToSchedule | Oath::Missed => {
            Err(Refusal::state("OATH_NOT_SCHEDULED", "No oath ceremony is set in this case.")
                .way_out("Set the ceremony first."))
        }
    }
}

/// Issues the Certificate of Naturalization (N-550).
///
/// # Errors
/// `OATH_NOT_TAKEN` (lifecycle 28), `ALREADY_ISSUED`, `CORRECTION_OPEN`, `NUMBER_MALFORMED`.
pub fn issue_certificate(case: &Case, certificate_number: &str) -> Decision {
    known(case)?;
    if case.oath != Oath::Taken {
        return Err(Refusal::state("OATH_NOT_TAKEN", "A certificate follows the oath.")
            .way_out("Record the oath first."));
    }
    if case.certificate {
        return Err(Refusal::state("ALREADY_ISSUED", "The certificate was issued already."));
    }
    none_open(case)?;
    let digits = certificate_number.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !(7..=9).contains(&certificate_number.len()) {
        return Err(Refusal::invalid(
            "certificate_number",
            "NUMBER_MALFORMED",
            "The number printed on the certificate has seven to nine digits, for example 12345678.",
        ));
    }
    Ok(vec![pb::CertificateIssued { certificate_number: certificate_number.to_owned() }.into()])
}

fn known(case: &Case) -> Result<(), Refusal> {
    if case.exists() { Ok(()) } else { Err(Refusal::not_found()) }
}

fn oath_to_come(case: &Case) -> Result<(), Refusal> {
    known(case)?;
    if case.oath == Oath::None {
        return Err(Refusal::state("NOT_APPROVED", "Only an approved naturalization leads to an oath.")
            .way_out("Decide the case first."));
    }
    Ok(())
}
