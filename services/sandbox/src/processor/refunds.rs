//! Refunds: never more than was captured, however they race; some are done later, and some come back.

use axum::{extract::State, response::Response};

use crate::{
    Shared, ids,
    store::{Change, Record},
};

use super::{
    fault::Fault,
    form::Params,
    idempotency::{Changing, Done, Undone},
    methods::Quirk,
    objects::{Cause, Charge, ChargeStatus, Hooks, Refund, announce},
};

pub(crate) async fn create(State(shared): State<Shared>, request: Changing) -> Response {
    request.perform(&shared, refund).await
}

fn refund(tx: &mut Change<'_>, cause: &Cause, request: &Changing) -> Result<Done, Undone> {
    let params = &request.params;
    params.only(&["payment_intent", "charge", "amount", "reason", "metadata"])?;
    let mut charge = refundable(tx, params)?;
    let left = charge.amount_captured - charge.amount_refunded;
    let amount = params.number("amount")?.unwrap_or(left);
    if amount < 1 {
        return Err(Fault::param("parameter_invalid_integer", "amount", "Amount must be at least 1").into());
    }
    if amount > left {
        let message =
            format!("Refund amount ({amount}) is greater than unrefunded amount on charge ({left})");
        return Err(Fault::param("amount_too_large", "amount", message).into());
    }
    charge.amount_refunded += amount;
    charge.refunded = charge.amount_refunded == charge.amount_captured;
    let pending = charge.payment_method == "pm_sandbox_refundPending";
    let refund = Refund {
        id: ids::random("re"),
        amount,
        currency: charge.currency.clone(),
        status: if pending { "pending" } else { "succeeded" }.to_owned(),
        failure_reason: None,
        reason: params.get("reason").map(str::to_owned),
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        created: cause.now,
        metadata: params.metadata(),
    };
    tx.put(Record::Charge(charge.clone()));
    tx.put(Record::Refund(refund.clone()));
    announce(tx, cause, Hooks::Once, "charge.refunded", &charge);
    Ok(Done::ok(&refund, Quirk::None))
}

/// The bank does a refund that waits for it, or sends the money of one back; none if neither can be.
pub(crate) fn settle(tx: &mut Change<'_>, cause: &Cause, id: &str, done: bool) -> Option<Refund> {
    let mut refund = tx.state.refunds.get(id).cloned()?;
    let mut charge = tx.state.charges.get(&refund.charge).cloned()?;
    let comes_back =
        !done && refund.status == "succeeded" && charge.payment_method == "pm_sandbox_refundFailsLater";
    if refund.status != "pending" && !comes_back {
        return None;
    }
    let kind = if done { "refund.updated" } else { "refund.failed" };
    if done {
        "succeeded".clone_into(&mut refund.status);
    } else {
        "failed".clone_into(&mut refund.status);
        refund.failure_reason = Some("expired_or_canceled_card".to_owned());
        charge.amount_refunded -= refund.amount;
        charge.refunded = false;
        tx.put(Record::Charge(charge));
    }
    tx.put(Record::Refund(refund.clone()));
    announce(tx, cause, Hooks::Once, kind, &refund);
    Some(refund)
}

/// The charge meant, if any of it can still be given back.
fn refundable(tx: &Change<'_>, params: &Params) -> Result<Charge, Fault> {
    let missing =
        |param: &str, id: &str| Fault::param("resource_missing", param, format!("No such {param}: '{id}'"));
    let id = if let Some(intent) = params.get("payment_intent") {
        let found = tx.state.intents.get(intent).ok_or_else(|| missing("payment_intent", intent))?;
        let uncharged =
            || Fault::state("payment_intent_unexpected_state", "This PaymentIntent has no charge");
        found.latest_charge.as_deref().ok_or_else(uncharged)?
    } else {
        params.required("charge")?
    };
    let charge = tx.state.charges.get(id).ok_or_else(|| missing("charge", id))?;
    if charge.status != ChargeStatus::Succeeded {
        return Err(Fault::state("charge_not_refundable", "This charge has not succeeded"));
    }
    if charge.disputed {
        return Err(Fault::state("charge_disputed", "This charge has been charged back"));
    }
    if charge.refunded {
        return Err(Fault::state("charge_already_refunded", "This charge has already been refunded"));
    }
    Ok(charge.clone())
}
