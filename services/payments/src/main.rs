//! Start-up of the payments service.
use std::process::ExitCode;

fn main() -> ExitCode {
    docket_service::main(docket_payments::PROGRAM)
}
