//! The fee after acceptance: it may come back unpaid and be made good; else an officer may take the acceptance back.

use docket_kernel::Refusal;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::ending::ending;
use super::{Decision, answer_by, pending};
use crate::domain::{Case, Event, FeeOwed, Stage, rules};

/// The period in which a fee may be made good.
const RULE: &str = "fee.returned";
/// The rule by which a filing's acceptance may be voided for its signature.
const SIGNATURES: &str = "acceptance.void.signature";

/// A payment that was not honoured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The event of the payment that says so.
    pub id: Uuid,
    /// Amount in cents.
    pub amount_cents: i64,
    /// Why, as the processor says it.
    pub reason: String,
    /// When that was known.
    pub at: Timestamp,
}

/// The payment was not honoured: the fee is owed again. Nothing is decided by it, and a filing that was not taken owes
/// nothing.
///
/// # Errors
/// An unknown zone, a year beyond the tables; not found without a case.
pub fn record_payment_return(case: &Case, returned: &Returned) -> Decision {
    match case.stage {
        Stage::Unknown => return Err(Refusal::not_found()),
        Stage::Rejected | Stage::Voided => return Ok(Vec::new()),
        Stage::Submitted
        | Stage::Accepted
        | Stage::InReview
        | Stage::DecisionPending
        | Stage::Decided
        | Stage::Closed => {}
    }
    let event = pb::PaymentReturnRecorded {
        amount_cents: returned.amount_cents,
        reason: returned.reason.clone(),
        deadline: Some(answer_by(case, RULE, returned.at)?),
        return_id: returned.id.to_string(),
    };
    Ok(vec![event.into()])
}

/// The fee that was owed again is paid, or a part of it.
///
/// # Errors
/// Not found without a case.
pub fn record_made_good(case: &Case, amount_cents: i64) -> Decision {
    if !case.exists() {
        return Err(Refusal::not_found());
    }
    let Some(owed) = case.fee_owed.as_ref().filter(|_| amount_cents > 0) else { return Ok(Vec::new()) };
    let left = owed.left_after(amount_cents);
    let made_good = owed.returns.iter().filter(|paid| left.iter().all(|unpaid| unpaid.id != paid.id));
    let return_ids = made_good.map(|paid| paid.id.to_string()).collect();
    Ok(vec![pb::FeeMadeGoodRecorded { amount_cents, return_ids }.into()])
}

/// The fee was not made good in time: recorded once, and nothing is decided by it.
///
/// # Errors
/// None.
pub fn pass_fee_deadline(case: &Case, return_id: Uuid, now: Timestamp) -> Decision {
    let late =
        |owed: &&FeeOwed| owed.return_id == return_id && !owed.overdue && now >= owed.deadline.expires_at;
    let owed = case.fee_owed.as_ref().filter(late);
    Ok(owed.map(|_| pb::FeeDeadlinePassed { return_id: return_id.to_string() }.into()).into_iter().collect())
}

/// Takes the acceptance of an undecided case back, for the `payment` or the `signature`. What stands open ends with it.
///
/// # Errors
/// `CAUSE_UNKNOWN`, `FEE_NOT_OWED`, `FEE_STILL_IN_TIME`, `SIGNATURE_ACCEPTED`, and what [`pending`] says.
pub fn void_acceptance(case: &Case, officer: Uuid, why: &str, now: Timestamp) -> Decision {
    pending(case)?;
    match why {
        "payment" => unpaid_for_good(case, now)?,
        "signature" => signature_may_be_questioned(case)?,
        _ => return Err(Refusal::invalid("cause", "CAUSE_UNKNOWN", "Give the cause: payment or signature.")),
    }
    // Nothing but notices and refunds follows the end itself.
    let mut events: Vec<Event> = ending(case, "voided");
    // What is left of the fee, where a part of it was not honoured.
    let refund = why == "signature" && case.payment.is_some();
    let voided = pb::AcceptanceVoided { officer: officer.to_string(), cause: why.to_owned(), refund };
    events.push(voided.into());
    Ok(events)
}

fn unpaid_for_good(case: &Case, now: Timestamp) -> Result<(), Refusal> {
    let owed = case.fee_owed.as_ref().ok_or_else(|| {
        Refusal::state("FEE_NOT_OWED", "The fee of this case is paid, or none was due.")
            .way_out("An accepted case is decided.")
    })?;
    if now < owed.deadline.expires_at {
        let due = &owed.deadline.due_date;
        return Err(Refusal::state("FEE_STILL_IN_TIME", format!("The fee may be made good until {due}."))
            .way_out("Wait until that day is over.")
            .fact("due_date", due.as_str()));
    }
    Ok(())
}

fn signature_may_be_questioned(case: &Case) -> Result<(), Refusal> {
    let received: Option<Date> = case.receipt_date.parse().ok();
    if received.is_none_or(|day| !rules::holds(SIGNATURES, day)) {
        let since = rules::since(SIGNATURES).unwrap_or(Date::MIN);
        return Err(Refusal::state(
            "SIGNATURE_ACCEPTED",
            format!("The acceptance of a filing from before {since} is not taken back for its signature."),
        )
        .way_out("Decide the case."));
    }
    Ok(())
}

/// A case whose fee is owed is not approved (8 CFR 103.2(a)(1), 106.1(c)).
///
/// # Errors
/// `FEE_OWED`.
pub(super) fn honoured(case: &Case) -> Result<(), Refusal> {
    case.fee_owed.as_ref().map_or(Ok(()), |owed| {
        let due = &owed.deadline.due_date;
        Err(Refusal::state(
            "FEE_OWED",
            format!("The payment of the fee was not honored; it may be made good until {due}."),
        )
        .way_out("Wait until it is made good, or take the acceptance back when the day is over.")
        .fact("due_date", due.as_str()))
    })
}
