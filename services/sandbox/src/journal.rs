//! The append-only file behind the state: one JSON line per change, on disk before anything is answered.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::mpsc,
};

use anyhow::{Context, bail};
use tokio::sync::watch;

/// Writes lines in order and tells when they are on disk; many waiting lines share one fsync.
pub(crate) struct Journal {
    lines: mpsc::Sender<Vec<u8>>,
    durable: watch::Receiver<u64>,
}

impl Journal {
    /// Opens `journal.jsonl` in `folder` and hands each line kept so far to `replay`.
    ///
    /// # Errors
    /// Another process uses the folder, or a line in the middle is damaged. A torn last line was
    /// never answered and is cut off.
    pub(crate) fn open(
        folder: &Path,
        mut replay: impl FnMut(&[u8]) -> serde_json::Result<()>,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("journal.jsonl");
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        if file.try_lock().is_err() {
            bail!("{} is in use by another process", path.display());
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        for (number, line) in bytes[..whole].split_inclusive(|&byte| byte == b'\n').enumerate() {
            replay(line).with_context(|| format!("{} line {}", path.display(), number + 1))?;
        }
        file.set_len(whole as u64)?;
        file.seek(SeekFrom::End(0))?;
        File::open(folder)?.sync_all()?;
        let (lines, waiting) = mpsc::channel();
        let (written, durable) = watch::channel(0);
        std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            if let Err(error) = write_lines(&mut file, &waiting, &written) {
                tracing::error!(%error, "the journal cannot be written; nothing can be promised any more");
                std::process::exit(1);
            }
        })?;
        Ok(Self { lines, durable })
    }

    /// Queues one line (with its newline); lines reach the disk in the order of these calls.
    pub(crate) fn queue(&self, line: Vec<u8>) {
        // The thread ends only with the process or with this sender.
        let _ = self.lines.send(line);
    }

    /// Waits until the first `count` lines queued since the start are on disk.
    pub(crate) async fn durable(&self, count: u64) {
        let mut durable = self.durable.clone();
        let _ = durable.wait_for(|&written| written >= count).await;
    }
}

fn write_lines(
    file: &mut File,
    waiting: &mpsc::Receiver<Vec<u8>>,
    written: &watch::Sender<u64>,
) -> io::Result<()> {
    while let Ok(first) = waiting.recv() {
        let mut batch = first;
        let mut lines = 1;
        while let Ok(next) = waiting.try_recv() {
            batch.extend_from_slice(&next);
            lines += 1;
        }
        file.write_all(&batch)?;
        file.sync_data()?;
        written.send_modify(|count| *count += lines);
    }
    Ok(())
}
