//! The processor's webhooks: signed, at least once, in any order. Each says no more than an answer would.
use crate::cashier::Cashier;
use crate::charges;
use crate::processor::{Processor, decline_code};
use crate::store::attempt;
use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use docket_kernel::{Clock as _, SystemClock};
use serde_json::Value;
use std::sync::Arc;

/// A signature older than this is refused, in seconds; it keeps a recorded call from being played again.
const TOLERANCE_S: u64 = 300;

/// What the handler needs.
#[derive(Clone)]
struct Hook {
    cashier: Cashier,
    /// Of each processor, in their order.
    keys: Arc<[hmac::Key]>,
}

/// The HTTP face. Whose a webhook is, its signature says: each processor has a secret of its own, in their order.
pub fn router(cashier: Cashier, secrets: &[String]) -> Router {
    let key = |secret: &String| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let keys = secrets.iter().map(key).collect();
    Router::new().route("/webhooks/processor", post(receive)).with_state(Hook { cashier, keys })
}

/// 2xx only after what it says is on disk; anything else makes the processor send it again.
async fn receive(State(hook): State<Hook>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    // The machine's time, never the office's, which may be ahead in development: the processor signs with its own.
    let now_s = SystemClock.now().as_second();
    let mut signers = hook.cashier.processors.all().iter().zip(&*hook.keys);
    let Some((processor, _)) = signers.find(|(_, key)| signed(key, signature, &body, now_s)) else {
        return StatusCode::UNAUTHORIZED;
    };
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST };
    match take(&hook.cashier, processor, &event).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            tracing::warn!(
                error = format!("{error:#}"),
                "a webhook was not taken; the processor sends it again"
            );
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Whether a signature header (`t=…,v1=…[,v1=…]`) is the key's over `t.body`, and fresh.
fn signed(key: &hmac::Key, header: &str, body: &[u8], now_s: i64) -> bool {
    let mut at = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) => at = value.parse::<i64>().ok().map(|s| (value, s)),
            Some(("v1", value)) => signatures.extend(hex::decode(value)),
            _ => {}
        }
    }
    let Some((text, at_s)) = at else { return false };
    let message = [text.as_bytes(), b".", body].concat();
    now_s.abs_diff(at_s) <= TOLERANCE_S
        && signatures.iter().any(|tag| hmac::verify(key, &message, tag).is_ok())
}

async fn take(cashier: &Cashier, processor: &Processor, event: &Value) -> anyhow::Result<()> {
    let object = &event["data"]["object"];
    match object["object"].as_str() {
        Some("dispute") => {
            let id = object["id"].as_str().unwrap_or_default();
            return crate::disputes::record(cashier, processor, id).await;
        }
        Some("refund") => return crate::refunds::moved(cashier, processor, object).await,
        Some("charge") => return charges::went_back(cashier, object).await,
        _ => {}
    }
    match event["type"].as_str() {
        Some("payment_intent.succeeded") => charges::take(cashier, processor, object).await,
        Some("payment_intent.processing") => under_way(cashier, object).await,
        Some("payment_intent.payment_failed") => failed(cashier, object).await,
        _ => Ok(()),
    }
}

/// From here on it is looked at by the processor's reference.
async fn under_way(cashier: &Cashier, intent: &Value) -> anyhow::Result<()> {
    let (Some(open), Some(id)) = (charges::known(cashier, intent).await?, intent["id"].as_str()) else {
        return Ok(());
    };
    attempt::keep_intent(&cashier.pool, open.attempt_id, id).await?;
    Ok(())
}

/// That another one failed says nothing of what the attempt asked for.
async fn failed(cashier: &Cashier, intent: &Value) -> anyhow::Result<()> {
    let Some(open) = charges::known(cashier, intent).await? else { return Ok(()) };
    if open.intent.is_empty() || intent["id"] == open.intent.as_str() {
        cashier.refuse(&open, &decline_code(&intent["last_payment_error"])).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(secret: &str, at_s: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{at_s}.{body}").as_bytes());
        format!("t={at_s},v1={}", hex::encode(tag))
    }

    #[test]
    fn only_a_fresh_signature_of_the_secret_is_taken() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"right");
        assert!(signed(&key, &header("right", 1_000, "{}"), b"{}", 1_100));
        assert!(!signed(&key, &header("wrong", 1_000, "{}"), b"{}", 1_100));
        assert!(!signed(&key, &header("right", 1_000, "{}"), b"{ }", 1_100));
        assert!(!signed(&key, &header("right", 1_000, "{}"), b"{}", 1_301));
        assert!(!signed(&key, "", b"{}", 1_000));
        assert!(!signed(&key, &header("right", i64::MIN, "{}"), b"{}", 1_000));
    }

    #[test]
    fn while_a_secret_is_changed_either_signature_will_do() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"new");
        let old = header("old", 1_000, "{}");
        let new = header("new", 1_000, "{}");
        let both = format!("{old},{}", new.split_once(',').unwrap().1);
        assert!(signed(&key, &both, b"{}", 1_000));
    }
}
