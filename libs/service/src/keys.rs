//! The service's keys: the vault with its key-encryption key, the daily scrub, and the operator's `keys` commands.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use docket_kernel::SharedClock;
use docket_messaging::Stop;
use docket_vault::{
    AwsKms, AwsKmsOptions, Error, Kek, KeyProvider, KeyStatus, Keyring, OpenVault, REMEMBERED, Vault,
};
use sqlx::PgPool;

use crate::Rounds;
use crate::base::{PATIENCE, clock, pool};
use crate::config::{AwsKmsConfig, KeysDatabaseConfig, ServiceConfig, aws_credentials, connect_options};
use crate::epoch::feed;
use crate::erasures::{IDENTITY, erase_again};

/// Pause between two looks at a keeper which is away.
const PAUSE: Duration = Duration::from_millis(500);

/// The operator's commands on the keys.
#[derive(Subcommand)]
pub enum KeysCommand {
    /// Lists the root keys: version, what wraps them, state, data keys under them; and the key of certificates.
    Status {
        /// For programs.
        #[arg(long)]
        json: bool,
    },
    /// Replaces keys while the service runs; nothing that was sealed is touched. May be stopped and begun again.
    Rotate {
        /// `kek` wraps the root keys under the configured key, `wrapping` makes a new wrapping key.
        #[arg(value_enum, default_value_t = Rotation::All)]
        which: Rotation,
        /// Data keys wrapped anew in one transaction.
        #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        batch: u32,
    },
    /// After a backup of the keys was restored and before the service starts: destroys the keys again that identity had ordered to
    /// destroy, by all orders in its log. May be begun again.
    EraseAgain,
    /// Rewrites the tables of keys now, so that no page holds destroyed or replaced keys; a running service does it daily.
    Scrub,
}

/// What is rotated.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rotation {
    /// The root keys, from the previous key-encryption keys to the current one.
    Kek,
    /// The wrapping key, and with it every data key.
    Wrapping,
    /// Both.
    All,
}

/// How often it is asked whether a scrub is due, and soon again when it failed.
const SCRUB_LOOK: Duration = Duration::from_mins(10);
/// How long it may take to write the tables anew.
const SCRUB: Duration = Duration::from_mins(10);

/// Scrubs the tables of keys once a day, by whichever replica comes first, until the stop.
pub(crate) async fn scrub_daily(vault: Vault, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(SCRUB_LOOK, "the tables of keys could not be written anew").within(SCRUB);
    while rounds.go_on(&stop).await {
        rounds.turn(scrub(&vault)).await;
    }
    Ok(())
}

async fn scrub(vault: &Vault) -> anyhow::Result<()> {
    if vault.scrub_when_due().await? {
        tracing::info!("the tables of keys were written anew");
    }
    Ok(())
}

/// Carries a command on the keys of service `name` out, and prints what it did.
///
/// # Errors
/// What could not be done, in words for the operator.
pub async fn run_keys(
    config: &ServiceConfig,
    name: &'static str,
    command: KeysCommand,
) -> anyhow::Result<()> {
    let own = connect_options(&config.database.url, config.database.password_file.as_deref())?;
    let own = pool(own.application_name(name), 2).await?;
    let vault = vault(config, &own, name, clock(config)?).await?;
    match command {
        KeysCommand::Status { json } => status(&vault, json).await,
        KeysCommand::Rotate { which, batch } => rotate(&vault, which, batch).await,
        KeysCommand::EraseAgain => {
            let feed = feed(config, name, &own, IDENTITY).await?;
            println!("{}", erase_again(&vault, &feed).await?);
            vault
                .scrub()
                .await
                .context("the keys are destroyed; old pages of their tables may still hold them: scrub")
        }
        KeysCommand::Scrub => vault.scrub().await.context("the tables of keys stay as they are"),
    }
}

async fn rotate(vault: &Vault, which: Rotation, batch: u32) -> anyhow::Result<()> {
    if which != Rotation::Wrapping {
        let changed = vault.rotate_kek().await.context("what was wrapped anew stays so: begin again")?;
        for key in &changed {
            println!("{key}: wrapped under the current key-encryption key");
        }
        println!("{} root keys wrapped anew", changed.len());
    }
    if which != Rotation::Kek {
        let version = vault.begin_rotation().await?;
        let mut done = 0;
        loop {
            let step = vault.rewrap(batch).await.context("what was wrapped anew stays so: begin again")?;
            done += step.done;
            println!("wrapping key version {version}: {done} data keys wrapped anew, {} left", step.left);
            if step.left == 0 {
                break;
            }
        }
    }
    status(vault, false).await
}

async fn status(vault: &Vault, json: bool) -> anyhow::Result<()> {
    let all = vault.key_status().await?;
    let (key_id, public) = vault.certificate_public_key();
    let public = hex::encode(public);
    if json {
        let keys: Vec<_> = all.iter().map(as_json).collect();
        let certificates = serde_json::json!({ "key_id": key_id, "public_key": public });
        println!("{}", serde_json::json!({ "keys": keys, "certificates": certificates }));
        return Ok(());
    }
    println!(
        "{:<12} {:>7}  {:<9}  {:>9}  {:<27}  wrapped under",
        "key", "version", "state", "data keys", "made"
    );
    for one in &all {
        let (name, version, made) = (one.key.root.as_str(), one.key.version, one.created_at.to_string());
        println!(
            "{name:<12} {version:>7}  {:<9}  {:>9}  {made:<27}  {}",
            state(one),
            one.data_keys,
            one.kek_id
        );
    }
    println!("certificates of erasure are signed by {key_id}, public key {public}");
    Ok(())
}

fn state(one: &KeyStatus) -> &'static str {
    match (one.retired_at, one.destroyed_at) {
        (_, Some(_)) => "destroyed",
        (Some(_), None) => "retired",
        (None, None) => "in use",
    }
}

fn as_json(one: &KeyStatus) -> serde_json::Value {
    serde_json::json!({
        "key": one.key.root.as_str(),
        "version": one.key.version,
        "state": state(one),
        "data_keys": one.data_keys,
        "created_at": one.created_at.to_string(),
        "kek_id": one.kek_id,
    })
}

/// The service's vault. A keys database or a keeper that is away is waited for, up to a minute.
pub(crate) async fn vault(
    config: &ServiceConfig,
    own: &PgPool,
    name: &str,
    clock: SharedClock,
) -> anyhow::Result<Vault> {
    let (keys, keyring) = match &config.keys_database {
        Some(keys) => {
            let options = connect_options(&keys.url, keys.password_file.as_deref())?;
            (pool(options.application_name(name), keys.max_connections).await?, keyring(keys, config, name)?)
        }
        // A service without personal data of its own still signs and makes names with keys.
        None => (own.clone(), own_kek(&config.data_dir.join("kek"))?.into()),
    };
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let (keys, keyring, clock) = (keys.clone(), keyring.clone(), clock.clone());
        let options = OpenVault { service: name.to_owned(), keys, keyring, clock, remember: REMEMBERED };
        match Vault::start(options).await {
            Err(Error::KekAway(why)) if tokio::time::Instant::now() < deadline => {
                tracing::info!(why, "waiting for the keeper of the key-encryption key");
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome.context("the vault; was `migrate` run?"),
        }
    }
}

fn keyring(keys: &KeysDatabaseConfig, config: &ServiceConfig, service: &str) -> anyhow::Result<Keyring> {
    let current: Arc<dyn KeyProvider> = match (&keys.kek_file, &keys.aws_kms) {
        (Some(file), None) => Arc::new(Kek::from_file(file)?),
        (None, Some(kms)) => Arc::new(aws_kms(kms, config, service)?),
        _ => anyhow::bail!("keys_database needs one of kek_file and aws_kms"),
    };
    let mut previous: Vec<Arc<dyn KeyProvider>> = Vec::new();
    for file in &keys.previous_kek_files {
        previous.push(Arc::new(Kek::from_file(file)?));
    }
    for kms in &keys.previous_aws_kms {
        previous.push(Arc::new(aws_kms(kms, config, service)?));
    }
    Ok(Keyring::new(current, previous))
}

fn aws_kms(kms: &AwsKmsConfig, config: &ServiceConfig, service: &str) -> anyhow::Result<AwsKms> {
    let credentials = aws_credentials(kms.credentials_file.as_deref(), &kms.profile);
    Ok(AwsKms::new(AwsKmsOptions {
        key_arn: kms.key_arn.clone(),
        endpoint: kms.endpoint.clone(),
        plain_http: !config.is_production(),
        service: service.to_owned(),
        credentials,
    })?)
}

/// The key in `file`, made at the first time.
fn own_kek(file: &Path) -> anyhow::Result<Kek> {
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    match made {
        Ok(mut new) => std::io::Write::write_all(&mut new, Kek::generate()?.as_bytes())?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("make {}", file.display())),
    }
    Ok(Kek::from_file(file)?)
}
