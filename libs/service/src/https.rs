//! The HTTP face's listener: TLS, with handshakes beside one another so that a slow caller holds up nobody.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Handshakes that are done but not taken yet.
const WAITING: usize = 64;
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Pause when the system has no more handles to give.
const NO_HANDLES: Duration = Duration::from_millis(200);

type Connection = (TlsStream<TcpStream>, SocketAddr);

/// Listens with TLS.
pub(crate) struct Https {
    connections: mpsc::Receiver<Connection>,
    address: SocketAddr,
    accepting: AbortHandle,
}

impl Https {
    pub(crate) fn new(listener: TcpListener, config: Arc<rustls::ServerConfig>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (done, connections) = mpsc::channel(WAITING);
        let accepting = tokio::spawn(accept(listener, TlsAcceptor::from(config), done)).abort_handle();
        Ok(Self { connections, address, accepting })
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for Https {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Connection {
        match self.connections.recv().await {
            Some(connection) => connection,
            // The accepting task lives as long as we do.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, done: mpsc::Sender<Connection>) {
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(NO_HANDLES).await;
                continue;
            }
        };
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tokio::spawn(async move {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // Nobody takes it any more when the server stops.
                let _ = done.send((stream, address)).await;
            }
        });
    }
}
