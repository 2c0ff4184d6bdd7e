//! Finds the servers' binaries: named by the environment, installed under `.local/tools`, or in well-known places.

use std::env;
use std::path::{Path, PathBuf};

use crate::Error;

/// Where the binaries are.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The folder with `postgres`, `initdb` and `psql`.
    pub postgres_bin: PathBuf,
    /// The `nats-server` program.
    pub nats_server: PathBuf,
}

impl Binaries {
    /// Looks for both servers.
    ///
    /// # Errors
    /// [`Error::NotFound`] names the one that is missing.
    pub fn find() -> Result<Self, Error> {
        Ok(Self { postgres_bin: Self::find_postgres()?, nats_server: Self::find_nats()? })
    }

    /// The folder of PostgreSQL's programs: `DOCKET_POSTGRES_BIN`, `.local/tools`, Debian's highest version, the PATH.
    ///
    /// # Errors
    /// [`Error::NotFound`] when none of these holds a `postgres`.
    pub fn find_postgres() -> Result<PathBuf, Error> {
        let named = env::var_os("DOCKET_POSTGRES_BIN").map(PathBuf::from);
        named
            .or_else(|| in_tools("postgresql/18/bin/postgres").and_then(parent))
            .or_else(debian_postgres)
            .or_else(|| on_path("postgres").and_then(|found| found.canonicalize().ok()).and_then(parent))
            .filter(|bin| bin.join("postgres").is_file() && bin.join("initdb").is_file())
            .ok_or(Error::NotFound { what: "PostgreSQL", variable: "DOCKET_POSTGRES_BIN" })
    }

    /// The `nats-server` program: `DOCKET_NATS_SERVER`, `.local/tools`, the PATH.
    ///
    /// # Errors
    /// [`Error::NotFound`] when none of these holds it.
    pub fn find_nats() -> Result<PathBuf, Error> {
        let named = env::var_os("DOCKET_NATS_SERVER").map(PathBuf::from);
        named
            .or_else(|| in_tools("bin/nats-server"))
            .or_else(|| on_path("nats-server"))
            .filter(|program| program.is_file())
            .ok_or(Error::NotFound { what: "nats-server", variable: "DOCKET_NATS_SERVER" })
    }
}

/// `.local/tools/<path>` of the checkout that holds the working folder or the running program.
fn in_tools(path: &str) -> Option<PathBuf> {
    let starts = [env::current_dir().ok(), env::current_exe().ok()];
    starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .map(|folder| folder.join(".local/tools").join(path))
        .find(|found| found.is_file())
}

fn debian_postgres() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions
        .flatten()
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .filter(|(version, bin)| *version >= 15 && bin.join("postgres").is_file())
        .max_by_key(|(version, _)| *version)
        .map(|(_, bin)| bin)
}

fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|found| found.is_file())
}

fn parent(path: PathBuf) -> Option<PathBuf> {
    path.parent().map(Path::to_path_buf)
}
