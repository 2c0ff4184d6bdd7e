//! A file lock that the system frees when we end, however we end.
use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::path::Path;

/// Held as long as it lives.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

impl Lock {
    /// Takes the lock, or fails at once when somebody has it.
    pub fn try_take(path: &Path) -> Result<Self> {
        Self::with(path, FlockOperation::NonBlockingLockExclusive)
    }

    /// Takes the lock, waiting for who has it.
    pub fn take(path: &Path) -> Result<Self> {
        Self::with(path, FlockOperation::LockExclusive)
    }

    fn with(path: &Path, operation: FlockOperation) -> Result<Self> {
        // Another user may have made it; a lock needs no more than reading.
        let file = File::open(path).or_else(|_missing| File::create(path));
        let file = file.with_context(|| format!("open {}", path.display()))?;
        flock(&file, operation)?;
        Ok(Self(file))
    }
}
