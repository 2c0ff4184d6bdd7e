//! A server as a child process: spawning, waiting, signals, and an end that follows its parent's.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::Doing;
use crate::spawn::{only_our_environment, plain, spawn_lasting};
use crate::watchdog::Watchdog;
use crate::{Error, User, child};

/// How long a server may take over its orderly end before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// How a server's life is tied to ours.
#[derive(Debug, Clone, Default)]
pub enum Launcher {
    /// A small shell waits for our end and then stops the server; also removes the folder of a throw-away server.
    #[default]
    Watchdog,
    /// This executable starts itself again as `__child …` (see [`child`]), with a parent-death signal.
    Reexec(PathBuf),
}

/// What to start, and how.
pub(crate) struct Launch {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) user: Option<User>,
    /// The signal for an orderly end.
    pub(crate) stop_with: Signal,
    /// Standard output and error are appended here.
    pub(crate) log: PathBuf,
    pub(crate) launcher: Launcher,
    /// A throw-away folder to remove when the server is gone.
    pub(crate) scratch: Option<PathBuf>,
}

/// A running server. Dropping it kills the server.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    stop_with: Signal,
    log: PathBuf,
    /// The log's length when this process began, which appends to it.
    log_from: u64,
    ended: Option<ExitStatus>,
    watchdog: Option<Watchdog>,
    scratch: Option<PathBuf>,
}

impl Process {
    pub(crate) fn start(launch: Launch) -> Result<Self, Error> {
        let mut command = match &launch.launcher {
            Launcher::Watchdog => plain(&launch.program, launch.user),
            Launcher::Reexec(executable) => {
                child::command(executable, &launch.program, launch.user, launch.stop_with)
            }
        };
        let log = OpenOptions::new().create(true).append(true).open(&launch.log);
        let log = log.doing(|| format!("open {}", launch.log.display()))?;
        let log_from = log.metadata().map_or(0, |found| found.len());
        let errors = log.try_clone().doing(|| "share the log".to_owned())?;
        only_our_environment(&mut command).args(&launch.arguments).current_dir("/").process_group(0);
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = spawn_lasting(command).doing(|| format!("start {}", launch.program.display()))?;
        let mut process = Self {
            name: launch.name,
            child,
            stop_with: launch.stop_with,
            log: launch.log,
            log_from,
            ended: None,
            watchdog: None,
            scratch: launch.scratch,
        };
        if matches!(launch.launcher, Launcher::Watchdog) {
            process.watchdog =
                Some(Watchdog::over(process.pid(), process.stop_with, process.scratch.as_deref())?);
        }
        Ok(process)
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its exit status once it has ended by itself or by a signal from elsewhere; reaps it.
    ///
    /// # Errors
    /// When the system cannot say.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?;
        }
        Ok(self.ended)
    }

    /// Sends a signal, for tests of crashes and pauses; does nothing when the server has ended.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn signal(&mut self, signal: Signal) -> io::Result<()> {
        if self.try_wait()?.is_none() {
            kill_process(Pid::from_child(&self.child), signal)?;
        }
        Ok(())
    }

    /// Ends the server in order, or by force when it takes longer than 20 s, and reaps it.
    ///
    /// # Errors
    /// When the system cannot signal or wait.
    pub fn stop(&mut self) -> Result<ExitStatus, Error> {
        self.signal(self.stop_with).doing(|| format!("stop {}", self.name))?;
        let deadline = Instant::now() + STOP_PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.try_wait().doing(|| format!("wait for {}", self.name))? {
                return Ok(status);
            }
            thread::sleep(POLL);
        }
        self.kill().doing(|| format!("kill {}", self.name))
    }

    /// Kills the server at once (SIGKILL) and reaps it.
    ///
    /// # Errors
    /// When the system cannot signal or wait.
    pub fn kill(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.try_wait()? {
            return Ok(status);
        }
        self.child.kill()?;
        let status = self.child.wait()?;
        self.ended = Some(status);
        Ok(status)
    }

    /// Ends the server, and leaves its folder for the next one.
    pub(crate) fn release(&mut self) -> Result<(), Error> {
        self.stop()?;
        self.scratch = None;
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.dismiss();
        }
        Ok(())
    }

    /// Polls `ready` until it gives a value.
    ///
    /// # Errors
    /// [`Error::Ended`], or [`Error::NotReady`] after `patience`.
    pub(crate) fn wait_until<T>(
        &mut self,
        patience: Duration,
        mut ready: impl FnMut() -> Option<T>,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(value) = ready() {
                return Ok(value);
            }
            if self.try_wait().doing(|| format!("wait for {}", self.name))?.is_some() {
                return Err(Error::Ended { name: self.name, tail: self.tail() });
            }
            if Instant::now() > deadline {
                return Err(Error::NotReady {
                    name: self.name,
                    seconds: patience.as_secs(),
                    tail: self.tail(),
                });
            }
            thread::sleep(POLL);
        }
    }

    /// The last lines that this process wrote to its log.
    pub fn tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let begun = usize::try_from(self.log_from).map_or(text.len(), |from| from.min(text.len()));
        let text = String::from_utf8_lossy(&text[begun..]);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.dismiss();
        }
        if let Some(scratch) = &self.scratch {
            let _ = fs::remove_dir_all(scratch);
        }
    }
}
