//! Configuration: what is unknown or missing is a fault.

use std::collections::BTreeMap;

use docket_service::{Environment, ServiceConfig, load};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    service: ServiceConfig,
    #[serde(default)]
    parties: BTreeMap<String, String>,
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
    assert_eq!(config.environment, Environment::Development);
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

#[test]
fn an_environment_is_one_of_two_words() {
    let with =
        |word: &str| read(&GOOD.replace("[service]\n", &format!("[service]\nenvironment = \"{word}\"\n")));
    assert_eq!(with("development").unwrap().service.environment, Environment::Development);
    for word in ["prod", "Production", "PRODUCTION", "staging", ""] {
        let fault = with(word).unwrap_err();
        assert!(fault.contains("service.environment"), "{word}: {fault}");
    }
}

/// As `GOOD`, fit for production.
fn production() -> String {
    GOOD.replace("[service]\n", "[service]\nenvironment = \"production\"\n")
        .replace(":7432/payments\"", ":7432/payments?sslmode=verify-full&sslrootcert=ca.pem\"")
        .replace("/payments_keys\"", "/payments_keys?sslmode=verify-full&sslrootcert=ca.pem\"")
}

#[test]
fn what_would_go_in_clear_is_refused_in_production_and_named() {
    let good = production();
    assert!(read(&good).unwrap().service.is_production());
    let parties = |url: &str| format!("{good}[parties]\nregister = \"{url}\"\n");
    for well in [
        "https://register.example",
        "smtps://relay.example:465",
        "smtp://relay.example:587?tls=required",
        "tls://nats:4222",
        "scanner:3310",
        "no URL",
    ] {
        assert_eq!(read(&parties(well)).unwrap().parties["register"], well);
    }
    let spans = "[service.telemetry]\notlp_endpoint = \"http://collector.monitoring:4317\"\n";
    read(&format!("{good}{spans}")).unwrap();

    let swapped = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    for (text, key) in [
        (parties("http://register.example"), "parties.register"),
        (parties("HTTP://register.example"), "parties.register"),
        (parties("smtp://relay.example:25"), "parties.register"),
        (swapped("https://127.0.0.1:7401", "http://127.0.0.1:7401"), "service.peers.identity"),
        (swapped("tls://127.0.0.1", "nats://127.0.0.1"), "service.broker.url"),
        (
            swapped(":7432/payments?sslmode=verify-full", ":7432/payments?sslmode=require"),
            "service.database.url",
        ),
        (swapped("/payments_keys?sslmode=verify-full&", "/payments_keys?"), "service.keys_database.url"),
    ] {
        let fault = read(&text).unwrap_err();
        assert!(fault.contains(&format!("{key}: in clear")), "{fault}");
        // Outside production it is taken.
        read(&text.replace("environment = \"production\"\n", "")).unwrap();
    }
}
