//! A server as a child process: spawning, waiting, signals, and an end that follows its parent's.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::Doing;
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
            process.watchdog = Some(Watchdog::over(&process)?);
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

/// A shell that waits for the end of the pipe from us, which is the end of our process, whatever ended it.
#[derive(Debug)]
struct Watchdog {
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
    fn over(process: &Process) -> Result<Self, Error> {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(WATCH).arg("watchdog");
        command.arg(process.pid().to_string()).arg(process.stop_with.as_raw().to_string());
        command.arg(process.scratch.as_deref().unwrap_or(Path::new("")));
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

    fn dismiss(mut self) {
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

/// A command that runs `program` as `user`. Root's supplementary groups are dropped by the standard library.
pub(crate) fn plain(program: &Path, user: Option<User>) -> Command {
    let mut command = Command::new(program);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Keeps our environment, with its PG… variables and the like, away from the servers.
pub(crate) fn only_our_environment(command: &mut Command) -> &mut Command {
    command.env_clear();
    for kept in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.env("LC_ALL", "C").env("TZ", "UTC")
}

type Order = (Command, mpsc::Sender<io::Result<Child>>);

/// Spawns from a thread that lives as long as the process. Linux sends a parent-death signal when the *thread* that
/// forked ends, and the threads of a runtime or of a test come and go.
///
/// # Errors
/// Those of [`Command::spawn`].
pub fn spawn_lasting(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in inbox {
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let (answer, answered) = mpsc::channel();
    let gone = |_| io::Error::other("the spawning thread is gone");
    spawner.lock().map_err(|_| gone(()))?.send((command, answer)).map_err(|_| gone(()))?;
    answered.recv().map_err(|_| gone(()))?
}

/// A loopback port that is free now. Another process may take it before it is used: the server then fails to start.
///
/// # Errors
/// When no port is free.
pub fn free_port() -> Result<u16, Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).doing(|| "find a free port".to_owned())?;
    Ok(listener.local_addr().doing(|| "read the port".to_owned())?.port())
}

/// True when nobody listens on that loopback port.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// `bytes` random bytes of the system in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> Result<String, Error> {
    use std::io::Read;
    let mut random = vec![0; bytes];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random));
    read.doing(|| "read /dev/urandom".to_owned())?;
    Ok(random.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}
