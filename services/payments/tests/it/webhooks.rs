//! Webhooks: only the processor's own, only fresh ones, and also when the office's clock is ahead.

use aws_lc_rs::hmac;
use docket_kernel::{Clock as _, SystemClock};
use reqwest::{Certificate, Client};
use serde_json::{Value, json};

use crate::client::{Outcome, State};
use crate::far_side::SECRET;
use crate::world::World;

fn signature(secret: &str, at_s: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{at_s}.{body}").as_bytes());
    format!("t={at_s},v1={}", hex::encode(tag))
}

/// Sends a webhook; gives the status of its answer.
async fn send(world: &World, signature: &str, body: &str) -> u16 {
    let ca = Certificate::from_pem(world.ca_pem().as_bytes()).unwrap();
    let http = Client::builder().no_proxy().tls_certs_only([ca]).build().unwrap();
    let request = http.post(world.webhook()).header("stripe-signature", signature).body(body.to_owned());
    request.send().await.unwrap().status().as_u16()
}

/// Tells of an object as the processor does, and it is taken.
pub(crate) async fn told(world: &World, kind: &str, object: &Value) {
    let body = json!({ "type": kind, "data": { "object": object } }).to_string();
    let now = SystemClock.now().as_second();
    assert_eq!(send(world, &signature(SECRET, now, &body), &body).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_or_old_webhook_settles_nothing() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    world.far.behave("hangup").await;
    assert_eq!(ana.pay(&package.payment, "pm_card_visa").await.unwrap().0, Outcome::Pending);
    let attempt: uuid::Uuid =
        sqlx::query_scalar("SELECT attempt_id FROM attempt").fetch_one(&world.own.pool).await.unwrap();
    let object = json!({
        "id": "pi_of_nobody", "status": "succeeded", "amount_received": package.cents,
        "metadata": { "attempt": attempt },
    });
    let body = json!({ "type": "payment_intent.succeeded", "data": { "object": object } }).to_string();

    let send = async |signature: &str, body: &str| send(&world, signature, body).await;
    let now = SystemClock.now().as_second();
    assert_eq!(send("", &body).await, 401);
    assert_eq!(send("t=x,v1=y", &body).await, 401);
    assert_eq!(send(&signature("of somebody else", now, &body), &body).await, 401);
    assert_eq!(send(&signature(SECRET, now - 301, &body), &body).await, 401);
    assert_eq!(send(&signature(SECRET, now + 330, &body), &body).await, 401);
    assert_eq!(send(&signature(SECRET, i64::MIN, &body), &body).await, 401);
    assert_eq!(send(&signature(SECRET, now, "{}"), &body).await, 401);
    assert_eq!(world.events(&package.payment).await, ["opened", "attempted"]);

    // Signed, but it says nothing to us.
    assert_eq!(send(&signature(SECRET, now, "{"), "{").await, 400);
    for nothing in [json!({}), json!({ "type": "charge.updated", "data": { "object": object } })] {
        let nothing = nothing.to_string();
        assert_eq!(send(&signature(SECRET, now, &nothing), &nothing).await, 200);
    }
    assert_eq!(world.events(&package.payment).await, ["opened", "attempted"]);

    // The very same, rightly signed, settles.
    assert_eq!(send(&signature(SECRET, now, &body), &body).await, 200);
    assert_eq!(ana.get(&package.payment).await.unwrap().state(), State::Settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ahead_makes_no_webhook_old() {
    let world = World::start().await;
    world.bench.advance(87 * 86_400);
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    // Only a webhook ever tells the outcome.
    ana.pay(&package.payment, "pm_sandbox_timeoutAlways").await.unwrap();
    let payment = world.until_state(&ana, &package.payment, State::Settled).await;
    let ahead_us = payment.settled_at_us - SystemClock.now().as_microsecond();
    assert!(ahead_us > 86 * 86_400_000_000, "the service's clock was not ahead");
    assert_eq!(world.count(&package.payment).await.charges, 1);
}
