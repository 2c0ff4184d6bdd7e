//! Intake: a submitted filing becomes a case, is accepted with a number or rejected; thin facts of others are kept.

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use docket_proto::payments::events::v1::RefundFailed;
use docket_proto::types::v1 as types;
use uuid::Uuid;

use super::fee::honoured;
use super::representation::activate;
use super::search::searches_ended;
use super::{Decision, office_has_until};
use crate::domain::{BasisEnd, Case, Event, FeeWaiver, MoveRoute, Stage, needs};

/// The code of a rejection because the fee was not waived; Form I-912 explains it.
const WAIVER_REFUSED: &str = "I912-DENIED";

/// The days that the office has to hear a request for a hearing on a denied naturalization.
const HEARING: &str = "n336.hearing";

/// A filing was submitted: the case begins.
///
/// # Errors
/// `CASE_EXISTS`; a year beyond the tables.
pub fn open(case: &Case, opened: &pb::CaseOpened) -> Decision {
    if case.exists() {
        return Err(Refusal::exists("CASE_EXISTS", "This filing has a case already."));
    }
    Ok(vec![pb::CaseOpened { hearing_deadline: heard_by(opened)?, ..opened.clone() }.into()])
}

/// Until when the office has to hear a request for a hearing, counted from the day it was received (8 CFR 336.2(b)).
fn heard_by(opened: &pb::CaseOpened) -> Result<Option<types::Deadline>, Refusal> {
    let received = opened.receipt_date.parse().ok().filter(|_| opened.challenge == "hearing");
    received.map(|received| office_has_until(HEARING, received)).transpose()
}

/// Why a person has to look before the filing is accepted; nothing when a machine may accept it. Who asks for
/// naturalization is 18 (INA 334(b)), with exceptions a machine does not judge; whether somebody may sign for another,
/// or is who they say under another name than the proven one, is for a person to see (8 CFR 103.2(a)(2)), and what
/// somebody protected hands in, an address before all, is for nobody else (8 USC 1367). What rests on a filing that was
/// rejected has no basis; whether it is rejected too is for a person.
pub fn intake_reasons(case: &Case) -> Vec<&'static str> {
    let minor = case.family == "naturalization" && case.age < 18;
    let signed_as = match case.signed_as.as_str() {
        "" | "self" => None,
        "self_other_name" => Some("name_not_proven"),
        "parent" => Some("signed_as_parent"),
        "guardian" => Some("signed_as_guardian"),
        "company_officer" => Some("signed_as_company_officer"),
        _ => Some("signed_as_attorney_in_fact"),
    };
    let waiver = (case.fee_waiver != FeeWaiver::NotAsked).then_some("fee_waiver");
    let owed = case.fee_owed.is_some().then_some("fee_owed");
    let protected = (case.move_route == MoveRoute::Protected).then_some("protected_1367");
    let rejected = case.lost_bases.values().any(|end| *end == BasisEnd::Rejected);
    let rejected = rejected.then_some("basis_rejected");
    minor
        .then_some("under_18")
        .into_iter()
        .chain(signed_as)
        .chain(waiver)
        .chain(owed)
        .chain(protected)
        .chain(rejected)
        .collect()
}

/// Accepts the filing with its receipt number (8 CFR 103.2(a)(7)(i)).
///
/// # Errors
/// `ALREADY_ACCEPTED`, `ALREADY_REJECTED`, `FEE_WAIVER_UNDECIDED`, `FEE_OWED`; not found without a case.
pub fn accept(case: &Case, receipt_number: &str, office: &str) -> Decision {
    undecided_intake(case)?;
    honoured(case)?;
    if case.fee_waiver == FeeWaiver::Asked {
        return Err(Refusal::state(
            "FEE_WAIVER_UNDECIDED",
            "A waiver of the fee is asked for and not decided.",
        )
        .way_out("Grant or refuse the waiver first."));
    }
    let accepted =
        pb::FilingAccepted { receipt_number: receipt_number.to_owned(), office: office.to_owned() };
    let mut events: Vec<Event> = vec![accepted.into()];
    events.extend(activate(case));
    if needs(&case.family).biometrics {
        events.push(pb::BiometricsNeeded {}.into());
    }
    Ok(events)
}

/// Rejects the filing: it gets no number and keeps no date, what was paid goes back (8 CFR 103.2(a)(7)(ii)), but for what the fee table
/// keeps of it.
///
/// # Errors
/// `ALREADY_ACCEPTED`, `ALREADY_REJECTED`, `CODES_MISSING`; not found without a case.
pub fn reject(case: &Case, codes: &[String]) -> Decision {
    undecided_intake(case)?;
    if codes.is_empty() || codes.iter().any(String::is_empty) {
        return Err(Refusal::invalid(
            "codes",
            "CODES_MISSING",
            "Say why by at least one code, for example X-SIGN.",
        ));
    }
    let mut events = searches_ended(case, "rejected", |_| true);
    let kept = case.kept_fee.as_ref().filter(|_| case.payment.is_some());
    let refund = case.payment.is_some() && !kept.is_some_and(|kept| kept.is_all);
    let kept = kept.map(Into::into);
    events.push(pb::FilingRejected { codes: codes.to_vec(), refund, kept }.into());
    Ok(events)
}

/// Grants or refuses the waiver of the fee; a refusal rejects the filing (8 CFR 106.3). There is no appeal.
///
/// # Errors
/// `NO_WAIVER_ASKED`, `ALREADY_ACCEPTED`, `ALREADY_REJECTED`; not found without a case.
pub fn decide_fee_waiver(case: &Case, officer: Uuid, granted: bool) -> Decision {
    undecided_intake(case)?;
    if case.fee_waiver != FeeWaiver::Asked {
        return Err(Refusal::state("NO_WAIVER_ASKED", "No waiver of the fee waits for a decision.")
            .way_out("Accept or reject the filing."));
    }
    let officer = officer.to_string();
    if granted {
        return Ok(vec![pb::FeeWaiverGranted { officer }.into()]);
    }
    let mut events: Vec<Event> = vec![pb::FeeWaiverRefused { officer }.into()];
    events.extend(reject(case, &[WAIVER_REFUSED.to_owned()])?);
    Ok(events)
}

fn undecided_intake(case: &Case) -> Result<(), Refusal> {
    match case.stage {
        Stage::Submitted => Ok(()),
        Stage::Unknown => Err(Refusal::not_found()),
        Stage::Rejected => Err(Refusal::state("ALREADY_REJECTED", "This filing was rejected already.")),
        Stage::Accepted
        | Stage::InReview
        | Stage::DecisionPending
        | Stage::Voided
        | Stage::Decided
        | Stage::Closed => {
            Err(Refusal::state("ALREADY_ACCEPTED", "This filing was accepted and has a receipt number.")
                .way_out("An accepted case is decided, not rejected.")
                .fact("receipt_number", case.receipt_number.as_str()))
        }
    }
}

/// A notice was posted.
///
/// # Errors
/// Not found without a case.
pub fn record_notice(case: &Case, notice: &pb::NoticeRecorded) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    Ok(vec![notice.clone().into()])
}

/// The fee of a rejected filing went back, or a part of it: each refund once, until its money comes back.
///
/// # Errors
/// Not found without a case.
pub fn record_refund(case: &Case, refund_id: &str, amount_cents: i64) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    if case.refunds.contains_key(refund_id) {
        return Ok(Vec::new());
    }
    Ok(vec![pb::RefundRecorded { amount_cents, refund_id: refund_id.to_owned() }.into()])
}

/// What was to go back did not arrive, and is owed still to whoever paid.
///
/// # Errors
/// Not found without a case.
pub fn record_refund_failure(case: &Case, failed: &RefundFailed) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    Ok(vec![
        pb::RefundFailureRecorded {
            refund_id: failed.refund_id.clone(),
            amount_cents: failed.amount_cents,
            was_recorded: failed.was_issued,
            account_id: failed.account_id.clone(),
        }
        .into(),
    ])
}
