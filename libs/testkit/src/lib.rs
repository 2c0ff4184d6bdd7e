//! Real servers for tests: a database of its own and a nats-server of its own for each test, on any free ports.
//!
//! `DOCKET_TEST_SERVERS` says where they come from: `local` (the pinned binaries), `containers` (testcontainers), or
//! `auto`, the default: containers where an engine answers and has or can pull the images, local binaries otherwise.
//! Containers need the feature `containers`, which `deploy/test` turns on where an engine answers. A server with options
//! of its own and a private PostgreSQL are always local.
//! `DOCKET_TEST_POSTGRES` names a running throw-away PostgreSQL by its superuser's URL, shared by a whole run of tests.
//!
//! [`chance`] seeds randomised tests; [`evolution`] holds the golden files and the laws of folds.
//!
//! Nothing outlives the test process, however that ends. The helpers panic with the reason when a server does not start:
//! a test has nothing better to do.

mod bucket;
pub mod chance;
#[cfg(feature = "containers")]
mod containers;
pub mod evolution;
mod line;
mod nats;
mod polled;
mod postgres;
mod recovery;
mod source;
mod way;

pub use bucket::TestBucket;
pub use docket_kernel::clock::ManualClock;
pub use line::Line;
pub use nats::{TestNats, nats, nats_with};
pub use polled::polled;
pub use postgres::{
    PrivatePostgres, TestDatabase, TestPostgres, database, migrated_database, postgres, private_postgres,
    private_postgres_with,
};
pub use recovery::{ArchivingPostgres, BaseBackup, archiving_postgres};
pub use way::Way;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A number that no other caller in this process gets.
pub(crate) fn next_number() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

/// A folder for a throw-away server; the server removes it.
pub(crate) fn scratch_folder(what: &str) -> PathBuf {
    docket_servers::scratch().join(format!("docket-{what}-{}-{}", std::process::id(), next_number()))
}

/// Runs something that blocks away from the runtime's threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("starting a server does not panic")
}
