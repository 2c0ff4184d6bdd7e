//! Brings the system up step by step and holds it.
use super::children::{Children, Order};
use super::configs;
use super::place::{PARTS, Part, Place};
use super::ports::Ports;
use super::servers::Servers;
use super::{certificates, databases, wait_ready};
use crate::address::Addresses;
use crate::output::Teller;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);

/// Roles for which an invitation is printed at every start, with their office; `role@office` where a role is at a second one.
const INVITATIONS: &[(&str, &str)] = &[
    ("intake_officer", "NBC"),
    ("adjudicator", "NBC"),
    ("supervisor", "NBC"),
    ("biometrics_officer", "ASC-NYC"),
    ("oath_officer", "FO-NYC"),
    ("records_officer", "NBC"),
    ("finance", "NBC"),
    ("operator", "NBC"),
    ("supervisor@FO-CHI", "FO-CHI"),
    ("adjudicator@FO-CHI", "FO-CHI"),
    ("records_officer@FO-CHI", "FO-CHI"),
    ("biometrics_officer@ASC-CHI", "ASC-CHI"),
];
/// So many of each: an erasure needs two operators, and every story its own officers.
const EACH: usize = 24;

/// The running system.
#[derive(Debug)]
pub struct Running {
    place: Place,
    ports: Ports,
    servers: Arc<Mutex<Servers>>,
    children: Children,
    sandbox: Children,
    addresses: Addresses,
}

/// Starts everything and waits until all of it is ready.
pub async fn start(place: Place, teller: &Teller) -> Result<Running> {
    let client = plain_client()?;
    let mut moved = Vec::new();
    let ports = Ports::choose(&mut moved)?;
    for sentence in &moved {
        teller.line(sentence);
    }
    let servers = {
        let (place, ports) = (place.clone(), ports.clone());
        teller.step("PostgreSQL and the broker", blocking(move || start_servers(&place, &ports))).await?
    };
    for note in servers.postgres.notes() {
        teller.line(note);
    }
    let sandbox = Children::new(place.clone());
    teller
        .step(
            "the sandbox (card processor, mail, SMS, scanner, register)",
            start_sandbox(&place, &ports, &sandbox, &client),
        )
        .await?;
    let mut running = Running {
        addresses: addresses(&place, &ports),
        servers: Arc::new(Mutex::new(servers)),
        children: Children::new(place.clone()),
        sandbox,
        place,
        ports,
    };
    if let Err(error) = running.start_parts(teller).await {
        running.stop();
        return Err(error);
    }
    teller.step("all services ready", running.wait_all(&client)).await.inspect_err(|_| running.stop())?;
    running.invite(teller).await?;
    running.addresses.processes = running.pids();
    running.addresses.write(&running.place.home)?;
    Ok(running)
}

fn start_servers(place: &Place, ports: &Ports) -> Result<Servers> {
    certificates::ensure(place)?;
    let servers = Servers::start(place, ports)?;
    databases::ensure_all(place, &servers.postgres)?;
    Ok(servers)
}

impl Running {
    /// Addresses of everything.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The folder of everything, absolute.
    pub fn home(&self) -> &Path {
        &self.place.home
    }

    async fn start_parts(&self, teller: &Teller) -> Result<()> {
        let root = root()?;
        for part in PARTS {
            let (place, ports, children, root) =
                (self.place.clone(), self.ports.clone(), self.children.clone(), root.clone());
            let work = blocking(move || start_part(&place, &ports, &children, part, &root));
            teller.step(&format!("{}: schema and start", part.name), work).await?;
        }
        Ok(())
    }

    async fn wait_all(&self, client: &reqwest::Client) -> Result<()> {
        for part in PARTS {
            let url = format!("http://127.0.0.1:{}/readyz", self.ports.admin[part.name]);
            wait_ready(client, &url, PATIENCE)
                .await
                .and_then(|()| self.children.lives(part.name))
                .with_context(|| format!("{} said last:\n{}", part.name, self.children.tail(part.name)))?;
        }
        Ok(())
    }

    /// Asks identity for one-use codes: the way in for the first officers; no account is ever made by SQL.
    async fn invite(&mut self, teller: &Teller) -> Result<()> {
        let place = self.place.clone();
        let codes = blocking(move || {
            let config = place.configs().join("identity.toml").display().to_string();
            let mut codes: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (called, office) in INVITATIONS {
                let role = called.split('@').next().unwrap_or(called);
                let order = Order {
                    name: "identity".to_owned(),
                    program: program("identity")?,
                    arguments: ["invite", "--role", role, "--office", office]
                        .into_iter()
                        .chain(["--by", "setup", "--count", &EACH.to_string()])
                        .map(str::to_owned)
                        .collect(),
                    environment: vec![("DOCKET_CONFIG".to_owned(), config.clone())],
                };
                let printed = order.run_once(&place)?;
                let lines: Vec<&str> = printed.lines().collect();
                let last =
                    lines[lines.len().saturating_sub(EACH)..].iter().map(|code| code.trim().to_owned());
                codes.insert((*called).to_owned(), last.collect());
            }
            Ok(codes)
        });
        self.addresses.invitations = teller.step("invitations for officers", codes).await?;
        Ok(())
    }

    /// Looks after every process until it is aborted; says when one was started again.
    pub fn keep_alive(&self, teller: Teller) -> tokio::task::JoinHandle<()> {
        let (servers, children, sandbox) =
            (self.servers.clone(), self.children.clone(), self.sandbox.clone());
        let (place, ports, mut addresses) = (self.place.clone(), self.ports.clone(), self.addresses.clone());
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let (servers, children, sandbox) = (servers.clone(), children.clone(), sandbox.clone());
                let (place, ports) = (place.clone(), ports.clone());
                let home = place.home.clone();
                let looked = blocking(move || {
                    let mut said = servers.lock().expect("no thread panicked").look_after(&place, &ports);
                    said.extend(sandbox.look_after());
                    said.extend(children.look_after());
                    Ok((said, all_pids(&servers, &children, &sandbox)))
                });
                let Ok((said, pids)) = looked.await else { continue };
                for sentence in &said {
                    teller.line(sentence);
                }
                if !said.is_empty() {
                    addresses.processes = pids;
                    let _ = addresses.write(&home);
                }
            }
        })
    }

    fn pids(&self) -> BTreeMap<String, u32> {
        all_pids(&self.servers, &self.children, &self.sandbox)
    }

    /// Takes everything down: services, sandbox, broker, database.
    pub fn stop(&self) {
        self.children.stop();
        self.sandbox.stop();
        self.servers.lock().expect("no thread panicked").stop();
        let _ = std::fs::remove_file(self.place.home.join("docket.json"));
    }
}

fn start_part(place: &Place, ports: &Ports, children: &Children, part: &Part, root: &Path) -> Result<()> {
    let config = configs::write(place, part, ports, &place.data(), root)?;
    let program = program(part.name)?;
    let environment = vec![("DOCKET_CONFIG".to_owned(), config.display().to_string())];
    let order = |arguments: &[&str]| Order {
        name: part.name.to_owned(),
        program: program.clone(),
        arguments: arguments.iter().map(|&a| a.to_owned()).collect(),
        environment: environment.clone(),
    };
    order(&["migrate"]).run_once(place).context("migrate")?;
    children.start(order(&["serve"]))
}

fn all_pids(servers: &Mutex<Servers>, children: &Children, sandbox: &Children) -> BTreeMap<String, u32> {
    let servers = servers.lock().expect("no thread panicked").pids();
    servers.into_iter().chain(children.pids()).chain(sandbox.pids()).collect()
}

async fn start_sandbox(
    place: &Place,
    ports: &Ports,
    children: &Children,
    client: &reqwest::Client,
) -> Result<()> {
    let config = place.configs().join("sandbox.toml");
    let key = std::fs::read_to_string(configs::processor_key(place)?)?;
    let secret = std::fs::read_to_string(place.secret("webhook", 24)?)?;
    let text = format!(
        "listen_http = \"127.0.0.1:{}\"\nlisten_mail_http = \"127.0.0.1:{}\"\nlisten_smtp = \"127.0.0.1:{}\"\nlisten_clamd = \"127.0.0.1:{}\"\n\
         state_dir = {:?}\n[processor]\napi_key = {key:?}\nwebhook_url = \"https://localhost:{}/webhooks/processor\"\nwebhook_secret = {secret:?}\nwebhook_ca_file = {:?}\n",
        ports.sandbox,
        ports.mail,
        ports.smtp,
        ports.scanner,
        place.data().join("sandbox").display().to_string(),
        ports.http["payments"],
        certificates::ca_file(place).display().to_string(),
    );
    super::place::write_private(&config, &text)?;
    children.start(Order {
        name: "sandbox".to_owned(),
        program: program("sandbox")?,
        arguments: Vec::new(),
        environment: vec![("DOCKET_CONFIG".to_owned(), config.display().to_string())],
    })?;
    wait_ready(client, &format!("http://127.0.0.1:{}/healthz", ports.sandbox), PATIENCE)
        .await
        .with_context(|| format!("the sandbox said last:\n{}", children.tail("sandbox")))
}

fn addresses(place: &Place, ports: &Ports) -> Addresses {
    let https = |port: u16| format!("https://localhost:{port}");
    Addresses {
        start_id: uuid::Uuid::now_v7().to_string(),
        supervisor_pid: std::process::id(),
        ca_file: certificates::ca_file(place),
        grpc: ports.grpc.iter().map(|(name, port)| ((*name).to_owned(), https(*port))).collect(),
        admin: ports
            .admin
            .iter()
            .map(|(name, port)| ((*name).to_owned(), format!("http://127.0.0.1:{port}")))
            .collect(),
        http: ports.http.iter().map(|(name, port)| ((*name).to_owned(), https(*port))).collect(),
        mail: format!("http://127.0.0.1:{}", ports.mail),
        sandbox: format!("http://127.0.0.1:{}", ports.sandbox),
        databases: databases::names()
            .into_iter()
            .map(|name| (name.clone(), format!("postgres://127.0.0.1:{}/{name}", ports.postgres)))
            .collect(),
        broker: format!("tls://localhost:{}", ports.nats),
        processes: BTreeMap::new(),
        held: place.held(),
        invitations: BTreeMap::new(),
        clock: place.apart.then(|| place.clock()),
    }
}

/// The binary of a part, beside ours.
fn program(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(format!("docket-{name}"));
    anyhow::ensure!(path.is_file(), "{} is missing: `make run` builds it", path.display());
    Ok(path)
}

/// The folder with the catalogue's data: of the checkout, or `DOCKET_ROOT`.
fn root() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("DOCKET_ROOT") {
        return Ok(PathBuf::from(named));
    }
    let exe = std::env::current_exe()?;
    let here = std::env::current_dir()?;
    exe.ancestors()
        .chain(here.ancestors())
        .find(|folder| folder.join("libs/forms/catalogue").is_dir())
        .map(Path::to_owned)
        .context("the catalogue of forms was not found: name its checkout in DOCKET_ROOT")
}

fn plain_client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().timeout(Duration::from_secs(5)).build()?)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context("a thread of the start")?
}
