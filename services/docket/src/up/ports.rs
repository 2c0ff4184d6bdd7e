//! The ports of a system: chosen at its start and its own until it ends, also while a service of it is down.
use super::lock::Lock;
use super::place::PARTS;
use anyhow::Result;
use docket_servers::free_port;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;

const TRIES: u32 = 50;

/// Ports that were chosen. No other system takes one while a clone of this lives.
#[derive(Clone, Debug, Default)]
pub struct Ports {
    /// gRPC port by service.
    pub grpc: BTreeMap<&'static str, u16>,
    /// Admin port by service.
    pub admin: BTreeMap<&'static str, u16>,
    /// HTTP port by service.
    pub http: BTreeMap<&'static str, u16>,
    /// PostgreSQL.
    pub postgres: u16,
    /// Broker.
    pub nats: u16,
    /// Broker's monitor.
    pub nats_monitor: u16,
    /// Sandbox: processor, carrier, register.
    pub sandbox: u16,
    /// Mail catcher's page and API.
    pub mail: u16,
    /// SMTP.
    pub smtp: u16,
    /// Scanner.
    pub scanner: u16,
    ours: Arc<Vec<Lock>>,
}

impl Ports {
    /// The preferred ports where they are free, others elsewhere; `moved` collects what to say about those.
    pub fn choose(moved: &mut Vec<String>) -> Result<Self> {
        let mut choice = Choice { ours: Vec::new(), moved };
        let mut ports = Self {
            postgres: choice.make(7432, "PostgreSQL")?,
            nats: choice.make(7422, "the broker")?,
            nats_monitor: choice.make(7482, "the broker's monitor")?,
            sandbox: choice.make(7490, "the sandbox")?,
            mail: choice.make(7480, "the mail page")?,
            smtp: choice.make(7425, "SMTP")?,
            scanner: choice.make(7431, "the scanner")?,
            ..Self::default()
        };
        for part in PARTS {
            ports.grpc.insert(part.name, choice.make(part.grpc, part.name)?);
            ports.admin.insert(part.name, choice.make(part.admin, &format!("{} (admin)", part.name))?);
            if part.http != 0 {
                ports.http.insert(part.name, choice.make(part.http, &format!("{} (HTTP)", part.name))?);
            }
        }
        ports.ours = Arc::new(choice.ours);
        Ok(ports)
    }
}

/// A choice under way.
struct Choice<'a> {
    ours: Vec<Lock>,
    moved: &'a mut Vec<String>,
}

impl Choice<'_> {
    fn make(&mut self, preferred: u16, what: &str) -> Result<u16> {
        if self.take(preferred) {
            return Ok(preferred);
        }
        for _ in 0..TRIES {
            let port = free_port()?;
            if self.take(port) {
                self.moved.push(format!("port {preferred} is busy: {what} listens on {port}"));
                return Ok(port);
            }
        }
        anyhow::bail!("no port is free for {what}")
    }

    /// Takes a port unless it is another system's or somebody listens there.
    ///
    /// That nobody listens is not enough: another system's service may be about to start again.
    fn take(&mut self, port: u16) -> bool {
        let file = std::env::temp_dir().join(format!("docket-port-{port}.lock"));
        let Ok(lock) = Lock::try_take(&file) else { return false };
        if TcpListener::bind(("127.0.0.1", port)).is_err() {
            return false;
        }
        self.ours.push(lock);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_stays_with_its_system_though_nobody_listens() {
        let (mut of_one, mut of_other) = (Vec::new(), Vec::new());
        let one = Ports::choose(&mut of_one).unwrap();
        let other = Ports::choose(&mut of_other).unwrap();
        assert_ne!(one.postgres, other.postgres);
        for part in PARTS {
            assert_ne!(one.grpc[part.name], other.grpc[part.name], "{}", part.name);
        }
        // And is free again after it.
        let port = one.grpc["identity"];
        let mut choice = Choice { ours: Vec::new(), moved: &mut of_one };
        assert!(!choice.take(port));
        drop(one);
        assert!(choice.take(port));
    }
}
