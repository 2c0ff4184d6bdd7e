//! Has files read in a process of their own, one each; see `inspect`.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::file_type::{Fault, MediaType};
use crate::inspect::{ARGUMENT, NOT_CONFINED, RESERVE, SECONDS, Verdict};

/// More than any verdict has, in bytes: what is not ours may write without end.
const LONGEST_VERDICT: u64 = 4096;

/// How files are read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The program that reads them; without it this one.
    pub program: Option<PathBuf>,
}

/// The file was not read: a process for it could not be had.
#[derive(Debug, thiserror::Error)]
#[error("the file was not read: {0}")]
pub(crate) struct NotInspected(String);

/// Files read at once: each may take half a gigabyte.
const AT_ONCE: usize = 2;

/// Reads files. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Inspector {
    program: PathBuf,
    places: Arc<Semaphore>,
}

impl Inspector {
    /// # Errors
    /// The program that runs cannot be named.
    pub(crate) fn new(config: Config) -> anyhow::Result<Self> {
        let program = config.program.map_or_else(std::env::current_exe, Ok)?;
        Ok(Self { program, places: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// What the file is, or what is wrong with it. A process that dies of a file condemns the file, not the service.
    ///
    /// # Errors
    /// [`NotInspected`] when nothing can be said; the same file may be given again.
    pub(crate) async fn inspect(&self, bytes: &[u8]) -> Result<Result<MediaType, Fault>, NotInspected> {
        let _place = self.places.acquire().await.map_err(not_inspected)?;
        // Twice the processor time: the machine may be busy.
        let Ok(output) = timeout(Duration::from_secs(2 * SECONDS), self.run(bytes)).await else {
            return Ok(Err(Fault::Unbearable));
        };
        let (code, said) = output.map_err(not_inspected)?;
        match code {
            Some(0) => match serde_json::from_slice(&said).map_err(not_inspected)? {
                Verdict::Taken(media_type) => Ok(Ok(media_type)),
                Verdict::Refused(fault) => Ok(Err(fault)),
            },
            Some(code) if code == i32::from(NOT_CONFINED) => {
                Err(NotInspected(String::from_utf8_lossy(&said).into_owned()))
            }
            Some(_) | None => Ok(Err(Fault::Unbearable)),
        }
    }

    /// The process's end and what it said.
    async fn run(&self, bytes: &[u8]) -> std::io::Result<(Option<i32>, Vec<u8>)> {
        let mut child = Command::new(&self.program)
            .arg(ARGUMENT)
            .env_clear()
            .env(RESERVE, "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut input = child.stdin.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        let output = child.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        let written = async move {
            // One that died has stopped reading: its end says more than the broken pipe.
            input.write_all(bytes).await.ok();
        };
        let mut said = Vec::new();
        let heard = async { output.take(LONGEST_VERDICT).read_to_end(&mut said).await };
        let ((), heard) = tokio::join!(written, heard);
        heard?;
        Ok((child.wait().await?.code(), said))
    }
}

fn not_inspected(error: impl std::fmt::Display) -> NotInspected {
    NotInspected(error.to_string())
}
