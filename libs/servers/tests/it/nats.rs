//! nats-server: ports, configuration, restarts.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use docket_servers::{Error, Nats, NatsOptions};

use crate::folder;

/// One page of the server's monitoring.
fn monitor(nats: &Nats, page: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", nats.monitor_port())).unwrap();
    write!(stream, "GET {page} HTTP/1.0\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn it_serves_jetstream_from_the_folder_and_keeps_its_ports() {
    let folder = folder();
    let mut nats = Nats::start(NatsOptions::new(folder.path())).unwrap();
    let (url, monitor_port) = (nats.url(), nats.monitor_port());
    assert!(monitor(&nats, "/healthz").contains("200 OK"));
    assert!(monitor(&nats, "/jsz").contains(folder.path().join("jetstream").to_str().unwrap()));
    nats.process().kill().unwrap();
    nats.restart().unwrap();
    assert_eq!((nats.url(), nats.monitor_port()), (url, monitor_port));
    assert!(monitor(&nats, "/healthz").contains("200 OK"));
    assert!(nats.stop().unwrap().code().is_some());
}

#[test]
fn a_port_in_use_is_named() {
    let folder = folder();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = Nats::start(NatsOptions { port: Some(port), ..NatsOptions::new(folder.path()) });
    assert!(matches!(refused, Err(Error::PortBusy(busy)) if busy == port), "{refused:?}");
}

#[test]
fn a_wrong_configuration_is_told_in_the_servers_words() {
    let folder = folder();
    let config = "accounts { broken".to_owned();
    let refused = Nats::start(NatsOptions { config, ..NatsOptions::new(folder.path()) });
    let Err(Error::Ended { tail, .. }) = refused else { panic!("{refused:?}") };
    assert!(tail.contains("Parse error"), "{tail}");
}
