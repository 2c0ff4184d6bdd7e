//! Processes of the system: started, watched, restarted when they die, stopped in order.
use super::place::Place;
use anyhow::{Context, Result, bail};
use docket_servers::{Signal, child, spawn_lasting};
use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// After so many deaths within a minute a process is given up.
const CRASH_LOOP: usize = 5;
const STOP_PATIENCE: Duration = Duration::from_secs(45);

/// What to run.
#[derive(Clone, Debug)]
pub struct Order {
    /// Name, for people.
    pub name: String,
    /// Program.
    pub program: PathBuf,
    /// Arguments.
    pub arguments: Vec<String>,
    /// Environment beside PATH.
    pub environment: Vec<(String, String)>,
}

impl Order {
    /// The command, tied to our life.
    fn command(&self, place: &Place) -> Result<Command> {
        let log = place.logs().join(format!("{}.log", self.name));
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("open {}", log.display()))?;
        let mut command = child::command(&std::env::current_exe()?, &self.program, None, Signal::TERM);
        command.args(&self.arguments).env_clear().envs(self.environment.iter().cloned());
        for kept in ["PATH", "RUST_LOG", "OTEL_EXPORTER_OTLP_ENDPOINT"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).current_dir(&place.home);
        Ok(command)
    }

    /// Runs it to its end and gives what it printed; fails with its last lines.
    pub fn run_once(&self, place: &Place) -> Result<String> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .current_dir(&place.home);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let output = command.output().with_context(|| format!("start {}", self.program.display()))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned()
                + &String::from_utf8_lossy(&output.stdout);
            bail!("{} {}: {}", self.name, self.arguments.join(" "), last_lines(&said, 8));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The last lines of a text.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// A process that is kept alive.
#[derive(Debug)]
struct Kept {
    order: Order,
    child: Child,
    deaths: VecDeque<Instant>,
    /// Whether it ended because somebody holds it: that is no crash.
    held: bool,
    given_up: bool,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Children {
    place: Place,
    kept: Arc<Mutex<Vec<Kept>>>,
}

impl Children {
    /// None yet.
    pub fn new(place: Place) -> Self {
        Self { place, kept: Arc::default() }
    }

    /// Starts one and keeps it.
    pub fn start(&self, order: Order) -> Result<()> {
        let child = self.spawn(&order)?;
        self.lock().push(Kept { order, child, deaths: VecDeque::new(), held: false, given_up: false });
        Ok(())
    }

    /// Process ids by name.
    pub fn pids(&self) -> Vec<(String, u32)> {
        self.lock().iter().map(|kept| (kept.order.name.clone(), kept.child.id())).collect()
    }

    /// Fails when one has ended: whoever answers on its port is then somebody else.
    pub fn lives(&self, name: &str) -> Result<()> {
        match self.lock().iter_mut().find(|kept| kept.order.name == name).map(|kept| kept.child.try_wait()) {
            Some(Ok(Some(status))) => bail!("{name} ended: {status}"),
            _ => Ok(()),
        }
    }

    /// Restarts what has died and gives a sentence for each.
    pub fn look_after(&self) -> Vec<String> {
        let mut said = Vec::new();
        for kept in self.lock().iter_mut().filter(|kept| !kept.given_up) {
            let Ok(Some(status)) = kept.child.try_wait() else { continue };
            if self.place.held().join(&kept.order.name).exists() {
                kept.held = true;
                continue;
            }
            let now = Instant::now();
            if !std::mem::take(&mut kept.held) {
                kept.deaths.push_back(now);
            }
            kept.deaths.retain(|at| now.duration_since(*at) < Duration::from_mins(1));
            let name = &kept.order.name;
            if kept.deaths.len() >= CRASH_LOOP {
                kept.given_up = true;
                said.push(format!(
                    "{name} died {CRASH_LOOP} times within a minute and is given up:\n{}",
                    self.tail(name)
                ));
                continue;
            }
            match self.spawn(&kept.order) {
                Ok(child) => {
                    kept.child = child;
                    said.push(format!("{name} died ({status}) and was started again"));
                }
                Err(error) => said.push(format!("{name} died ({status}) and does not start: {error:#}")),
            }
        }
        said
    }

    /// The last lines of a process's log.
    pub fn tail(&self, name: &str) -> String {
        let text = std::fs::read(self.place.logs().join(format!("{name}.log"))).unwrap_or_default();
        last_lines(&String::from_utf8_lossy(&text), 6)
    }

    /// Stops all, last started first, in order; kills what does not end.
    pub fn stop(&self) {
        let mut kept = self.lock();
        for one in kept.iter_mut().rev() {
            signal(&one.child, Signal::TERM);
        }
        let deadline = Instant::now() + STOP_PATIENCE;
        for one in kept.iter_mut().rev() {
            while one.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = one.child.kill();
            let _ = one.child.wait();
        }
        kept.clear();
    }

    fn spawn(&self, order: &Order) -> Result<Child> {
        spawn_lasting(order.command(&self.place)?)
            .with_context(|| format!("start {}", order.program.display()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().expect("nobody panics while holding the list of children")
    }
}

fn signal(child: &Child, signal: Signal) {
    let _ = rustix::process::kill_process(rustix::process::Pid::from_child(child), signal);
}
