//! Webhooks: signed, sent again until taken, and the ways in which they go astray.

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use crate::{
    harness::Server,
    receiver::{Got, Receiver},
};

async fn subscribe(server: &Server, receiver: &Receiver) {
    let body = json!({"url": receiver.url, "secret": "whsec_new", "old_secret": "whsec_old", "ca_pem": receiver.ca_pem});
    assert!(server.put_json("/sandbox/webhook", &body).await.status.is_success());
}

/// Verifies the signature as the receiver of a real one does.
fn assert_signed(got: &Got, secret: &str) {
    let time = got.signature.split(',').find_map(|part| part.strip_prefix("t=")).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let payload = format!("{time}.{}", got.body);
    let fits = |tag: &str| hmac::verify(&key, payload.as_bytes(), &hex::decode(tag).unwrap()).is_ok();
    assert!(got.signature.split(',').filter_map(|part| part.strip_prefix("v1=")).any(fits));
}

fn about(got: &Got) -> (String, String) {
    let event = got.event();
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("/type"), text("/data/object/metadata/payment"))
}

#[tokio::test]
async fn an_event_is_sent_again_until_it_is_taken() {
    let mut receiver = Receiver::start(&[500, 404], false).await;
    let server = Server::start();
    server.pay("early", "pm_card_visa").await.unwrap();
    subscribe(&server, &receiver).await;
    let tries = [receiver.next().await, receiver.next().await, receiver.next().await];
    for got in &tries {
        assert_signed(got, "whsec_new");
        assert_signed(got, "whsec_old");
        assert_eq!(got.event()["id"], tries[0].event()["id"]);
    }
    assert_eq!(about(&tries[0]), ("payment_intent.succeeded".to_owned(), "early".to_owned()));
    server.pay("bad", "pm_card_chargeDeclined").await.unwrap();
    assert_eq!(about(&receiver.next().await), ("payment_intent.payment_failed".to_owned(), "bad".to_owned()));
    assert!(receiver.arrived().is_empty(), "what was taken is not sent again");
}

#[tokio::test]
async fn a_receiver_with_its_own_authority_is_reached_over_tls() {
    let mut receiver = Receiver::start(&[], true).await;
    let server = Server::start();
    subscribe(&server, &receiver).await;
    server.pay("secure", "pm_card_visa").await.unwrap();
    assert_eq!(about(&receiver.next().await).1, "secure");
}

#[tokio::test]
async fn a_webhook_may_come_before_the_answer() {
    let mut receiver = Receiver::start(&[503], false).await;
    let server = Server::start();
    subscribe(&server, &receiver).await;
    server.pay("first", "pm_sandbox_webhookFirst").await.unwrap();
    let arrived = receiver.arrived();
    assert_eq!(arrived.len(), 2, "refused once, taken once, then the answer");
    assert_eq!(about(&arrived[0]).1, "first");
}

#[tokio::test]
async fn a_webhook_may_come_twice_or_never() {
    let mut receiver = Receiver::start(&[], false).await;
    let server = Server::start();
    subscribe(&server, &receiver).await;
    server.pay("lost", "pm_sandbox_webhookLost").await.unwrap();
    server.pay("twice", "pm_sandbox_webhookTwice").await.unwrap();
    let (one, two) = (receiver.next().await, receiver.next().await);
    assert_eq!(one.body, two.body);
    assert_eq!(about(&one).1, "twice");
    server.pay("last", "pm_card_visa").await.unwrap();
    assert_eq!(about(&receiver.next().await).1, "last", "the lost one never came");

    let events = server.get("/v1/events?type=payment_intent.succeeded").await;
    let lost = &events["data"][2];
    assert_eq!(lost["data"]["object"]["metadata"]["payment"], "lost", "but who asks finds it");
    let path = format!("/sandbox/events/{}/deliver", lost["id"].as_str().unwrap());
    assert_eq!(server.post_json(&path, &json!({})).await.body["status"], 200);
    assert_eq!(about(&receiver.next().await).1, "lost");
}

#[tokio::test]
async fn the_configured_receiver_is_told_of_refunds() {
    let mut receiver = Receiver::start(&[], false).await;
    let toml = format!("webhook_url = \"{}\"\nwebhook_secret = \"whsec_file\"\n", receiver.url);
    let server = Server::with(&toml, None);
    let paid = server.pay("p1", "pm_card_visa").await.unwrap();
    assert_signed(&receiver.next().await, "whsec_file");
    server.post("/v1/refunds", Some("r1"), &[("payment_intent", paid.text("/id")), ("amount", "100")]).await;
    let refunded = receiver.next().await;
    assert_eq!(about(&refunded).0, "charge.refunded");
    assert_eq!(refunded.event()["data"]["object"]["amount_refunded"], 100);
    let deliveries = server.get("/sandbox/webhook/deliveries").await;
    assert_eq!(deliveries["deliveries"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_bank_payment_settles_by_itself_when_told_to() {
    let mut receiver = Receiver::start(&[], false).await;
    let server = Server::with("bank_settle_seconds = 1\n", None);
    subscribe(&server, &receiver).await;
    server.pay("bank", "pm_us_bank_account").await.unwrap();
    assert_eq!(about(&receiver.next().await).0, "payment_intent.processing");
    assert_eq!(about(&receiver.next().await), ("payment_intent.succeeded".to_owned(), "bank".to_owned()));
}
