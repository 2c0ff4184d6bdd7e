//! The logs of other services: each on a server of its own, with relay and feed and nothing else.

use std::sync::{Arc, Mutex};

use docket_eventlog::{Context, EventLog, Expected, StreamAppend, StreamName, Subjects};
use docket_kernel::{Actor, EventEnum};
use docket_service::testing::{Bench, Running};
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
    pub(crate) async fn start(bench: &Bench, name: &'static str, log: &'static str, broker: &str) -> Self {
        let database = database(name).await;
        let config = bench.config(name, &database.url, None, broker);
        migrate(&config, &NO_TABLES).await.unwrap();
        let opened = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&opened);
        let serve = |config, stop| async move {
            let base = Base::connect(&config, BaseOptions::new(name, log, "", SCHEMA)).await?;
            *slot.lock().unwrap() = Some(base.log.clone());
            Server::new(base).run(stop).await
        };
        let server = bench.serve(config, serve).await;
        bench.set_peer(name, server.listening.grpc);
        let log = opened.lock().unwrap().take().unwrap();
        Self { log, _server: server, _database: database }
    }

    /// Appends to a stream.
    pub(crate) async fn append<E: EventEnum>(&self, id: Uuid, event: E) {
        let command_id = Uuid::now_v7();
        let context = Context {
            command_id,
            correlation_id: command_id,
            causation_id: None,
            actor: Actor::machine("test"),
            on_behalf_of: None,
            auth_level: 0,
            traceparent: String::new(),
            request: Vec::new(),
        };
        let stream = StreamName::of(E::CATEGORY, id);
        let append = StreamAppend::of(stream, Expected::Any, Subjects::filing(id), &[event]);
        self.log.append(context.append(&self.log, vec![append])).await.unwrap();
    }
}
