//! The card processor, as its HTTP API defines it (Stripe's shape: form-encoded requests, JSON answers, idempotency keys).
mod refunds;

pub use refunds::{Going, GoingBack, failed, refund_id};

use crate::domain::payment::{Charge, Dispute, Standing};
use anyhow::{Context, Result};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// How long an answer is waited for; after that the outcome is asked for later.
const PATIENCE: Duration = Duration::from_secs(10);
/// The class of a refusal because the bank asks the card's owner something first.
const ASKS_ITS_OWNER: &str = "authentication_required";

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Money was taken.
    Charged(Charge),
    /// Refused, with the class.
    Declined(String),
    /// Not known yet.
    Pending,
}

/// What came of asking for money.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The processor's reference of it, by which it is looked at from then on.
    pub intent: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// The processor's API.
#[derive(Clone)]
pub struct Processor {
    name: String,
    http: reqwest::Client,
    url: String,
    key: String,
}

impl std::fmt::Debug for Processor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processor").field("name", &self.name).field("url", &self.url).finish_non_exhaustive()
    }
}

impl Processor {
    /// A client for the API at `url` of the processor that is called `name` here, with the secret `key`.
    ///
    /// # Errors
    /// When the TLS roots cannot be loaded.
    pub fn new(name: &str, url: &str, key: &str) -> Result<Self> {
        let http =
            reqwest::Client::builder().timeout(PATIENCE).build().context("a client for the processor")?;
        // There from the start, so that the first one counts.
        for answered in ["yes", "no"] {
            metrics::counter!("docket_processor_calls", "answered" => answered).increment(0);
        }
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { name: name.to_owned(), http, url, key: key.to_owned() })
    }

    /// What it is called here.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks for money. The attempt's id is the idempotency key: asked again while the processor keeps it, it is the same charge.
    /// A request that is refused as wrong says only when it is the `first` one that nothing was charged.
    ///
    /// # Errors
    /// None: what is not known is [`Outcome::Pending`].
    pub async fn charge(
        &self,
        (attempt, payment): (Uuid, Uuid),
        amount_cents: i64,
        method: &str,
        first: bool,
    ) -> Asked {
        let form = [
            ("amount", amount_cents.to_string()),
            ("currency", "usd".to_owned()),
            ("payment_method", method.to_owned()),
            ("confirm", "true".to_owned()),
            // Nobody here can show the card's owner what the bank asks; declined, another card can pay.
            ("error_on_requires_action", "true".to_owned()),
            ("metadata[payment]", payment.to_string()),
            ("metadata[attempt]", attempt.to_string()),
        ];
        match self.post("/v1/payment_intents", Some(attempt), &form).await {
            Ok((status, body)) => {
                let said = body["id"].as_str().or(body["error"]["payment_intent"]["id"].as_str());
                let outcome = match self.intent_outcome(status, &body, first) {
                    Outcome::Charged(charge) => Outcome::Charged(self.with_card(charge).await),
                    other @ (Outcome::Declined(_) | Outcome::Pending) => other,
                };
                Asked { intent: said.map(str::to_owned), outcome }
            }
            Err(error) => {
                tracing::warn!(%attempt, error = %error.without_url(), "the processor did not answer; its outcome is asked for later");
                Asked { intent: None, outcome: Outcome::Pending }
            }
        }
    }

    /// How an intent stands now: the answer under an idempotency key stays the first one, though the bank answers later. One that
    /// waits for an act of the card's owner, which nobody can ask for here, is cancelled.
    pub async fn standing(&self, intent: &str) -> Outcome {
        let path = format!("/v1/payment_intents/{intent}");
        let Ok(body) = self.get(&path, &[]).await else { return Outcome::Pending };
        match body["status"].as_str() {
            Some("succeeded") => match self.charge_of(&body) {
                Some(charge) => Outcome::Charged(self.with_card(charge).await),
                None => Outcome::Pending,
            },
            Some("requires_payment_method" | "canceled") => {
                Outcome::Declined(decline_code(&body["last_payment_error"]))
            }
            Some("requires_action" | "requires_confirmation" | "requires_capture") => {
                match self.post(&format!("{path}/cancel"), None, &[]).await {
                    Ok((_, answer)) if answer["status"] == "canceled" => {
                        Outcome::Declined(ASKS_ITS_OWNER.to_owned())
                    }
                    _ => Outcome::Pending,
                }
            }
            _ => Outcome::Pending,
        }
    }

    /// What an attempt asked for, by what we told the processor of it; as quickly found as the processor writes its index.
    ///
    /// # Errors
    /// When the processor does not answer.
    pub async fn find(&self, attempt: Uuid) -> Result<Option<String>> {
        let query = [("query", format!("metadata['attempt']:'{attempt}'"))];
        let body = self.get("/v1/payment_intents/search", &query).await?;
        Ok(of_attempt(listed(&body)?, attempt))
    }

    /// The same by its whole list since a second of the epoch, which has all that it ever took.
    ///
    /// # Errors
    /// When the processor does not answer.
    pub async fn find_since(&self, attempt: Uuid, since_s: i64) -> Result<Option<String>> {
        let mut pages = self.intents(since_s);
        while let Some(intents) = pages.next().await? {
            if let Some(intent) = of_attempt(&intents, attempt) {
                return Ok(Some(intent));
            }
        }
        Ok(None)
    }

    /// What was asked for since a second of the epoch.
    pub fn intents(&self, since_s: i64) -> Pages<'_> {
        self.pages("/v1/payment_intents", since_s)
    }

    /// Whether all that was charged for an intent went back: what the processor took the order for only, or what came back to it, is
    /// there still.
    ///
    /// # Errors
    /// When the processor does not answer.
    pub async fn all_went_back(&self, intent: &str) -> Result<bool> {
        let paid = self.charged_for(intent).await?;
        let charged_cents = paid.iter().filter_map(|charge| charge["amount_captured"].as_i64()).sum::<i64>();
        Ok(charged_cents > 0 && self.refunded_cents(intent).await? >= charged_cents)
    }

    /// The charge with brand and last digits, for the receipt; without them when the processor does not say.
    pub async fn with_card(&self, charge: Charge) -> Charge {
        let paid = self.charged_for(&charge.reference).await.unwrap_or_default();
        let text = |name: &str| {
            let first = paid.first().map(|found| &found["payment_method_details"]["card"][name]);
            first.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        Charge { card_brand: text("brand"), card_last4: text("last4"), ..charge }
    }

    /// What was charged for an intent.
    async fn charged_for(&self, intent: &str) -> Result<Vec<Value>> {
        let body = self.get("/v1/charges", &[("payment_intent", intent.to_owned())]).await?;
        Ok(listed(&body)?.iter().filter(|charge| charge["status"] == "succeeded").cloned().collect())
    }

    /// A dispute as it stands now; none where it is a question only and no money is held.
    ///
    /// # Errors
    /// When the processor does not answer, or knows none.
    pub async fn dispute(&self, id: &str) -> Result<Option<Dispute>> {
        let body = self.get(&format!("/v1/disputes/{id}"), &[]).await?;
        let status = body["status"].as_str().unwrap_or_default();
        if status.starts_with("warning_") || status == "prevented" {
            return Ok(None);
        }
        self.dispute_of(&body).map(Some).context("the processor's dispute is not in the shape expected")
    }

    /// Disputes since a second of the epoch.
    pub fn disputes(&self, since_s: i64) -> Pages<'_> {
        self.pages("/v1/disputes", since_s)
    }

    /// Which payment of ours an intent was for, as we told the processor.
    ///
    /// # Errors
    /// When the processor does not answer.
    pub async fn payment_of(&self, intent: &str) -> Result<Option<Uuid>> {
        let body = self.get(&format!("/v1/payment_intents/{intent}"), &[]).await?;
        Ok(named(&body, "payment"))
    }

    fn pages(&self, path: &'static str, since_s: i64) -> Pages<'_> {
        Pages { processor: self, path, since_s, after: None, over: false }
    }

    async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value> {
        let asked = self.http.get(format!("{}{path}", self.url)).query(query);
        let answer = self.send(asked).await.map_err(reqwest::Error::without_url)?;
        let answer = answer.error_for_status().map_err(reqwest::Error::without_url)?;
        Ok(answer.json().await.map_err(reqwest::Error::without_url)?)
    }

    async fn post(
        &self,
        path: &str,
        key: Option<Uuid>,
        form: &[(&str, String)],
    ) -> Result<(StatusCode, Value), reqwest::Error> {
        let mut request = self.http.post(format!("{}{path}", self.url));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key.to_string());
        }
        let answer = self.send(request.form(form)).await?;
        let status = answer.status();
        Ok((status, answer.json().await.unwrap_or(Value::Null)))
    }

    /// Asks with our key, and counts whether we were answered: a fault of its own, or a key that it does not take, is no
    /// answer to anybody who pays.
    async fn send(&self, request: RequestBuilder) -> Result<Response, reqwest::Error> {
        let answer = request.bearer_auth(&self.key).send().await;
        let kept_out = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
        let answered = answer
            .as_ref()
            .is_ok_and(|answer| !answer.status().is_server_error() && !kept_out.contains(&answer.status()));
        let word = if answered { "yes" } else { "no" };
        metrics::counter!("docket_processor_calls", "answered" => word).increment(1);
        answer
    }

    /// The charge of a succeeded intent; what the card is called is asked for apart.
    pub fn charge_of(&self, intent: &Value) -> Option<Charge> {
        Some(Charge {
            reference: intent["id"].as_str()?.to_owned(),
            processor: self.name.clone(),
            amount_cents: intent["amount_received"].as_i64()?,
            card_brand: String::new(),
            card_last4: String::new(),
        })
    }

    /// A dispute from its object. What is neither won nor lost is open.
    fn dispute_of(&self, body: &Value) -> Option<Dispute> {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let standing = match body["status"].as_str()? {
            "lost" => Standing::Lost,
            "won" => Standing::Won,
            _ => Standing::Open,
        };
        Some(Dispute {
            id: text("id")?,
            charge: text("payment_intent")?,
            processor: self.name.clone(),
            amount_cents: body["amount"].as_i64()?,
            reason: text("reason").unwrap_or_default(),
            standing,
        })
    }

    fn intent_outcome(&self, status: StatusCode, body: &Value, first: bool) -> Outcome {
        let error = &body["error"];
        match status {
            StatusCode::PAYMENT_REQUIRED => Outcome::Declined(decline_code(error)),
            // The request itself was wrong, an unknown method for example: so nothing was charged, unless an earlier one was taken. A
            // method that may be used once is unknown afterwards.
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND
                if first && error["type"] == "invalid_request_error" =>
            {
                Outcome::Declined(error["code"].as_str().unwrap_or("invalid_request").to_owned())
            }
            _ if status.is_success() && body["status"] == "succeeded" => {
                self.charge_of(body).map_or(Outcome::Pending, Outcome::Charged)
            }
            // Anything else, a key that is not accepted among it, says nothing about an earlier call with the same key.
            _ => Outcome::Pending,
        }
    }
}

/// A list, newest first, as the processor shows it, page by page.
#[derive(Debug)]
pub struct Pages<'a> {
    processor: &'a Processor,
    path: &'static str,
    since_s: i64,
    after: Option<String>,
    over: bool,
}

impl Pages<'_> {
    /// What the next page holds; none after the last one.
    ///
    /// # Errors
    /// When the processor does not answer.
    pub async fn next(&mut self) -> Result<Option<Vec<Value>>> {
        if self.over {
            return Ok(None);
        }
        let body = self.processor.get(self.path, &since(self.since_s, self.after.as_deref())).await?;
        let objects = listed(&body)?.clone();
        let last = objects.last().filter(|_| body["has_more"] == true);
        self.after = last.and_then(|last| last["id"].as_str()).map(str::to_owned);
        self.over = self.after.is_none();
        Ok(Some(objects))
    }
}

/// An id of ours by which the processor was told of an object.
pub fn named(object: &Value, what: &str) -> Option<Uuid> {
    object["metadata"][what].as_str().and_then(|text| Uuid::try_parse(text).ok())
}

/// The query for a page of a list.
fn since(since_s: i64, after: Option<&str>) -> Vec<(&'static str, String)> {
    let mut query = vec![("limit", "100".to_owned()), ("created[gte]", since_s.to_string())];
    query.extend(after.map(|id| ("starting_after", id.to_owned())));
    query
}

/// What a list holds.
fn listed(body: &Value) -> Result<&Vec<Value>> {
    body["data"].as_array().context("the processor's list is not in the shape expected")
}

/// What of a list an attempt asked for; before all, what was charged.
fn of_attempt(intents: &[Value], attempt: Uuid) -> Option<String> {
    let attempt = attempt.to_string();
    let own = intents.iter().filter(|intent| intent["metadata"]["attempt"] == attempt.as_str());
    let found = own.max_by_key(|intent| intent["status"] == "succeeded")?;
    found["id"].as_str().map(str::to_owned)
}

/// The class of a refusal, the finer one where there is one.
pub fn decline_code(error: &Value) -> String {
    error["decline_code"].as_str().or(error["code"].as_str()).unwrap_or("generic_decline").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_can_never_have_charged_is_a_refusal() {
        let wrong = json!({"error": {"type": "invalid_request_error", "code": "resource_missing"}});
        let reused = json!({"error": {"type": "idempotency_error"}});
        let card =
            json!({"error": {"type": "card_error", "code": "card_declined", "decline_code": "lost_card"}});
        let declined = |code: &str| Outcome::Declined(code.to_owned());
        let processor = Processor::new("card", "http://processor.example", "").unwrap();
        let intent_outcome = |status, body: &Value, first| processor.intent_outcome(status, body, first);
        assert_eq!(intent_outcome(StatusCode::PAYMENT_REQUIRED, &card, false), declined("lost_card"));
        assert_eq!(intent_outcome(StatusCode::BAD_REQUEST, &wrong, true), declined("resource_missing"));
        assert_eq!(intent_outcome(StatusCode::BAD_REQUEST, &wrong, false), Outcome::Pending, "asked before");
        for (status, body) in [
            (StatusCode::BAD_REQUEST, &reused),
            (StatusCode::UNAUTHORIZED, &wrong),
            (StatusCode::FORBIDDEN, &wrong),
            (StatusCode::CONFLICT, &reused),
            (StatusCode::TOO_MANY_REQUESTS, &wrong),
            (StatusCode::NOT_FOUND, &Value::Null),
            (StatusCode::BAD_GATEWAY, &Value::Null),
        ] {
            assert_eq!(intent_outcome(status, body, true), Outcome::Pending, "{status}");
        }
    }
}
