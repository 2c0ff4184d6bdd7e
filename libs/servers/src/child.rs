//! The `__child` subcommand: a process that drops its user, ties its life to its parent's, and becomes another program.
//!
//! A parent-death signal must be set by the child itself, after its user changed (a change of user clears it) and before
//! `exec`. Without unsafe code that is only possible in a program of our own, so the supervisor starts itself again as
//! `docket __child …`. On systems without that signal (macOS) the child only drops its user and limits.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::process::{Gid, Resource, Rlimit, Signal, Uid};

use crate::place::User;

/// The name of the subcommand that calls [`exec`].
pub const SUBCOMMAND: &str = "__child";

/// A command that starts `program` by way of `executable __child`; the caller adds arguments and environment.
///
/// It must be spawned by [`crate::spawn_lasting`]: Linux sends the signal when the *thread* that forked ends.
pub fn command(executable: &Path, program: &Path, user: Option<User>, die_with: Signal) -> Command {
    let mut command = Command::new(executable);
    command.arg(SUBCOMMAND).arg(std::process::id().to_string()).arg(die_with.as_raw().to_string());
    command.arg(user.map_or_else(|| "-".to_owned(), |user| format!("{}:{}", user.uid, user.gid)));
    command.arg(program).process_group(0);
    command
}

/// Becomes the program named by the arguments after [`SUBCOMMAND`]. Call it first thing in `main`, before any thread.
///
/// # Errors
/// Returns only when that failed.
pub fn exec(arguments: impl IntoIterator<Item = OsString>) -> io::Error {
    let mut arguments = arguments.into_iter();
    let mut text = || arguments.next().and_then(|argument| argument.into_string().ok()).ok_or_else(malformed);
    let prepared = text().and_then(|parent| {
        let signal = text()?;
        let user = text()?;
        drop_user(&user)?;
        rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
        die_with_parent(&parent, &signal)
    });
    match (prepared, arguments.next()) {
        (Ok(()), Some(program)) => Command::new(program).args(arguments).exec(),
        (Ok(()), None) => malformed(),
        (Err(error), _) => error,
    }
}

fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "expected: parent pid, signal, user:group or -, program, arguments",
    )
}

/// Changes group, then user. The process has one thread here, so the thread's user is the process's.
fn drop_user(user: &str) -> io::Result<()> {
    let Some((uid, gid)) = user.split_once(':') else { return Ok(()) };
    let uid = Uid::from_raw(uid.parse().map_err(|_| malformed())?);
    let gid = Gid::from_raw(gid.parse().map_err(|_| malformed())?);
    #[cfg(target_os = "linux")]
    {
        rustix::thread::set_thread_groups(&[gid])?;
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
        Ok(())
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (uid, gid);
        Err(io::Error::new(io::ErrorKind::Unsupported, "changing the user is only known on Linux"))
    }
}

#[cfg(target_os = "linux")]
fn die_with_parent(parent: &str, signal: &str) -> io::Result<()> {
    let signal = signal.parse().ok().and_then(Signal::from_named_raw).ok_or_else(malformed)?;
    rustix::process::set_parent_process_death_signal(Some(signal))?;
    // The parent may have gone before the line above; then nothing would ever tell us.
    let now = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().to_string());
    if now.as_deref() == Some(parent) { Ok(()) } else { Err(io::Error::other("the parent is gone")) }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_parent: &str, _signal: &str) -> io::Result<()> {
    Ok(())
}
