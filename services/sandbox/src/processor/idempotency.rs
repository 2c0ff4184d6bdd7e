//! Changing requests: one idempotency key, one effect, one answer, kept for a day.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    Json,
    body::Bytes,
    extract::{ConnectInfo, FromRequest, FromRequestParts, Request},
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Shared,
    cut::Cut,
    ids,
    store::{Change, Record},
};

use super::{
    fault::Fault,
    form::Params,
    methods::{Method, Quirk},
    objects::Cause,
};

/// How long an answer waits for its webhook at most.
const WEBHOOK_FIRST_LIMIT: Duration = Duration::from_secs(20);

/// The answer to the first request with a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeptAnswer {
    pub(crate) key: String,
    /// SHA-256 of route and parameters, hexadecimal.
    content: String,
    status: u16,
    body: Value,
    /// Cut however often it is asked for.
    never_told: bool,
    /// When it was given, Unix seconds; those without it are kept.
    #[serde(default)]
    kept_at: Option<i64>,
}

/// A changing request, taken apart.
pub(crate) struct Changing {
    path: String,
    key: Option<String>,
    cut: Cut,
    pub(crate) params: Params,
}

/// What was done, and how its answer is to go wrong.
pub(crate) struct Done {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    pub(crate) quirk: Quirk,
    /// An event to deliver before answering.
    pub(crate) await_delivery: Option<String>,
}

impl Done {
    pub(crate) fn ok(object: &impl Serialize, quirk: Quirk) -> Self {
        Self { status: StatusCode::OK, body: json!(object), quirk, await_delivery: None }
    }
}

/// Why nothing was done.
pub(crate) enum Undone {
    Refused(Fault),
    /// The connection breaks before the request is looked at.
    Cut,
}

impl From<Fault> for Undone {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

enum Outcome {
    Fresh(Done),
    Repeated(KeptAnswer),
    Undone(Undone),
}

impl FromRequest<Shared> for Changing {
    type Rejection = Response;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let ConnectInfo(cut) = ConnectInfo::<Cut>::from_request_parts(&mut parts, shared)
            .await
            .map_err(IntoResponse::into_response)?;
        let path = parts.uri.path().to_owned();
        let key =
            parts.headers.get("idempotency-key").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = Bytes::from_request(Request::from_parts(parts, body), shared)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self { path, key, cut, params: Params::parse(&body) })
    }
}

impl Changing {
    /// Spends the faults that come before anything is done; a retry with the same key passes.
    pub(crate) fn before(&self, tx: &mut Change<'_>, method: &Method) -> Result<(), Undone> {
        let fault = format!("{}:{}", method.name, self.key.as_deref().unwrap_or("-"));
        match method.quirk {
            Quirk::CutBefore if tx.spend(fault.clone()) => Err(Undone::Cut),
            Quirk::ErrorOnce if tx.spend(fault) => Err(Undone::Refused(Fault::internal())),
            Quirk::None
            | Quirk::CutAfter
            | Quirk::CutAlways
            | Quirk::CutBefore
            | Quirk::ErrorOnce
            | Quirk::Slow
            | Quirk::WebhookFirst => Ok(()),
        }
    }

    /// Does `act` once per key and answers; the answer is kept with the effect, in one step.
    pub(crate) async fn perform(
        self,
        shared: &Shared,
        act: impl FnOnce(&mut Change<'_>, &Cause, &Self) -> Result<Done, Undone>,
    ) -> Response {
        let cause = Cause { now: shared.clock.now().as_second(), idempotency_key: self.key.clone() };
        let keys_s = i64::try_from(shared.config.processor.idempotency_keys_s).unwrap_or(i64::MAX);
        let oldest = cause.now.saturating_sub(keys_s);
        let outcome = shared
            .store
            .write(|tx| match self.kept(tx, oldest) {
                Some(Ok(kept)) => Outcome::Repeated(kept),
                Some(Err(fault)) => Outcome::Undone(fault.into()),
                None => match act(tx, &cause, &self) {
                    Ok(done) => {
                        self.keep(tx, &done, cause.now);
                        Outcome::Fresh(done)
                    }
                    Err(undone) => Outcome::Undone(undone),
                },
            })
            .await;
        let mut response = match outcome {
            Outcome::Undone(Undone::Cut) => return self.cut.now(),
            Outcome::Undone(Undone::Refused(fault)) => fault.into_response(),
            Outcome::Repeated(kept) if kept.never_told => return self.cut.now(),
            Outcome::Repeated(kept) => repeated(kept),
            Outcome::Fresh(done) => self.told(shared, done).await,
        };
        if let Ok(id) = HeaderValue::from_str(&ids::random("req")) {
            response.headers_mut().insert("request-id", id);
        }
        response
    }

    /// The first answer to a new effect, with whatever is to happen to it.
    async fn told(&self, shared: &Shared, done: Done) -> Response {
        match done.quirk {
            Quirk::CutAfter | Quirk::CutAlways => return self.cut.now(),
            Quirk::Slow => {
                tokio::time::sleep(Duration::from_secs(shared.config.processor.slow_seconds)).await;
            }
            Quirk::None | Quirk::CutBefore | Quirk::ErrorOnce | Quirk::WebhookFirst => {}
        }
        if let Some(event) = done.await_delivery {
            let arrived = shared.store.wait_for(WEBHOOK_FIRST_LIMIT, |state| {
                state.deliveries.get(&format!("{event}#1")).filter(|delivery| delivery.delivered).map(|_| ())
            });
            if arrived.await.is_none() {
                tracing::warn!("a webhook that was to come first did not arrive in time");
            }
        }
        (done.status, Json(done.body)).into_response()
    }

    /// The answer under the key; one that was given at the `oldest` instant or before is forgotten.
    fn kept(&self, tx: &Change<'_>, oldest: i64) -> Option<Result<KeptAnswer, Fault>> {
        let kept = tx.state.answers.get(self.key.as_ref()?)?;
        if kept.kept_at.is_some_and(|at| at <= oldest) {
            return None;
        }
        Some(if kept.content == self.content() { Ok(kept.clone()) } else { Err(Fault::other_content()) })
    }

    fn keep(&self, tx: &mut Change<'_>, done: &Done, now: i64) {
        let Some(key) = &self.key else { return };
        tx.put(Record::Answer(KeptAnswer {
            key: key.clone(),
            content: self.content(),
            status: done.status.as_u16(),
            body: done.body.clone(),
            never_told: done.quirk == Quirk::CutAlways,
            kept_at: Some(now),
        }));
    }

    fn content(&self) -> String {
        hex::encode(digest(&SHA256, format!("{}\n{}", self.path, self.params.canonical()).as_bytes()))
    }
}

fn repeated(kept: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    (status, [("idempotent-replayed", "true")], Json(kept.body)).into_response()
}
