//! The program of the service `status-projection`.

use std::process::ExitCode;

use docket_case_status::status::{Config, MIGRATOR, serve};
use docket_service::Program;

fn main() -> ExitCode {
    docket_service::main::<Config>(Program {
        name: "status-projection",
        migrations: &MIGRATOR,
        serve: |config, stop| Box::pin(serve(config, stop)),
    })
}
