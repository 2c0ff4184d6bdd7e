//! Starts nats-server with JetStream on a loopback port.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;

use crate::error::Doing;
use crate::ports::is_free;
use crate::process::Launch;
use crate::{Binaries, Error, Launcher, Process, TlsFiles};

/// JetStream reads its store before the server takes connections.
const READY_PATIENCE: Duration = Duration::from_mins(1);

/// Where and how to run nats-server.
#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// The folder for `jetstream`, `nats.conf` and `nats.log`; kept over restarts.
    pub folder: PathBuf,
    /// The program; found by [`Binaries::find_nats`] when not given.
    pub program: Option<PathBuf>,
    /// A fixed loopback port for clients, or any free one.
    pub port: Option<u16>,
    /// A fixed loopback port for monitoring over HTTP, or any free one.
    pub monitor_port: Option<u16>,
    /// TLS 1.3 with client certificates mapped to users (`verify_and_map`).
    pub tls: Option<TlsFiles>,
    /// More configuration text: accounts, users and their permissions, a cluster.
    pub config: String,
    /// False for throw-away data: JetStream syncs every two minutes instead of at every write.
    pub durable: bool,
    /// True to remove the folder when the server is gone.
    pub scratch: bool,
    /// How its life is tied to ours.
    pub launcher: Launcher,
}

impl NatsOptions {
    /// A durable server with its data in `folder`, on any free ports, open to everybody on this machine.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            program: None,
            port: None,
            monitor_port: None,
            tls: None,
            config: String::new(),
            durable: true,
            scratch: false,
            launcher: Launcher::default(),
        }
    }

    fn text(&self) -> String {
        let port = |port: Option<u16>| port.map_or_else(|| "-1".to_owned(), |port| port.to_string());
        let folder = quoted(&self.folder.join("jetstream"));
        let sync = if self.durable { "always" } else { "2m" };
        let tls = self.tls.as_ref().map_or_else(String::new, |tls| {
            let (cert, key, ca) = (quoted(&tls.cert), quoted(&tls.key), quoted(&tls.ca));
            format!("tls {{ cert_file: {cert}, key_file: {key}, ca_file: {ca}, verify_and_map: true, min_version: \"1.3\" }}\n")
        });
        format!(
            "listen: \"127.0.0.1:{}\"\nhttp: \"127.0.0.1:{}\"\nports_file_dir: {}\nmax_payload: 1MB\n\
             lame_duck_duration: 30s\nlame_duck_grace_period: 2s\n\
             jetstream {{ store_dir: {folder}, max_memory_store: 64M, max_file_store: 2G, sync_interval: {sync} }}\n{tls}{}\n",
            port(self.port),
            port(self.monitor_port),
            quoted(&self.folder.join("ports")),
            self.config,
        )
    }
}

/// A running nats-server; dropping it kills it.
#[derive(Debug)]
pub struct Nats {
    process: Process,
    options: NatsOptions,
    program: PathBuf,
    port: u16,
    monitor_port: u16,
}

impl Nats {
    /// Starts the server and waits until it takes connections.
    ///
    /// # Errors
    /// [`Error::PortBusy`] for a fixed port, [`Error::Ended`] with the log's last lines, and what stands at [`Error`].
    pub fn start(mut options: NatsOptions) -> Result<Self, Error> {
        let program = options.program.take().map_or_else(Binaries::find_nats, Ok)?;
        let busy = [options.port, options.monitor_port].into_iter().flatten().find(|port| !is_free(*port));
        if let Some(port) = busy {
            return Err(Error::PortBusy(port));
        }
        fs::create_dir_all(&options.folder).doing(|| format!("make {}", options.folder.display()))?;
        options.folder =
            options.folder.canonicalize().doing(|| format!("resolve {}", options.folder.display()))?;
        let program = program.canonicalize().doing(|| format!("resolve {}", program.display()))?;
        let (process, port, monitor_port) = launch(&program, &options)?;
        Ok(Self { process, options, program, port, monitor_port })
    }

    /// Starts it again on the same data and ports, after a stop, a crash, or while it runs.
    ///
    /// # Errors
    /// Those of [`Nats::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        self.process.release()?;
        self.options.port = Some(self.port);
        self.options.monitor_port = Some(self.monitor_port);
        (self.process, ..) = launch(&self.program, &self.options)?;
        Ok(())
    }

    /// The loopback port for clients.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The loopback port for monitoring over HTTP.
    pub fn monitor_port(&self) -> u16 {
        self.monitor_port
    }

    /// The clients' URL, `nats://…` or `tls://…`.
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", if self.options.tls.is_some() { "tls" } else { "nats" }, self.port)
    }

    /// The process, to look after it or to disturb it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends the server in order.
    ///
    /// # Errors
    /// When the system cannot signal or wait.
    pub fn stop(&mut self) -> Result<ExitStatus, Error> {
        self.process.stop()
    }
}

/// Starts the program and waits for the ports that it listens on, for clients and for monitoring.
fn launch(program: &Path, options: &NatsOptions) -> Result<(Process, u16, u16), Error> {
    let ports = options.folder.join("ports");
    let _ = fs::remove_dir_all(&ports); // those of earlier runs
    fs::create_dir(&ports).doing(|| format!("make {}", ports.display()))?;
    let config = options.folder.join("nats.conf");
    fs::write(&config, options.text()).doing(|| format!("write {}", config.display()))?;
    let mut process = Process::start(Launch {
        name: "nats-server",
        program: program.to_owned(),
        arguments: vec!["-c".into(), config.into()],
        user: None,
        stop_with: Signal::TERM,
        log: options.folder.join("nats.log"),
        launcher: options.launcher.clone(),
        scratch: options.scratch.then(|| options.folder.clone()),
    })?;
    let file = ports.join(format!("nats-server_{}.ports", process.pid()));
    let (port, monitor_port) = process.wait_until(READY_PATIENCE, || read_ports(&file))?;
    Ok((process, port, monitor_port))
}

/// The ports that the server wrote once it listened: `{"nats": ["nats://…:4222"], "monitoring": ["http://…:8222"]}`.
fn read_ports(file: &Path) -> Option<(u16, u16)> {
    let ports: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    let port = |kind: &str| ports[kind][0].as_str()?.rsplit(':').next()?.parse().ok();
    Some((port("nats")?, port("monitoring")?))
}

fn quoted(path: &Path) -> String {
    let escaped = path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}
