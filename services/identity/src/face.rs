//! The HTTP face: public keys and what a relying party must know of the issuer.

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::{Authority, Uri};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::keys::KeyRing;
use crate::token::ISSUER;

/// `GET /.well-known/jwks.json` (RFC 7517) and `/.well-known/openid-configuration` (issuer data only).
pub(crate) fn router(keys: KeyRing) -> Router {
    Router::new()
        .route("/.well-known/jwks.json", get(async move || -> Json<Value> { Json(keys.jwks()) }))
        .route("/.well-known/openid-configuration", get(configuration))
}

/// What is known of the issuer. The keys are where it was asked for: under which names it is reached from outside, it is not told.
async fn configuration(uri: Uri, headers: HeaderMap) -> Json<Value> {
    let mut configuration = json!({
        "issuer": ISSUER,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "acr_values_supported": ["aal2", "stepup"],
        "claims_supported": ["sub", "sid", "acr", "auth_time", "iss", "aud", "iat", "exp"],
    });
    if let Some(host) = asked_at(&uri, &headers) {
        configuration["jwks_uri"] = format!("https://{host}/.well-known/jwks.json").into();
    }
    Json(configuration)
}

/// The host and port that were asked: with HTTP/2 a part of the address, before that a header.
fn asked_at(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let named = || headers.get(HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(named)
}
