//! `docket-identity invite`: a one-use code for a role of the office, the way in for the first officers.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use docket_kernel::{Clock, SystemClock};
use docket_service::{OffsetClock, ServiceConfig};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::domain::{check_issuer, check_role};
use crate::store::invitation::{self, Invitation};
use crate::{Config, code};

/// How long an invitation may be taken up.
const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Groups of four letters: 100 bits.
const GROUPS: usize = 5;

/// Prints one-use codes with which a signed-in account takes up a role, one a line.
#[derive(Parser)]
#[command(name = "docket-identity invite")]
struct Arguments {
    /// The configuration file (TOML).
    #[arg(long, env = "DOCKET_CONFIG")]
    config: Option<PathBuf>,
    /// Role, such as `adjudicator`.
    #[arg(long)]
    role: String,
    /// Office, such as `NBC`.
    #[arg(long)]
    office: String,
    /// Who issues it: `account:<uuid>`, or a word for who runs the machines, such as `setup`; it is kept, so no names.
    #[arg(long)]
    by: String,
    /// How many codes, for as many people.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    count: u32,
}

/// The subcommand: prints the codes and nothing else.
pub fn main() -> ExitCode {
    // The first word is the program, the second the subcommand.
    let arguments = Arguments::parse_from(std::env::args().take(1).chain(std::env::args().skip(2)));
    match run(&arguments) {
        Ok(codes) => {
            println!("{}", codes.join("\n"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<Vec<String>> {
    let config: Config = docket_service::load(arguments.config.as_deref())?;
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    runtime.block_on(async {
        let pool = connect(&config.service).await?;
        let now = match &config.service.clock_offset_file {
            Some(file) => OffsetClock::new(file.clone()).now(),
            None => SystemClock.now(),
        };
        let mut codes = Vec::new();
        for _ in 0..arguments.count {
            codes.push(issue(&pool, &arguments.role, &arguments.office, &arguments.by, now).await?);
        }
        Ok(codes)
    })
}

/// Makes an invitation and gives its code; only the hash is kept.
///
/// # Errors
/// A role or office that does not exist; an issuer that is neither an account nor a word; the database.
pub async fn issue(
    pool: &PgPool,
    role: &str,
    office: &str,
    by: &str,
    now: Timestamp,
) -> anyhow::Result<String> {
    check_role(role, office)?;
    check_issuer(by)?;
    let code = code::readable(GROUPS);
    let invitation = Invitation {
        code_hash: code::hash(&code::normalised(&code)),
        role: role.to_owned(),
        office: office.to_owned(),
        issued_by: by.to_owned(),
        expires_at_us: (now + LIFE).as_microsecond(),
    };
    invitation::insert(pool, &invitation).await?;
    Ok(code)
}

async fn connect(config: &ServiceConfig) -> anyhow::Result<PgPool> {
    let mut options: PgConnectOptions = config.database.url.parse().context("service.database.url")?;
    if let Some(file) = &config.database.password_file {
        let password = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
        options = options.password(password.trim_end_matches(['\r', '\n']));
    }
    PgPoolOptions::new().max_connections(1).connect_with(options).await.context("connect to the database")
}
