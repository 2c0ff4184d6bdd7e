//! A case is held for a reason from a list, and is not decided meanwhile; an officer looks at it again by a day that is named.

use docket_kernel::Refusal;
use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as pb;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::{Decision, pending};
use crate::domain::hold::{BACKGROUND_CHECK, VISA_UNAVAILABLE};
use crate::domain::{Case, Event, rules};

/// Why a case is held.
pub const HOLDS: [&str; 5] =
    [BACKGROUND_CHECK, VISA_UNAVAILABLE, "litigation", "other_office_file", "abeyance"];
/// How many days a hold stands at most before somebody looks at it again.
const REVIEW: &str = "hold.review";

/// Holds a pending case. A hold for the same reason that stands goes on with the new day.
///
/// # Errors
/// `HOLD_REASON_UNKNOWN`, `NOT_HOLDABLE`, `REVIEW_DAY_OUT_OF_BOUNDS`, and what [`pending`] says.
pub fn hold_case(
    case: &Case,
    (hold_id, officer): (Uuid, Uuid),
    (reason, review_by): (&str, Date),
    now: Timestamp,
) -> Decision {
    pending(case)?;
    if !HOLDS.contains(&reason) {
        return Err(reason_unknown());
    }
    if reason == VISA_UNAVAILABLE && case.family != "adjustment" {
        return Err(Refusal::state(
            "NOT_HOLDABLE",
            "Only an application for adjustment of status waits for a visa number (INA 245(a)(3)).",
        )
        .way_out("Give another reason."));
    }
    let today = office_date(now);
    let most = rules::number(REVIEW, today);
    if review_by <= today || review_by > today.saturating_add(most.days()) {
        return Err(Refusal::invalid(
            "review_by_date",
            "REVIEW_DAY_OUT_OF_BOUNDS",
            format!("Name a day after today, at most {most} days from now."),
        ));
    }
    let stands = case.held_for(reason);
    Ok(vec![
        pb::CaseHeld {
            hold_id: hold_id.to_string(),
            reason: reason.to_owned(),
            officer: officer.to_string(),
            review_by_date: review_by.to_string(),
            replaces_id: stands.map(|hold| hold.id.to_string()).unwrap_or_default(),
        }
        .into(),
    ])
}

/// Lifts a hold.
///
/// # Errors
/// `NOT_HELD`, and what [`pending`] says.
pub fn lift_hold(case: &Case, officer: Uuid, reason: &str) -> Decision {
    pending(case)?;
    let hold = case.held_for(reason).ok_or_else(|| {
        let held: Vec<&str> = case.holds.iter().map(|hold| hold.reason.as_str()).collect();
        Refusal::state("NOT_HELD", "The case is not held for that.")
            .way_out("Look at what it is held for.")
            .field("reason")
            .fact("held_for", held.join(", "))
    })?;
    Ok(vec![
        pb::HoldLifted {
            hold_id: hold.id.to_string(),
            reason: hold.reason.clone(),
            officer: officer.to_string(),
            cause: "lifted".to_owned(),
        }
        .into(),
    ])
}

fn reason_unknown() -> Refusal {
    Refusal::invalid(
        "reason",
        "HOLD_REASON_UNKNOWN",
        format!("Give the reason: one of {}.", HOLDS.join(", ")),
    )
}

/// A case that is held is not decided.
///
/// # Errors
/// `CASE_HELD`.
pub(super) fn not_held(case: &Case) -> Result<(), Refusal> {
    case.holds.first().map_or(Ok(()), |hold| {
        let (reason, day) = (hold.reason.replace('_', " "), &hold.review_by);
        Err(Refusal::state(
            "CASE_HELD",
            format!("This case is held: {reason}; it is looked at again by {day}."),
        )
        .way_out("The assigned officer or a supervisor lifts the hold first, when what it was for is over.")
        .fact("hold", hold.reason.as_str())
        .fact("review_by_date", day.as_str()))
    })
}

/// The ends of the holds of a case that ends.
pub(super) fn holds_ended<'a>(case: &'a Case, why: &'a str) -> impl Iterator<Item = Event> + 'a {
    case.holds.iter().map(move |hold| {
        let (hold_id, reason) = (hold.id.to_string(), hold.reason.clone());
        pb::HoldLifted { hold_id, reason, officer: String::new(), cause: why.to_owned() }.into()
    })
}
