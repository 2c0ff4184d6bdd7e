//! Writes each service's configuration file: addresses, files of secrets, nothing secret itself.
use super::certificates::files;
use super::place::{PARTS, Part, Place};
use super::ports::Ports;
use anyhow::Result;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Writes the file of a service and gives its path.
pub fn write(place: &Place, part: &Part, ports: &Ports, data: &Path, root: &Path) -> Result<PathBuf> {
    let mut table = Table::new();
    table.insert("service".into(), Value::Table(service(place, part, ports, data)?));
    own_sections(place, part, ports, root, &mut table)?;
    let path = place.configs().join(format!("{}.toml", part.name));
    std::fs::write(&path, toml::to_string_pretty(&table)?)?;
    Ok(path)
}

fn service(place: &Place, part: &Part, ports: &Ports, data: &Path) -> Result<Table> {
    let local = |port: u16| text(format!("127.0.0.1:{port}"));
    let mut service = Table::new();
    service.insert("environment".into(), text("development"));
    service.insert("grpc_listen".into(), local(ports.grpc[part.name]));
    service.insert("admin_listen".into(), local(ports.admin[part.name]));
    if let Some(port) = ports.http.get(part.name) {
        service.insert("http_listen".into(), local(*port));
    }
    service.insert("data_dir".into(), path(&data.join(part.name)));
    service.insert("clock_offset_file".into(), path(&place.clock()));
    let tls = files(place, part.name);
    service.insert(
        "tls".into(),
        table([("cert_file", path(&tls.cert)), ("key_file", path(&tls.key)), ("ca_file", path(&tls.ca))]),
    );
    service.insert("database".into(), Value::Table(database(place, part.database, ports.postgres)?));
    if part.keys {
        let mut keys = database(place, &format!("{}_keys", part.database), ports.postgres)?;
        keys.insert("kek_file".into(), path(&place.secret(&format!("kek_{}", part.name), 32)?));
        service.insert("keys_database".into(), Value::Table(keys));
    }
    service.insert("broker".into(), table([("url", text(format!("tls://127.0.0.1:{}", ports.nats)))]));
    let peers =
        PARTS.iter().map(|other| (other.name, text(format!("https://127.0.0.1:{}", ports.grpc[other.name]))));
    service.insert("peers".into(), table(peers));
    if let Ok(endpoint) = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT") {
        service.insert("telemetry".into(), table([("otlp_endpoint", text(endpoint))]));
    }
    Ok(service)
}

fn database(place: &Place, name: &str, port: u16) -> Result<Table> {
    let url = |role: &str| text(format!("postgres://{name}_{role}@127.0.0.1:{port}/{name}?sslmode=disable"));
    let Value::Table(table) = table([
        ("url", url("app")),
        ("password_file", path(&place.secret(&format!("pg_{name}_app"), 24)?)),
        ("owner_url", url("owner")),
        ("owner_password_file", path(&place.secret(&format!("pg_{name}_owner"), 24)?)),
    ]) else {
        unreachable!("a table was made")
    };
    Ok(table)
}

/// Sections that only one service has.
fn own_sections(place: &Place, part: &Part, ports: &Ports, root: &Path, config: &mut Table) -> Result<()> {
    let sandbox = text(format!("http://127.0.0.1:{}", ports.sandbox));
    let mail = || {
        table([
            ("smtp_url", text(format!("smtp://127.0.0.1:{}", ports.smtp))),
            ("from", text("Docket <no-reply@docket.example>")),
        ])
    };
    match part.name {
        "identity" => {
            config.insert("mail".into(), mail());
            config.insert("register".into(), table([("url", sandbox)]));
            config.insert("gateways".into(), everybody());
        }
        "filing" => {
            config
                .insert("scanner".into(), table([("address", text(format!("127.0.0.1:{}", ports.scanner)))]));
            config.insert("catalogue".into(), catalogue(root));
        }
        "payments" => {
            config.insert(
                "processor".into(),
                table([
                    ("url", sandbox),
                    ("api_key_file", path(&processor_key(place)?)),
                    ("webhook_secret_file", path(&place.secret("webhook", 24)?)),
                ]),
            );
            config.insert("catalogue".into(), catalogue(root));
        }
        "notifications" => {
            config.insert("mail".into(), mail());
            config.insert("texts".into(), texts(place, sandbox)?);
            config.insert("gateways".into(), everybody());
            config.insert("catalogue".into(), catalogue(root));
        }
        _ => {}
    }
    Ok(())
}

/// Everybody is on this machine, the people of all stories too: nobody is slowed for the others.
fn everybody() -> Value {
    Value::Array(vec![text("127.0.0.0/8")])
}

/// The carrier of texts: the sandbox's, which takes any account and token.
fn texts(place: &Place, sandbox: Value) -> Result<Value> {
    Ok(table([
        ("url", sandbox),
        ("account_sid", text("ACsandbox")),
        ("auth_token_file", path(&place.secret("carrier", 24)?)),
        ("from", text("+12025550100")),
        ("replies_every_s", Value::Integer(1)),
    ]))
}

/// The forms: those of the checkout, or those in the folder that `DOCKET_CATALOGUE` names.
fn catalogue(root: &Path) -> Value {
    let folder = std::env::var_os("DOCKET_CATALOGUE").map(PathBuf::from);
    table([("dir", path(&folder.unwrap_or_else(|| root.join("libs/forms/catalogue"))))])
}

/// The key for the processor's test mode.
pub fn processor_key(place: &Place) -> Result<PathBuf> {
    let path = place.secrets().join("processor");
    if !path.exists() {
        let random = std::fs::read_to_string(place.secret("processor_random", 16)?)?;
        super::place::write_private(&path, &format!("sk_test_{random}"))?;
    }
    Ok(path)
}

fn text(value: impl Into<String>) -> Value {
    Value::String(value.into())
}

fn path(value: &Path) -> Value {
    Value::String(value.display().to_string())
}

fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}
