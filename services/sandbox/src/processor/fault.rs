//! The processor's errors, in Stripe's shape.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// A refusal: its HTTP status and its body.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Fault {
    fn of(status: StatusCode, error: Value) -> Self {
        Self { status, body: json!({"error": error}) }
    }

    pub(crate) fn unknown_key() -> Self {
        let error = json!({"type": "invalid_request_error", "message": "Invalid API Key provided"});
        Self::of(StatusCode::UNAUTHORIZED, error)
    }

    /// A parameter that is missing, unknown or wrong.
    pub(crate) fn param(code: &str, param: &str, message: impl Into<String>) -> Self {
        let error =
            json!({"type": "invalid_request_error", "code": code, "param": param, "message": message.into()});
        Self::of(StatusCode::BAD_REQUEST, error)
    }

    pub(crate) fn missing_resource(kind: &str, id: &str) -> Self {
        let message = format!("No such {kind}: '{id}'");
        let error = json!({"type": "invalid_request_error", "code": "resource_missing", "param": "id", "message": message});
        Self::of(StatusCode::NOT_FOUND, error)
    }

    /// The thing is in a state which does not allow this.
    pub(crate) fn state(code: &str, message: impl Into<String>) -> Self {
        let error = json!({"type": "invalid_request_error", "code": code, "message": message.into()});
        Self::of(StatusCode::BAD_REQUEST, error)
    }

    /// The idempotency key was used for something else.
    pub(crate) fn other_content() -> Self {
        let message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
        Self::of(StatusCode::BAD_REQUEST, json!({"type": "idempotency_error", "message": message}))
    }

    pub(crate) fn internal() -> Self {
        let message = "An unknown error occurred; nothing was done.";
        Self::of(StatusCode::INTERNAL_SERVER_ERROR, json!({"type": "api_error", "message": message}))
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
