//! The card processor: Stripe's routes, shapes, idempotency and webhooks, with faults on demand.

pub(crate) mod bank;
mod controls;
mod fault;
mod form;
pub(crate) mod idempotency;
mod intents;
mod lists;
mod methods;
pub(crate) mod objects;
mod payment;
mod refunds;
pub(crate) mod webhook;

use axum::{
    Router,
    extract::{Request, State},
    http::header,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use crate::{
    Shared,
    parties::{self, Party},
};
use fault::Fault;

pub(crate) fn router(shared: &Shared) -> Router<Shared> {
    api(shared).merge(controls::router())
}

fn api(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route("/v1/payment_intents", get(lists::intents).post(intents::create))
        .route("/v1/payment_intents/search", get(lists::search))
        .route("/v1/payment_intents/{id}", get(lists::intent))
        .route("/v1/payment_intents/{id}/confirm", post(intents::confirm))
        .route("/v1/payment_intents/{id}/cancel", post(intents::cancel))
        .route("/v1/charges", get(lists::charges))
        .route("/v1/charges/{id}", get(lists::charge))
        .route("/v1/refunds", get(lists::refunds).post(refunds::create))
        .route("/v1/refunds/{id}", get(lists::refund))
        .route("/v1/disputes", get(lists::disputes))
        .route("/v1/disputes/{id}", get(lists::dispute))
        .route("/v1/events", get(lists::events))
        .route("/v1/events/{id}", get(lists::event))
        .layer(middleware::from_fn_with_state(shared.clone(), known_key))
        .layer(middleware::from_fn_with_state((shared.clone(), Party::Processor), parties::gate))
}

/// Lets a request through whose secret key is ours.
async fn known_key(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let known = match &shared.config.processor.api_key {
        Some(expected) => key == expected,
        None => key.starts_with("sk_test_"),
    };
    if known { next.run(request).await } else { Fault::unknown_key().into_response() }
}
