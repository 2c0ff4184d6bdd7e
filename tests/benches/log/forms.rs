//! The rules of a form: a full I-485 evaluated, against reading its answers from JSON once.

use std::time::Instant;

use docket_cli::story::vars::Vars;
use docket_forms::{Answers, Catalogue, Given, evaluate};

use crate::report::{Case, Reach, Report, rounds};

const NAME: &str = "evaluate a full I-485 with all rules";
/// The day on which it is filled in.
const DAY: &str = "2026-11-27";
/// Evaluations in a turn.
const TIMES: u32 = 2_000;

pub(crate) fn run(report: &mut Report) {
    if !report.wants(&[NAME]) {
        return;
    }
    let catalogue = Catalogue::embedded();
    let form = catalogue.form("I-485").unwrap();
    let given = Given::on(DAY.parse().unwrap());
    let json = answers();
    let read = || serde_json::from_str::<Answers>(&json).unwrap();
    let micros = |started: Instant| started.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES);
    let mut turns = Vec::new();
    for _ in 0..rounds() {
        let started = Instant::now();
        let asked: usize = (0..TIMES).map(|_| read().len()).sum();
        let theirs = micros(started);
        let answers = read();
        let started = Instant::now();
        let lacking: usize = (0..TIMES).map(|_| evaluate(form, &answers, &given).missing.len()).sum();
        turns.push((micros(started), theirs));
        assert!(asked > lacking, "most of it is answered");
    }
    let (unit, baseline) = ("µs", "serde_json reads the answers");
    report.add(Case { name: NAME, unit, baseline, reach: Reach::AtMost(5.0), turns });
}

/// The answers of the stories, filled in.
pub(crate) fn answers() -> String {
    let mut vars = Vars::new(DAY.parse().unwrap());
    vars.set("applicant.a_number", "A012345678");
    let answers = toml::from_str(include_str!("../../stories/answers/i-485.toml")).unwrap();
    serde_json::to_string(&vars.fill(&answers).unwrap()).unwrap()
}
