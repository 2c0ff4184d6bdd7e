//! A way to the database on which answers to a commit get lost, or nothing is answered any more.

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
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
    /// The connection is lost, and the commit arrives when [`Proxy::deliver`] says so.
    Delay = 3,
    /// The commit is taken and goes nowhere; nothing is answered, and the connection stays.
    Swallow = 4,
    /// The commit is done, nothing is answered, and the connection stays.
    Silence = 5,
}

/// A commit on its way, with the server's end of the way.
struct Delayed {
    commit: Vec<u8>,
    from_server: OwnedReadHalf,
    to_server: OwnedWriteHalf,
}

/// The faulty way; each fault asked for happens once, those of chance until it is healed.
pub(crate) struct Proxy {
    faults: Arc<Faults>,
    pub(crate) pool: PgPool,
}

#[derive(Default)]
struct Faults {
    next: AtomicU8,
    /// One commit in so many meets a fault.
    chance: Mutex<Option<(StdRng, u32)>>,
    answers_lost: AtomicU32,
    commits_lost: AtomicU32,
    /// Only the COMMIT of a transaction is meant, and no statement that commits by itself.
    of_transactions: AtomicBool,
    delayed: Mutex<Option<Delayed>>,
    /// Where this is said the connection is cut, so many times more.
    cut_at: Mutex<(&'static str, u32)>,
    cuts: AtomicU32,
    /// Whether the whole way takes bytes and answers nothing; what went into it then never comes out.
    silent: AtomicBool,
    /// How often something was said on a way that was silent.
    swallowed: AtomicU32,
    /// Where this is said the connection falls silent, once.
    silent_at: Mutex<Option<&'static str>>,
}

impl Proxy {
    pub(crate) async fn new(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().unwrap();
        let server = (options.get_host().to_owned(), options.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let faults = Arc::new(Faults::default());
        tokio::spawn(accept(listener, server, Arc::clone(&faults)));
        let options = options.host("127.0.0.1").port(port).ssl_mode(PgSslMode::Disable);
        Self { faults, pool: PgPoolOptions::new().max_connections(4).connect_lazy_with(options) }
    }

    /// From now on one commit in `one_in` is cut off, before it arrives or after it was done.
    pub(crate) fn by_chance(&self, seed: u64, one_in: u32) {
        *self.faults.chance.lock().unwrap() = Some((StdRng::seed_from_u64(seed), one_in));
    }

    /// No more faults.
    pub(crate) fn heal(&self) {
        *self.faults.chance.lock().unwrap() = None;
    }

    pub(crate) fn next(&self, fault: Fault) {
        self.faults.next.store(fault as u8, Ordering::SeqCst);
    }

    /// The same for the next COMMIT of a transaction.
    pub(crate) fn next_of_transactions(&self, fault: Fault) {
        self.faults.of_transactions.store(true, Ordering::SeqCst);
        self.next(fault);
    }

    /// Cuts the next `times` connections on which `words` are said, before they arrive.
    pub(crate) fn cut_at(&self, words: &'static str, times: u32) {
        *self.faults.cut_at.lock().unwrap() = (words, times);
    }

    /// How many connections were cut at such words.
    pub(crate) fn cuts(&self) -> u32 {
        self.faults.cuts.load(Ordering::SeqCst)
    }

    /// From now on whoever connects or says something is not answered, on what stands now never again.
    pub(crate) fn fall_silent(&self) {
        self.faults.silent.store(true, Ordering::SeqCst);
    }

    /// Lets new connections through again.
    pub(crate) fn speak(&self) {
        self.faults.silent.store(false, Ordering::SeqCst);
    }

    /// The next connection on which `words` are said falls silent there.
    pub(crate) fn silent_at(&self, words: &'static str) {
        *self.faults.silent_at.lock().unwrap() = Some(words);
    }

    /// How often something was said that nobody will answer.
    pub(crate) fn swallowed(&self) -> u32 {
        self.faults.swallowed.load(Ordering::SeqCst)
    }

    /// Lets the delayed commit arrive, and waits for the answer, which nobody hears.
    pub(crate) async fn deliver(&self) {
        let delayed = self.faults.delayed.lock().unwrap().take();
        let Delayed { commit, mut from_server, mut to_server } = delayed.expect("a commit is on its way");
        to_server.write_all(&commit).await.unwrap();
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        // `Z`, length, idle: the server has done all it was told.
        while !answer.ends_with(b"Z\0\0\0\x05I") {
            let read = from_server.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the server answers");
            answer.extend_from_slice(&buffer[..read]);
        }
    }

    /// Whether the fault asked for has happened.
    pub(crate) fn happened(&self) -> bool {
        self.faults.next.load(Ordering::SeqCst) == Fault::None as u8
    }

    /// How many answers and how many commits were lost.
    pub(crate) fn lost(&self) -> (u32, u32) {
        let lost = |count: &AtomicU32| count.load(Ordering::SeqCst);
        (lost(&self.faults.answers_lost), lost(&self.faults.commits_lost))
    }
}

impl Faults {
    /// What happens to the commit which is about to pass.
    fn strike(&self) -> Fault {
        let asked = self.next.swap(Fault::None as u8, Ordering::SeqCst);
        let strike = if asked == Fault::None as u8 { self.draw() } else { asked };
        if strike == Fault::LoseAnswer as u8 {
            self.answers_lost.fetch_add(1, Ordering::SeqCst);
            Fault::LoseAnswer
        } else if strike == Fault::LoseCommit as u8 {
            self.commits_lost.fetch_add(1, Ordering::SeqCst);
            Fault::LoseCommit
        } else if let Some(other) =
            [Fault::Delay, Fault::Swallow, Fault::Silence].into_iter().find(|fault| strike == *fault as u8)
        {
            other
        } else {
            Fault::None
        }
    }

    /// Whether the connection ends at these bytes.
    fn cut(&self, bytes: &[u8]) -> bool {
        let mut cut_at = self.cut_at.lock().unwrap();
        let (words, times) = &mut *cut_at;
        let cut = *times > 0 && find(bytes, words.as_bytes()).is_some();
        if cut {
            *times -= 1;
            self.cuts.fetch_add(1, Ordering::SeqCst);
        }
        cut
    }

    /// Whether nothing is answered to these bytes.
    fn swallow(&self, bytes: &[u8]) -> bool {
        let here = self.silent_at.lock().unwrap().take_if(|words| find(bytes, words.as_bytes()).is_some());
        let swallow = here.is_some() || self.silent.load(Ordering::SeqCst);
        self.swallowed.fetch_add(u32::from(swallow), Ordering::SeqCst);
        swallow
    }

    fn draw(&self) -> u8 {
        let mut chance = self.chance.lock().unwrap();
        let Some((random, one_in)) = &mut *chance else { return Fault::None as u8 };
        if random.random_ratio(1, *one_in) { random.random_range(1..=2) } else { Fault::None as u8 }
    }
}

async fn accept(listener: TcpListener, server: (String, u16), faults: Arc<Faults>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let server = TcpStream::connect(server.clone()).await.unwrap();
        let faults = Arc::clone(&faults);
        tokio::spawn(async move { forward(client, server, &faults).await });
    }
}

/// Carries bytes both ways until one side ends or a fault strikes; then both ends are dropped.
async fn forward(client: TcpStream, server: TcpStream, faults: &Faults) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let struck = {
        let answers = copy(&mut from_server, &mut to_client);
        let asks = until_fault(&mut from_client, &mut to_server, faults);
        tokio::select! {
            _ = answers => None,
            struck = asks => struck,
        }
    };
    match struck {
        Some((Fault::LoseAnswer, _)) => {
            // The answer was made, so the commit is done; nobody will hear of it.
            let mut answer = [0; 1];
            let _ended = from_server.read_exact(&mut answer).await;
        }
        Some((Fault::Delay, commit)) => {
            *faults.delayed.lock().unwrap() = Some(Delayed { commit, from_server, to_server });
        }
        // Both ends stay: nobody is told that nothing will come.
        Some((Fault::Swallow | Fault::Silence, _)) => pending().await,
        Some((Fault::None | Fault::LoseCommit, _)) | None => {}
    }
}

async fn until_fault(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    faults: &Faults,
) -> Option<(Fault, Vec<u8>)> {
    let mut buffer = vec![0; 64 * 1024];
    let mut writing = Vec::new();
    loop {
        let read = from.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        let bytes = &buffer[..read];
        if faults.cut(bytes) {
            return None;
        }
        if faults.swallow(bytes) {
            return Some((Fault::Swallow, Vec::new()));
        }
        let meant = !faults.of_transactions.load(Ordering::SeqCst) || find(bytes, b"COMMIT").is_some();
        let commits = commits(bytes, &mut writing) && meant;
        let strike = if commits { faults.strike() } else { Fault::None };
        if matches!(strike, Fault::LoseCommit | Fault::Delay | Fault::Swallow) {
            return Some((strike, bytes.to_vec()));
        }
        to.write_all(bytes).await.ok()?;
        if matches!(strike, Fault::LoseAnswer | Fault::Silence) {
            return Some((strike, Vec::new()));
        }
    }
}

/// Whether these bytes make something durable: a commit, or a run of a statement which writes and commits at once; the
/// names under which such were prepared (PostgreSQL's protocol: `Parse`, then `Bind`) are kept in `writing`.
fn commits(bytes: &[u8], writing: &mut Vec<Vec<u8>>) -> bool {
    if find(bytes, b"COMMIT").is_some() {
        return true;
    }
    if let Some(query) = find(bytes, b"WITH head AS (") {
        // `P`, length (4), the name, the query.
        let parse = bytes[..query - 1].iter().rposition(|byte| *byte == b'P').expect("a query is parsed");
        writing.push([b"\0", &bytes[parse + 5..query]].concat());
        return false;
    }
    // `B`, length, the unnamed portal, the statement.
    writing.iter().any(|name| find(bytes, name).is_some_and(|at| at >= 5 && bytes[at - 5] == b'B'))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
