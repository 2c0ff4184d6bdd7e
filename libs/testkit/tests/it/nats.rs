//! A nats-server of one's own, killed and started again.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;

/// The server's greeting, which holds its identity and what it can do.
fn greeting(port: u16) -> String {
    let mut line = String::new();
    BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap()).read_line(&mut line).unwrap();
    line
}

#[tokio::test]
async fn each_test_has_a_server_with_jetstream_of_its_own() {
    let (mut one, mut other) = (docket_testkit::nats().await, docket_testkit::nats().await);
    assert_ne!(one.url, other.url);
    assert!(greeting(one.server().port()).contains("\"jetstream\":true"));
    assert!(greeting(other.server().port()).contains("\"jetstream\":true"));
}

#[tokio::test]
async fn a_killed_server_comes_back_on_its_port() {
    let mut nats = docket_testkit::nats().await;
    let (url, port) = (nats.url.clone(), nats.server().port());
    nats.kill();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    nats.restart().await;
    assert_eq!(nats.server().url(), url);
    assert!(greeting(port).starts_with("INFO"));
}
