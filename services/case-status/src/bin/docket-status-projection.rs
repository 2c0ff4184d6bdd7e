//! The program of the service `status-projection`; `rebuild [--switch]` besides what every service has.

use std::process::ExitCode;

use docket_case_status::status::{Config, MIGRATOR, rebuild, serve};
use docket_service::Program;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|command| command == "rebuild") {
        return rebuild::main(&arguments[1..]);
    }
    docket_service::main::<Config>(Program {
        name: "status-projection",
        migrations: &MIGRATOR,
        serve: |config, stop| Box::pin(serve(config, stop)),
    })
}
