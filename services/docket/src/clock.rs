//! The clock of the people at this end: the machine's, ahead with the system's where a story turned that one.
use anyhow::{Context, Result};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

/// One program serves one system, so there is one clock.
static AHEAD_S: AtomicI64 = AtomicI64::new(0);

/// Seconds since the epoch, as the people of the system have it.
pub fn now_s() -> i64 {
    now_ms().div_euclid(1_000)
}

/// Milliseconds since the epoch, as the people of the system have it.
pub fn now_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "a person's authenticator runs on the person's own clock")]
    let machine = jiff::Timestamp::now().as_millisecond();
    machine + AHEAD_S.load(Ordering::Relaxed) * 1_000
}

/// Goes as far ahead as the file of a system says whose clock may be turned; a missing file is no offset.
pub fn follow(file: &Path) {
    let read = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
    AHEAD_S.fetch_max(read.unwrap_or(0), Ordering::Relaxed);
}

/// Turns the clock of a system, which only goes forward, to an instant in seconds since the epoch.
///
/// # Errors
/// The file cannot be written.
pub fn turn(file: &Path, to_s: i64) -> Result<()> {
    let by_s = (to_s - now_s()).max(0);
    let ahead_s = AHEAD_S.fetch_add(by_s, Ordering::Relaxed) + by_s;
    // In one step, so that no service reads half a number.
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, ahead_s.to_string()).with_context(|| format!("write {}", fresh.display()))?;
    std::fs::rename(&fresh, file).with_context(|| format!("write {}", file.display()))
}
