//! A name or a birth date that was written wrong in a case: the party asks that it be corrected and says what shows it, and an officer
//! corrects it or says why not. What was issued before stays as it was.

use docket_kernel::Refusal;
use docket_kernel::calendar::age;
use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::{Decision, answer_by, cause_unknown, decided, pending, worded};
use crate::domain::{CardState, Case, Corrected, Correction, Event, Outcome, Stage};

/// Whose error it is.
pub const ERRORS_OF: [&str; 2] = ["office", "filer"];
/// What shows how it is right.
pub const PROOFS: [&str; 5] =
    ["passport", "birth_certificate", "marriage_certificate", "court_order", "other"];
/// Docket's own limit for the answer.
const RULE: &str = "correction.answer";
/// Most characters of a name as it is printed.
const NAME: usize = 200;
/// Nobody who files was born before.
const EARLIEST: i16 = 1900;

/// What is wrong, as the party says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The request's id.
    pub id: Uuid,
    /// `name` or `birth_date`.
    pub field: String,
    /// How it is right; sealed by the log.
    pub value: String,
    /// Whose error it is.
    pub error_of: String,
    /// What shows how it is right.
    pub proof: String,
    /// What is wrong and where; sealed by the log.
    pub explanation: String,
}

/// Asks for a correction; one is open at a time.
///
/// # Errors
/// `FIELD_UNKNOWN`, `CAUSE_UNKNOWN`, `PROOF_UNKNOWN`, `VALUE_MALFORMED`, `WORDS_OUT_OF_BOUNDS`, `CORRECTION_OPEN`, `CARD_MADE`, and what
/// [`pending`] says of a case that was not accepted; `ALREADY_DECIDED` of one that was withdrawn.
pub fn ask_correction(case: &Case, wrong: &Wrong, now: Timestamp) -> Decision {
    correctable(case)?;
    let field = Corrected::of(&wrong.field).ok_or_else(|| {
        Refusal::invalid("field", "FIELD_UNKNOWN", "Say what is wrong: name or birth_date.")
    })?;
    if !ERRORS_OF.contains(&wrong.error_of.as_str()) {
        return Err(cause_unknown(&ERRORS_OF));
    }
    if !PROOFS.contains(&wrong.proof.as_str()) {
        let message = format!("Say what shows it: one of {}.", PROOFS.join(", "));
        return Err(Refusal::invalid("proof", "PROOF_UNKNOWN", message));
    }
    let asked_value = value_of(case, field, &wrong.value, now)?.0;
    none_open(case)?;
    Ok(vec![
        pb::CorrectionAsked {
            correction_id: wrong.id.to_string(),
            corrected_field: field.as_str().to_owned(),
            error_of: wrong.error_of.clone(),
            proof: wrong.proof.clone(),
            asked_value,
            explanation: worded("explanation", &wrong.explanation)?,
            deadline: Some(answer_by(case, RULE, now)?),
            asked_at_us: now.as_microsecond(),
        }
        .into(),
    ])
}

/// Corrects what was asked for, to what was shown.
///
/// # Errors
/// `NO_CORRECTION_OPEN`, `VALUE_MALFORMED`, `CARD_MADE`; not found without a case.
pub fn make_correction(case: &Case, officer: Uuid, value: &str, now: Timestamp) -> Decision {
    let open = open(case)?;
    correctable(case)?;
    let (value, age_on_receipt) = value_of(case, open.field, value, now)?;
    let (correction_id, officer) = (open.id.to_string(), officer.to_string());
    Ok(vec![match open.field {
        Corrected::Name => pb::NameCorrected { correction_id, corrected_name: value, officer }.into(),
        Corrected::BirthDate => {
            let corrected_birth_date = value;
            pb::BirthDateCorrected { correction_id, corrected_birth_date, officer, age_on_receipt }.into()
        }
    }])
}

/// Leaves it as it is, and says why.
///
/// # Errors
/// `NO_CORRECTION_OPEN`, `WORDS_OUT_OF_BOUNDS`; not found without a case.
pub fn refuse_correction(case: &Case, officer: Uuid, reasons: &str) -> Decision {
    let open = open(case)?;
    Ok(vec![
        pb::CorrectionRefused {
            correction_id: open.id.to_string(),
            corrected_field: open.field.as_str().to_owned(),
            officer: officer.to_string(),
            reasons: worded("reasons", reasons)?,
        }
        .into(),
    ])
}

/// The end of a request that waits for an answer, with its case.
pub(super) fn correction_closed(case: &Case, why: &str) -> Option<Event> {
    let open = case.open_correction()?;
    let (correction_id, corrected_field) = (open.id.to_string(), open.field.as_str().to_owned());
    Some(pb::CorrectionClosed { correction_id, corrected_field, cause: why.to_owned() }.into())
}

/// Nothing waits to be corrected: what is printed for good is right.
///
/// # Errors
/// `CORRECTION_OPEN`.
pub(super) fn none_open(case: &Case) -> Result<(), Refusal> {
    case.open_correction().map_or(Ok(()), |open| {
        let due = &open.deadline.due_date;
        Err(Refusal::state(
            "CORRECTION_OPEN",
            format!("A correction was asked for in this case; we mean to answer it by {due}."),
        )
        .way_out("The correction is made or refused first.")
        .fact("due_date", due.as_str()))
    })
}

fn open(case: &Case) -> Result<&Correction, Refusal> {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    case.open_correction().ok_or_else(|| {
        Refusal::state("NO_CORRECTION_OPEN", "No correction waits for an answer in this case.")
            .way_out("Look at what was asked in the case, and at how it was answered.")
    })
}

/// The case was accepted and not withdrawn, and nothing was made for good with what is wrong.
fn correctable(case: &Case) -> Result<(), Refusal> {
    match case.stage {
        Stage::Unknown | Stage::Submitted | Stage::Rejected | Stage::Voided => return pending(case),
        Stage::Decided | Stage::Closed if case.outcome == Some(Outcome::Withdrawn) => {
            return Err(decided(case));
        }
        Stage::Accepted | Stage::InReview | Stage::DecisionPending | Stage::Decided | Stage::Closed => {}
    }
    let not_made = matches!(case.card.state, CardState::None | CardState::Ordered | CardState::Destroyed);
    if not_made && !case.certificate {
        return Ok(());
    }
    Err(Refusal::state("CARD_MADE", "The card or certificate is made; what is printed on it stays in this case.")
        .way_out("Ask for another one: Form I-90 for a green card, N-565 for a certificate, the same form again for another document; nothing is due where the error is the office's."))
}

/// The value as it is kept, with the age on the receipt date where it is a birth date.
fn value_of(case: &Case, field: Corrected, value: &str, now: Timestamp) -> Result<(String, u32), Refusal> {
    let value = value.trim();
    match field {
        Corrected::Name => {
            let printable = !value.is_empty() && !value.chars().any(char::is_control);
            if printable && value.chars().count() <= NAME {
                return Ok((value.to_owned(), 0));
            }
            Err(Refusal::invalid(
                "value",
                "VALUE_MALFORMED",
                "Write the name as it is to be printed, in at most 200 characters.",
            ))
        }
        Corrected::BirthDate => {
            let written: Option<Date> = value.parse().ok();
            let born = written.filter(|born| born.year() >= EARLIEST && *born <= office_date(now));
            let born = born.ok_or_else(|| {
                Refusal::invalid(
                    "value",
                    "VALUE_MALFORMED",
                    "Write the birth date as year-month-day, such as 1984-03-09; it is not to come.",
                )
            })?;
            let received = case.receipt_date.parse().unwrap_or_else(|_| office_date(now));
            Ok((born.to_string(), u32::try_from(age(born, received)).unwrap_or_default()))
        }
    }
}
