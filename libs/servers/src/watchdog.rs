//! A shell that outlives us by a moment, to clean up after us whatever ended us.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::process::Signal;

use crate::Error;
use crate::error::Doing;

/// A shell that waits for the end of the pipe from us, which is the end of our process, whatever ended it.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
    pipe: ChildStdin,
}

/// `$1` pid, `$2` signal, `$3` a folder to remove or nothing. A line on the pipe says that there is nothing left to do.
const WATCH: &str = r#"
trap '' INT TERM HUP
if read -r dismissed; then exit 0; fi
kill -"$2" "$1" && tries=0
while kill -0 "$1" && ! grep -q '^State:.Z' "/proc/$1/status" && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -KILL "$1"
[ -z "$3" ] || rm -rf -- "$3"
"#;

impl Watchdog {
    /// Watches over a server: its process, the signal that stops it, the throw-away folder to remove.
    pub(crate) fn over(pid: u32, stop_with: Signal, scratch: Option<&Path>) -> Result<Self, Error> {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(WATCH).arg("watchdog");
        command.arg(pid.to_string()).arg(stop_with.as_raw().to_string());
        command.arg(scratch.unwrap_or(Path::new("")));
        Self::start(&mut command)
    }

    fn start(command: &mut Command) -> Result<Self, Error> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0);
        let mut shell = command.spawn().doing(|| "start the watchdog".to_owned())?;
        let pipe = shell.stdin.take().expect("standard input was asked to be a pipe");
        Ok(Self { shell, pipe })
    }

    /// Tells the shell that there is nothing left to do.
    pub(crate) fn dismiss(mut self) {
        let _ = self.pipe.write_all(b"\n");
        drop(self.pipe);
        let _ = self.shell.wait();
    }
}

/// Runs a command when our process has ended, however it ended; not when this value is dropped before.
#[derive(Debug)]
pub struct Afterwards(Option<Watchdog>);

impl Afterwards {
    /// Leaves `command`, a program and its arguments, to a shell that waits for our end.
    ///
    /// # Errors
    /// When the shell cannot be started.
    pub fn run(command: &[&str]) -> Result<Self, Error> {
        let waiting = "trap '' INT TERM HUP\nif read -r dismissed; then exit 0; fi\nexec \"$@\"";
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(waiting).arg("afterwards").args(command);
        Watchdog::start(&mut shell).map(|watchdog| Self(Some(watchdog)))
    }
}

impl Drop for Afterwards {
    fn drop(&mut self) {
        if let Some(watchdog) = self.0.take() {
            watchdog.dismiss();
        }
    }
}
