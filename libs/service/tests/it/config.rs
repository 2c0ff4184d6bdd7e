//! Configuration: what is unknown or missing is a fault.

use docket_service::{ServiceConfig, load};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    service: ServiceConfig,
}

const GOOD: &str = r#"
[service]
grpc_listen = "127.0.0.1:7403"
admin_listen = "127.0.0.1:9403"
data_dir = "data/payments"
tls = { cert_file = "cert.pem", key_file = "key.pem", ca_file = "ca.pem" }
database = { url = "postgres://payments_app@127.0.0.1:7432/payments", password_file = "pw" }
broker = { url = "tls://127.0.0.1:7422" }
[service.keys_database]
url = "postgres://payments_app@127.0.0.1:7432/payments_keys"
kek_file = "kek"
[service.peers]
identity = "https://127.0.0.1:7401"
case-status = "https://127.0.0.1:7404"
"#;

fn read(text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("payments.toml");
    std::fs::write(&file, text).unwrap();
    load(Some(&file)).map_err(|error| error.to_string())
}

#[test]
fn a_file_is_read_and_defaults_fill_the_rest() {
    let config = read(GOOD).unwrap().service;
    assert_eq!(config.environment, "development");
    assert_eq!(config.database.max_connections, 20);
    assert_eq!(config.peers["case-status"], "https://127.0.0.1:7404");
    assert_eq!(config.telemetry.otlp_endpoint, "");
}

#[test]
fn an_unknown_key_is_a_fault_that_is_named() {
    for (text, key) in [
        (GOOD.replace("data_dir", "data_dri"), "data_dri"),
        (format!("{GOOD}\n[service.telemetry]\nendpoint = \"x\"\n"), "endpoint"),
        (format!("{GOOD}\n[servcie]\n"), "servcie"),
        (GOOD.replace("kek_file", "kek"), "kek"),
    ] {
        let fault = read(&text).unwrap_err();
        assert!(fault.contains(key), "{fault}");
    }
}

#[test]
fn a_missing_file_is_a_fault() {
    assert!(load::<Config>(Some(std::path::Path::new("/nowhere/payments.toml"))).is_err());
}
