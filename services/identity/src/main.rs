//! Start-up only: what every service can do, and `invite` besides.

use std::process::ExitCode;

use docket_identity::{Config, MIGRATOR, invite, serve};
use docket_service::Program;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("invite") {
        return invite::main();
    }
    docket_service::main::<Config>(Program {
        name: "identity",
        migrations: &MIGRATOR,
        serve: |config, stop| Box::pin(serve(config, stop)),
    })
}
