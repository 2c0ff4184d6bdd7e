//! Webhooks: each event signed and sent until the receiver answers 2xx, across restarts.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use aws_lc_rs::hmac;
use reqwest::{Certificate, Client, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore};

use crate::{Shared, config, store::Record};

use super::objects::Event;

/// How long a receiver may take to answer.
const RECEIVER_LIMIT: Duration = Duration::from_secs(10);
/// Deliveries under way at the same time.
const AT_ONCE: usize = 32;

/// Where webhooks go, and how they are signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) secret: String,
    /// Signed with as well, while the receiver changes its secret.
    #[serde(default)]
    pub(crate) old_secret: Option<String>,
    /// The only certificates trusted for an `https` receiver.
    #[serde(default)]
    pub(crate) ca_pem: Option<String>,
}

/// One event on its way to the receiver.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) event: String,
    /// From 1; an event delivered twice has two.
    pub(crate) copy: u8,
    pub(crate) attempts: u32,
    /// The HTTP status of the last attempt; none if there was no answer.
    pub(crate) last_status: Option<u16>,
    pub(crate) delivered: bool,
    /// Never to be sent.
    pub(crate) lost: bool,
}

impl Delivery {
    pub(crate) fn id(&self) -> String {
        format!("{}#{}", self.event, self.copy)
    }
}

/// Sends webhooks; shared by the background deliveries and the controls.
#[derive(Clone)]
pub(crate) struct Sender {
    configured: Option<Endpoint>,
    clients: Arc<Mutex<Option<(Endpoint, Client)>>>,
    wake: Arc<Notify>,
}

impl Sender {
    /// # Errors
    /// The file with the receiver's certificates cannot be read or used.
    pub(crate) fn new(config: &config::Processor) -> anyhow::Result<Self> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
        };
        let ca_pem = config.webhook_ca_file.as_deref().map(read).transpose()?;
        let configured = match (&config.webhook_url, &config.webhook_secret) {
            (Some(url), Some(secret)) => {
                Some(Endpoint { url: url.clone(), secret: secret.clone(), old_secret: None, ca_pem })
            }
            _ => None,
        };
        configured.as_ref().map(client).transpose()?;
        Ok(Self { configured, clients: Arc::default(), wake: Arc::default() })
    }

    /// The receiver of the moment: the one set at run time, else the configured one.
    pub(crate) async fn endpoint(&self, shared: &Shared) -> Option<Endpoint> {
        shared.store.read(|state| state.endpoint.clone()).await.or_else(|| self.configured.clone())
    }

    /// Tries every waiting delivery again at once.
    pub(crate) fn wake(&self) {
        self.wake.notify_waiters();
    }

    /// One attempt; the receiver's status, or none without an answer.
    pub(crate) async fn send(&self, endpoint: &Endpoint, event: &Event, now: i64) -> Option<u16> {
        let body = serde_json::to_string(event).expect("an event is plain data with text keys");
        let client =
            self.client(endpoint).inspect_err(|error| tracing::warn!(%error, "webhook client")).ok()?;
        let request = client
            .post(&endpoint.url)
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header("stripe-signature", signature(endpoint, now, &body))
            .body(body);
        let answer =
            request.send().await.inspect_err(|error| tracing::debug!(%error, "webhook not answered")).ok()?;
        Some(answer.status().as_u16())
    }

    fn client(&self, endpoint: &Endpoint) -> anyhow::Result<Client> {
        let mut kept = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, client)) = &*kept
            && known == endpoint
        {
            return Ok(client.clone());
        }
        let made = client(endpoint)?;
        *kept = Some((endpoint.clone(), made.clone()));
        Ok(made)
    }
}

/// A client for `endpoint`: no proxies, no redirects, and its certificates only if it names some.
///
/// # Errors
/// Unusable certificates.
pub(crate) fn client(endpoint: &Endpoint) -> anyhow::Result<Client> {
    let builder =
        Client::builder().no_proxy().timeout(RECEIVER_LIMIT).redirect(reqwest::redirect::Policy::none());
    let builder = match &endpoint.ca_pem {
        Some(pem) => builder.tls_certs_only(Certificate::from_pem_bundle(pem.as_bytes())?),
        None if endpoint.url.starts_with("https:") => builder,
        None => builder.tls_certs_only([]),
    };
    Ok(builder.build()?)
}

/// `t=<Unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`, once per live secret.
fn signature(endpoint: &Endpoint, now: i64, body: &str) -> String {
    let mut header = format!("t={now}");
    for secret in [Some(&endpoint.secret), endpoint.old_secret.as_ref()].into_iter().flatten() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{now}.{body}").as_bytes());
        header.push_str(",v1=");
        header.push_str(&hex::encode(tag.as_ref()));
    }
    header
}

/// Starts a task for every delivery to be made, those found at start among them.
pub(crate) async fn deliver_all(shared: Shared) {
    let mut changes = shared.store.changes();
    let mut started = HashSet::new();
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        changes.borrow_and_update();
        let waiting: Vec<String> = shared
            .store
            .read(|state| {
                started.retain(|id| state.undelivered.contains(id));
                state.undelivered.iter().filter(|id| !started.contains(*id)).cloned().collect()
            })
            .await;
        for id in waiting {
            tokio::spawn(deliver(shared.clone(), id.clone(), at_once.clone()));
            started.insert(id);
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

async fn deliver(shared: Shared, id: String, at_once: Arc<Semaphore>) {
    let config = &shared.config.processor;
    let longest = Duration::from_millis(config.retry_max_ms);
    let mut pause = Duration::from_millis(config.retry_base_ms).min(longest);
    loop {
        let woken = shared.webhooks.wake.notified();
        if let Some(endpoint) = shared.webhooks.endpoint(&shared).await {
            let Ok(turn) = at_once.acquire().await else { return };
            if attempt(&shared, &endpoint, &id).await {
                return;
            }
            drop(turn);
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(longest);
        } else {
            woken.await;
        }
    }
}

/// Sends once and notes the result; true when there is nothing left to do.
async fn attempt(shared: &Shared, endpoint: &Endpoint, id: &str) -> bool {
    let found = shared.store.read(|state| {
        let delivery = state.deliveries.get(id)?.clone();
        let event = state.events.get(&delivery.event)?.clone();
        Some((delivery, event))
    });
    let Some((mut delivery, event)) = found.await else { return true };
    if delivery.delivered || delivery.lost {
        return true;
    }
    let status = shared.webhooks.send(endpoint, &event, shared.clock.now().as_second()).await;
    delivery.attempts += 1;
    delivery.last_status = status;
    delivery.delivered = status.is_some_and(|status| (200..300).contains(&status));
    let done = delivery.delivered;
    shared.store.write(|tx| tx.put(Record::Delivery(delivery))).await;
    done
}
