//! `docket up`: sets the whole system up on this machine, keeps it running, and takes it down again.
pub mod broker;
pub mod certificates;
pub mod children;
pub mod configs;
pub mod databases;
pub mod lock;
pub mod place;
pub mod ports;
pub mod servers;
pub mod start;

pub use start::{Running, start};

use crate::address::Addresses;
use crate::output::Teller;
use anyhow::{Context, Result};
use lock::Lock;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How `docket up` was asked to run.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Story to play once everything is ready.
    pub story: Option<PathBuf>,
    /// End after the story instead of staying up.
    pub once: bool,
    /// One JSON line a step.
    pub json: bool,
    /// In an environment that begins empty and is thrown away at the end; its clock may be turned.
    pub apart: bool,
}

/// Runs the system until Ctrl-C, or until the story has ended when asked so.
pub async fn run(home: &Path, wish: Wish) -> Result<()> {
    let teller = Teller::new(wish.json);
    let lock = home.join("lock");
    std::fs::create_dir_all(home).with_context(|| format!("make {}", home.display()))?;
    let _lock = Lock::try_take(&lock)
        .with_context(|| format!("Docket is already running in {}; stop it first", home.display()))?;
    if wish.apart {
        teller.line(&format!("an environment of its own in {}, thrown away at the end", home.display()));
        throw_away(home, &lock)?;
    }
    let place = place::Place::make(home, wish.apart)?;
    if place.data().join("postgres/data/PG_VERSION").exists() {
        teller.line(&format!("cases of earlier runs are kept in {}", place.data().display()));
    }
    let running = start(place, &teller).await?;
    let watching = running.keep_alive(teller.clone());
    let outcome = tokio::select! {
        outcome = after_start(&running, &wish, &teller) => outcome,
        () = interrupted() => Ok(()),
    };
    watching.abort();
    teller.line("stopping: services, then the sandbox, the broker, the database");
    tokio::task::spawn_blocking(move || running.stop()).await.context("stop")?;
    if wish.apart {
        throw_away_elsewhere(home)?;
        std::fs::remove_dir_all(home).with_context(|| format!("remove {}", home.display()))?;
    }
    outcome
}

/// Removes everything in a home but its lock.
fn throw_away(home: &Path, lock: &Path) -> Result<()> {
    throw_away_elsewhere(home)?;
    for entry in std::fs::read_dir(home).with_context(|| format!("read {}", home.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            std::fs::remove_dir_all(&path).with_context(|| format!("remove {}", path.display()))?;
        } else if path != lock {
            std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Removes data that lies elsewhere, since PostgreSQL's user cannot reach the home; a link leads there.
fn throw_away_elsewhere(home: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(home.join("data")) else { return Ok(()) };
    for entry in entries {
        let Ok(target) = std::fs::read_link(entry?.path()) else { continue };
        let ours = target.to_str().is_some_and(|target| target.starts_with("/var/tmp/docket-data-"));
        if ours && target.is_dir() {
            std::fs::remove_dir_all(&target).with_context(|| format!("remove {}", target.display()))?;
        }
    }
    Ok(())
}

async fn after_start(running: &Running, wish: &Wish, teller: &Teller) -> Result<()> {
    let addresses = running.addresses().clone();
    let told = match &wish.story {
        Some(file) => Some(crate::story::play(&addresses, file, false, teller).await?),
        None => None,
    };
    if wish.once {
        return Ok(());
    }
    welcome(&addresses, told.as_ref(), &named(running.home(), wish.apart), teller);
    std::future::pending::<()>().await;
    Ok(())
}

/// What stands before a command so that it finds a system which lives where nobody looks by itself.
fn named(home: &Path, apart: bool) -> String {
    if apart { format!("DOCKET_HOME='{}' ", home.display()) } else { String::new() }
}

/// What to try next; each command begins with `named`.
fn welcome(addresses: &Addresses, told: Option<&crate::story::Told>, named: &str, teller: &Teller) {
    teller.heading("Docket is up");
    if let Some(told) = told {
        teller.line(&format!("the story went through in {} steps", told.steps));
    }
    for (name, url) in &addresses.grpc {
        teller.pair(name, url);
    }
    for (name, url) in &addresses.http {
        teller.pair(&format!("{name} (HTTP)"), url);
    }
    teller.pair("mail that was sent", &format!("{}/mail", addresses.mail));
    teller.pair("sandbox", &addresses.sandbox);
    if let Some(told) = told {
        teller.heading("People to be");
        for sign_in in &told.sign_ins {
            teller.pair(
                &sign_in.role,
                &format!(
                    "{}  password {}  TOTP secret {}",
                    sign_in.email, sign_in.password, sign_in.totp_secret
                ),
            );
        }
        teller.heading("Try");
        if let Some(first) = told.sign_ins.first() {
            teller.line(&format!(
                "{named}docket sign-in --email {} --password '{}' --totp-secret {}",
                first.email, first.password, first.totp_secret
            ));
        }
        if let Some(receipt) = &told.receipt_number {
            teller.line(&format!("{named}docket status {receipt}"));
        }
        teller.line(&format!("{named}docket inbox"));
        teller.line(&format!("{named}docket log stats   (as the operator)"));
    }
    teller.line("Ctrl-C stops everything that was started here.");
}

async fn interrupted() {
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = async { match term.as_mut() { Some(term) => { term.recv().await; } None => std::future::pending().await } } => {}
    }
}

/// Waits until a URL answers 200, or says what the last answer was.
pub async fn wait_ready(client: &reqwest::Client, url: &str, patience: Duration) -> Result<()> {
    let mut last = String::from("no answer");
    let ready = async {
        loop {
            match client.get(url).send().await {
                Ok(answer) if answer.status().is_success() => return,
                Ok(answer) => {
                    last = format!("{}: {}", answer.status(), answer.text().await.unwrap_or_default());
                }
                Err(error) => last = error.to_string(),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    if tokio::time::timeout(patience, ready).await.is_err() {
        anyhow::bail!("{url} was not ready within {} s; it last said: {last}", patience.as_secs());
    }
    Ok(())
}
