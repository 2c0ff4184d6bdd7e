//! A stored message, taken apart for reading: headers decoded, parts as text.

use mail_parser::{Message, MessageParser, MimeHeaders};
use serde_json::{Value, json};

/// What a person or a test wants of a message.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) subject: String,
    pub(crate) message_id: Option<String>,
    headers: Vec<Value>,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    attachments: Vec<Value>,
}

impl Parts {
    pub(crate) fn add_to(self, whole: &mut Value) {
        whole["headers"] = json!(self.headers);
        whole["text"] = json!(self.text);
        whole["html"] = json!(self.html);
        whole["attachments"] = json!(self.attachments);
    }
}

/// Reads a message; what cannot be read is left out.
pub(crate) fn read(raw: &[u8]) -> Parts {
    let Some(message) = MessageParser::default().parse(raw) else { return Parts::default() };
    Parts {
        subject: message.subject().unwrap_or_default().to_owned(),
        message_id: message.message_id().map(str::to_owned),
        headers: headers(&message),
        // Only real parts: the parser would make a text of an HTML part and the other way round.
        text: body(&message, &message.text_body, "plain"),
        html: body(&message, &message.html_body, "html"),
        attachments: message.attachments().map(attachment).collect(),
    }
}

fn headers(message: &Message<'_>) -> Vec<Value> {
    let parsed = message.headers().iter().zip(message.headers_raw());
    let shown = parsed.map(|(header, (name, raw))| {
        let unfolded =
            || raw.split(['\r', '\n']).map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned();
        let value = header.value().as_text().map_or_else(unfolded, str::to_owned);
        json!({"name": name, "value": value})
    });
    shown.collect()
}

fn body(message: &Message<'_>, parts: &[u32], subtype: &str) -> Option<String> {
    let part = parts.iter().filter_map(|&at| message.part(at)).find(|part| {
        part.content_type().map_or(subtype == "plain", |kind| {
            kind.ctype() == "text" && kind.subtype().is_some_and(|given| given.eq_ignore_ascii_case(subtype))
        })
    })?;
    part.text_contents().map(str::to_owned)
}

fn attachment(part: &mail_parser::MessagePart<'_>) -> Value {
    let kind = part.content_type().map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("*")));
    json!({"name": part.attachment_name(), "content_type": kind, "size": part.contents().len()})
}
