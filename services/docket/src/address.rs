//! `.local/docket.json`: every address of the running system, for people and programs.
use crate::failure::{Ending, Said};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the running system tells about itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    /// Changes with every start.
    pub start_id: String,
    /// Process id of the supervisor.
    pub supervisor_pid: u32,
    /// Certificate authority that signs every server's certificate.
    pub ca_file: PathBuf,
    /// gRPC, by service: `identity` → `https://127.0.0.1:7401`.
    pub grpc: BTreeMap<String, String>,
    /// Health, readiness and metrics, by service.
    pub admin: BTreeMap<String, String>,
    /// HTTP faces, by service.
    pub http: BTreeMap<String, String>,
    /// Mail catcher: a page for people and an API for programs.
    pub mail: String,
    /// The parties that are not ours: processor, carrier, register.
    pub sandbox: String,
    /// PostgreSQL, without passwords.
    pub databases: BTreeMap<String, String>,
    /// Broker.
    pub broker: String,
    /// Process ids, by name; for drills.
    pub processes: BTreeMap<String, u32>,
    /// A service whose name is a file in this folder is not started again when it ends; for drills.
    #[serde(default)]
    pub held: PathBuf,
    /// One-use codes with which officers take up their roles, by role.
    pub invitations: BTreeMap<String, Vec<String>>,
    /// How far its clock is ahead, where that may be turned: only in an environment that is thrown away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<PathBuf>,
}

impl Addresses {
    /// Reads the file in a Docket home.
    pub fn read(home: &Path) -> Result<Self> {
        let path = home.join("docket.json");
        let text = std::fs::read_to_string(&path).with_context(|| {
            let missing = path.display();
            let words =
                format!("nothing is running here: {missing} is missing; `docket up` starts the system");
            Said(Ending::Away, words)
        })?;
        let addresses: Self =
            serde_json::from_str(&text).with_context(|| format!("{} is not readable", path.display()))?;
        if let Some(clock) = &addresses.clock {
            crate::clock::follow(clock);
        }
        Ok(addresses)
    }

    /// Writes it in one step, so that a reader never sees half of it.
    pub fn write(&self, home: &Path) -> Result<()> {
        let path = home.join("docket.json");
        let fresh = home.join("docket.json.new");
        std::fs::write(&fresh, serde_json::to_string_pretty(self)?)?;
        std::fs::rename(&fresh, &path).with_context(|| format!("write {}", path.display()))
    }

    /// The gRPC address of a service.
    pub fn service(&self, name: &str) -> Result<&str> {
        self.grpc
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("no address of {name} in docket.json"))
    }
}

/// The folder of the running system: `DOCKET_HOME`, or the nearest `.local` above the working folder that has a
/// workspace beside it, or `.local` here.
pub fn home() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("DOCKET_HOME") {
        return Ok(PathBuf::from(named));
    }
    let here = std::env::current_dir().context("the working folder")?;
    let beside =
        here.ancestors().find(|folder| folder.join("Cargo.toml").is_file() && folder.join("proto").is_dir());
    Ok(beside.unwrap_or(&here).join(".local"))
}
