//! A gRPC status told over HTTP: `application/problem+json` (RFC 9457), with what the status carries for programs and people.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderName, StatusCode};
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::{FieldViolation, StatusExt as _};

use crate::status::rule_and_words;

/// The reason once more, where an answer has no body (HEAD).
const REASON: HeaderName = HeaderName::from_static("docket-reason");

/// Why an HTTP call is not answered.
///
/// The body has `title`, `status`, `detail` (plain words), and where there are some `reason` (a stable word), `facts`,
/// `fields` (`field`, `reason`, `message`) and `way_out`; words are in the language that the status has them in for people.
#[derive(Debug)]
pub struct Problem {
    code: StatusCode,
    status: Box<Status>,
    reason: String,
}

impl<E: Into<Status>> From<E> for Problem {
    fn from(error: E) -> Self {
        let status = error.into();
        let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
        Self { code: http_code(status.code()), status: Box::new(status), reason }
    }
}

impl Problem {
    /// The stable word; empty when there is none.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What gRPC calls it.
    pub fn grpc_code(&self) -> Code {
        self.status.code()
    }

    /// The same, under another number where HTTP or a protocol over it has one of its own.
    #[must_use]
    pub fn numbered(self, code: StatusCode) -> Self {
        Self { code, ..self }
    }

    /// The body.
    fn body(&self) -> Value {
        let details = self.status.get_error_details();
        let mut body = Map::new();
        body.insert("title".into(), json!(self.code.canonical_reason().unwrap_or_default()));
        body.insert("status".into(), json!(self.code.as_u16()));
        let words = details.localized_message().map_or(self.status.message(), |words| &words.message);
        body.insert("detail".into(), json!(words));
        if let Some(info) = details.error_info() {
            body.insert("reason".into(), json!(info.reason));
            if !info.metadata.is_empty() {
                body.insert("facts".into(), json!(info.metadata));
            }
        }
        if let Some(bad) = details.bad_request() {
            let fields = bad.field_violations.iter().map(field);
            body.insert("fields".into(), fields.collect());
        }
        if let Some(link) = details.help().and_then(|help| help.links.first()) {
            body.insert("way_out".into(), json!(link.description));
        }
        Value::Object(body)
    }
}

/// A field that is wrong.
fn field(fault: &FieldViolation) -> Value {
    let (reason, words) = rule_and_words(&fault.description);
    let words = fault.localized_message.as_ref().map_or(words, |words| &words.message);
    json!({"field": fault.field, "reason": reason, "message": words})
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.code, self.body().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(reason) = HeaderValue::from_str(&self.reason)
            && !reason.is_empty()
        {
            headers.insert(REASON, reason);
        }
        let wait = self.status.get_details_retry_info().and_then(|info| info.retry_delay);
        if let Some(wait) = wait {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

/// The number that HTTP has for a gRPC code (`google/rpc/code.proto`).
fn http_code(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Cancelled | Code::Unknown | Code::Internal | Code::DataLoss => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

#[cfg(test)]
mod tests {
    use docket_kernel::Refusal;

    use super::*;
    use crate::ApiError;

    #[test]
    fn a_refusal_keeps_its_reason_fields_facts_and_way_out() {
        let refusal = Refusal::invalid("size", "SIZE_MISSING", "Say how many bytes the file has.")
            .fact("limit", "12")
            .way_out("Look at the file.");
        let problem = Problem::from(ApiError::from(refusal));
        assert_eq!((problem.reason(), problem.grpc_code()), ("SIZE_MISSING", Code::InvalidArgument));
        let body = problem.body();
        assert_eq!((&body["status"], &body["title"]), (&json!(400), &json!("Bad Request")));
        assert_eq!(body["reason"], "SIZE_MISSING");
        assert_eq!(body["facts"]["limit"], "12");
        assert_eq!(body["way_out"], "Look at the file.");
        let fault =
            json!({"field": "size", "reason": "SIZE_MISSING", "message": "Say how many bytes the file has."});
        assert_eq!(body["fields"], json!([fault]));
    }

    #[test]
    fn what_may_be_repeated_says_when_and_another_number_is_told() {
        let response = Problem::from(ApiError::unavailable("the scanner")).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        let refusal = Refusal::state("OFFSET_DIFFERS", "Go on elsewhere.");
        let conflict = Problem::from(ApiError::from(refusal)).numbered(StatusCode::CONFLICT);
        assert_eq!(conflict.body()["status"], 409);
        let response = conflict.into_response();
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(response.headers()["docket-reason"], "OFFSET_DIFFERS");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    }
}
