//! The SMS carrier, Twilio-shaped: stores texts instead of sending them.

use axum::{
    Json, Router,
    extract::{ConnectInfo, Form, Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Shared,
    cut::Cut,
    ids,
    parties::{self, Party},
    store::Record,
};

/// A text handed over to the carrier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Text {
    pub(crate) sid: String,
    account_sid: String,
    to: String,
    from: String,
    body: String,
    status: String,
    direction: String,
    num_segments: String,
    date_created: String,
    error_code: Option<u32>,
    error_message: Option<String>,
    uri: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outgoing {
    to: String,
    from: Option<String>,
    messaging_service_sid: Option<String>,
    body: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    #[serde(alias = "To")]
    to: Option<String>,
    #[serde(alias = "From")]
    from: Option<String>,
    /// Civil date (UTC), ISO 8601; its name is `DateSent>`.
    #[serde(rename = "DateSent>")]
    since: Option<String>,
    #[serde(rename = "PageSize")]
    page_size: Option<usize>,
    #[serde(rename = "Page")]
    page: Option<usize>,
}

/// What somebody answers.
#[derive(Debug, Deserialize)]
struct Reply {
    from: String,
    /// The number that is answered; that of the last text to `from` where it is not said.
    to: Option<String>,
    body: String,
}

/// What became of a text.
#[derive(Debug, Deserialize)]
struct Outcome {
    status: String,
    error_code: Option<u32>,
}

pub(crate) fn router(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route("/2010-04-01/Accounts/{sid}/Messages.json", get(list).post(send))
        .route("/2010-04-01/Accounts/{sid}/Messages/{message}", get(show))
        .route("/sms/messages", get(view).merge(post(send_unsigned)))
        .route("/sandbox/texts/reply", post(reply))
        .route("/sandbox/texts/{sid}/settle", post(settle))
        .layer(middleware::from_fn_with_state((shared.clone(), Party::Sms), parties::gate))
}

async fn send(
    State(shared): State<Shared>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Path(account): Path<String>,
    headers: HeaderMap,
    Form(outgoing): Form<Outgoing>,
) -> Response {
    if !signed_in(&headers, &account) {
        return refusal(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    }
    accept(&shared, &cut, account, outgoing).await
}

async fn send_unsigned(
    State(shared): State<Shared>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    Form(outgoing): Form<Outgoing>,
) -> Response {
    accept(&shared, &cut, "ACsandbox".to_owned(), outgoing).await
}

async fn accept(shared: &Shared, cut: &Cut, account: String, outgoing: Outgoing) -> Response {
    if let Some((code, message)) = fault(&outgoing) {
        return refusal(StatusCode::BAD_REQUEST, code, message);
    }
    let lost = outgoing.to == "+15005550099" || outgoing.to.ends_with("5550198");
    let text = queued(shared, account, outgoing);
    // The answer says that it is queued; whoever asks later hears what became of it.
    let mut later = text.clone();
    later.settle(if text.to.ends_with("5550197") {
        ("undelivered", Some(30_003))
    } else {
        ("delivered", None)
    });
    shared.store.write(|tx| tx.put(Record::Text(later))).await;
    if lost { cut.now() } else { (StatusCode::CREATED, Json(text)).into_response() }
}

impl Text {
    /// The civil date (UTC) on which it came.
    fn created_on(&self) -> Option<jiff::civil::Date> {
        let at = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S %z", &self.date_created).ok()?;
        at.to_date().ok()
    }

    fn settle(&mut self, (status, error_code): (&str, Option<u32>)) {
        status.clone_into(&mut self.status);
        self.error_code = error_code;
        self.error_message = error_code.map(|_| "Unreachable destination handset".to_owned());
    }
}

/// Somebody answers one of our texts.
async fn reply(State(shared): State<Shared>, Json(reply): Json<Reply>) -> Response {
    let text = shared.store.write(|tx| {
        let answered = tx.state.texts.values().rev().find(|text| text.to == reply.from);
        let to = reply.to.clone().or(answered.map(|text| text.from.clone()))?;
        let account = answered.map_or_else(|| "ACsandbox".to_owned(), |text| text.account_sid.clone());
        let outgoing = Outgoing {
            to,
            from: Some(reply.from.clone()),
            messaging_service_sid: None,
            body: reply.body.clone(),
        };
        let mut text = queued(&shared, account, outgoing);
        "inbound".clone_into(&mut text.direction);
        "received".clone_into(&mut text.status);
        tx.put(Record::Text(text.clone()));
        Some(text)
    });
    match text.await {
        Some(text) => (StatusCode::CREATED, Json(text)).into_response(),
        None => refusal(
            StatusCode::BAD_REQUEST,
            21_604,
            "Nothing was sent to that number: say to whom it answers",
        ),
    }
}

/// What became of a text, as of now.
async fn settle(
    State(shared): State<Shared>,
    Path(sid): Path<String>,
    Json(outcome): Json<Outcome>,
) -> Response {
    let text = shared.store.write(|tx| {
        let mut text = tx.state.texts.get(&sid).cloned()?;
        text.settle((&outcome.status, outcome.error_code));
        tx.put(Record::Text(text.clone()));
        Some(text)
    });
    match text.await {
        Some(text) => Json(text).into_response(),
        None => refusal(StatusCode::NOT_FOUND, 20404, "The requested resource was not found"),
    }
}

/// The carrier's error code and words for what it does not send, by the numbers reserved for tests too.
fn fault(outgoing: &Outgoing) -> Option<(u32, &'static str)> {
    const INVALID: (u32, &str) = (21211, "The 'To' number is not a valid phone number");
    let digits = outgoing.to.strip_prefix('+').unwrap_or_default();
    if digits.len() < 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(INVALID);
    }
    if outgoing.from.is_none() && outgoing.messaging_service_sid.is_none() {
        return Some((21603, "A 'From' phone number is required"));
    }
    if outgoing.body.is_empty() {
        return Some((21602, "Message body is required"));
    }
    match outgoing.to.as_str() {
        "+15005550001" => Some(INVALID),
        "+15005550004" => Some((21610, "Attempt to send to unsubscribed recipient")),
        "+15005550009" => Some((21614, "'To' number is not a valid mobile number")),
        to if to.ends_with("5550195") => Some((21610, "Attempt to send to unsubscribed recipient")),
        to if to.ends_with("5550196") => Some((21614, "'To' number is not a valid mobile number")),
        _ => None,
    }
}

fn queued(shared: &Shared, account: String, outgoing: Outgoing) -> Text {
    let sid = ids::text_message();
    Text {
        uri: format!("/2010-04-01/Accounts/{account}/Messages/{sid}.json"),
        num_segments: segments(&outgoing.body).to_string(),
        sid,
        account_sid: account,
        to: outgoing.to,
        from: outgoing.from.or(outgoing.messaging_service_sid).unwrap_or_default(),
        body: outgoing.body,
        status: "queued".to_owned(),
        direction: "outbound-api".to_owned(),
        date_created: shared.clock.now().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
        error_code: None,
        error_message: None,
    }
}

/// 160 letters fit one text of plain letters, 70 one with others; longer ones lose room to their header.
fn segments(body: &str) -> usize {
    let (single, several) = if body.is_ascii() { (160, 153) } else { (70, 67) };
    let length = body.encode_utf16().count();
    if length <= single { 1 } else { length.div_ceil(several) }
}

async fn list(
    State(shared): State<Shared>,
    Path(account): Path<String>,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Response {
    if !signed_in(&headers, &account) {
        return refusal(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    }
    let mut texts = texts(&shared, &filter).await;
    texts.retain(|text| text.account_sid == account);
    texts.reverse();
    let (page, size) = (filter.page.unwrap_or_default(), filter.page_size.unwrap_or(50).clamp(1, 1000));
    let further = texts.len() > (page + 1) * size;
    let texts: Vec<Text> = texts.into_iter().skip(page * size).take(size).collect();
    let next = further.then(|| filter.next_page(&account, page + 1, size));
    Json(json!({"messages": texts, "page": page, "page_size": size, "next_page_uri": next})).into_response()
}

impl Filter {
    /// The address of another page of the same list.
    fn next_page(&self, account: &str, page: usize, size: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("To", &self.to), ("From", &self.from), ("DateSent>", &self.since)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.append_pair("PageSize", &size.to_string()).append_pair("Page", &page.to_string());
        format!("/2010-04-01/Accounts/{account}/Messages.json?{}", query.finish())
    }
}

async fn show(
    State(shared): State<Shared>,
    Path((account, message)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if !signed_in(&headers, &account) {
        return refusal(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    }
    let sid = message.trim_end_matches(".json");
    match shared.store.read(|state| state.texts.get(sid).cloned()).await {
        Some(text) if text.account_sid == account => Json(text).into_response(),
        _ => refusal(StatusCode::NOT_FOUND, 20404, "The requested resource was not found"),
    }
}

async fn view(State(shared): State<Shared>, Query(filter): Query<Filter>) -> Json<Value> {
    Json(json!({"messages": texts(&shared, &filter).await}))
}

async fn texts(shared: &Shared, filter: &Filter) -> Vec<Text> {
    let since = filter.since.as_deref().and_then(|date| date.parse::<jiff::civil::Date>().ok());
    let fits = |text: &&Text| {
        filter.to.as_ref().is_none_or(|to| *to == text.to)
            && filter.from.as_ref().is_none_or(|from| *from == text.from)
            && since.is_none_or(|since| text.created_on().is_none_or(|date| date >= since))
    };
    shared.store.read(|state| state.texts.values().filter(fits).cloned().collect()).await
}

/// Basic auth whose name is the account; any token will do.
fn signed_in(headers: &HeaderMap, account: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let decoded =
        given.and_then(|value| value.strip_prefix("Basic ")).and_then(|value| STANDARD.decode(value).ok());
    decoded.and_then(|bytes| String::from_utf8(bytes).ok()).is_some_and(|pair| {
        pair.split_once(':').is_some_and(|(name, token)| name == account && !token.is_empty())
    })
}

fn refusal(status: StatusCode, code: u32, message: &str) -> Response {
    let more_info = format!("https://www.twilio.com/docs/errors/{code}");
    let body = json!({"code": code, "message": message, "more_info": more_info, "status": status.as_u16()});
    (status, Json(body)).into_response()
}
