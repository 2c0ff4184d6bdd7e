//! A processor whose list of charges comes in small pages, and slowly: all else is passed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

/// The way to the processor.
#[derive(Clone)]
pub(crate) struct SlowList {
    url: String,
    far: String,
    http: reqwest::Client,
    holds: watch::Sender<bool>,
    asked: Arc<AtomicUsize>,
    waiting: Arc<AtomicUsize>,
}

impl SlowList {
    /// In front of a processor; at first it holds nothing up.
    pub(crate) async fn before(far: String) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let (holds, asked, waiting) = (watch::Sender::new(false), Arc::default(), Arc::default());
        let this = Self { url, far, http, holds, asked, waiting };
        let router = Router::new().fallback(pass).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// From here on pages of the list wait, or do not.
    pub(crate) fn hold(&self, holds: bool) {
        self.holds.send_replace(holds);
    }

    /// How many pages were asked for so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// How many pages are waited for.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }
}

/// Ends with whoever waits, also where they gave it up.
struct Waits(Arc<AtomicUsize>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn pass(
    State(way): State<SlowList>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut path = uri.path_and_query().unwrap().to_string();
    if method == Method::GET && uri.path() == "/v1/payment_intents" {
        path = path.replace("limit=100", "limit=1");
        way.asked.fetch_add(1, Ordering::SeqCst);
        way.waiting.fetch_add(1, Ordering::SeqCst);
        let _waits = Waits(Arc::clone(&way.waiting));
        way.holds.subscribe().wait_for(|holds| !holds).await.unwrap();
    }
    let mut asked = way.http.request(method, format!("{}{path}", way.far)).body(body);
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE, "idempotency-key".parse().unwrap()] {
        if let Some(value) = headers.get(&name) {
            asked = asked.header(name, value);
        }
    }
    let Ok(answer) = asked.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let status = answer.status();
    (status, [(header::CONTENT_TYPE, "application/json")], answer.bytes().await.unwrap()).into_response()
}
