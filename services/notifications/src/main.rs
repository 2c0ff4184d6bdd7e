//! The notifications service: `docket-notifications serve | migrate | config check | streams setup`.

use std::process::ExitCode;

use docket_notifications::{Config, MIGRATOR, serve};
use docket_service::Program;

fn main() -> ExitCode {
    docket_service::main::<Config>(Program {
        name: "notifications",
        migrations: &MIGRATOR,
        serve: |config, stop| Box::pin(serve(config, stop)),
    })
}
