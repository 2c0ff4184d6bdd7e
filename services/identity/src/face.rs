//! The HTTP face: public keys and what a relying party must know of the issuer.

use std::net::SocketAddr;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::keys::KeyRing;
use crate::token::ISSUER;

/// `GET /.well-known/jwks.json` (RFC 7517) and `/.well-known/openid-configuration` (issuer data only).
pub(crate) fn router(keys: KeyRing, listen: Option<SocketAddr>) -> Router {
    let host = listen.map(|address| format!("https://{address}")).unwrap_or_default();
    let configuration = json!({
        "issuer": ISSUER,
        "jwks_uri": format!("{host}/.well-known/jwks.json"),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "acr_values_supported": ["aal2", "stepup"],
        "claims_supported": ["sub", "sid", "acr", "auth_time", "iss", "aud", "iat", "exp"],
    });
    Router::new()
        .route("/.well-known/jwks.json", get(async move || -> Json<Value> { Json(keys.jwks()) }))
        .route("/.well-known/openid-configuration", get(async move || -> Json<Value> { Json(configuration) }))
}
