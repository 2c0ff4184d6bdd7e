//! The measurements of the log, its broker, the rules of forms and filing: each against a baseline taken in the same run, in turns.
//!
//! `make bench` prints a table and writes `target/bench/report.json`. `cargo bench --bench log -- NAME…` runs the
//! rows whose name holds one of the words. `BENCH_ROUNDS` and `BENCH_SECONDS` make it longer or shorter. Durable
//! always: fsync, `synchronous_commit` and `full_page_writes` are on. No figure is judged by its time, only by its ratio.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement: what fails, ends it")]

mod append;
mod batch;
mod cases;
mod filing;
mod forms;
mod pace;
mod pgbench;
mod place;
mod projection;
mod relay;
mod replay;
mod report;
mod visible;
mod wire;

use std::process::ExitCode;

use report::Report;

fn main() -> ExitCode {
    // The filing service starts this program to read strangers' files, as it starts its own.
    if let Some(code) = docket_filing::confined() {
        return code;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut report = Report::new(wanted);
        forms::run(&mut report);
        append::run(&mut report).await;
        wire::run(&mut report).await;
        batch::run(&mut report).await;
        replay::run(&mut report).await;
        projection::run(&mut report).await;
        visible::run(&mut report).await;
        relay::run(&mut report).await;
        filing::run(&mut report).await;
        append::run_long(&mut report).await;
        report.end();
    });
    ExitCode::SUCCESS
}
