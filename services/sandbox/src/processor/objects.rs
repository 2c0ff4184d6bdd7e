//! What the processor keeps and shows: payment intents, charges, refunds, disputes, events.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{ids, store::Change, store::Record};

use super::webhook::Delivery;

/// Where a payment intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    /// The card's owner has to do something first.
    RequiresAction,
    Processing,
    Succeeded,
    Canceled,
}

impl Status {
    /// The word on the wire.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// One payment to be made. Amounts are in the currency's smallest unit, times in Unix seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "object", rename = "payment_intent")]
pub(crate) struct PaymentIntent {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) amount_received: i64,
    pub(crate) currency: String,
    pub(crate) status: Status,
    pub(crate) client_secret: String,
    pub(crate) created: i64,
    pub(crate) livemode: bool,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) payment_method: Option<String>,
    pub(crate) latest_charge: Option<String>,
    pub(crate) last_payment_error: Option<Value>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) capture_method: String,
    pub(crate) metadata: IndexMap<String, String>,
}

/// How a charge went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChargeStatus {
    Succeeded,
    Pending,
    Failed,
}

/// One try to move the money.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "object", rename = "charge")]
#[expect(clippy::struct_excessive_bools, reason = "Stripe's shape")]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) amount_captured: i64,
    pub(crate) amount_refunded: i64,
    pub(crate) currency: String,
    pub(crate) status: ChargeStatus,
    pub(crate) paid: bool,
    pub(crate) captured: bool,
    pub(crate) refunded: bool,
    pub(crate) disputed: bool,
    pub(crate) created: i64,
    pub(crate) livemode: bool,
    pub(crate) payment_intent: String,
    pub(crate) payment_method: String,
    #[serde(default)]
    pub(crate) payment_method_details: Value,
    pub(crate) failure_code: Option<String>,
    pub(crate) failure_message: Option<String>,
    pub(crate) metadata: IndexMap<String, String>,
}

/// Money given back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "object", rename = "refund")]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    /// `pending`, `succeeded`, `failed`.
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) failure_reason: Option<String>,
    pub(crate) charge: String,
    pub(crate) payment_intent: String,
    pub(crate) created: i64,
    pub(crate) metadata: IndexMap<String, String>,
}

/// A cardholder's objection.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "object", rename = "dispute")]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) status: String,
    pub(crate) reason: String,
    pub(crate) charge: String,
    pub(crate) payment_intent: String,
    pub(crate) created: i64,
    pub(crate) livemode: bool,
    pub(crate) metadata: IndexMap<String, String>,
}

/// What happened, with the thing as it stood then.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "object", rename = "event")]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) api_version: String,
    pub(crate) created: i64,
    pub(crate) livemode: bool,
    pub(crate) pending_webhooks: u8,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) data: Value,
    pub(crate) request: Value,
}

/// How often an event is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hooks {
    Once,
    Twice,
    Never,
}

impl Hooks {
    fn copies(self) -> u8 {
        match self {
            Self::Once | Self::Never => 1,
            Self::Twice => 2,
        }
    }
}

/// Who caused an event, and when (Unix seconds).
#[derive(Debug, Clone, Default)]
pub(crate) struct Cause {
    pub(crate) now: i64,
    pub(crate) idempotency_key: Option<String>,
}

/// Keeps an event about `object` and queues its deliveries; gives its id.
pub(crate) fn announce(
    tx: &mut Change<'_>,
    cause: &Cause,
    hooks: Hooks,
    kind: &str,
    object: &impl Serialize,
) -> String {
    let id = ids::random("evt");
    let lost = hooks == Hooks::Never;
    tx.put(Record::Event(Event {
        id: id.clone(),
        api_version: "2025-09-30.clover".to_owned(),
        created: cause.now,
        livemode: false,
        pending_webhooks: hooks.copies(),
        kind: kind.to_owned(),
        data: json!({"object": object}),
        request: json!({"id": null, "idempotency_key": cause.idempotency_key}),
    }));
    for copy in 1..=hooks.copies() {
        let delivery =
            Delivery { event: id.clone(), copy, attempts: 0, last_status: None, delivered: false, lost };
        tx.put(Record::Delivery(delivery));
    }
    id
}
