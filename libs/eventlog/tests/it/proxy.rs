//! A way to the database on which answers to a commit get lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};

/// What happens to the next commits.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fault {
    None = 0,
    /// The commit is done; its answer is lost, with the connection.
    LoseAnswer = 1,
    /// The commit itself is lost, with the connection.
    LoseCommit = 2,
}

/// The faulty way; each fault happens once.
pub(crate) struct Proxy {
    fault: Arc<AtomicU8>,
    pub(crate) pool: PgPool,
}

impl Proxy {
    pub(crate) async fn new(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().unwrap();
        let server = (options.get_host().to_owned(), options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fault = Arc::new(AtomicU8::new(Fault::None as u8));
        tokio::spawn(accept(listener, server, Arc::clone(&fault)));
        let options = options.host("127.0.0.1").port(port).ssl_mode(PgSslMode::Disable);
        Self { fault, pool: PgPoolOptions::new().max_connections(4).connect_lazy_with(options) }
    }

    pub(crate) fn next(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    /// Whether the fault asked for has happened.
    pub(crate) fn happened(&self) -> bool {
        self.fault.load(Ordering::SeqCst) == Fault::None as u8
    }
}

async fn accept(listener: TcpListener, server: (String, u16), fault: Arc<AtomicU8>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect(server.clone()).await.unwrap();
        let fault = Arc::clone(&fault);
        tokio::spawn(async move { forward(client, server, &fault).await });
    }
}

/// Carries bytes both ways until one side ends or a fault strikes; then both ends are dropped.
async fn forward(client: TcpStream, server: TcpStream, fault: &AtomicU8) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let struck = {
        let answers = copy(&mut from_server, &mut to_client);
        let asks = until_fault(&mut from_client, &mut to_server, fault);
        tokio::select! {
            _ = answers => None,
            struck = asks => struck,
        }
    };
    if struck == Some(Fault::LoseAnswer) {
        // The answer was made, so the commit is done; nobody will hear of it.
        let mut answer = [0; 1];
        from_server.read_exact(&mut answer).await.unwrap();
    }
}

async fn until_fault(
    from: &mut OwnedReadHalf,
    to: &mut tokio::net::tcp::OwnedWriteHalf,
    fault: &AtomicU8,
) -> Option<Fault> {
    let mut buffer = vec![0; 64 * 1024];
    let mut writing = None;
    loop {
        let read = from.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        let bytes = &buffer[..read];
        let commits = commits(bytes, &mut writing);
        let strike = if commits { fault.swap(Fault::None as u8, Ordering::SeqCst) } else { 0 };
        if strike == Fault::LoseCommit as u8 {
            return Some(Fault::LoseCommit);
        }
        to.write_all(bytes).await.ok()?;
        if strike == Fault::LoseAnswer as u8 {
            return Some(Fault::LoseAnswer);
        }
    }
}

/// Whether these bytes make something durable: a commit, or a run of the statement which writes and commits at once,
/// whose name under which it was prepared (PostgreSQL's protocol: `Parse`, then `Bind`) is kept in `writing`.
fn commits(bytes: &[u8], writing: &mut Option<Vec<u8>>) -> bool {
    if find(bytes, b"COMMIT").is_some() {
        return true;
    }
    if let Some(statement) = writing {
        // `B`, length, the unnamed portal, the statement.
        return find(bytes, statement).is_some_and(|at| at >= 5 && bytes[at - 5] == b'B');
    }
    if let Some(query) = find(bytes, b"WITH head AS (") {
        // `P`, length (4), the name, the query.
        let parse = bytes[..query - 1].iter().rposition(|byte| *byte == b'P').expect("a query is parsed");
        *writing = Some([b"\0", &bytes[parse + 5..query]].concat());
    }
    false
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
