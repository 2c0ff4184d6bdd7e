//! Processes of writers: this test program, started again with orders in its environment.

use std::collections::HashMap;
use std::env;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use docket_eventlog::Error;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Executor, PgPool};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use uuid::Uuid;

use super::candidate::{Candidate, Naive, Ours};

/// What a process is to do: candidate, number of the process, writers, seed, and the database's URL.
const ORDERS: &str = "DOCKET_GAP_WRITERS";
/// Set for a process which is to be frozen: for how many milliseconds the database bears with its transaction.
const BEAR_MS: &str = "DOCKET_GAP_BEAR_MS";

/// What became of a command, by what its writer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Done,
    Undone,
    Unknown,
}

/// What all writers said. A command of which nothing was said was under way when its process was killed.
pub(super) type Ledger = Arc<Mutex<HashMap<Uuid, Fate>>>;

/// One process of writers; it is killed when this is dropped, and ends when its standard input does.
pub(super) struct Writers {
    child: Child,
    saying: JoinHandle<()>,
    inside: watch::Receiver<bool>,
}

impl Writers {
    pub(super) fn start<C: Candidate>(
        url: &str,
        process: u64,
        writers: u64,
        seed: u64,
        bear: Option<Duration>,
        ledger: &Ledger,
    ) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "gaps::writers::a_process_of_writers", "--nocapture"]);
        command.env(ORDERS, format!("{} {process} {writers} {seed} {url}", C::NAME));
        if let Some(bear) = bear {
            command.env(BEAR_MS, bear.as_millis().to_string());
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (sender, inside) = watch::channel(false);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let saying = tokio::spawn(listen(lines, Arc::clone(ledger), sender));
        Self { child, saying, inside }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().expect("it was not waited for yet")).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Stops it (SIGSTOP) as soon as it says that it is inside a transaction.
    pub(super) async fn freeze(&mut self) {
        self.inside.wait_for(|inside| *inside).await.expect("it goes inside before it ends");
        self.signal(Signal::STOP);
    }

    /// Kills it (SIGKILL), and hears what it had said.
    pub(super) async fn kill(mut self) {
        self.signal(Signal::KILL);
        self.child.wait().await.unwrap();
        self.saying.await.unwrap();
    }

    /// Lets it finish what it is doing.
    pub(super) async fn finish(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().await.unwrap().success(), "a process of writers failed");
        self.saying.await.unwrap();
    }
}

async fn listen(
    mut lines: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    ledger: Ledger,
    inside: watch::Sender<bool>,
) {
    while let Some(line) = lines.next_line().await.unwrap() {
        let (word, command) = line.split_once(' ').unwrap_or_default();
        let fate = match word {
            "done" => Fate::Done,
            "undone" => Fate::Undone,
            "unknown" => Fate::Unknown,
            "inside" => {
                inside.send_replace(true);
                continue;
            }
            // What the test program itself prints.
            _ => continue,
        };
        ledger.lock().unwrap().insert(command.parse().unwrap(), fate);
    }
}

/// Does nothing unless it was started by [`Writers::start`].
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_of_writers() {
    let Ok(orders) = env::var(ORDERS) else { return };
    if orders.starts_with(Ours::NAME) { obey::<Ours>(&orders).await } else { obey::<Naive>(&orders).await }
}

async fn obey<C: Candidate>(orders: &str) {
    let words: Vec<&str> = orders.split(' ').collect();
    let [_, process, writers, seed, url] = words[..] else { panic!("orders: {orders}") };
    let (process, writers): (u64, u64) = (process.parse().unwrap(), writers.parse().unwrap());
    let seed: u64 = seed.parse().unwrap();
    let connections = u32::try_from(writers).unwrap() + 2;
    let pool = PgPoolOptions::new().max_connections(connections).connect(url).await.unwrap();
    let log = C::open(pool.clone()).await;
    let (stop, stopped) = watch::channel(false);
    let tasks: Vec<_> = (0..writers)
        .map(|n| {
            let writer = process * 100 + n;
            let random = StdRng::seed_from_u64(seed.wrapping_add(writer));
            tokio::spawn(write(log.clone(), pool.clone(), writer, random, stopped.clone()))
        })
        .collect();
    if let Ok(bear_ms) = env::var(BEAR_MS) {
        stay_inside(&log, &pool, process, &bear_ms).await;
    }
    // Ends when whoever started us closes it, or is no more.
    tokio::io::stdin().read_to_end(&mut Vec::new()).await.unwrap();
    stop.send_replace(true);
    for task in tasks {
        task.await.unwrap();
    }
}

/// Takes the head and keeps it, to be frozen with it.
async fn stay_inside<C: Candidate>(log: &C, pool: &PgPool, process: u64, bear_ms: &str) {
    let mut tx = docket_database::begin(pool).await.unwrap();
    log.append_in(&mut tx, command(process * 100 + 99, 0, 2)).await.unwrap();
    let bear = format!("SET LOCAL idle_in_transaction_session_timeout = '{bear_ms}ms'");
    tx.execute(AssertSqlSafe(bear)).await.unwrap();
    println!("\ninside 1");
    std::future::pending::<()>().await;
}

fn command(writer: u64, number: u64, events: u64) -> Uuid {
    Uuid::from_u64_pair(writer, number << 8 | events)
}

/// Writes on and on: groups, and transactions of its own with pauses inside, some of which are rolled back.
async fn write<C: Candidate>(
    log: C,
    pool: PgPool,
    writer: u64,
    mut random: StdRng,
    stopped: watch::Receiver<bool>,
) {
    for number in 0.. {
        if *stopped.borrow() {
            return;
        }
        let command = command(writer, number, random.random_range(1..=3));
        let fate = match random.random_range(0..10) {
            0..=2 => fate(log.append(command).await),
            way => in_transaction(&log, &pool, command, way == 9, &mut random).await,
        };
        let word = match fate {
            Fate::Done => "done",
            Fate::Undone => "undone",
            Fate::Unknown => "unknown",
        };
        println!("\n{word} {command}");
        pause(&mut random).await;
    }
}

async fn in_transaction<C: Candidate>(
    log: &C,
    pool: &PgPool,
    command: Uuid,
    roll_back: bool,
    random: &mut StdRng,
) -> Fate {
    let mut tx = docket_database::begin(pool).await.unwrap();
    if log.append_in(&mut tx, command).await.is_err() {
        return Fate::Undone;
    }
    pause(random).await;
    if roll_back {
        tx.rollback().await.unwrap();
        return Fate::Undone;
    }
    fate(tx.commit().await.map_err(Into::into))
}

fn fate(outcome: Result<(), Error>) -> Fate {
    match outcome {
        Ok(()) => Fate::Done,
        Err(error) => {
            eprintln!("{error}");
            Fate::Unknown
        }
    }
}

/// Mostly none or short, now and then long.
async fn pause(random: &mut StdRng) {
    let longest_us = if random.random_bool(0.05) { 20_000 } else { 1_500 };
    sleep(Duration::from_micros(random.random_range(0..longest_us))).await;
}
