//! The logs of other services: each on a server of its own, with relay and feed, and what payments asks that service.

use std::sync::{Arc, Mutex};

use docket_eventlog::EventLog;
use docket_kernel::EventEnum;
use docket_service::testing::{Bench, Running, append};
use docket_service::{Base, BaseOptions, Server, migrate};
use docket_testkit::{TestDatabase, database};
use sqlx::migrate::Migrator;
use uuid::Uuid;

const SCHEMA: &str =
    "entity Person; entity Resource; action Nothing appliesTo { principal: Person, resource: Resource };";
static NO_TABLES: Migrator = Migrator::DEFAULT;

/// Another service's log.
pub(crate) struct ForeignLog {
    pub(crate) log: EventLog,
    _server: Running,
    _database: TestDatabase,
}

impl ForeignLog {
    /// Serves the log `log` as the service `name`, a peer of what is configured after this.
    pub(crate) async fn start(
        bench: &Bench,
        name: &'static str,
        log: &'static str,
        broker: &str,
        asked: impl FnOnce(Server) -> Server + Send + 'static,
    ) -> Self {
        let database = database(name).await;
        let config = bench.config(name, &database.url, None, broker);
        migrate(&config, &NO_TABLES).await.unwrap();
        let opened = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&opened);
        let serve = |config, stop| async move {
            let base = Base::connect(&config, BaseOptions::new(name, log, "", SCHEMA)).await?;
            *slot.lock().unwrap() = Some(base.log.clone());
            asked(Server::new(base)).run(stop).await
        };
        let server = bench.serve(config, serve).await;
        bench.set_peer(name, server.listening.grpc);
        let log = opened.lock().unwrap().take().unwrap();
        Self { log, _server: server, _database: database }
    }

    /// Appends to a stream.
    pub(crate) async fn append<E: EventEnum>(&self, id: Uuid, event: E) {
        append(&self.log, id, event).await;
    }
}
