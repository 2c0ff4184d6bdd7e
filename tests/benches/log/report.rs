//! The report: one row a case, as a table and as `target/bench/report.json`.

use std::path::PathBuf;

use serde_json::{Value, json};

/// How many times a case and its baseline take turns.
pub(crate) fn rounds() -> usize {
    setting("BENCH_ROUNDS", 5)
}

/// How long one turn takes, in seconds.
pub(crate) fn seconds() -> u64 {
    setting("BENCH_SECONDS", 3)
}

/// A number from the environment.
pub(crate) fn setting<T: std::str::FromStr>(name: &str, usual: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Where a ratio should lie.
#[derive(Clone, Copy)]
pub(crate) enum Reach {
    AtLeast(f64),
    AtMost(f64),
    /// Shown, not judged against a baseline.
    Floor(f64),
}

/// One case: its turns and those of its baseline.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) baseline: &'static str,
    pub(crate) reach: Reach,
    /// (value, baseline) of each round.
    pub(crate) turns: Vec<(f64, f64)>,
}

/// All rows.
pub(crate) struct Report {
    wanted: Vec<String>,
    rows: Vec<Value>,
}

impl Report {
    pub(crate) fn new(wanted: Vec<String>) -> Self {
        println!("{:<52} {:>12} {:>12} {:>7} {:>15}  reach", "case", "value", "baseline", "ratio", "range");
        Self { wanted, rows: Vec::new() }
    }

    /// Whether one of these cases was asked for.
    pub(crate) fn wants(&self, names: &[&str]) -> bool {
        self.wanted.is_empty()
            || names.iter().any(|name| self.wanted.iter().any(|word| name.contains(word.as_str())))
    }

    /// Adds a case and prints it.
    pub(crate) fn add(&mut self, case: Case) {
        let Case { name, unit, baseline, reach, turns } = case;
        let value = median(turns.iter().map(|turn| turn.0));
        let base = median(turns.iter().map(|turn| turn.1));
        let ratio =
            |turn: &(f64, f64)| if matches!(reach, Reach::Floor(_)) { turn.0 } else { turn.0 / turn.1 };
        let ratios: Vec<f64> = turns.iter().map(ratio).collect();
        let middle = median(ratios.iter().copied());
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        let (sign, bound, holds) = match reach {
            Reach::AtLeast(bound) | Reach::Floor(bound) => (">=", bound, middle >= bound),
            Reach::AtMost(bound) => ("<=", bound, middle <= bound),
        };
        let mark = if holds { "holds" } else { "MISSED" };
        println!(
            "{name:<52} {value:>12.1} {base:>12.1} {middle:>7.2} {least:>7.2}-{most:<7.2}  {sign} {bound} {mark} ({unit}; {baseline})"
        );
        self.rows.push(json!({
            "name": name, "value": value, "unit": unit, "baseline": base, "against": baseline, "ratio": middle,
            "least": least, "most": most, "reach": format!("{sign} {bound}"), "holds": holds,
        }));
    }

    /// Writes the file.
    pub(crate) fn end(self) {
        let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target"),
            PathBuf::from,
        );
        let file = folder.join("bench/report.json");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, serde_json::to_string_pretty(&self.rows).unwrap()).unwrap();
        let held = self.rows.iter().filter(|row| row["holds"] == true).count();
        println!("{held} of {} hold; target/bench/report.json", self.rows.len());
    }
}

/// The middle value.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value below which that part lies.
pub(crate) fn quantile(values: impl IntoIterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    if values.is_empty() {
        return f64::NAN;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let index = ((values.len() as f64 * part).ceil() as usize).clamp(1, values.len()) - 1;
    values[index]
}
