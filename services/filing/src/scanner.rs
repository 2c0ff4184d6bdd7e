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
use tokio::time::{sleep, timeout};

use docket_kernel::SharedClock;
use docket_service::Stop;
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

/// How long a proof holds.
const PROOF_HOLDS: Duration = Duration::from_mins(30);
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
        while !stop.is_cancelled() {
            let proven = self.prove().await;
            metrics::gauge!("docket_scanner_proven").set(f64::from(u8::from(proven.is_ok())));
            if let Err(error) = proven {
                tracing::error!(%error, "the scanner cannot be believed: no file is taken until it can");
            }
            self.tell_age(clock.now()).await;
            stop.run_until_cancelled(sleep(LOOK)).await;
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge of days, in seconds")]
    async fn tell_age(&self, now: Timestamp) {
        let Ok(version) = self.ask(b"zVERSION\0", &[]).await else { return };
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

    /// Scans bytes.
    ///
    /// # Errors
    /// [`NotScanned`] in every case but a clear verdict.
    pub(crate) async fn scan(&self, bytes: &[u8]) -> Result<Verdict, NotScanned> {
        self.prove().await?;
        self.scan_unproven(bytes).await
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
        // clamd answers and closes as soon as its limit is passed; the answer says more than the broken pipe.
        let written = stream.write_all(body).await;
        let mut reply = Vec::new();
        let read = stream.take(MAX_REPLY).read_to_end(&mut reply).await;
        if reply.is_empty() {
            written?;
            read?;
        }
        Ok(String::from_utf8_lossy(&reply).trim_end_matches(['\0', '\n']).to_owned())
    }
}

/// The standard test signature of virus scanners, in two halves so that none objects to this program.
const EICAR: (&str, &str) = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*");
/// Bytes sent at a time.
const CHUNK: usize = 64 * 1024;
/// More than any answer has.
const MAX_REPLY: u64 = 4096;

/// When the signatures were made, of an answer such as `ClamAV 1.4.3/27900/Wed Nov 25 09:31:21 2026`; by UTC, near enough.
fn signatures_made_at(version: &str) -> Option<Timestamp> {
    let made = version.trim().rsplit('/').next().filter(|_| version.contains('/'))?;
    let made = DateTime::strptime("%a %b %d %H:%M:%S %Y", made).ok()?;
    TimeZone::UTC.to_timestamp(made).ok()
}

fn verdict(reply: &str) -> Result<Verdict, NotScanned> {
    let answer = reply.strip_prefix("stream: ");
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

    #[tokio::test]
    async fn a_scanner_that_cannot_be_reached_scans_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let scanner = Scanner::new(Config { address, timeout_seconds: 5 }, false);
        assert!(scanner.scan(b"bytes").await.is_err());
    }
}
