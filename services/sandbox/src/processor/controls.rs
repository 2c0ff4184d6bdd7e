//! What only a sandbox has: set the webhook, settle, dispute, redeliver, and count on the far side.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Shared, ids,
    store::{self, Change, Record},
};

use super::{
    bank::{self, Settlement},
    fault::Fault,
    objects::{Cause, Charge, ChargeStatus, Dispute, Hooks, announce},
    refunds,
    webhook::{self, Endpoint},
};

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/sandbox/webhook", get(show_webhook).put(set_webhook))
        .route("/sandbox/webhook/deliveries", get(deliveries))
        .route("/sandbox/events/{id}/deliver", post(deliver_now))
        .route("/sandbox/payment_intents/{id}/settle", post(settle))
        .route("/sandbox/idempotency_keys", delete(forget_keys))
        .route("/sandbox/refunds/{id}/settle", post(settle_refund))
        .route("/sandbox/charges", get(count))
        .route("/sandbox/charges/{id}/dispute", post(dispute))
        .route("/sandbox/payments/{payment}/settle", post(settle_payment))
        .route("/sandbox/payments/{payment}/dispute", post(dispute_payment))
        .route("/sandbox/disputes/{id}/close", post(close_dispute))
}

async fn show_webhook(State(shared): State<Shared>) -> Json<Value> {
    Json(json!({"url": shared.webhooks.endpoint(&shared).await.map(|endpoint| endpoint.url)}))
}

async fn set_webhook(
    State(shared): State<Shared>,
    Json(endpoint): Json<Endpoint>,
) -> Result<Json<Value>, Fault> {
    if webhook::client(&endpoint).is_err() {
        return Err(Fault::param("parameter_invalid", "ca_pem", "ca_pem is not a list of PEM certificates"));
    }
    let url = endpoint.url.clone();
    shared.store.write(|tx| tx.put(Record::Endpoint(endpoint))).await;
    shared.webhooks.wake();
    Ok(Json(json!({"url": url})))
}

async fn deliveries(State(shared): State<Shared>) -> Json<Value> {
    let list = shared.store.read(|state| {
        let kind = |event: &str| state.events.get(event).map(|event| event.kind.clone());
        let shown = state.deliveries.values().map(|delivery| {
            let mut shown = json!(delivery);
            shown["type"] = json!(kind(&delivery.event));
            shown
        });
        shown.collect::<Vec<_>>()
    });
    Json(json!({"deliveries": list.await}))
}

/// As if a day had passed.
async fn forget_keys(State(shared): State<Shared>) -> Json<Value> {
    shared.store.write(|tx| tx.put(Record::KeysForgotten)).await;
    Json(json!({}))
}

/// Sends the event now, once, lost or delivered as it may be.
async fn deliver_now(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<Value>, Fault> {
    let event = shared.store.read(|state| state.events.get(&id).cloned()).await;
    let event = event.ok_or_else(|| Fault::missing_resource("event", &id))?;
    let none = || Fault::state("no_webhook", "No webhook is set: PUT /sandbox/webhook");
    let endpoint = shared.webhooks.endpoint(&shared).await.ok_or_else(none)?;
    let status = shared.webhooks.send(&endpoint, &event, shared.clock.now().as_second()).await;
    Ok(Json(json!({"status": status})))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
enum Settle {
    Succeeded,
    Failed,
}

async fn settle(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Json(settle): Json<Settle>,
) -> Response {
    settle_intent(&shared, id, &settle).await
}

/// The same for the payment that our client calls by this name in its metadata.
async fn settle_payment(
    State(shared): State<Shared>,
    Path(payment): Path<String>,
    Json(settle): Json<Settle>,
) -> Response {
    let last =
        shared.store.read(|state| last_charge(state, &payment).map(|charge| charge.payment_intent.clone()));
    let intent = last.await.unwrap_or_default();
    settle_intent(&shared, intent, &settle).await
}

async fn settle_intent(shared: &Shared, id: String, settle: &Settle) -> Response {
    let settlement = match settle {
        Settle::Succeeded => Settlement::Succeeded,
        Settle::Failed => Settlement::Failed,
    };
    let cause = cause(shared);
    let settled = shared
        .store
        .write(|tx| bank::settle(tx, &cause, &id, settlement).then(|| json!(tx.state.intents.get(&id))));
    match settled.await {
        Some(intent) => Json(intent).into_response(),
        None => {
            Fault::state("payment_intent_unexpected_state", "No such payment is processing").into_response()
        }
    }
}

/// A refund is done, or its money comes back.
async fn settle_refund(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Json(settle): Json<Settle>,
) -> Response {
    let cause = cause(&shared);
    let done = matches!(settle, Settle::Succeeded);
    let settled = shared.store.write(|tx| refunds::settle(tx, &cause, &id, done).map(|refund| json!(refund)));
    match settled.await {
        Some(refund) => Json(refund).into_response(),
        None => Fault::state("refund_unexpected_state", "No such refund can end so").into_response(),
    }
}

#[derive(Deserialize)]
struct Of {
    payment: Option<String>,
}

/// What a far-side check compares with its own books. Amounts in cents.
#[derive(Debug, Default, Serialize)]
struct Count {
    succeeded: u64,
    failed: u64,
    pending: u64,
    amount: i64,
    refunds: usize,
    refunded: i64,
    payments: IndexMap<String, PaymentCount>,
}

#[derive(Debug, Default, Serialize)]
struct PaymentCount {
    succeeded: u64,
    amount: i64,
    refunded: i64,
}

async fn count(State(shared): State<Shared>, Query(of): Query<Of>) -> Json<Count> {
    Json(shared.store.read(|state| counted(state, of.payment.as_deref())).await)
}

fn counted(state: &store::State, only: Option<&str>) -> Count {
    let mut count = Count::default();
    let payment = |charge: &Charge| charge.metadata.get("payment").cloned().unwrap_or_default();
    let meant = |charge: &&Charge| only.is_none_or(|only| only == payment(charge));
    let went = state.refunds.values().filter(|refund| refund.status != "failed");
    let refunded = went.filter_map(|refund| state.charges.get(&refund.charge));
    count.refunds = refunded.filter(meant).count();
    for charge in state.charges.values().filter(meant) {
        match charge.status {
            ChargeStatus::Failed => count.failed += 1,
            ChargeStatus::Pending => count.pending += 1,
            ChargeStatus::Succeeded => {
                count.succeeded += 1;
                count.amount += charge.amount_captured;
                count.refunded += charge.amount_refunded;
                let own = count.payments.entry(payment(charge)).or_default();
                own.succeeded += 1;
                own.amount += charge.amount_captured;
                own.refunded += charge.amount_refunded;
            }
        }
    }
    count
}

/// The newest charge of a payment, by its metadata.
fn last_charge<'a>(state: &'a store::State, payment: &str) -> Option<&'a Charge> {
    state.charges.values().rev().find(|charge| charge.metadata.get("payment").is_some_and(|of| of == payment))
}

async fn dispute(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Json<Value>, Fault> {
    let cause = cause(&shared);
    shared.store.write(|tx| open_dispute(tx, &cause, &id)).await.map(Json)
}

/// The same for the payment that our client calls by this name in its metadata.
async fn dispute_payment(
    State(shared): State<Shared>,
    Path(payment): Path<String>,
) -> Result<Json<Value>, Fault> {
    let cause = cause(&shared);
    let opened = shared.store.write(|tx| {
        let last = last_charge(tx.state, &payment).map(|charge| charge.id.clone());
        open_dispute(tx, &cause, &last.unwrap_or_default())
    });
    opened.await.map(Json)
}

fn open_dispute(tx: &mut Change<'_>, cause: &Cause, id: &str) -> Result<Value, Fault> {
    let mut charge =
        tx.state.charges.get(id).cloned().ok_or_else(|| Fault::missing_resource("charge", id))?;
    if charge.status != ChargeStatus::Succeeded || charge.disputed {
        return Err(Fault::state(
            "charge_not_disputable",
            "Only a charge that succeeded is disputed, and once",
        ));
    }
    charge.disputed = true;
    // What a bank sends back is gone: only a cardholder's objection can be answered.
    let of_bank = charge.payment_method.starts_with("pm_us_bank_account");
    let (status, reason) =
        if of_bank { ("lost", "insufficient_funds") } else { ("needs_response", "fraudulent") };
    let dispute = Dispute {
        id: ids::random("dp"),
        amount: charge.amount_captured - charge.amount_refunded,
        currency: charge.currency.clone(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        created: cause.now,
        livemode: false,
        metadata: IndexMap::new(),
    };
    tx.put(Record::Charge(charge));
    tx.put(Record::Dispute(dispute.clone()));
    announce(tx, cause, Hooks::Once, "charge.dispute.created", &dispute);
    if of_bank {
        announce(tx, cause, Hooks::Once, "charge.dispute.closed", &dispute);
    }
    Ok(json!(dispute))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
enum Close {
    Won,
    Lost,
}

async fn close_dispute(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Json(close): Json<Close>,
) -> Result<Json<Value>, Fault> {
    let cause = cause(&shared);
    let closed = shared.store.write(|tx| {
        let found = tx.state.disputes.get(&id).cloned();
        let mut dispute = found.ok_or_else(|| Fault::missing_resource("dispute", &id))?;
        if dispute.status != "needs_response" {
            return Err(Fault::state("dispute_closed", "This dispute is closed"));
        }
        dispute.status = match close {
            Close::Won => "won".to_owned(),
            Close::Lost => "lost".to_owned(),
        };
        tx.put(Record::Dispute(dispute.clone()));
        announce(tx, &cause, Hooks::Once, "charge.dispute.closed", &dispute);
        Ok(Json(json!(dispute)))
    });
    closed.await
}

fn cause(shared: &Shared) -> Cause {
    Cause { now: shared.clock.now().as_second(), idempotency_key: None }
}
