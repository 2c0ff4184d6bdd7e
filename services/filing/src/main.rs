//! Starts the filing service; or, named so, reads or draws one file in the empty room of `docket_filing::confined`.

use std::process::ExitCode;

use docket_service::Program;

fn main() -> ExitCode {
    if let Some(code) = docket_filing::confined() {
        return code;
    }
    docket_service::main::<docket_filing::Config>(Program {
        name: "filing",
        migrations: &docket_filing::MIGRATOR,
        serve: |config, stop| Box::pin(docket_filing::serve(config, stop)),
    })
}
