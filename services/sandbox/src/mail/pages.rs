//! Two plain pages to look at the caught mail.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use crate::Shared;

use super::{StoredMail, find, message};

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Caught mail</title>\
<meta name=\"viewport\" content=\"width=device-width\"><style>body{font:16px/1.5 sans-serif;margin:2rem;max-width:60rem}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #ccc}\
pre{white-space:pre-wrap;background:#f4f4f4;padding:1rem}</style>";

pub(crate) async fn list(State(shared): State<Shared>) -> Html<String> {
    let rows: String =
        shared.store.read(|state| state.mails.values().rev().take(500).map(row).collect()).await;
    Html(format!(
        "{HEAD}<h1>Caught mail</h1><p>Nothing here was sent to anyone. Newest first.</p>\
         <table><tr><th>Received<th>To<th>Subject</tr>{rows}</table>"
    ))
}

fn row(mail: &StoredMail) -> String {
    let (id, subject) = (&mail.id, escaped(&mail.subject));
    let title = if subject.is_empty() { "(no subject)" } else { &subject };
    let to = escaped(&mail.rcpt_to.join(", "));
    format!("<tr><td>{}<td>{to}<td><a href=\"/mail/view/{id}\">{title}</a></tr>", mail.received_at)
}

pub(crate) async fn show(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    let Some(mail) = find(&shared, &id).await else { return StatusCode::NOT_FOUND.into_response() };
    let parts = message::read(&mail.raw);
    let text = parts.text.or(parts.html).unwrap_or_default();
    let page = format!(
        "{HEAD}<p><a href=\"/mail\">All mail</a></p><h1>{}</h1><p>From {}<br>To {}<br>{}{}</p><pre>{}</pre>\
         <p><a href=\"/mail/messages/{id}/raw\">As it came</a></p>",
        escaped(&mail.subject),
        escaped(&mail.mail_from),
        escaped(&mail.rcpt_to.join(", ")),
        mail.received_at,
        if mail.tls { ", over TLS" } else { "" },
        escaped(&text),
        id = mail.id,
    );
    Html(page).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
