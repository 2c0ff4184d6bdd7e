//! A webhook receiver, plain or TLS, that answers as told and remembers what it got.

use std::sync::Arc;

use rustls::{ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::PrivateKeyDer};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

/// What the receiver got.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) signature: String,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A receiver on a free port.
pub(crate) struct Receiver {
    pub(crate) url: String,
    /// The certificate to trust, when it speaks TLS.
    pub(crate) ca_pem: Option<String>,
    got: mpsc::UnboundedReceiver<Got>,
}

impl Receiver {
    /// Answers with `statuses` in turn, then with 200.
    pub(crate) async fn start(statuses: &'static [u16], tls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (acceptor, ca_pem) = if tls { certificate() } else { (None, None) };
        let (tell, got) = mpsc::unbounded_channel();
        let mut statuses = statuses.iter().copied();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let status = statuses.next().unwrap_or(200);
                let answered = match &acceptor {
                    Some(acceptor) => match acceptor.accept(stream).await {
                        Ok(stream) => answer(stream, status).await,
                        Err(_) => continue,
                    },
                    None => answer(stream, status).await,
                };
                if let Some(got) = answered {
                    let _ = tell.send(got);
                }
            }
        });
        let scheme = if tls { "https" } else { "http" };
        Self { url: format!("{scheme}://localhost:{}/webhooks", address.port()), ca_pem, got }
    }

    /// The next one to arrive.
    pub(crate) async fn next(&mut self) -> Got {
        let limit = std::time::Duration::from_secs(20);
        tokio::time::timeout(limit, self.got.recv()).await.expect("a webhook in time").unwrap()
    }

    /// What has arrived by now.
    pub(crate) fn arrived(&mut self) -> Vec<Got> {
        std::iter::from_fn(|| self.got.try_recv().ok()).collect()
    }
}

/// A certificate for localhost which is its own authority.
pub(crate) fn certificate() -> (Option<TlsAcceptor>, Option<String>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (Some(TlsAcceptor::from(Arc::new(config))), Some(made.cert.pem()))
}

/// Reads one request, answers, and closes.
async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, status: u16) -> Option<Got> {
    let mut stream = BufReader::new(stream);
    let (mut signature, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "stripe-signature" => value.clone_into(&mut signature),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.shutdown().await.ok();
    Some(Got { signature, body: String::from_utf8(body).ok()? })
}
