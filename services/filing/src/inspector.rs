//! Has files read, looked over and pages drawn in a process of their own, one each; see `inspect`, `legibility` and `render`.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use docket_proto::types::v1::HardToRead;
use image::RgbImage;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::confined::{NOT_CONFINED, RESERVE};
use crate::file_type::{Fault, MediaType};
use crate::inspect::{self, Verdict};
use crate::legibility;
use crate::page::{Drawing, Undrawn};
use crate::render::{self, Drawn};

/// More than any line of an answer has, in bytes: what is not ours may write without end.
const LONGEST_LINE: u64 = 4096;
/// The most bytes of dots.
const MOST_DOTS: u64 = 3 * (render::LONGEST_SIDE as u64) * (render::LONGEST_SIDE as u64);

/// How files are read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The program that reads them; without it this one.
    pub program: Option<PathBuf>,
}

/// The file was not read, the page not drawn: a process for it could not be had.
#[derive(Debug, thiserror::Error)]
#[error("the file was not read: {0}")]
pub(crate) struct NotInspected(String);

/// What a process said.
enum Said {
    /// All that it had to say.
    Whole(Vec<u8>),
    /// It died of the file, and said this before.
    Cut(Vec<u8>),
}

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
        let words = [inspect::ARGUMENT.to_owned()];
        match self.said(&words, bytes, (inspect::SECONDS, LONGEST_LINE)).await? {
            Said::Cut(_) => Ok(Err(Fault::Unbearable)),
            Said::Whole(said) => match serde_json::from_slice(&said).map_err(not_inspected)? {
                Verdict::Taken(media_type) => Ok(Ok(media_type)),
                Verdict::Refused(fault) => Ok(Err(fault)),
            },
        }
    }

    /// What on its pages may be hard to read, or cannot be drawn. Nothing, where that cannot be said: nothing hangs on it.
    pub(crate) async fn look_over(&self, bytes: &[u8]) -> Vec<HardToRead> {
        let Ok(_place) = self.places.acquire().await else { return Vec::new() };
        let words = [legibility::ARGUMENT.to_owned()];
        match self.said(&words, bytes, (legibility::SECONDS, LONGEST_LINE)).await {
            Ok(said) => {
                let noticed = match said {
                    Said::Whole(said) => legibility::heard(&said, false),
                    Said::Cut(said) => legibility::heard(&said, true),
                };
                noticed.into_iter().map(HardToRead::from).collect()
            }
            Err(error) => {
                tracing::warn!(%error, "a file could not be looked over: nobody is told whether it can be read");
                Vec::new()
            }
        }
    }

    /// A page of a file, drawn; counted from 1, its longest side of at most so many dots. A process that dies of a page condemns
    /// that page. Whoever calls sees to it that not too many are drawn at once: each may take half a gigabyte.
    ///
    /// # Errors
    /// [`NotInspected`] when nothing can be said; the same page may be asked for again.
    pub(crate) async fn draw(
        &self,
        bytes: &[u8],
        page: u32,
        longest_side: u16,
    ) -> Result<Result<Drawing, Undrawn>, NotInspected> {
        let words = [render::ARGUMENT.to_owned(), page.to_string(), longest_side.to_string()];
        Ok(match self.said(&words, bytes, (render::SECONDS, LONGEST_LINE + MOST_DOTS)).await? {
            Said::Cut(_) => Err(Undrawn::Unbearable),
            Said::Whole(said) => drawn(said, longest_side),
        })
    }

    /// What a process said that read a file to its end, or died of it. One that came to nothing without having used its processor
    /// time up says nothing of the file: the machine is busy, or took its memory back.
    async fn said(
        &self,
        words: &[String],
        bytes: &[u8],
        (seconds, longest): (u64, u64),
    ) -> Result<Said, NotInspected> {
        let output = timeout(Duration::from_secs(4 * seconds), self.run(words, bytes, longest)).await;
        let (end, said) = output.map_err(not_inspected)?.map_err(not_inspected)?;
        if end.success() {
            return Ok(Said::Whole(said));
        }
        if end.code() == Some(NOT_CONFINED.into()) {
            return Err(NotInspected(String::from_utf8_lossy(&said).into_owned()));
        }
        // Processor time that is used up ends with SIGXCPU, memory and a fault of the decoder with other signals; this one is
        // sent by whoever needs the memory more (proc(5), oom_score_adj).
        if end.signal() == Some(libc::SIGKILL) { Err(not_inspected(end)) } else { Ok(Said::Cut(said)) }
    }

    /// The process's end and what it said.
    async fn run(
        &self,
        words: &[String],
        bytes: &[u8],
        longest: u64,
    ) -> std::io::Result<(ExitStatus, Vec<u8>)> {
        let mut child = Command::new(&self.program)
            .args(words)
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
        let heard = async { output.take(longest).read_to_end(&mut said).await };
        let ((), heard) = tokio::join!(written, heard);
        heard?;
        Ok((child.wait().await?, said))
    }
}

/// The page in what a process said. It may be a stranger who speaks: what is not exactly as many dots as were asked for at most
/// is no page.
fn drawn(mut said: Vec<u8>, longest_side: u16) -> Result<Drawing, Undrawn> {
    let end = said.iter().position(|byte| *byte == b'\n').ok_or(Undrawn::Unbearable)?;
    let dots = said.split_off(end + 1);
    match serde_json::from_slice(&said).map_err(|_| Undrawn::Unbearable)? {
        Drawn::Undrawn(undrawn) => Err(undrawn),
        Drawn::Dots { width, height, .. } if width.max(height) > longest_side.into() => {
            Err(Undrawn::Unbearable)
        }
        Drawn::Dots { width, height, page_count, incomplete } => {
            let exact = dots.len() as u64 == 3 * u64::from(width) * u64::from(height);
            let dots = RgbImage::from_raw(width, height, dots).filter(|_| exact && width > 0 && height > 0);
            Ok(Drawing { dots: dots.ok_or(Undrawn::Unbearable)?, page_count, incomplete })
        }
    }
}

fn not_inspected(error: impl std::fmt::Display) -> NotInspected {
    NotInspected(error.to_string())
}
