//! A line to a database that falls silent, as when its host dies: nothing comes through any more, and nobody at this end is told.
//! What it cuts off so stays cut off; only new connections get through again.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A line to a database.
pub struct Line {
    url: String,
    silence: Arc<Silence>,
}

struct Silence {
    /// Of the whole line.
    whole: watch::Sender<bool>,
    /// Of the next connection on which this is said.
    at: Mutex<Option<&'static str>>,
}

impl Line {
    /// A line to the database of `url`.
    ///
    /// # Panics
    /// Where the URL is none, or no port is free.
    pub async fn to(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().expect("the database's URL");
        let server = (options.get_host().to_owned(), options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let url = url.replacen(&format!("{}:{}", server.0, server.1), &format!("127.0.0.1:{port}"), 1);
        // In the clear, since what is said must be understood.
        let url = format!("{url}{}sslmode=disable", if url.contains('?') { '&' } else { '?' });
        let silence = Arc::new(Silence { whole: watch::Sender::new(false), at: Mutex::default() });
        tokio::spawn(accept(listener, server, Arc::clone(&silence)));
        Self { url, silence }
    }

    /// The database at the other end, by way of this line.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on nothing comes through, also of who connects.
    pub fn fall_silent(&self) {
        self.silence.whole.send_replace(true);
    }

    /// Lets through who connects from now on.
    pub fn speak(&self) {
        self.silence.whole.send_replace(false);
    }

    /// The next connection on which `words` are said falls silent there, and no other.
    pub fn silent_at(&self, words: &'static str) {
        *self.silence.at.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    /// Whether those words were said.
    pub fn fell_silent(&self) -> bool {
        self.silence.at.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

async fn accept(listener: TcpListener, server: (String, u16), silence: Arc<Silence>) {
    while let Ok((client, _)) = listener.accept().await {
        let (server, silence) = (server.clone(), Arc::clone(&silence));
        tokio::spawn(async move {
            if let Ok(server) = TcpStream::connect(server).await {
                forward(client, server, &silence).await;
            }
        });
    }
}

/// Carries bytes both ways until an end hangs up. When it falls silent the database loses its session, and our end stays.
async fn forward(client: TcpStream, server: TcpStream, silence: &Silence) {
    let mut whole = silence.whole.subscribe();
    let (mut from_client, mut to_client) = client.into_split();
    let silent = {
        let (mut from_server, mut to_server) = server.into_split();
        tokio::select! {
            biased;
            _ = whole.wait_for(|silent| *silent) => true,
            silent = until_silent(&mut from_client, &mut to_server, silence) => silent,
            _ = copy(&mut from_server, &mut to_client) => false,
        }
    };
    if silent {
        pending::<()>().await;
    }
}

/// Carries what is said; whether the connection falls silent at it.
async fn until_silent(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, silence: &Silence) -> bool {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Some(read) = from.read(&mut buffer).await.ok().filter(|read| *read > 0) else { return false };
        let said =
            |words: &mut &str| buffer[..read].windows(words.len()).any(|said| said == words.as_bytes());
        if silence.at.lock().unwrap_or_else(PoisonError::into_inner).take_if(said).is_some() {
            return true;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return false;
        }
    }
}
