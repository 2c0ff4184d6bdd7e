//! A nats-server with JetStream for one test.

use docket_servers::{Nats, NatsOptions};

use crate::{blocking, scratch_folder};

/// A nats-server that ends, and whose data goes, when it is dropped.
#[derive(Debug)]
pub struct TestNats {
    /// The clients' URL.
    pub url: String,
    server: Option<Nats>,
}

impl TestNats {
    /// Kills the server (SIGKILL), as a crash would; its data stays for [`TestNats::restart`].
    pub fn kill(&mut self) {
        self.server().process().kill().expect("the server can be killed");
    }

    /// Starts the server again on the same port and data.
    pub async fn restart(&mut self) {
        let mut server = self.server.take().expect("the server is only away during a restart");
        self.server = Some(
            blocking(move || {
                server.restart().expect("nats-server starts again");
                server
            })
            .await,
        );
    }

    /// The server itself, to send signals to or to ask for its ports.
    pub fn server(&mut self) -> &mut Nats {
        self.server.as_mut().expect("the server is only away during a restart")
    }
}

/// Starts a nats-server for one test, open to every client on this machine.
pub async fn nats() -> TestNats {
    nats_with(|_| {}).await
}

/// Starts a nats-server for one test after `change` has seen its options: TLS, accounts, fixed ports.
pub async fn nats_with(change: impl FnOnce(&mut NatsOptions)) -> TestNats {
    let mut options =
        NatsOptions { durable: false, scratch: true, ..NatsOptions::new(scratch_folder("nats")) };
    change(&mut options);
    let server =
        blocking(move || Nats::start(options)).await.unwrap_or_else(|error| panic!("nats-server: {error}"));
    TestNats { url: server.url(), server: Some(server) }
}
