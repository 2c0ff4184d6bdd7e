//! The mail relay that keeps the mail: SMTP in, JSON and pages out.

mod message;
mod pages;
mod session;
pub(crate) mod smtp;
pub(crate) mod tls;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::{Shared, store};

/// The longest a reader may wait for a message, in seconds.
const LONGEST_WAIT_SECONDS: u64 = 60;

/// A message as it came.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredMail {
    pub(crate) id: String,
    received_at: Timestamp,
    mail_from: String,
    rcpt_to: Vec<String>,
    subject: String,
    message_id: Option<String>,
    tls: bool,
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    raw: Vec<u8>,
}

impl StoredMail {
    fn summary(&self) -> Value {
        json!({
            "id": self.id,
            "received_at": self.received_at,
            "mail_from": self.mail_from,
            "rcpt_to": self.rcpt_to,
            "subject": self.subject,
            "message_id": self.message_id,
            "tls": self.tls,
            "size": self.raw.len(),
        })
    }
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(serde::de::Error::custom)
}

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/mail", get(pages::list))
        .route("/mail/view/{id}", get(pages::show))
        .route("/mail/messages", get(list))
        .route("/mail/messages/{id}", get(show))
        .route("/mail/messages/{id}/raw", get(raw))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Filter {
    to: Option<String>,
    subject: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
    wait_seconds: u64,
}

impl Filter {
    fn fits(&self, mail: &StoredMail) -> bool {
        let to = |wanted: &String| mail.rcpt_to.iter().any(|to| to.eq_ignore_ascii_case(wanted));
        self.to.as_ref().is_none_or(to)
            && self.subject.as_ref().is_none_or(|wanted| mail.subject.contains(wanted))
    }

    fn found(&self, state: &store::State) -> Vec<Value> {
        let start = self.after.as_ref().and_then(|id| state.mails.get_index_of(id)).map_or(0, |at| at + 1);
        let mails = state.mails.values().skip(start).filter(|mail| self.fits(mail));
        mails.take(self.limit.unwrap_or(usize::MAX)).map(StoredMail::summary).collect()
    }
}

async fn list(State(shared): State<Shared>, Query(filter): Query<Filter>) -> Json<Value> {
    let limit = Duration::from_secs(filter.wait_seconds.min(LONGEST_WAIT_SECONDS));
    let found = if limit.is_zero() {
        shared.store.read(|state| filter.found(state)).await
    } else {
        let some = |state: &store::State| Some(filter.found(state)).filter(|found| !found.is_empty());
        shared.store.wait_for(limit, some).await.unwrap_or_default()
    };
    Json(json!({"messages": found}))
}

async fn show(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    match find(&shared, &id).await {
        Some(mail) => {
            let mut whole = mail.summary();
            message::read(&mail.raw).add_to(&mut whole);
            Json(whole).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn raw(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    match find(&shared, &id).await {
        Some(mail) => ([(header::CONTENT_TYPE, "message/rfc822")], mail.raw).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn find(shared: &Shared, id: &str) -> Option<StoredMail> {
    shared.store.read(|state| state.mails.get(id).cloned()).await
}
