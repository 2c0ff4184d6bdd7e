//! The processor as it sees itself: what it charged and gave back, and how it misbehaves.

use docket_sandbox::Sandbox;
use reqwest::{Client, Response};
use serde_json::{Value, json};

/// What signs the webhooks.
pub(crate) const SECRET: &str = "whsec_of_the_tests";
/// The same of another processor.
pub(crate) const OTHER_SECRET: &str = "whsec_of_another_one";
/// What opens the processor's API.
pub(crate) const API_KEY: &str = "sk_test_payments";

/// The processor.
pub(crate) struct FarSide {
    sandbox: Sandbox,
    http: Client,
    secret: &'static str,
}

/// What was counted for one payment. Amounts in cents.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) charges: u64,
    pub(crate) charged: i64,
    pub(crate) refunds: u64,
    pub(crate) refunded: i64,
}

impl FarSide {
    /// A processor that repeats its webhooks quickly.
    pub(crate) async fn start() -> Self {
        Self::signing(SECRET).await
    }

    /// Another one, whose webhooks something else signs.
    pub(crate) async fn start_another() -> Self {
        Self::signing(OTHER_SECRET).await
    }

    async fn signing(secret: &'static str) -> Self {
        let mut config = docket_sandbox::Config::default();
        config.processor.api_key = Some(API_KEY.to_owned());
        config.processor.retry_base_ms = 10;
        config.processor.retry_max_ms = 50;
        config.processor.slow_seconds = 1;
        let http = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { sandbox: Sandbox::start(config).await.unwrap(), http, secret }
    }

    /// Its API.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.sandbox.ports.http)
    }

    /// What it counts for a payment.
    pub(crate) async fn count(&self, payment: &str) -> Count {
        let id = payment.strip_prefix("payments/").unwrap();
        let count = self.get(&format!("/sandbox/charges?payment={id}")).await;
        let number = |name: &str| count[name].as_i64().unwrap();
        Count {
            charges: number("succeeded").unsigned_abs(),
            charged: number("amount"),
            refunds: number("refunds").unsigned_abs(),
            refunded: number("refunded"),
        }
    }

    /// Whether every webhook has arrived that was ever to.
    pub(crate) async fn all_told(&self) -> bool {
        let all = self.get("/sandbox/webhook/deliveries").await;
        all["deliveries"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["delivered"] == true || one["lost"] == true)
    }

    /// Sends webhooks to `url`, trusting only `ca_pem`.
    pub(crate) async fn tell(&self, url: &str, ca_pem: &str) {
        let told = json!({ "url": url, "secret": self.secret, "ca_pem": ca_pem });
        self.put("/sandbox/webhook", &told).await;
    }

    /// `works`, `error` or `hangup`.
    pub(crate) async fn behave(&self, mode: &str) {
        self.put("/sandbox/parties/processor", &json!({ "mode": mode })).await;
    }

    /// The bank answers for the one payment that waits for it.
    pub(crate) async fn bank_says(&self, outcome: &str) {
        let listed = self.http.get(format!("{}/v1/payment_intents?status=processing", self.url()));
        let listed: Value = listed.bearer_auth(API_KEY).send().await.unwrap().json().await.unwrap();
        let id = listed["data"][0]["id"].as_str().unwrap();
        let url = format!("{}/sandbox/payment_intents/{id}/settle", self.url());
        good(self.http.post(url).json(&json!({ "outcome": outcome })).send().await.unwrap());
    }

    /// The charge of a payment is objected to, or its bank takes the debit back; gives the dispute.
    pub(crate) async fn dispute(&self, payment: &str) -> String {
        let id = payment.strip_prefix("payments/").unwrap();
        let url = format!("{}/sandbox/payments/{id}/dispute", self.url());
        let dispute: Value = good(self.http.post(url).send().await.unwrap()).json().await.unwrap();
        dispute["id"].as_str().unwrap().to_owned()
    }

    /// A cardholder's objection ends `won` or `lost`.
    pub(crate) async fn end_dispute(&self, dispute: &str, status: &str) {
        let url = format!("{}/sandbox/disputes/{dispute}/close", self.url());
        good(self.http.post(url).json(&json!({ "status": status })).send().await.unwrap());
    }

    /// Forgets every idempotency key, as it does after a day.
    pub(crate) async fn forget_keys(&self) {
        good(self.http.delete(format!("{}/sandbox/idempotency_keys", self.url())).send().await.unwrap());
    }

    /// How often it was asked for money for a payment, whatever came of it.
    pub(crate) async fn asked(&self, payment: &str) -> usize {
        let id = payment.strip_prefix("payments/").unwrap();
        let all = self.listed("payment_intents").await;
        all.iter().filter(|intent| intent["metadata"]["payment"] == id).count()
    }

    /// Charges a payment though nobody here asked for it, and says nothing; gives the reference.
    pub(crate) async fn charge(&self, payment: &str, attempt: &str, cents: i64) -> String {
        self.charge_by("pm_sandbox_webhookLost", payment, attempt, cents).await
    }

    /// The same with a method, and as that one says it.
    pub(crate) async fn charge_by(&self, method: &str, payment: &str, attempt: &str, cents: i64) -> String {
        let id = payment.strip_prefix("payments/").unwrap();
        let form = [
            ("amount", cents.to_string()),
            ("currency", "usd".to_owned()),
            ("confirm", "true".to_owned()),
            ("payment_method", method.to_owned()),
            ("metadata[payment]", id.to_owned()),
            ("metadata[attempt]", attempt.to_owned()),
        ];
        self.post("payment_intents", &form).await["id"].as_str().unwrap().to_owned()
    }

    /// Finance gives back all that is left of the last charge of a payment, by the processor's own pages; as a refund of ours where
    /// it names one.
    pub(crate) async fn give_back(&self, payment: &str, refund: Option<&str>) {
        let id = payment.strip_prefix("payments/").unwrap();
        let all = self.listed("payment_intents").await;
        let own = |intent: &&Value| intent["metadata"]["payment"] == id && intent["status"] == "succeeded";
        let intent = all.iter().find(own).unwrap()["id"].as_str().unwrap().to_owned();
        let mut form = vec![("payment_intent", intent)];
        form.extend(refund.map(|refund| ("metadata[refund]", refund.to_owned())));
        self.post("refunds", &form).await;
    }

    /// The bank does the last refund, or sends its money back.
    pub(crate) async fn end_refund(&self, outcome: &str) {
        let all = self.listed("refunds").await;
        let id = all[0]["id"].as_str().unwrap();
        let url = format!("{}/sandbox/refunds/{id}/settle", self.url());
        good(self.http.post(url).json(&json!({ "outcome": outcome })).send().await.unwrap());
    }

    /// All there is of a kind, newest first.
    async fn listed(&self, kind: &str) -> Vec<Value> {
        let asked = self.http.get(format!("{}/v1/{kind}?limit=100", self.url())).bearer_auth(API_KEY);
        let all: Value = good(asked.send().await.unwrap()).json().await.unwrap();
        all["data"].as_array().unwrap().clone()
    }

    async fn post(&self, kind: &str, form: &[(&str, String)]) -> Value {
        let asked = self.http.post(format!("{}/v1/{kind}", self.url())).bearer_auth(API_KEY).form(form);
        good(asked.send().await.unwrap()).json().await.unwrap()
    }

    /// Sends every webhook once more, newest first.
    pub(crate) async fn tell_again(&self) {
        let all = self.get("/sandbox/webhook/deliveries").await;
        for delivery in all["deliveries"].as_array().unwrap().iter().rev() {
            let url =
                format!("{}/sandbox/events/{}/deliver", self.url(), delivery["event"].as_str().unwrap());
            good(self.http.post(url).send().await.unwrap());
        }
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.url())).send().await.unwrap();
        good(answer).json().await.unwrap()
    }

    async fn put(&self, path: &str, body: &Value) {
        good(self.http.put(format!("{}{path}", self.url())).json(body).send().await.unwrap());
    }
}

#[track_caller]
fn good(answer: Response) -> Response {
    assert!(answer.status().is_success(), "{}", answer.status());
    answer
}
