//! A way to a server, whatever it speaks, that is cut in the midst of an answer, as lines are.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// A way to a server.
pub struct Way {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Bytes that came from the server.
    carried: u64,
    /// The next cut comes when so many were carried.
    cut_at: u64,
    /// From one cut to the next.
    bytes: u64,
    /// Cuts that are still to come.
    to_come: u32,
}

impl Way {
    /// A way to the server at this address.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::default();
        tokio::spawn(accept(listener, server, Arc::clone(&state)));
        Self { address, state }
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the connection over which this many more bytes have come from the server, and then the next one after as many again,
    /// so often. The last byte before a cut does not arrive.
    pub fn cut_after(&self, bytes: u64, times: u32) {
        let mut state = lock(&self.state);
        (state.cut_at, state.bytes, state.to_come) = (state.carried + bytes, bytes, times);
    }

    /// How many cuts are still to come.
    pub fn to_come(&self) -> u32 {
        lock(&self.state).to_come
    }

    /// Bytes that came from the server so far.
    pub fn carried(&self) -> u64 {
        lock(&self.state).carried
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// How many of so many bytes get through, and whether the connection ends there.
    fn carry(&mut self, bytes: usize) -> (usize, bool) {
        self.carried += bytes as u64;
        if self.to_come == 0 || self.carried < self.cut_at {
            return (bytes, false);
        }
        let beyond = usize::try_from(self.carried - self.cut_at).unwrap_or(bytes);
        self.to_come -= 1;
        self.cut_at = self.carried + self.bytes;
        (bytes.saturating_sub(beyond + 1), true)
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, state: Arc<Mutex<State>>) {
    while let Ok((client, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            if let Ok(server) = TcpStream::connect(server).await {
                forward(client, server, &state).await;
            }
        });
    }
}

/// Carries bytes both ways until an end hangs up or it is cut; then both ends are dropped.
async fn forward(client: TcpStream, server: TcpStream, state: &Mutex<State>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        () = until_cut(&mut from_server, &mut to_client, state) => {}
    }
}

async fn until_cut(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, state: &Mutex<State>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Some(read) = from.read(&mut buffer).await.ok().filter(|read| *read > 0) else { return };
        let (through, cut) = lock(state).carry(read);
        if to.write_all(&buffer[..through]).await.is_err() || cut {
            return;
        }
    }
}
