//! Starts the filing service.

use std::process::ExitCode;

use docket_service::Program;

fn main() -> ExitCode {
    docket_service::main::<docket_filing::Config>(Program {
        name: "filing",
        migrations: &docket_filing::MIGRATOR,
        serve: |config, stop| Box::pin(docket_filing::serve(config, stop)),
    })
}
