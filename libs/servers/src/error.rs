//! What can go wrong while a server is found, started or stopped.

use std::path::PathBuf;

/// A server could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No binary in any of the places looked at.
    #[error("no {what} found: run deploy/tools/install, or set {variable}")]
    NotFound {
        /// The program looked for.
        what: &'static str,
        /// The environment variable that names another one.
        variable: &'static str,
    },
    /// The wanted port belongs to another process.
    #[error("port {0} is taken by another process")]
    PortBusy(u16),
    /// The server ended before it was ready; the last lines of its log say why.
    #[error("{name} ended before it was ready:\n{tail}")]
    Ended {
        /// Which server.
        name: &'static str,
        /// The last lines of its log.
        tail: String,
    },
    /// The server runs, but did not become ready in time.
    #[error("{name} was not ready after {seconds} s:\n{tail}")]
    NotReady {
        /// Which server.
        name: &'static str,
        /// How long it was waited for.
        seconds: u64,
        /// The last lines of its log.
        tail: String,
    },
    /// TLS was asked of a PostgreSQL that was built without it.
    #[error("this PostgreSQL was built without TLS ({0}): name another by DOCKET_POSTGRES_BIN")]
    NoTls(PathBuf),
    /// Started by root, but there is no unprivileged user to hand PostgreSQL to.
    #[error("PostgreSQL does not run as root and this machine has no user `nobody`")]
    NoUnprivilegedUser,
    /// Started by root; the unprivileged user cannot get at a path, and moving it is not safe.
    #[error("the user `nobody` cannot reach {path}, and {reason}")]
    Unreachable {
        /// The path.
        path: PathBuf,
        /// Why it was not moved elsewhere.
        reason: String,
    },
    /// A file or process operation failed.
    #[error("{action}")]
    Io {
        /// What was being done.
        action: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

/// Adds what was being done to an I/O error.
pub(crate) trait Doing<T> {
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T, E: Into<std::io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::Io { action: action(), source: source.into() })
    }
}
