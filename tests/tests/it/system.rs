//! A whole system in a folder of its own, started and stopped through the `docket` program only.
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A cold start on a loaded machine takes a while; nothing is asserted about it.
const PATIENCE: Duration = Duration::from_mins(3);

/// The folder of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the checkout").to_owned()
}

/// Plays a story that turns the clock, in an environment that `docket` makes for it and throws away.
pub(crate) fn play_apart(story: &str) {
    let home = tempfile::Builder::new()
        .prefix("docket home ")
        .tempdir_in(docket_servers::scratch())
        .expect("a folder");
    open_to_all(home.path());
    let output = Command::new(docket())
        .args(["up", "--story", story, "--once", "--json"])
        .env("DOCKET_HOME", home.path())
        .env("DOCKET_ROOT", root())
        .current_dir(root())
        .output()
        .expect("docket up");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{told}", String::from_utf8_lossy(&output.stderr));
    let left: Vec<_> = std::fs::read_dir(home.path().join("apart")).expect("its place").collect();
    assert!(left.is_empty(), "something was not thrown away: {left:?}");
}

/// The `docket` program, built beside the tests.
pub(crate) fn docket() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.parent().and_then(Path::parent).expect("target/debug/deps/…");
    let program = folder.join("docket");
    assert!(
        program.is_file(),
        "{} is missing: `make test` builds it, or `cargo build --workspace`",
        program.display()
    );
    program
}

/// A running system.
pub(crate) struct System {
    /// Its folder, in one that is removed at the end.
    home: PathBuf,
    _folder: tempfile::TempDir,
    supervisor: Child,
    killed: AtomicBool,
    /// Kills on their way; each gives the id of the process that it hit.
    kills: Mutex<Vec<(String, JoinHandle<i64>)>>,
}

impl System {
    /// Starts everything and waits until it has told its addresses.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with more in its environment.
    pub(crate) fn start_with(environment: &[(&str, &str)]) -> Self {
        Self::up(&["up", "--json"], "", environment)
    }

    /// The same, in an environment that `docket` throws away at the end, so that its clock may be turned.
    pub(crate) fn start_apart(environment: &[(&str, &str)]) -> Self {
        Self::up(&["up", "--apart", "--json"], "apart/own", environment)
    }

    fn up(arguments: &[&str], place: &str, environment: &[(&str, &str)]) -> Self {
        // A blank in the path: everything must stand it.
        let folder = tempfile::Builder::new()
            .prefix("docket home ")
            .tempdir_in(docket_servers::scratch())
            .expect("a folder");
        open_to_all(folder.path());
        let supervisor = Command::new(docket())
            .args(arguments)
            .env("DOCKET_HOME", folder.path())
            .env("DOCKET_ROOT", root())
            .envs(environment.iter().copied())
            .current_dir(root())
            .stdout(Stdio::null())
            .spawn()
            .expect("docket up");
        let home = folder.path().join(place).components().collect();
        let (killed, kills) = (AtomicBool::new(false), Mutex::default());
        let mut system = Self { home, _folder: folder, supervisor, killed, kills };
        let begun = Instant::now();
        while !system.home.join("docket.json").exists() {
            let ended = system.supervisor.try_wait().expect("the supervisor's state");
            assert!(ended.is_none(), "docket up ended: {ended:?}\n{}", system.logs());
            assert!(begun.elapsed() < PATIENCE, "the system was not up in time\n{}", system.logs());
            std::thread::park_timeout(Duration::from_millis(50));
        }
        system
    }

    /// Its folder.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// What it tells about itself.
    pub(crate) fn addresses(&self) -> Value {
        addresses(&self.home)
    }

    /// A command of `docket` against this system.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(docket());
        command.args(arguments).env("DOCKET_HOME", &self.home).env("DOCKET_ROOT", root()).current_dir(root());
        command
    }

    /// Plays a story; calls `at_step` with each step as it is told. The last line says what came of it. Panics with the story's words when it fails.
    pub(crate) fn play(&self, file: &str, at_step: impl FnMut(&Value)) -> Vec<Value> {
        self.told(self.command(&["story", file, "--json"]), at_step)
    }

    /// The same while something is stopped or killed.
    pub(crate) fn play_disturbed(&self, file: &str, at_step: impl FnMut(&Value)) -> Vec<Value> {
        let told = self.told(self.command(&["story", file, "--disturbed", "--json"]), at_step);
        self.recover();
        told
    }

    /// Waits until every kill has come, and whoever was hit is there again.
    pub(crate) fn recover(&self) {
        for (process, kill) in self.kills.lock().expect("no thread panicked").drain(..) {
            let hit = kill.join().expect("a kill");
            let begun = Instant::now();
            while id_of(&self.home, &process) == Some(hit) {
                assert!(begun.elapsed() < PATIENCE, "{process} was not started again\n{}", self.logs());
                std::thread::park_timeout(Duration::from_millis(50));
            }
        }
    }

    fn told(&self, mut story: Command, mut at_step: impl FnMut(&Value)) -> Vec<Value> {
        let mut story = story.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("docket story");
        let lines = BufReader::new(story.stdout.take().expect("its output")).lines();
        let mut told = Vec::new();
        for line in lines {
            let value: Value = serde_json::from_str(&line.expect("a line")).expect("a JSON line");
            if value["step"].is_u64() {
                at_step(&value);
            }
            told.push(value);
        }
        let output = story.wait_with_output().expect("its end");
        let last = told.last().map_or_else(String::new, ToString::to_string);
        assert!(
            output.status.success(),
            "{}\nlast step: {last}\n{}",
            String::from_utf8_lossy(&output.stderr),
            self.logs()
        );
        told
    }

    /// Kills a process of it (`kill -9`) after a pause, while the caller goes on; one that is away then, once it is back.
    pub(crate) fn kill_after(&self, process: &str, pause: Duration) {
        self.killed.store(true, Ordering::Relaxed);
        let (home, name) = (self.home.clone(), process.to_owned());
        let kill = std::thread::spawn(move || {
            std::thread::park_timeout(pause);
            let begun = Instant::now();
            loop {
                let id = id_of(&home, &name).unwrap_or_else(|| panic!("no process id of {name}"));
                let pid = Pid::from_raw(i32::try_from(id).expect("a process id")).expect("a process id");
                let away = home.join("held").join(&name).exists();
                if !away && kill_process(pid, Signal::KILL).is_ok() {
                    return id;
                }
                assert!(begun.elapsed() < PATIENCE, "{name} was not there to be killed");
                std::thread::park_timeout(Duration::from_millis(50));
            }
        });
        self.kills.lock().expect("no thread panicked").push((process.to_owned(), kill));
    }

    /// Whether a process of it was killed.
    pub(crate) fn was_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// The last lines of every log, for a failed test.
    pub(crate) fn logs(&self) -> String {
        let mut text = String::new();
        for entry in std::fs::read_dir(self.home.join("logs")).into_iter().flatten().flatten() {
            let log = std::fs::read(entry.path()).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let serious = [r#""level":"warn""#, r#""level":"error""#, "panicked"];
            let lines: Vec<&str> =
                log.lines().filter(|line| serious.iter().any(|word| line.contains(word))).collect();
            let last = lines[lines.len().saturating_sub(6)..].join("\n");
            let _ = writeln!(text, "── {}\n{last}", entry.file_name().display());
        }
        text
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.supervisor), Signal::TERM);
        let _ = self.supervisor.wait();
    }
}

/// What the system in a folder tells about itself.
fn addresses(home: &Path) -> Value {
    let text = std::fs::read_to_string(home.join("docket.json")).expect("docket.json");
    serde_json::from_str(&text).expect("docket.json is JSON")
}

/// The id of one of its processes.
fn id_of(home: &Path, process: &str) -> Option<i64> {
    addresses(home)["processes"][process].as_i64()
}

/// As root, PostgreSQL runs as another user, who must get through.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("modes");
}
