//! Starts the filing service; or, named so, reads one file in the empty room of `docket_filing::inspect_file`.

use std::process::ExitCode;

use docket_service::Program;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|word| word == docket_filing::INSPECT_FILE) {
        return docket_filing::inspect_file();
    }
    docket_service::main::<docket_filing::Config>(Program {
        name: "filing",
        migrations: &docket_filing::MIGRATOR,
        serve: |config, stop| Box::pin(docket_filing::serve(config, stop)),
    })
}
