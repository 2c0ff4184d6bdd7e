//! The card processor: shapes, idempotency, declines, lost answers, refunds, banks, disputes.

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

use crate::harness::{Server, payment};

#[tokio::test]
async fn a_good_card_pays_and_is_found_by_metadata() {
    let server = Server::start();
    let paid = server.pay("p1", "pm_card_visa").await.unwrap();
    assert_eq!(paid.status, StatusCode::OK);
    assert_eq!(paid.text("/object"), "payment_intent");
    assert_eq!(paid.text("/status"), "succeeded");
    assert_eq!(paid.body["amount_received"], 144_000);
    let id = paid.text("/id");
    assert_eq!(server.get(&format!("/v1/payment_intents/{id}")).await, paid.body);

    server.pay("p2", "pm_card_visa").await.unwrap();
    let found = server
        .get("/v1/payment_intents/search?query=metadata%5B'payment'%5D:'p1'%20AND%20status:'succeeded'")
        .await;
    assert_eq!(found["data"], json!([paid.body]));
    let charges = server.get(&format!("/v1/charges?payment_intent={id}")).await;
    assert_eq!(charges["data"][0]["id"], paid.body["latest_charge"]);
    assert_eq!(charges["data"].as_array().unwrap().len(), 1);
    let events = server.get("/v1/events?type=payment_intent.succeeded&limit=1").await;
    assert_eq!(events["data"][0]["data"]["object"]["metadata"]["payment"], "p2");
    assert_eq!(events["has_more"], true);
}

#[tokio::test]
async fn an_intent_may_be_made_first_and_confirmed_or_cancelled_later() {
    let server = Server::start();
    let made = server.post("/v1/payment_intents", None, &[("amount", "5000"), ("currency", "usd")]).await;
    assert_eq!(made.text("/status"), "requires_payment_method");
    let path = format!("/v1/payment_intents/{}", made.text("/id"));
    let declined =
        server.post(&format!("{path}/confirm"), None, &[("payment_method", "pm_card_chargeDeclined")]).await;
    assert_eq!(declined.status, StatusCode::PAYMENT_REQUIRED);
    let confirmed =
        server.post(&format!("{path}/confirm"), None, &[("payment_method", "pm_card_visa")]).await;
    assert_eq!(confirmed.text("/status"), "succeeded");
    let cancelled = server.post(&format!("{path}/cancel"), None, &[]).await;
    assert_eq!(cancelled.text("/error/code"), "payment_intent_unexpected_state");
}

#[tokio::test]
async fn bad_requests_are_refused_with_the_parameter() {
    let server = Server::start();
    let check = async |params: &[(&str, &str)], code: &str, param: &str| {
        let answer = server.post("/v1/payment_intents", Some("k"), params).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{params:?}");
        assert_eq!((answer.text("/error/code"), answer.text("/error/param")), (code, param));
    };
    check(&[("currency", "usd")], "parameter_missing", "amount").await;
    check(&[("amount", "1.5"), ("currency", "usd")], "parameter_invalid_integer", "amount").await;
    check(&[("amount", "49"), ("currency", "usd")], "amount_too_small", "amount").await;
    check(&[("amount", "50"), ("currency", "USD")], "parameter_invalid", "currency").await;
    check(
        &[("amount", "50"), ("currency", "usd"), ("card[number]", "1")],
        "parameter_unknown",
        "card[number]",
    )
    .await;
    check(&payment("x", "pm_card_none"), "resource_missing", "payment_method").await;
    let nobody = server.client.get(server.url("/v1/charges")).bearer_auth("pk_live").send().await.unwrap();
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
    let paid = server.post("/v1/payment_intents", Some("k"), &payment("x", "pm_card_visa")).await;
    assert_eq!(paid.status, StatusCode::OK, "a refused request does not use up its key");
}

#[tokio::test]
async fn one_key_is_one_charge_and_one_answer() {
    let server = Server::start();
    let answers = join_all((0..20).map(|_| server.pay("p1", "pm_card_visa"))).await;
    let first = answers[0].as_ref().unwrap();
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().body == first.body));
    assert_eq!(answers.iter().filter(|answer| !answer.as_ref().unwrap().replayed).count(), 1);
    assert_eq!(server.get("/sandbox/charges").await["succeeded"], 1);

    let mut other = payment("p1", "pm_card_visa");
    other[0].1 = "144001";
    let refused = server.post("/v1/payment_intents", Some("p1"), &other).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.text("/error/type"), "idempotency_error");
}

#[tokio::test]
async fn each_declining_card_says_why() {
    let server = Server::start();
    let check = async |method: &str, code: &str, decline_code: &str| {
        let answer = server.pay(method, method).await.unwrap();
        assert_eq!(answer.status, StatusCode::PAYMENT_REQUIRED);
        assert_eq!(answer.text("/error/type"), "card_error");
        assert_eq!((answer.text("/error/code"), answer.text("/error/decline_code")), (code, decline_code));
        assert_eq!(answer.text("/error/payment_intent/status"), "requires_payment_method");
        assert_eq!(answer.text("/error/payment_intent/last_payment_error/code"), code);
        let again = server.pay(method, method).await.unwrap();
        assert!(again.replayed && again.body == answer.body);
    };
    check("pm_card_chargeDeclined", "card_declined", "generic_decline").await;
    check("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds").await;
    check("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds").await;
    check("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card").await;
    check("pm_card_chargeDeclinedStolenCard", "card_declined", "stolen_card").await;
    check("pm_card_chargeDeclinedVelocityLimitExceeded", "card_declined", "card_velocity_exceeded").await;
    check("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card").await;
    check("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc").await;
    check("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error").await;
    let count = server.get("/sandbox/charges").await;
    assert_eq!((&count["succeeded"], &count["failed"], &count["amount"]), (&json!(0), &json!(9), &json!(0)));
}

#[tokio::test]
async fn a_cut_answer_leaves_one_charge_which_the_same_key_finds() {
    let server = Server::start();
    server.pay("after", "pm_sandbox_timeoutAfterCharge").await.unwrap_err();
    assert_eq!(server.get("/sandbox/charges?payment=after").await["succeeded"], 1);
    let again = server.pay("after", "pm_sandbox_timeoutAfterCharge").await.unwrap();
    assert_eq!((again.text("/status"), again.replayed), ("succeeded", true));

    server.pay("always", "pm_sandbox_timeoutAlways").await.unwrap_err();
    server.pay("always", "pm_sandbox_timeoutAlways").await.unwrap_err();
    let found = server.get("/v1/payment_intents/search?query=metadata%5B'payment'%5D:'always'").await;
    assert_eq!(found["data"][0]["status"], "succeeded");

    server.pay("before", "pm_sandbox_timeoutBeforeCharge").await.unwrap_err();
    assert_eq!(server.get("/sandbox/charges?payment=before").await["succeeded"], 0);
    assert_eq!(
        server.pay("before", "pm_sandbox_timeoutBeforeCharge").await.unwrap().text("/status"),
        "succeeded"
    );

    let broken = server.pay("error", "pm_sandbox_serverErrorOnce").await.unwrap();
    assert_eq!(broken.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(server.pay("error", "pm_sandbox_serverErrorOnce").await.unwrap().text("/status"), "succeeded");
    assert_eq!(server.get("/sandbox/charges").await["succeeded"], 4);
}

#[tokio::test]
async fn the_amount_may_drift_and_the_answer_may_be_slow() {
    let server = Server::start();
    let drifted = server.pay("drift", "pm_sandbox_amountDrift").await.unwrap();
    assert_eq!(
        (&drifted.body["amount"], &drifted.body["amount_received"]),
        (&json!(144_000), &json!(144_001))
    );
    let params = payment("slow", "pm_sandbox_slow");
    let request =
        server.client.post(server.url("/v1/payment_intents")).bearer_auth("sk_test_1").form(&params);
    let error = request.timeout(std::time::Duration::from_millis(300)).send().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(server.get("/sandbox/charges?payment=slow").await["succeeded"], 1);
}

#[tokio::test]
async fn racing_refunds_never_give_back_more_than_was_paid() {
    let server = Server::start();
    let paid = server.pay("p1", "pm_card_visa").await.unwrap();
    let intent = paid.text("/id");
    let keys: Vec<String> = (0..10).map(|at| format!("refund-{at}")).collect();
    let params = [("payment_intent", intent), ("amount", "86400")];
    let answers = join_all(keys.iter().map(|key| server.post("/v1/refunds", Some(key), &params))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), 1);
    let rest = server.post("/v1/refunds", None, &[("payment_intent", intent)]).await;
    assert_eq!(rest.body["amount"], 57_600);
    let more = server.post("/v1/refunds", None, &[("charge", paid.text("/latest_charge"))]).await;
    assert_eq!(more.text("/error/code"), "charge_already_refunded");
    let count = server.get("/sandbox/charges?payment=p1").await;
    assert_eq!((&count["refunds"], &count["refunded"]), (&json!(2), &json!(144_000)));
    assert_eq!(count["payments"]["p1"], json!({"succeeded": 1, "amount": 144_000, "refunded": 144_000}));
    let refunds = server.get(&format!("/v1/refunds?payment_intent={intent}")).await;
    assert_eq!(refunds["data"].as_array().unwrap().len(), 2);
    let events = server.get("/v1/events?type=charge.refunded").await;
    assert_eq!(events["data"][0]["data"]["object"]["refunded"], true);
}

#[tokio::test]
async fn a_bank_payment_settles_later_either_way() {
    let server = Server::start();
    let settle = async |name: &str, outcome: &str| {
        let started = server.pay(name, "pm_us_bank_account").await.unwrap();
        assert_eq!(started.text("/status"), "processing");
        let path = format!("/sandbox/payment_intents/{}/settle", started.text("/id"));
        let settled = server.post_json(&path, &json!({"outcome": outcome})).await;
        assert_eq!(
            server.post_json(&path, &json!({"outcome": outcome})).await.status,
            StatusCode::BAD_REQUEST
        );
        settled
    };
    assert_eq!(settle("good", "succeeded").await.text("/status"), "succeeded");
    let failed = settle("bad", "failed").await;
    assert_eq!(failed.text("/last_payment_error/decline_code"), "insufficient_funds");
    let count = server.get("/sandbox/charges").await;
    assert_eq!((&count["succeeded"], &count["failed"], &count["pending"]), (&json!(1), &json!(1), &json!(0)));
}

#[tokio::test]
async fn a_disputed_charge_is_not_refunded() {
    let server = Server::start();
    let paid = server.pay("p1", "pm_card_visa").await.unwrap();
    let charge = paid.text("/latest_charge");
    let dispute = server.post_json(&format!("/sandbox/charges/{charge}/dispute"), &json!({})).await;
    assert_eq!(dispute.text("/status"), "needs_response");
    let refund = server.post("/v1/refunds", None, &[("charge", charge)]).await;
    assert_eq!(refund.text("/error/code"), "charge_disputed");
    let path = format!("/sandbox/disputes/{}/close", dispute.text("/id"));
    assert_eq!(server.post_json(&path, &json!({"status": "lost"})).await.text("/status"), "lost");
    let events = server.get("/v1/events").await;
    assert_eq!(events["data"][0]["type"], "charge.dispute.closed");
}

#[tokio::test]
async fn a_processor_out_of_order_answers_503_or_nothing() {
    let server = Server::start();
    let mode = async |mode: &str| server.put_json("/sandbox/parties/processor", &json!({"mode": mode})).await;
    mode("error").await;
    assert_eq!(server.pay("p1", "pm_card_visa").await.unwrap().status, StatusCode::SERVICE_UNAVAILABLE);
    mode("hangup").await;
    server.pay("p1", "pm_card_visa").await.unwrap_err();
    mode("works").await;
    assert_eq!(server.pay("p1", "pm_card_visa").await.unwrap().status, StatusCode::OK);
    assert_eq!(server.get("/sandbox/charges").await["succeeded"], 1);
}

#[tokio::test]
async fn a_key_that_was_forgotten_is_a_new_request() {
    let server = Server::with("idempotency_keys_s = 0\n", None);
    let first = server.pay("p1", "pm_card_visa").await.unwrap();
    let second = server.pay("p1", "pm_card_visa").await.unwrap();
    assert!(!second.replayed && first.text("/id") != second.text("/id"));
    let server = Server::start();
    let first = server.pay("p1", "pm_card_visa").await.unwrap();
    assert_eq!(server.pay("p1", "pm_card_visa").await.unwrap().body, first.body);
    let forgotten = server.client.delete(server.url("/sandbox/idempotency_keys")).send().await.unwrap();
    assert_eq!(forgotten.status(), StatusCode::OK);
    assert_ne!(server.pay("p1", "pm_card_visa").await.unwrap().text("/id"), first.text("/id"));
    assert_eq!(server.get("/sandbox/charges").await["succeeded"], 2);
}

#[tokio::test]
async fn a_bank_that_asks_the_owner_declines_where_nobody_can_be_asked() {
    let server = Server::start();
    let asked = server.pay("p1", "pm_card_authenticationRequired").await.unwrap();
    assert_eq!(asked.text("/status"), "requires_action");
    let cancel = format!("/v1/payment_intents/{}/cancel", asked.text("/id"));
    assert_eq!(server.post(&cancel, None, &[]).await.text("/status"), "canceled");
    for (method, status) in
        [("pm_card_authenticationRequired", "requires_payment_method"), ("pm_sandbox_requiresAction", "")]
    {
        let params = [&payment(method, method)[..], &[("error_on_requires_action", "true")]].concat();
        let answer = server.post("/v1/payment_intents", Some(method), &params).await;
        assert_eq!(answer.text("/error/payment_intent/status"), status);
        let declined = answer.text("/error/decline_code") == "authentication_required";
        assert!(declined || answer.text("/status") == "requires_action", "{method}");
    }
    assert_eq!(server.get("/sandbox/charges").await["succeeded"], 0);
}

#[tokio::test]
async fn a_refund_may_be_done_later_or_come_back() {
    let server = Server::start();
    let refund = async |method: &str| {
        let paid = server.pay(method, method).await.unwrap();
        server.post("/v1/refunds", None, &[("payment_intent", paid.text("/id"))]).await
    };
    let settle = async |refund: &str, outcome: &str| {
        let path = format!("/sandbox/refunds/{refund}/settle");
        server.post_json(&path, &json!({"outcome": outcome})).await
    };
    let pending = refund("pm_sandbox_refundPending").await;
    assert_eq!(pending.text("/status"), "pending");
    assert_eq!(settle(pending.text("/id"), "succeeded").await.text("/status"), "succeeded");
    assert_eq!(settle(pending.text("/id"), "failed").await.status, StatusCode::BAD_REQUEST);

    let done = refund("pm_sandbox_refundFailsLater").await;
    assert_eq!(done.text("/status"), "succeeded");
    let failed = settle(done.text("/id"), "failed").await;
    assert_eq!(failed.text("/failure_reason"), "expired_or_canceled_card");
    let charge = server.get(&format!("/v1/charges/{}", done.text("/charge"))).await;
    assert_eq!((&charge["refunded"], &charge["amount_refunded"]), (&json!(false), &json!(0)));
    let count = server.get("/sandbox/charges").await;
    assert_eq!((&count["refunds"], &count["refunded"]), (&json!(1), &json!(144_000)));
    assert_eq!(server.get("/v1/events?type=refund.failed").await["data"].as_array().unwrap().len(), 1);
}
