//! The program of the service `case-status`.

use std::process::ExitCode;

use docket_case_status::command::{Config, MIGRATOR, serve};
use docket_service::Program;

fn main() -> ExitCode {
    docket_service::main::<Config>(Program {
        name: "case-status",
        migrations: &MIGRATOR,
        serve: |config, stop| Box::pin(serve(config, stop)),
    })
}
