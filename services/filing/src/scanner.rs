//! The virus scanner: clamd's INSTREAM over TCP (clamd(8)). What was not scanned to the end is not clean.
//!
//! A scanner whose limits are below ours says "OK" of what it did not look at. So it is proven before anything is believed,
//! and again from time to time: it must find the test signature in a file as large as any that we take.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use docket_kernel::SharedClock;
use docket_service::{Rounds, Stop};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::file_type::MAX_BYTES;

/// Where the scanner is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Host and port of clamd.
    pub address: String,
    /// Seconds that one scan may take. Half a minute: twelve megabytes take clamd a second or two.
    #[serde(default = "half_a_minute")]
    pub timeout_seconds: u64,
}

fn half_a_minute() -> u64 {
    30
}

/// What the scanner found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Scanned to the end; nothing found.
    Clean,
    /// Something was found; its name is for the log of the operator.
    Found(String),
}

/// The file was not scanned: the scanner could not be reached or gave no verdict.
#[derive(Debug, thiserror::Error)]
#[error("the file was not scanned: {0}")]
pub(crate) struct NotScanned(String);

/// How long a proof holds: a daemon that is started anew with lower limits is believed for no longer.
const PROOF_HOLDS: Duration = Duration::from_mins(1);
/// How often it is looked at when nobody sends anything.
const LOOK: Duration = Duration::from_mins(5);

/// The scanner. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    config: Config,
    production: bool,
    /// When it was proven last.
    proven: Arc<Mutex<Option<Instant>>>,
}

impl Scanner {
    /// A scanner at an address. In production a stand-in that says so is not believed.
    pub(crate) fn new(config: Config, production: bool) -> Self {
        Self { config, production, proven: Arc::default() }
    }

    /// Proves it from time to time and tells how old its signatures are, until `stop`.
    pub(crate) async fn watch(self, clock: SharedClock, stop: Stop) -> anyhow::Result<()> {
        let mut rounds = Rounds::every(LOOK, "the scanner could not be looked at").bounded_inside();
        while rounds.go_on(&stop).await {
            rounds.turn(self.look(clock.now())).await;
        }
        Ok(())
    }

    async fn look(&self, now: Timestamp) -> anyhow::Result<()> {
        let proven = self.prove().await;
        metrics::gauge!("docket_scanner_proven").set(f64::from(u8::from(proven.is_ok())));
        if let Err(error) = proven {
            tracing::error!(%error, "the scanner cannot be believed: no file can be opened that comes until it can");
        }
        self.tell_age(now).await;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge of days, in seconds")]
    async fn tell_age(&self, now: Timestamp) {
        let limit = Duration::from_secs(self.config.timeout_seconds);
        let Ok(Ok(version)) = timeout(limit, self.ask(b"zVERSION\0", &[])).await else { return };
        if let Some(made_at) = signatures_made_at(&version) {
            let age = now.duration_since(made_at).as_secs().max(0);
            metrics::gauge!("docket_scanner_signatures_age_seconds").set(age as f64);
        }
    }

    /// Sees to it that a proof holds: those who come meanwhile wait for the one that is made.
    async fn prove(&self) -> Result<(), NotScanned> {
        let mut proven = self.proven.lock().await;
        if proven.is_some_and(|at| at.elapsed() < PROOF_HOLDS) {
            return Ok(());
        }
        *proven = None;
        let mut largest = [EICAR.0, EICAR.1].concat().into_bytes();
        largest.resize(MAX_BYTES, b' ');
        match self.scan_unproven(&largest).await? {
            Verdict::Found(_) => {
                *proven = Some(Instant::now());
                Ok(())
            }
            Verdict::Clean => {
                Err(NotScanned("it says that the largest file with the test signature is clean".to_owned()))
            }
        }
    }

    /// Whether it is there and can be believed.
    pub(crate) async fn is_believed(&self) -> bool {
        self.prove().await.is_ok()
    }

    /// The longest that a scan takes, with the proof before it.
    pub(crate) fn longest(&self) -> Duration {
        2 * Duration::from_secs(self.config.timeout_seconds)
    }

    /// Scans bytes.
    ///
    /// # Errors
    /// [`NotScanned`] in every case but a clear verdict.
    pub(crate) async fn scan(&self, bytes: &[u8]) -> Result<Verdict, NotScanned> {
        self.prove().await?;
        let scanned = self.scan_unproven(bytes).await;
        if scanned.is_err() {
            // Who answers next may be another, or the same with other limits.
            *self.proven.lock().await = None;
        }
        scanned
    }

    async fn scan_unproven(&self, bytes: &[u8]) -> Result<Verdict, NotScanned> {
        let limit = Duration::from_secs(self.config.timeout_seconds);
        let reply = timeout(limit, self.ask_all(bytes))
            .await
            .map_err(|_| NotScanned("it took too long".to_owned()))?
            .map_err(|error| NotScanned(error.to_string()))?;
        verdict(&reply)
    }

    async fn ask_all(&self, bytes: &[u8]) -> std::io::Result<String> {
        if self.production && self.ask(b"zVERSION\0", &[]).await?.contains("sandbox") {
            return Ok("the scanner is a stand-in ERROR".to_owned());
        }
        let mut body = Vec::with_capacity(bytes.len() + bytes.len() / CHUNK * 4 + 8);
        for chunk in bytes.chunks(CHUNK) {
            let length = u32::try_from(chunk.len()).expect("chunks are small");
            body.extend_from_slice(&length.to_be_bytes());
            body.extend_from_slice(chunk);
        }
        body.extend_from_slice(&0_u32.to_be_bytes());
        self.ask(b"zINSTREAM\0", &body).await
    }

    async fn ask(&self, command: &[u8], body: &[u8]) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.config.address).await?;
        stream.write_all(command).await?;
        let written = stream.write_all(body).await;
        let mut reply = Vec::new();
        let read = stream.take(MAX_REPLY).read_to_end(&mut reply).await;
        // clamd answers and closes as soon as its limit is passed: that it is no verdict says more than the broken pipe. What
        // looks like one counts only when all was taken and the answer has its end.
        let said = String::from_utf8_lossy(&reply);
        let whole = said.strip_suffix('\0').filter(|said| !said.contains('\0'));
        if reply.is_empty() || said.starts_with(VERDICT) {
            written?;
            read?;
            return whole.map(str::to_owned).ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(whole.unwrap_or(&said).to_owned())
    }
}

/// The standard test signature of virus scanners, in two halves so that none objects to this program.
const EICAR: (&str, &str) = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");
/// Bytes sent at a time.
const CHUNK: usize = 64 * 1024;
/// What a verdict begins with.
const VERDICT: &str = "stream: ";
/// More than any answer has.
const MAX_REPLY: u64 = 4096;

/// When the signatures were made, of an answer such as `ClamAV 1.4.3/27900/Wed Nov 25 09:31:21 2026`; by UTC, near enough.
fn signatures_made_at(version: &str) -> Option<Timestamp> {
    let made = version.trim().rsplit('/').next().filter(|_| version.contains('/'))?;
    let made = DateTime::strptime("%a %b %d %H:%M:%S %Y", made).ok()?;
    TimeZone::UTC.to_timestamp(made).ok()
}

fn verdict(reply: &str) -> Result<Verdict, NotScanned> {
    let answer = reply.strip_prefix(VERDICT);
    match answer {
        Some("OK") => Ok(Verdict::Clean),
        Some(found) if found.ends_with(" FOUND") => {
            Ok(Verdict::Found(found.trim_end_matches(" FOUND").to_owned()))
        }
        _ if reply.is_empty() => Err(NotScanned("the scanner closed the connection".to_owned())),
        _ => Err(NotScanned("the scanner answered with an error".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_verdict_counts_as_scanned() {
        assert_eq!(verdict("stream: OK").unwrap(), Verdict::Clean);
        assert_eq!(
            verdict("stream: Eicar-Test-Signature FOUND").unwrap(),
            Verdict::Found("Eicar-Test-Signature".to_owned())
        );
        for reply in ["", "INSTREAM size limit exceeded. ERROR", "stream: ", "OK", "stream: Can't open ERROR"]
        {
            assert!(verdict(reply).is_err(), "{reply}");
        }
    }

    #[test]
    fn the_age_of_signatures_is_read_from_the_version() {
        let made = signatures_made_at("ClamAV 1.4.3/27900/Wed Nov 25 09:31:21 2026").unwrap();
        assert_eq!(made.to_string(), "2026-11-25T09:31:21Z");
        for other in ["ClamAV 1.4.3", "Docket sandbox scanner, knows only EICAR", "a/b/c", ""] {
            assert_eq!(signatures_made_at(other), None, "{other}");
        }
    }

    /// A daemon that finds the test signature when it is proven, and from then on does the same to everyone: it reads so many
    /// bytes, all of them where no number is given, says this and closes.
    async fn daemon(reads: Option<usize>, says: &'static [u8]) -> Scanner {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut proven, mut piece) = (false, vec![0; CHUNK]);
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut command = [0; b"zINSTREAM\0".len()];
                stream.read_exact(&mut command).await.unwrap();
                let (reads, says) =
                    if proven { (reads, says) } else { (None, b"stream: Docket.Test FOUND\0".as_slice()) };
                proven = true;
                match reads {
                    Some(bytes) => {
                        stream.read_exact(&mut vec![0; bytes]).await.unwrap();
                    }
                    None => {
                        while !matches!(stream.read_u32().await, Ok(0) | Err(_)) {
                            // What is scanned here is cut into pieces of one length.
                            stream.read_exact(&mut piece).await.ok();
                        }
                    }
                }
                stream.write_all(says).await.ok();
                // What is left unread resets the line.
                drop(stream);
            }
        });
        Scanner::new(Config { address, timeout_seconds: 2 }, false)
    }

    #[tokio::test]
    async fn whatever_the_daemon_does_instead_of_a_verdict_nothing_counts_as_scanned() {
        let bytes = vec![7; 96 * CHUNK];
        assert_eq!(daemon(None, b"stream: OK\0").await.scan(&bytes).await.unwrap(), Verdict::Clean);
        let found = daemon(None, b"stream: Docket.Test FOUND\0").await.scan(&bytes).await.unwrap();
        assert_eq!(found, Verdict::Found("Docket.Test".to_owned()));
        let faults: [(Option<usize>, &[u8]); 16] = [
            (Some(0), b""),
            (Some(CHUNK), b""),
            (None, b""),
            (Some(0), b"stream: OK\0"),
            (Some(CHUNK + 4), b"stream: OK\0"),
            (None, b"stream: OK"),
            (None, b"stream: O"),
            (None, b"stream: OK\n"),
            (None, b"OK\0"),
            (None, b"PONG\0"),
            (None, b"stream: OK\0stream: Docket.Test FOUND\0"),
            (None, b"stream: Docket.Test FOUND\0stream: OK\0"),
            (None, b"stream: Can't allocate memory ERROR\0"),
            (Some(CHUNK + 4), b"INSTREAM size limit exceeded. ERROR\0"),
            (None, b"\xff\xfe\0"),
            (None, &[b'a'; 10_000]),
        ];
        for (reads, says) in faults {
            let told = || format!("reads {reads:?}, says {}", String::from_utf8_lossy(says));
            let scanner = daemon(reads, says).await;
            scanner.prove().await.unwrap();
            assert!(scanner.scan(&bytes).await.is_err(), "{}", told());
        }
    }

    #[tokio::test]
    async fn after_a_failure_the_daemon_is_proven_anew() {
        let bytes = vec![7; CHUNK];
        let scanner = daemon(None, b"stream: Can't allocate memory ERROR\0").await;
        assert!(scanner.scan(&bytes).await.is_err());
        // It does not find the test signature any more.
        let error = scanner.scan(&bytes).await.unwrap_err();
        assert_eq!(error.to_string(), "the file was not scanned: the scanner answered with an error");
        assert!(scanner.proven.lock().await.is_none());
    }

    #[tokio::test]
    async fn a_daemon_that_hangs_scans_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let scanner = Scanner::new(Config { address, timeout_seconds: 1 }, false);
        // The kernel takes the connection and some of the bytes; nobody reads them.
        let error = scanner.scan_unproven(&vec![7; CHUNK]).await.unwrap_err();
        assert_eq!(error.to_string(), "the file was not scanned: it took too long");
        // And is not waited for when it is asked for its age: the watch goes on.
        timeout(Duration::from_secs(5), scanner.tell_age(Timestamp::UNIX_EPOCH)).await.expect("it gives up");
    }

    #[tokio::test]
    async fn a_scanner_that_cannot_be_reached_scans_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let scanner = Scanner::new(Config { address, timeout_seconds: 5 }, false);
        assert!(scanner.scan(b"bytes").await.is_err());
    }
}
