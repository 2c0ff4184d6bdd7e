//! Charging: what confirming an intent with a payment method does to intent, charge and events.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    ids,
    store::{Change, Record},
};

use super::{
    idempotency::Done,
    methods::{self, Decline, Method, Quirk, Verdict},
    objects::{Cause, Charge, ChargeStatus, Hooks, PaymentIntent, Status, announce},
};

/// Charges `intent` with `method`: money moved, refused, or waiting for the bank.
/// A bank that asks the card's owner first declines where `nobody_to_ask`.
pub(crate) fn charge(
    tx: &mut Change<'_>,
    cause: &Cause,
    mut intent: PaymentIntent,
    method: &Method,
    nobody_to_ask: bool,
) -> Done {
    let charge = attempt(cause, &intent, method);
    intent.payment_method = Some(method.name.clone());
    intent.latest_charge = Some(charge.id.clone());
    match method.verdict {
        Verdict::Approved => {
            let event = succeed(tx, cause, method.hooks, intent.clone(), charge);
            let intent = &tx.state.intents[&intent.id];
            Done {
                await_delivery: (method.quirk == Quirk::WebhookFirst).then_some(event),
                ..Done::ok(intent, method.quirk)
            }
        }
        Verdict::Pending => {
            intent.status = Status::Processing;
            tx.put(Record::Charge(charge));
            tx.put(Record::Intent(intent.clone()));
            announce(tx, cause, method.hooks, "payment_intent.processing", &intent);
            Done::ok(&intent, method.quirk)
        }
        Verdict::Asks { declines } if nobody_to_ask && declines => {
            declined(tx, cause, (intent, charge), method, methods::ASKS)
        }
        Verdict::Asks { .. } => {
            intent.status = Status::RequiresAction;
            intent.latest_charge = None;
            tx.put(Record::Intent(intent.clone()));
            announce(tx, cause, method.hooks, "payment_intent.requires_action", &intent);
            Done::ok(&intent, method.quirk)
        }
        Verdict::Declined(decline) => declined(tx, cause, (intent, charge), method, decline),
    }
}

fn declined(
    tx: &mut Change<'_>,
    cause: &Cause,
    (intent, charge): (PaymentIntent, Charge),
    method: &Method,
    decline: Decline,
) -> Done {
    let error = fail(tx, cause, method.hooks, intent, charge, decline);
    Done {
        status: StatusCode::PAYMENT_REQUIRED,
        body: json!({"error": error}),
        quirk: method.quirk,
        await_delivery: None,
    }
}

/// The money has moved; gives the event's id.
pub(crate) fn succeed(
    tx: &mut Change<'_>,
    cause: &Cause,
    hooks: Hooks,
    mut intent: PaymentIntent,
    mut charge: Charge,
) -> String {
    charge.status = ChargeStatus::Succeeded;
    charge.paid = true;
    charge.captured = true;
    charge.amount_captured = charge.amount;
    intent.status = Status::Succeeded;
    intent.amount_received = charge.amount;
    intent.last_payment_error = None;
    tx.put(Record::Charge(charge));
    tx.put(Record::Intent(intent.clone()));
    announce(tx, cause, hooks, "payment_intent.succeeded", &intent)
}

/// The money has not moved; gives the error with the intent inside, as the caller sees it.
pub(crate) fn fail(
    tx: &mut Change<'_>,
    cause: &Cause,
    hooks: Hooks,
    mut intent: PaymentIntent,
    mut charge: Charge,
    decline: Decline,
) -> Value {
    charge.status = ChargeStatus::Failed;
    charge.failure_code = Some(decline.code.to_owned());
    charge.failure_message = Some(decline.message.to_owned());
    let mut error = json!({
        "type": "card_error",
        "code": decline.code,
        "decline_code": decline.reason,
        "message": decline.message,
        "charge": charge.id,
    });
    intent.status = Status::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.last_payment_error = Some(error.clone());
    tx.put(Record::Charge(charge));
    tx.put(Record::Intent(intent.clone()));
    announce(tx, cause, hooks, "payment_intent.payment_failed", &intent);
    error["payment_intent"] = json!(intent);
    error
}

/// What a receipt says of the method: the processor's well-known test numbers.
fn details(method: &str) -> Value {
    let card = |brand: &str, last4: &str| json!({"type": "card", "card": {"brand": brand, "last4": last4}});
    if method.starts_with("pm_us_bank_account") {
        json!({"type": "us_bank_account", "us_bank_account": {"bank_name": "TEST BANK", "last4": "6789"}})
    } else if method.contains("mastercard") {
        card("mastercard", "4444")
    } else if method.contains("amex") {
        card("amex", "0005")
    } else {
        card("visa", "4242")
    }
}

fn attempt(cause: &Cause, intent: &PaymentIntent, method: &Method) -> Charge {
    Charge {
        id: ids::random("ch"),
        amount: intent.amount + method.drift,
        amount_captured: 0,
        amount_refunded: 0,
        currency: intent.currency.clone(),
        status: ChargeStatus::Pending,
        paid: false,
        captured: false,
        refunded: false,
        disputed: false,
        created: cause.now,
        livemode: false,
        payment_intent: intent.id.clone(),
        payment_method: method.name.clone(),
        payment_method_details: details(&method.name),
        failure_code: None,
        failure_message: None,
        metadata: intent.metadata.clone(),
    }
}
