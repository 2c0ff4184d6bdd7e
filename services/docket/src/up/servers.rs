//! PostgreSQL and the broker as children: started, and started again when they die.
use super::place::Place;
use super::ports::Ports;
use super::{broker, certificates};
use anyhow::{Context, Result};
use docket_servers::{Launcher, Nats, NatsOptions, Postgres, PostgresOptions};

/// Both servers.
#[derive(Debug)]
pub struct Servers {
    /// Database.
    pub postgres: Postgres,
    /// Broker.
    pub nats: Nats,
}

impl Servers {
    /// Starts both on the ports chosen.
    pub fn start(place: &Place, ports: &Ports) -> Result<Self> {
        let postgres = start_postgres(place, ports)?;
        let nats = start_nats(place, ports)?;
        Ok(Self { postgres, nats })
    }

    /// Starts again what has died; gives a sentence for each.
    pub fn look_after(&mut self, place: &Place, ports: &Ports) -> Vec<String> {
        let mut said = Vec::new();
        if let Ok(Some(status)) = self.postgres.process().try_wait() {
            said.push(match start_postgres(place, ports) {
                Ok(fresh) => {
                    self.postgres = fresh;
                    format!("PostgreSQL died ({status}) and was started again")
                }
                Err(error) => format!("PostgreSQL died ({status}) and does not start: {error:#}"),
            });
        }
        if let Ok(Some(status)) = self.nats.process().try_wait() {
            said.push(match start_nats(place, ports) {
                Ok(fresh) => {
                    self.nats = fresh;
                    format!("nats-server died ({status}) and was started again")
                }
                Err(error) => format!("nats-server died ({status}) and does not start: {error:#}"),
            });
        }
        said
    }

    /// Process ids by name.
    pub fn pids(&mut self) -> [(String, u32); 2] {
        [
            ("postgres".to_owned(), self.postgres.process().pid()),
            ("nats".to_owned(), self.nats.process().pid()),
        ]
    }

    /// Ends both in order.
    pub fn stop(&mut self) {
        let _ = self.nats.stop();
        let _ = self.postgres.stop();
    }
}

fn start_postgres(place: &Place, ports: &Ports) -> Result<Postgres> {
    let mut options = PostgresOptions::new(place.data().join("postgres"));
    options.port = Some(ports.postgres);
    options.launcher = Launcher::Reexec(std::env::current_exe()?);
    Postgres::start(options).context("PostgreSQL does not start")
}

fn start_nats(place: &Place, ports: &Ports) -> Result<Nats> {
    let mut options = NatsOptions::new(place.data().join("nats"));
    options.port = Some(ports.nats);
    options.monitor_port = Some(ports.nats_monitor);
    options.tls = Some(certificates::files(place, "nats"));
    options.config = broker::configuration();
    options.launcher = Launcher::Reexec(std::env::current_exe()?);
    Nats::start(options).context("nats-server does not start")
}
