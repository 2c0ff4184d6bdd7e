//! A nats-server with JetStream for one test.

use docket_servers::{Nats, NatsOptions};

use crate::source::{Source, source};
use crate::{blocking, scratch_folder};

/// A nats-server that ends, and whose data goes, when it is dropped.
#[derive(Debug)]
pub struct TestNats {
    /// The clients' URL; the same after a restart.
    pub url: String,
    running: Running,
}

#[derive(Debug)]
enum Running {
    /// Away only while it is restarted.
    Local(Option<Box<Nats>>),
    #[cfg(feature = "containers")]
    Container(Box<crate::containers::NatsContainer>),
}

impl TestNats {
    /// Kills the server (SIGKILL), as a crash would; its data stays for [`TestNats::restart`].
    #[cfg_attr(
        not(feature = "containers"),
        expect(clippy::unused_async, reason = "a container's end is waited for")
    )]
    pub async fn kill(&mut self) {
        match &mut self.running {
            Running::Local(server) => {
                let server = server.as_mut().expect("the server is only away during a restart");
                server.process().kill().expect("the server can be killed");
            }
            #[cfg(feature = "containers")]
            Running::Container(server) => server.kill().await,
        }
    }

    /// Starts the server again on the same port and data.
    pub async fn restart(&mut self) {
        match &mut self.running {
            Running::Local(server) => {
                let mut away = server.take().expect("the server is only away during a restart");
                let restarted = blocking(move || away.restart().map(|()| away)).await;
                *server = Some(restarted.unwrap_or_else(|error| panic!("nats-server: {error}")));
            }
            #[cfg(feature = "containers")]
            Running::Container(server) => server.restart().await,
        }
    }

    /// The local server, to send signals to or to ask for its monitoring port; none in a container.
    pub fn local(&mut self) -> Option<&mut Nats> {
        match &mut self.running {
            Running::Local(server) => server.as_deref_mut(),
            #[cfg(feature = "containers")]
            Running::Container(_) => None,
        }
    }
}

/// Starts a nats-server for one test, open to every client on this machine.
pub async fn nats() -> TestNats {
    match source().await {
        Source::Local => nats_with(|_| {}).await,
        #[cfg(feature = "containers")]
        Source::Containers => {
            let server = crate::containers::NatsContainer::start().await;
            TestNats { url: server.url.clone(), running: Running::Container(Box::new(server)) }
        }
    }
}

/// Starts a local nats-server for one test after `change` has seen its options: TLS, accounts, fixed ports.
pub async fn nats_with(change: impl FnOnce(&mut NatsOptions)) -> TestNats {
    let mut options =
        NatsOptions { durable: false, scratch: true, ..NatsOptions::new(scratch_folder("nats")) };
    change(&mut options);
    let server =
        blocking(move || Nats::start(options)).await.unwrap_or_else(|error| panic!("nats-server: {error}"));
    TestNats { url: server.url(), running: Running::Local(Some(Box::new(server))) }
}
