//! The virus scanner: clamd's INSTREAM over TCP (clamd(8)). What was not scanned to the end is not clean.

use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

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

/// The scanner.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    config: Config,
    production: bool,
}

impl Scanner {
    /// A scanner at an address. In production a stand-in that says so is not believed.
    pub(crate) fn new(config: Config, production: bool) -> Self {
        Self { config, production }
    }

    /// Scans bytes.
    ///
    /// # Errors
    /// [`NotScanned`] in every case but a clear verdict.
    pub(crate) async fn scan(&self, bytes: &[u8]) -> Result<Verdict, NotScanned> {
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

/// Bytes sent at a time.
const CHUNK: usize = 64 * 1024;
/// More than any answer has.
const MAX_REPLY: u64 = 4096;

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

    #[tokio::test]
    async fn a_scanner_that_cannot_be_reached_scans_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let scanner = Scanner::new(Config { address, timeout_seconds: 5 }, false);
        assert!(scanner.scan(b"bytes").await.is_err());
    }
}
