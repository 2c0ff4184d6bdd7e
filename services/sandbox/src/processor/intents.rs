//! Making, confirming and cancelling payment intents.

use axum::{
    extract::{Path, State},
    response::Response,
};

use crate::{
    Shared, ids,
    store::{Change, Record},
};

use super::{
    fault::Fault,
    form::Params,
    idempotency::{Changing, Done, Undone},
    methods::{self, Quirk},
    objects::{Cause, Hooks, PaymentIntent, Status, announce},
    payment,
};

/// The smallest and the largest amount, in cents, that Stripe takes.
const AMOUNTS: std::ops::RangeInclusive<i64> = 50..=99_999_999;

/// What may be said at creation; the last line is taken and not looked at.
const KNOWN: &[&str] = &[
    "amount",
    "currency",
    "confirm",
    "error_on_requires_action",
    "payment_method",
    "metadata",
    "description",
    "receipt_email",
    "payment_method_types",
    "automatic_payment_methods",
    "return_url",
    "off_session",
    "statement_descriptor_suffix",
];

pub(crate) async fn create(State(shared): State<Shared>, request: Changing) -> Response {
    request.perform(&shared, create_intent).await
}

pub(crate) async fn confirm(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    request: Changing,
) -> Response {
    request.perform(&shared, |tx, cause, request| confirm_intent(tx, cause, request, &id)).await
}

pub(crate) async fn cancel(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    request: Changing,
) -> Response {
    request.perform(&shared, |tx, cause, request| cancel_intent(tx, cause, request, &id)).await
}

fn create_intent(tx: &mut Change<'_>, cause: &Cause, request: &Changing) -> Result<Done, Undone> {
    let params = &request.params;
    let intent = requested(params, cause)?;
    let method = params.get("payment_method").map(methods::find).transpose()?;
    if !params.flag("confirm")? {
        tx.put(Record::Intent(intent.clone()));
        return Ok(Done::ok(&intent, Quirk::None));
    }
    let missing =
        || Fault::param("parameter_missing", "payment_method", "Missing required param: payment_method.");
    let method = method.ok_or_else(missing)?;
    request.before(tx, &method)?;
    let nobody_to_ask = params.flag("error_on_requires_action")?;
    Ok(payment::charge(tx, cause, intent, &method, nobody_to_ask))
}

fn confirm_intent(tx: &mut Change<'_>, cause: &Cause, request: &Changing, id: &str) -> Result<Done, Undone> {
    request.params.only(&["payment_method", "return_url", "receipt_email", "off_session"])?;
    let intent = find(tx, id)?;
    if !matches!(intent.status, Status::RequiresPaymentMethod | Status::RequiresConfirmation) {
        return Err(unexpected(&intent, "confirm").into());
    }
    let missing =
        || Fault::param("parameter_missing", "payment_method", "Missing required param: payment_method.");
    let name =
        request.params.get("payment_method").or(intent.payment_method.as_deref()).ok_or_else(missing)?;
    let method = methods::find(name)?;
    request.before(tx, &method)?;
    Ok(payment::charge(tx, cause, intent, &method, false))
}

fn cancel_intent(tx: &mut Change<'_>, cause: &Cause, request: &Changing, id: &str) -> Result<Done, Undone> {
    request.params.only(&["cancellation_reason"])?;
    let mut intent = find(tx, id)?;
    if !matches!(
        intent.status,
        Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction
    ) {
        return Err(unexpected(&intent, "cancel").into());
    }
    intent.status = Status::Canceled;
    intent.canceled_at = Some(cause.now);
    tx.put(Record::Intent(intent.clone()));
    announce(tx, cause, Hooks::Once, "payment_intent.canceled", &intent);
    Ok(Done::ok(&intent, Quirk::None))
}

fn requested(params: &Params, cause: &Cause) -> Result<PaymentIntent, Fault> {
    params.only(KNOWN)?;
    params.required("amount")?;
    let amount = params.number("amount")?.unwrap_or_default();
    if !AMOUNTS.contains(&amount) {
        let code = if amount < *AMOUNTS.start() { "amount_too_small" } else { "amount_too_large" };
        return Err(Fault::param(
            code,
            "amount",
            "Amount must be at least $0.50 and at most $999,999.99 usd",
        ));
    }
    let currency = params.required("currency")?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Err(Fault::param(
            "parameter_invalid",
            "currency",
            "Currency is three lower-case letters, e.g. usd",
        ));
    }
    let id = ids::random("pi");
    let method = params.get("payment_method").map(str::to_owned);
    let status = if method.is_some() { Status::RequiresConfirmation } else { Status::RequiresPaymentMethod };
    Ok(PaymentIntent {
        client_secret: ids::random(&format!("{id}_secret")),
        id,
        amount,
        amount_received: 0,
        currency: currency.to_owned(),
        status,
        created: cause.now,
        livemode: false,
        description: params.get("description").map(str::to_owned),
        receipt_email: params.get("receipt_email").map(str::to_owned),
        payment_method: method,
        latest_charge: None,
        last_payment_error: None,
        canceled_at: None,
        capture_method: "automatic".to_owned(),
        metadata: params.metadata(),
    })
}

fn find(tx: &Change<'_>, id: &str) -> Result<PaymentIntent, Fault> {
    tx.state.intents.get(id).cloned().ok_or_else(|| Fault::missing_resource("payment_intent", id))
}

fn unexpected(intent: &PaymentIntent, act: &str) -> Fault {
    let message =
        format!("You cannot {act} this PaymentIntent because it has a status of {}.", intent.status.word());
    Fault::state("payment_intent_unexpected_state", message)
}
