//! Starts real PostgreSQL and nats-server processes for `docket up` and for the tests.
//!
//! Both are ordinary child processes on loopback ports. They end with the process that started them, however that one
//! ends: a watchdog shell (tests) or a parent-death signal (the supervisor) sees to it.

mod binaries;
pub mod child;
mod error;
mod nats;
mod place;
mod ports;
mod postgres;
mod process;
mod spawn;
mod watchdog;

pub use binaries::Binaries;
pub use error::Error;
pub use nats::{Nats, NatsOptions};
pub use place::{User, unprivileged_user};
pub use ports::free_port;
pub use postgres::{Postgres, PostgresOptions, SUPERUSER};
pub use process::{Launcher, Process};
pub use rustix::process::Signal;
pub use spawn::spawn_lasting;
pub use watchdog::Afterwards;

use std::path::PathBuf;

/// Where throw-away data goes: the folder `DOCKET_SCRATCH`, which `make test` sets to memory where there is room, else the
/// folder for temporary files.
pub fn scratch() -> PathBuf {
    std::env::var_os("DOCKET_SCRATCH").map_or_else(std::env::temp_dir, PathBuf::from)
}

/// Paths of a PEM certificate, its key, and the authority that signs the clients' certificates.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The server's certificate chain.
    pub cert: PathBuf,
    /// The server's private key.
    pub key: PathBuf,
    /// The authority that clients' certificates are checked against.
    pub ca: PathBuf,
}
