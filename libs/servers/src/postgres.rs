//! Starts PostgreSQL: makes its data folder when new, as an unprivileged user when we are root.

use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::error::Doing;
use crate::process::{Launch, free_port, is_free, only_our_environment, plain, random_hex};
use crate::{Binaries, Error, Launcher, Process, TlsFiles, User, place, unprivileged_user};

/// Recovery after a crash reads the whole log since the last checkpoint.
const READY_PATIENCE: Duration = Duration::from_mins(1);

/// The superuser that `initdb` makes.
pub const SUPERUSER: &str = "docket";

/// Where and how to run PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The folder for `data`, `password` (mode 0600) and `postgres.log`; kept over restarts.
    pub folder: PathBuf,
    /// The folder of the programs; found by [`Binaries::find_postgres`] when not given.
    pub bin: Option<PathBuf>,
    /// A fixed loopback port, or any free one.
    pub port: Option<u16>,
    /// Offer TLS 1.3; needs a PostgreSQL built with it.
    pub tls: Option<TlsFiles>,
    /// Lines of `pg_hba.conf` instead of "everybody by password from loopback"; the superuser's line is always added.
    pub hba: Vec<String>,
    /// More settings, as `name`, `value`; they win over ours.
    pub settings: Vec<(String, String)>,
    /// False for throw-away data: no `fsync`, so a crash of the *machine* loses it (a crash of PostgreSQL does not).
    pub durable: bool,
    /// True to remove the folder when the server is gone.
    pub scratch: bool,
    /// How its life is tied to ours.
    pub launcher: Launcher,
}

impl PostgresOptions {
    /// A durable server with its data in `folder`, on any free port.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            bin: None,
            port: None,
            tls: None,
            hba: Vec::new(),
            settings: Vec::new(),
            durable: true,
            scratch: false,
            launcher: Launcher::default(),
        }
    }
}

/// A running PostgreSQL; dropping it kills it.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    options: PostgresOptions,
    settings: Vec<(String, String)>,
    layout: Layout,
    port: u16,
    password: String,
    notes: Vec<String>,
}

impl Postgres {
    /// Starts the server and waits until it takes connections.
    ///
    /// # Errors
    /// [`Error::PortBusy`] for a fixed port, [`Error::Ended`] with the log's last lines, and what stands at [`Error`].
    pub fn start(options: PostgresOptions) -> Result<Self, Error> {
        let user = unprivileged_user()?;
        let bin = options.bin.clone().map_or_else(Binaries::find_postgres, Ok)?;
        let bin = place::binaries_for(&bin, user)?;
        let folder = place::folder_for(&options.folder, user)?;
        let layout = Layout { bin: bin.path, folder: folder.path, user };
        let password = layout.prepare()?;
        layout.end_previous()?;
        layout.write_hba(&options)?;
        let mut settings = settings(&options);
        if let Some(tls) = &options.tls {
            settings.extend(layout.tls(tls)?);
        }
        let (process, port) = layout.start(&options, &settings).inspect_err(|_| {
            if options.scratch {
                let _ = fs::remove_dir_all(&layout.folder);
            }
        })?;
        let notes = bin.note.into_iter().chain(folder.note).collect();
        Ok(Self { process, options, settings, layout, port, password, notes })
    }

    /// Starts it again on the same data and port, after a stop, a crash, or while it runs.
    ///
    /// # Errors
    /// Those of [`Postgres::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        self.process.release()?;
        self.process = self.layout.start_patiently(self.port, &self.options, &self.settings)?;
        Ok(())
    }

    /// The loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's password; also in the file `password` of the folder.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The superuser's URL of a database. Holds the password: not for logs.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    /// The folder of the programs (psql, `pg_basebackup` …) that belong to this server.
    pub fn bin(&self) -> &Path {
        &self.layout.bin
    }

    /// The folder that holds the data; not the one asked for where `nobody` could not reach that.
    pub fn folder(&self) -> &Path {
        &self.layout.folder
    }

    /// Sentences for the person at the terminal, such as where the data went.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The process, to look after it or to disturb it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends connections and the server in order ("fast" shutdown).
    ///
    /// # Errors
    /// When the system cannot signal or wait.
    pub fn stop(&mut self) -> Result<ExitStatus, Error> {
        self.process.stop()
    }
}

fn settings(options: &PostgresOptions) -> Vec<(String, String)> {
    let on = |on: bool| if on { "on" } else { "off" };
    let ours = [
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""), // nothing to place, nothing too long: loopback and a password do
        ("wal_level", "replica"),
        ("max_connections", "200"),
        ("synchronous_commit", "on"),
        ("fsync", on(options.durable)),
        ("full_page_writes", on(options.durable)),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        // Statements and the details of errors hold values, and values may be personal.
        ("log_min_error_statement", "panic"),
        ("log_error_verbosity", "terse"),
        ("log_parameter_max_length_on_error", "0"),
    ];
    let ours = ours.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ours.chain(options.settings.iter().cloned()).collect()
}

/// The places of one server, and who runs it.
#[derive(Debug)]
struct Layout {
    bin: PathBuf,
    folder: PathBuf,
    user: Option<User>,
}

impl Layout {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Makes the data folder when there is none; gives the superuser's password.
    fn prepare(&self) -> Result<String, Error> {
        let kept = self.folder.join("password");
        if self.data().join("PG_VERSION").is_file() {
            return fs::read_to_string(&kept).doing(|| format!("read {}", kept.display()));
        }
        let password = random_hex(24)?;
        write_private(&kept, &password, None)?;
        // initdb works in a folder of another name, so that one broken off leaves nothing that looks like data.
        let fresh = self.folder.join("data.new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh).doing(|| format!("remove {}", fresh.display()))?;
        }
        fs::create_dir(&fresh).doing(|| format!("make {}", fresh.display()))?;
        fs::set_permissions(&fresh, Permissions::from_mode(0o700)).doing(|| "set modes".to_owned())?;
        self.give(&fresh)?;
        let handed = self.folder.join("password.initdb");
        write_private(&handed, &password, self.user)?;
        self.initdb(&fresh, &handed)?;
        fs::remove_file(&handed).doing(|| format!("remove {}", handed.display()))?;
        fs::rename(&fresh, self.data()).doing(|| format!("rename {}", fresh.display()))?;
        Ok(password)
    }

    fn initdb(&self, data: &Path, password: &Path) -> Result<(), Error> {
        let mut command = plain(&self.bin.join("initdb"), self.user);
        only_our_environment(&mut command).arg("-D").arg(data).arg("--pwfile").arg(password).current_dir("/");
        command.args([
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
        ]);
        command.arg("--no-sync"); // the first checkpoint of the server syncs
        let output = command.output().doing(|| "run initdb".to_owned())?;
        if output.status.success() {
            return Ok(());
        }
        Err(Error::Ended { name: "initdb", tail: String::from_utf8_lossy(&output.stderr).into_owned() })
    }

    /// Waits for a server of ours that an earlier run, killed, has left on this data, and hurries it after a second.
    fn end_previous(&self) -> Result<(), Error> {
        let Some(pid) = read_pid_file(&self.data()).and_then(|(pid, _)| Pid::from_raw(pid)) else {
            return Ok(());
        };
        let works_here = || {
            let cwd = fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()));
            cwd.is_ok_and(|cwd| cwd == self.data()) && test_kill_process(pid).is_ok()
        };
        let begun = Instant::now();
        let mut hurried = false;
        while works_here() && begun.elapsed() < READY_PATIENCE {
            if !hurried && begun.elapsed() > Duration::from_secs(1) {
                hurried = true;
                let _ = kill_process(pid, Signal::INT); // it may just have gone
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn write_hba(&self, options: &PostgresOptions) -> Result<(), Error> {
        let kind = if options.tls.is_some() { "hostssl" } else { "host" };
        let mut lines = vec![format!("host all {SUPERUSER} 127.0.0.1/32 scram-sha-256")];
        lines.push(format!("host replication {SUPERUSER} 127.0.0.1/32 scram-sha-256"));
        if options.hba.is_empty() {
            lines.push(format!("{kind} all all 127.0.0.1/32 scram-sha-256"));
        }
        lines.extend(options.hba.iter().cloned());
        write_private(&self.data().join("pg_hba.conf"), &format!("{}\n", lines.join("\n")), self.user)
    }

    /// Copies certificate and key to where the server's user may read them; gives the settings that name them.
    fn tls(&self, tls: &TlsFiles) -> Result<Vec<(String, String)>, Error> {
        let mut probe = plain(&self.bin.join("postgres"), self.user);
        only_our_environment(&mut probe).arg("-D").arg(self.data()).args(["-C", "ssl_library"]);
        let library = probe.output().doing(|| "ask postgres for its TLS library".to_owned())?;
        if library.stdout.trim_ascii().is_empty() {
            return Err(Error::NoTls(self.bin.clone()));
        }
        let files = [
            ("ssl_cert_file", "server.crt", &tls.cert),
            ("ssl_key_file", "server.key", &tls.key),
            ("ssl_ca_file", "ca.crt", &tls.ca),
        ];
        let mut settings = vec![
            ("ssl".to_owned(), "on".to_owned()),
            ("ssl_min_protocol_version".to_owned(), "TLSv1.3".to_owned()),
        ];
        for (setting, name, from) in files {
            let text = fs::read_to_string(from).doing(|| format!("read {}", from.display()))?;
            write_private(&self.data().join(name), &text, self.user)?;
            settings.push((setting.to_owned(), name.to_owned()));
        }
        Ok(settings)
    }

    fn start(
        &self,
        options: &PostgresOptions,
        settings: &[(String, String)],
    ) -> Result<(Process, u16), Error> {
        // A free port may be gone again when the server binds it: then another one.
        let mut tries_left = 5;
        loop {
            let port = options.port.map_or_else(free_port, Ok)?;
            if options.port.is_some() && !is_free(port) {
                return Err(Error::PortBusy(port));
            }
            match self.start_patiently(port, options, settings) {
                Err(Error::Ended { tail, .. }) if tail.contains("could not create any TCP/IP sockets") => {
                    tries_left -= 1;
                    if options.port.is_some() || tries_left == 0 {
                        return Err(Error::PortBusy(port));
                    }
                }
                other => return other.map(|process| (process, port)),
            }
        }
    }

    /// Tries again while the last sessions of a killed server still hold its shared memory; they notice its end soon.
    fn start_patiently(
        &self,
        port: u16,
        options: &PostgresOptions,
        settings: &[(String, String)],
    ) -> Result<Process, Error> {
        let begun = Instant::now();
        loop {
            match self.start_on(port, options, settings) {
                Err(Error::Ended { tail, .. })
                    if tail.contains("is still in use") && begun.elapsed() < READY_PATIENCE =>
                {
                    thread::sleep(Duration::from_millis(50));
                }
                other => return other,
            }
        }
    }

    fn start_on(
        &self,
        port: u16,
        options: &PostgresOptions,
        settings: &[(String, String)],
    ) -> Result<Process, Error> {
        let mut arguments: Vec<OsString> = vec!["-D".into(), self.data().into()];
        arguments.extend(["-c".into(), format!("port={port}").into()]);
        for (name, value) in settings {
            arguments.extend(["-c".into(), format!("{name}={value}").into()]);
        }
        let mut process = Process::start(Launch {
            name: "PostgreSQL",
            program: self.bin.join("postgres"),
            arguments,
            user: self.user,
            stop_with: Signal::INT,
            log: self.folder.join("postgres.log"),
            launcher: options.launcher.clone(),
            scratch: options.scratch.then(|| self.folder.clone()),
        })?;
        // The server itself says "ready" in its lock file, next to its process id: no stranger on our port can.
        let pid = i32::try_from(process.pid()).expect("process ids are positive and fit");
        let data = self.data();
        let ready = process.wait_until(READY_PATIENCE, || {
            read_pid_file(&data).filter(|(owner, ready)| *owner == pid && *ready)
        });
        if let Err(error) = ready {
            process.release()?; // the data stays for another try
            return Err(error);
        }
        Ok(process)
    }

    fn give(&self, path: &Path) -> Result<(), Error> {
        let Some(user) = self.user else { return Ok(()) };
        chown(path, Some(user.uid), Some(user.gid)).doing(|| format!("give {} to nobody", path.display()))
    }
}

/// The process id in `postmaster.pid`, and whether its eighth line says that connections are taken.
fn read_pid_file(data: &Path) -> Option<(i32, bool)> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    Some((pid, text.lines().nth(7).is_some_and(|status| status.trim() == "ready")))
}

/// Writes a file of mode 0600 in one step, owned by `user`.
fn write_private(path: &Path, text: &str, user: Option<User>) -> Result<(), Error> {
    let partial = path.with_extension("partial");
    let write = || {
        let _ = fs::remove_file(&partial);
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&partial)?;
        file.write_all(text.as_bytes())?;
        if let Some(user) = user {
            chown(&partial, Some(user.uid), Some(user.gid))?;
        }
        fs::rename(&partial, path)
    };
    write().doing(|| format!("write {}", path.display()))
}
