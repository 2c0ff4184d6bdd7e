//! A relay in a process of its own, to be frozen and killed: this test program, started again as that.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use docket_messaging::{Broker, BrokerOptions, Relay, Stop};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgPoolOptions;
use tokio::io::AsyncReadExt as _;

use crate::bench::{Owner, open_log};

const DATABASE: &str = "DOCKET_TEST_RELAY_DATABASE";
const BROKER: &str = "DOCKET_TEST_RELAY_BROKER";
const KEK: &str = "DOCKET_TEST_RELAY_KEK";
/// A short turn, so that the tests need not wait long for a frozen one.
pub(crate) const TURN: Duration = Duration::from_secs(2);

/// Not a test: the relay of [`RelayProcess`]. Without its variables it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn relay_process() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let (broker, kek) = (std::env::var(BROKER).unwrap(), std::env::var(KEK).unwrap());
    let stop = Stop::new();
    let ending = stop.clone();
    tokio::spawn(async move {
        // Ends with who started it, however that ended.
        let _ = tokio::io::stdin().read(&mut [0]).await;
        ending.cancel();
    });
    let log = loop {
        if stop.is_cancelled() {
            return;
        }
        // The database may be killed while we start; a supervisor would start us again.
        let Ok(pool) = PgPoolOptions::new().max_connections(4).connect(&database).await else { continue };
        let Ok(log) = open_log(pool, &kek).await else { continue };
        break log;
    };
    let options =
        BrokerOptions { url: broker, name: "owner".to_owned(), replicas: 1, ..BrokerOptions::default() };
    let broker = Broker::connect(&options).await.unwrap();
    Relay::new(log, broker).turn(TURN).run(stop).await.unwrap();
}

/// A running relay; killed when dropped.
pub(crate) struct RelayProcess(Child);

impl RelayProcess {
    pub(crate) fn start(owner: &Owner, database: &str, nats: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["process::relay_process", "--exact", "--nocapture"])
            .env(DATABASE, database)
            .env(BROKER, nats)
            .env(KEK, &owner.kek)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Whether it still runs: a relay that halted has ended.
    pub(crate) fn runs(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
