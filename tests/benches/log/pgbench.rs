//! The baseline of appends: PostgreSQL's own `pgbench`, inserting the same row into a table with the same indexes.

use std::path::PathBuf;

use docket_eventlog::Recorded;
use sqlx::{Executor, PgPool};
use tokio::process::Command;

use crate::place::Place;
use crate::report::quantile;

/// What one run of pgbench came to.
pub(crate) struct Figures {
    /// Rows a second.
    pub(crate) rate: f64,
    /// 99 of 100 rows took at most so long, in milliseconds (only when a rate was given).
    pub(crate) p99_ms: f64,
}

/// The table, and a script which inserts the row of `like`.
pub(crate) struct Baseline {
    database: String,
    script: PathBuf,
}

impl Baseline {
    /// Makes the table beside the log and the script for it.
    pub(crate) async fn new(database: &str, pool: &PgPool, like: &Recorded) -> Self {
        for statement in [
            "DROP TABLE IF EXISTS baseline",
            "CREATE TABLE baseline (LIKE log.event INCLUDING CONSTRAINTS INCLUDING INDEXES)",
            "DROP SEQUENCE IF EXISTS baseline_position",
            "CREATE SEQUENCE baseline_position",
        ] {
            pool.execute(statement).await.unwrap();
        }
        let script = std::env::temp_dir().join(format!("docket-bench-{}-{database}.sql", std::process::id()));
        std::fs::write(&script, script_of(like)).unwrap();
        Self { database: database.to_owned(), script }
    }

    /// Inserts for some seconds; with `rate`, at that many rows a second, and then tells the latency.
    pub(crate) async fn run(
        &self,
        place: &Place,
        clients: usize,
        seconds: u64,
        rate: Option<f64>,
    ) -> Figures {
        let prefix = self.script.with_extension("log");
        let mut command = Command::new(place.postgres.bin().join("pgbench"));
        command
            .args(["-n", "-M", "prepared", "-h", "127.0.0.1", "-U", docket_servers::SUPERUSER])
            .arg("-p")
            .arg(place.postgres.port().to_string())
            .args(["-c", &clients.to_string(), "-j", &clients.min(2).to_string()])
            .args(["-T", &seconds.to_string(), "-f"])
            .arg(&self.script)
            .env("PGPASSWORD", place.postgres.password());
        if let Some(rate) = rate {
            command.args(["-R", &format!("{rate:.0}"), "-l", "--log-prefix"]).arg(&prefix);
        }
        let output = command.arg(&self.database).output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let line =
            line.unwrap_or_else(|| panic!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr)));
        let p99_ms = if rate.is_some() { p99(&prefix) } else { f64::NAN };
        Figures { rate: line.split_whitespace().next().unwrap().parse().unwrap(), p99_ms }
    }
}

/// From pgbench's log: the third column is each transaction's time in µs, waiting for its turn included.
fn p99(prefix: &std::path::Path) -> f64 {
    let name = prefix.file_name().unwrap().to_string_lossy().into_owned();
    let mut times = Vec::new();
    for entry in std::fs::read_dir(prefix.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with(&name) {
            let text = std::fs::read_to_string(&path).unwrap();
            let of = |line: &str| line.split(' ').nth(2).and_then(|time| time.parse::<f64>().ok());
            times.extend(text.lines().filter_map(of).map(|us| us / 1_000.0));
            std::fs::remove_file(path).unwrap();
        }
    }
    quantile(times, 0.99)
}

/// The row as an event has it. Its stream is the client's own, so that versions can count up.
fn script_of(like: &Recorded) -> String {
    let bytes = |bytes: &[u8]| format!("'\\x{}'::bytea", hex::encode(bytes));
    let sealed: Vec<u8> = like
        .sealed
        .iter()
        .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied()))
        .collect();
    format!(
        "INSERT INTO baseline (log, position, stream, version, event_id, kind, recorded_at_us, metadata, payload, \
         sealed, link, format) VALUES ('cases-0', nextval('baseline_position'), \
         'case-01890a5d-ac96-774b-bcce-' || lpad(:client_id::text, 12, '0'), currval('baseline_position'), \
         gen_random_uuid(), '{}', currval('baseline_position'), {}, {}, {}, {}, 1);\n",
        like.kind,
        bytes(&like.metadata_bytes),
        bytes(&like.payload),
        bytes(&sealed),
        bytes(&like.link),
    )
}
