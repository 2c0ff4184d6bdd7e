//! Start-up of the `docket` program.
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // A child that ties its life to ours must do so before any thread exists, so before the runtime.
    if arguments.next().is_some_and(|first| first == docket_servers::child::SUBCOMMAND) {
        let error = docket_servers::child::exec(arguments);
        eprintln!("docket: cannot become the program: {error}");
        return ExitCode::from(127);
    }
    docket_cli::cli::run()
}
