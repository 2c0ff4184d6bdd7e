//! Runs a command beside a throw-away PostgreSQL: `with-servers COMMAND…` ends with the command, and with its status.
//!
//! The command finds the superuser's URL in `DOCKET_TEST_POSTGRES` and psql's folder in `DOCKET_POSTGRES_BIN`.

use std::env;
use std::process::{Command, ExitCode};

use docket_servers::{Launcher, Postgres, PostgresOptions, child};

/// Several programs of tests share the server, each with several services at a time.
const CONNECTIONS: &str = "400";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1).peekable();
    if arguments.next_if(|argument| argument == child::SUBCOMMAND).is_some() {
        eprintln!("with-servers: {}", child::exec(arguments));
        return ExitCode::from(127);
    }
    let Some(program) = arguments.next() else {
        eprintln!("usage: with-servers COMMAND [ARGUMENT]...");
        return ExitCode::from(2);
    };
    match run(Command::new(program).args(arguments)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("with-servers: {error}");
            ExitCode::from(125)
        }
    }
}

fn run(command: &mut Command) -> Result<u8, Box<dyn std::error::Error>> {
    let folder = docket_servers::scratch().join(format!("docket-scratch-{}", std::process::id()));
    let settings = vec![("max_connections".to_owned(), CONNECTIONS.to_owned())];
    let options = PostgresOptions { durable: false, scratch: true, settings, ..PostgresOptions::new(folder) };
    let launcher = if env::var_os("DOCKET_REEXEC").is_some() {
        Launcher::Reexec(env::current_exe()?)
    } else {
        Launcher::Watchdog
    };
    let mut postgres = Postgres::start(PostgresOptions { launcher, ..options })?;
    command.env("DOCKET_TEST_POSTGRES", postgres.url("postgres")).env("DOCKET_POSTGRES_BIN", postgres.bin());
    let status = command.status()?;
    postgres.stop()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
