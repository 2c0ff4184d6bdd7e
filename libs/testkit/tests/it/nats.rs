//! A nats-server of one's own, killed and started again.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;

/// The server's greeting, which holds its identity and what it can do.
fn greeting(url: &str) -> String {
    let mut line = String::new();
    BufReader::new(connect(url).unwrap()).read_line(&mut line).unwrap();
    line
}

fn connect(url: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(url.strip_prefix("nats://").unwrap())
}

#[tokio::test]
async fn each_test_has_a_server_with_jetstream_of_its_own() {
    let (one, other) = (docket_testkit::nats().await, docket_testkit::nats().await);
    assert_ne!(one.url, other.url);
    assert!(greeting(&one.url).contains("\"jetstream\":true"));
    assert!(greeting(&other.url).contains("\"jetstream\":true"));
}

#[tokio::test]
async fn a_killed_server_comes_back_on_its_port() {
    let mut nats = docket_testkit::nats().await;
    nats.kill().await;
    assert!(connect(&nats.url).is_err());
    nats.restart().await;
    assert!(greeting(&nats.url).starts_with("INFO"));
}
