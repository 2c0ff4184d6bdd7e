//! Starts the binary on free ports, talks to it, kills it.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

/// Where the sandbox says it listens.
#[derive(Debug, Deserialize)]
pub(crate) struct Ports {
    pub(crate) http: SocketAddr,
    pub(crate) mail_http: SocketAddr,
    pub(crate) smtp: SocketAddr,
    pub(crate) clamd: SocketAddr,
}

/// A running sandbox; killed when dropped.
pub(crate) struct Server {
    pub(crate) ports: Ports,
    pub(crate) client: Client,
    child: Child,
}

impl Server {
    /// A sandbox without state folder and with fast webhook retries.
    pub(crate) fn start() -> Self {
        Self::with("", None)
    }

    /// A sandbox with more TOML than the fast retries, and a state folder.
    pub(crate) fn with(toml: &str, state: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("sandbox.toml");
        let processor = "[processor]\nretry_base_ms = 10\nretry_max_ms = 50\nslow_seconds = 1\n";
        std::fs::write(&config, format!("{processor}{toml}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_docket-sandbox"));
        command.arg("--config").arg(&config).stdout(Stdio::piped()).stderr(Stdio::null());
        if let Some(state) = state {
            command.arg("--state-dir").arg(state);
        }
        let mut child = command.spawn().unwrap();
        let ports = first_line(&mut child);
        let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { ports: serde_json::from_str(&ports).unwrap(), client, child }
    }

    /// As `kill -9` does it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.ports.http)
    }

    /// GET with the processor's key.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(self.url(path)).bearer_auth("sk_test_1").send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// POST of form parameters with the processor's key.
    pub(crate) async fn post(&self, path: &str, key: Option<&str>, params: &[(&str, &str)]) -> Answer {
        self.try_post(path, key, params).await.unwrap()
    }

    /// The same, for answers that may never come.
    pub(crate) async fn try_post(
        &self,
        path: &str,
        key: Option<&str>,
        params: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        let mut request = self.client.post(self.url(path)).bearer_auth("sk_test_1").form(params);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Answer::read(request.send().await?).await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Answer {
        Answer::read(self.client.post(self.url(path)).json(body).send().await.unwrap()).await.unwrap()
    }

    pub(crate) async fn put_json(&self, path: &str, body: &Value) -> Answer {
        Answer::read(self.client.put(self.url(path)).json(body).send().await.unwrap()).await.unwrap()
    }

    pub(crate) fn payer(&self) -> Payer {
        Payer { url: self.url("/v1/payment_intents"), client: self.client.clone() }
    }

    /// Pays `$1,440.00` for payment `name` with `method`.
    pub(crate) async fn pay(&self, name: &str, method: &str) -> reqwest::Result<Answer> {
        let params = payment(name, method);
        self.try_post("/v1/payment_intents", Some(name), &params).await
    }
}

/// Pays by itself, in a task of its own.
pub(crate) struct Payer {
    url: String,
    client: Client,
}

impl Payer {
    pub(crate) async fn pay(&self, name: &str) -> reqwest::Result<Answer> {
        let request = self.client.post(&self.url).bearer_auth("sk_test_1").header("idempotency-key", name);
        Answer::read(request.form(&payment(name, "pm_card_visa")).send().await?).await
    }
}

/// The parameters of one confirmed payment.
pub(crate) fn payment<'a>(name: &'a str, method: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("amount", "144000"),
        ("currency", "usd"),
        ("confirm", "true"),
        ("payment_method", method),
        ("metadata[payment]", name),
    ]
}

/// An answer, read whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) replayed: bool,
    pub(crate) body: Value,
}

impl Answer {
    async fn read(response: Response) -> reqwest::Result<Self> {
        let status = response.status();
        let replayed = response.headers().contains_key("idempotent-replayed");
        let bytes = response.bytes().await?;
        Ok(Self { status, replayed, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }

    /// The text at a JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_line(child: &mut Child) -> String {
    use std::io::{BufRead, BufReader};
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line
}
