//! The service's clock: the system's, in development ahead by the seconds written in a file.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use docket_kernel::{Clock, SystemClock};
use jiff::{SignedDuration, Timestamp};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// The system's clock plus the offset in a file, which only ever grows: time does not go back.
#[derive(Debug)]
pub struct OffsetClock {
    file: PathBuf,
    seconds: AtomicI64,
    looked: Mutex<Option<Instant>>,
}

impl OffsetClock {
    /// A clock which follows `file`; a missing or unreadable file is no offset.
    pub fn new(file: PathBuf) -> Self {
        Self { file, seconds: AtomicI64::new(0), looked: Mutex::new(None) }
    }

    fn offset(&self) -> i64 {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.is_none_or(|at| at.elapsed() >= LOOK) {
            *looked = Some(Instant::now());
            let read = std::fs::read_to_string(&self.file).ok().and_then(|text| text.trim().parse().ok());
            self.seconds.fetch_max(read.unwrap_or(0), Ordering::Relaxed);
        }
        self.seconds.load(Ordering::Relaxed)
    }
}

impl Clock for OffsetClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        now.checked_add(SignedDuration::from_secs(self.offset())).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_ahead_by_the_file_and_never_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock");
        std::fs::write(&file, "86400\n").unwrap();
        let clock = OffsetClock::new(file.clone());
        let ahead = clock.now().duration_since(SystemClock.now());
        assert!(ahead > SignedDuration::from_secs(86_000), "{ahead}");
        std::fs::write(&file, "0").unwrap();
        *clock.looked.lock().unwrap() = None;
        assert!(clock.now().duration_since(SystemClock.now()) > SignedDuration::from_secs(86_000));
    }
}
