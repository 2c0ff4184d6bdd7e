//! Starts PostgreSQL: makes its data folder when new, as an unprivileged user when we are root.

mod layout;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::postgres::layout::Layout;
use crate::{Binaries, Error, Launcher, Process, TlsFiles, place, unprivileged_user};

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
    /// Demand TLS 1.3; needs a PostgreSQL built with it, which the pinned one is not.
    pub tls: Option<TlsFiles>,
    /// Lines of `pg_hba.conf` instead of "everybody by password from loopback"; the superuser's line is always added.
    pub hba: Vec<String>,
    /// More settings, as `name`, `value`; they win over ours.
    pub settings: Vec<(String, String)>,
    /// False for throw-away data: no `fsync`, so a crash of the *machine* loses it (a crash of PostgreSQL does not), and
    /// passwords are proven in one round (RFC 7677 wants 4,096, each time that somebody connects).
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

    /// How often a password is hashed when it is proven; with 4,096 rounds that is a tenth of what whole runs of tests compute.
    fn scram_rounds(&self) -> &'static str {
        if self.durable { "4096" } else { "1" }
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
        let password = layout.prepare(options.scram_rounds())?;
        layout.end_previous();
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
        ("scram_iterations", options.scram_rounds()),
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
