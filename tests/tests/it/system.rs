//! A whole system in a folder of its own, started and stopped through the `docket` program only.
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
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
    home: tempfile::TempDir,
    supervisor: Child,
    killed: AtomicBool,
}

impl System {
    /// Starts everything and waits until it has told its addresses.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with more in its environment.
    pub(crate) fn start_with(environment: &[(&str, &str)]) -> Self {
        // A blank in the path: everything must stand it.
        let home = tempfile::Builder::new()
            .prefix("docket home ")
            .tempdir_in(docket_servers::scratch())
            .expect("a folder");
        open_to_all(home.path());
        let supervisor = Command::new(docket())
            .args(["up", "--json"])
            .env("DOCKET_HOME", home.path())
            .env("DOCKET_ROOT", root())
            .envs(environment.iter().copied())
            .current_dir(root())
            .stdout(Stdio::null())
            .spawn()
            .expect("docket up");
        let mut system = Self { home, supervisor, killed: AtomicBool::new(false) };
        let begun = Instant::now();
        while !system.home.path().join("docket.json").exists() {
            let ended = system.supervisor.try_wait().expect("the supervisor's state");
            assert!(ended.is_none(), "docket up ended: {ended:?}\n{}", system.logs());
            assert!(begun.elapsed() < PATIENCE, "the system was not up in time\n{}", system.logs());
            std::thread::park_timeout(Duration::from_millis(50));
        }
        system
    }

    /// Its folder.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// What it tells about itself.
    pub(crate) fn addresses(&self) -> Value {
        let text = std::fs::read_to_string(self.home.path().join("docket.json")).expect("docket.json");
        serde_json::from_str(&text).expect("docket.json is JSON")
    }

    /// A command of `docket` against this system.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(docket());
        command
            .args(arguments)
            .env("DOCKET_HOME", self.home.path())
            .env("DOCKET_ROOT", root())
            .current_dir(root());
        command
    }

    /// Plays a story; calls `at_step` with each step as it is told. The last line says what came of it. Panics with the story's words when it fails.
    pub(crate) fn play(&self, file: &str, at_step: impl FnMut(&Value)) -> Vec<Value> {
        self.told(self.command(&["story", file, "--json"]), at_step)
    }

    /// The same while something is stopped or killed.
    pub(crate) fn play_disturbed(&self, file: &str, at_step: impl FnMut(&Value)) -> Vec<Value> {
        self.told(self.command(&["story", file, "--disturbed", "--json"]), at_step)
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

    /// Kills a process of it (`kill -9`) after a pause, while the caller goes on.
    pub(crate) fn kill_after(&self, process: &str, pause: Duration) {
        let pid = self.addresses()["processes"][process]
            .as_i64()
            .unwrap_or_else(|| panic!("no process id of {process}"));
        self.killed.store(true, Ordering::Relaxed);
        std::thread::spawn(move || {
            std::thread::park_timeout(pause);
            let pid = Pid::from_raw(i32::try_from(pid).expect("a process id")).expect("a process id");
            let _ = kill_process(pid, Signal::KILL);
        });
    }

    /// Whether a process of it was killed.
    pub(crate) fn was_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// The last lines of every log, for a failed test.
    pub(crate) fn logs(&self) -> String {
        let mut text = String::new();
        for entry in std::fs::read_dir(self.home.path().join("logs")).into_iter().flatten().flatten() {
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

/// As root, PostgreSQL runs as another user, who must get through.
fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("modes");
}
