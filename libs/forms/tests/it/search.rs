//! Looks for answers which make a condition of a form true, and for others which make it false.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;

use docket_forms::{Answers, Expr, FilingChannel, Form, Given, Question, SubField, Type};
use jiff::ToSpan as _;
use jiff::civil::Date;
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value, json};

use crate::support::day;

/// Days before or after the filing date at which conditions are known to turn.
const TURNS: [i32; 26] = [
    0, 1, 14, 29, 30, 31, 60, 61, 89, 90, 91, 149, 150, 180, 181, 183, 200, 364, 366, 400, 700, 732, 1_000,
    1_100, 1_500, 1_830,
];
/// And years.
const YEARS: [i32; 20] = [2, 3, 4, 5, 6, 10, 13, 14, 15, 16, 17, 18, 19, 21, 22, 26, 32, 45, 56, 66];

/// The seed of this run: that of `DOCKET_SEED`, or one by chance; printed, so that a failure can be had again.
pub(crate) fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    let seed = *SEED.get_or_init(|| match std::env::var("DOCKET_SEED") {
        Ok(given) => given.parse().expect("DOCKET_SEED is a whole number"),
        Err(_) => RandomState::new().hash_one("seed"),
    });
    println!("DOCKET_SEED={seed}");
    seed
}

/// The first in the short form, the second in the long one (`make proof`).
pub(crate) fn short_or_long(short: usize, in_proof: usize) -> usize {
    if std::env::var_os("DOCKET_PROOF").is_some() { in_proof } else { short }
}

/// A search within one form.
pub(crate) struct Search<'a> {
    form: &'a Form,
    /// What the form's conditions compare with.
    pub(crate) texts: Vec<String>,
    dates: Vec<Date>,
    numbers: Vec<i64>,
    pub(crate) chance: Chance,
}

impl<'a> Search<'a> {
    pub(crate) fn new(form: &'a Form) -> Self {
        Self::seeded(form, [7; 32])
    }

    pub(crate) fn seeded(form: &'a Form, seed: [u8; 32]) -> Self {
        let written = conditions(form).map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let quoted: Vec<&str> = written.split('\'').skip(1).step_by(2).collect();
        let dates = quoted.iter().filter_map(|text| text.parse().ok()).collect();
        let words = written.split(|c: char| !c.is_ascii_digit());
        let compared = words.filter_map(|word| word.parse::<i64>().ok());
        let classes = form.visas.iter().flat_map(|visas| &visas.classes).flat_map(|class| &class.names);
        let texts = quoted.into_iter().chain(["Sample", "Two Words"]).chain(classes.map(String::as_str));
        let texts: BTreeSet<&str> = texts.collect();
        Self {
            form,
            texts: texts.into_iter().map(str::to_owned).collect(),
            dates,
            numbers: [0, 1, 2, 3, 9, 18, 100, 1_000_000, 2_000_000, 10_000_000]
                .into_iter()
                .chain(compared.flat_map(|number| [number - 1, number, number + 1]))
                .collect(),
            chance: Chance::seeded(seed),
        }
    }

    /// A search that the seed and the form's number lead.
    pub(crate) fn of_seed(form: &'a Form, seed: u64) -> Self {
        let mut all = [0; 32];
        all[..8].copy_from_slice(&seed.to_le_bytes());
        for (place, byte) in all[8..].iter_mut().zip(form.id.bytes()) {
            *place = byte;
        }
        Self::seeded(form, all)
    }

    /// What is given beside the answers: the day, the channel, what is attached and linked.
    pub(crate) fn given(&mut self) -> Given {
        let days = ["2026-11-27", "2026-07-14", "2025-03-03", "2024-02-29"];
        let mut given = Given::on(day(self.chance.one_of::<&str>(&days)));
        given.channel = if self.chance.often(3) { FilingChannel::Paper } else { FilingChannel::Online };
        // Where the filer is, it may be the day before or after.
        given.today = match self.chance.below(6) {
            0 => given.filing_date.yesterday().unwrap(),
            1 => given.filing_date.tomorrow().unwrap(),
            _ => given.filing_date,
        };
        given.fee_waiver_requested = self.chance.often(2);
        given.foreign_language = self.chance.often(2);
        given.edition = self.chance.often(2).then(|| self.date(given.filing_date));
        let roles: Vec<&str> = self.form.roles.iter().map(|role| role.id.as_str()).collect();
        if !roles.is_empty() {
            (*self.chance.one_of(&roles)).clone_into(&mut given.filer_role);
        }
        for text in &self.texts {
            if self.chance.often(2) {
                given.linked.insert(text.clone());
            }
            if self.chance.often(2) {
                given.evidence.insert(text.clone());
            }
        }
        given
    }

    /// Answers to the questions, each left out once in eight times.
    pub(crate) fn answers(&mut self, questions: &[&Question], filing: Date) -> Answers {
        let mut answers = Answers::new();
        for question in questions {
            if !self.chance.often(8) {
                answers.insert(question.id.clone(), self.answer(question, filing));
            }
        }
        answers
    }

    fn answer(&mut self, question: &Question, filing: Date) -> Value {
        if question.kind != Type::Repeating {
            return self.value(question.kind, &question.options, filing);
        }
        let items = self.chance.below(4);
        (0..items).map(|_| self.item(&question.fields, filing)).collect()
    }

    fn item(&mut self, fields: &[SubField], filing: Date) -> Value {
        let mut item = serde_json::Map::new();
        for field in fields {
            if !self.chance.often(5) {
                item.insert(field.id.clone(), self.value(field.kind, &field.options, filing));
            }
        }
        Value::Object(item)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are texts")]
    pub(crate) fn value(&mut self, kind: Type, options: &[String], filing: Date) -> Value {
        match kind {
            Type::YesNo | Type::Check => json!(self.chance.often(2)),
            Type::Select if !options.is_empty() => json!(self.chance.one_of(options)),
            Type::Multi => {
                let chosen: Vec<&String> = options.iter().filter(|_| self.chance.often(3)).collect();
                json!(chosen)
            }
            Type::Int | Type::Money | Type::Weight => json!(self.chance.one_of(&self.numbers)),
            Type::Date => json!(self.date(filing).to_string()),
            Type::PartialDate => json!(self.partial_date(filing)),
            Type::Address => self.address(),
            Type::Country => json!(self.chance.one_of(&["US", "MX", "CU", "IN"])),
            Type::ANumber => json!(self.chance.one_of(&["A000000001", "A000000002"])),
            Type::Email => json!(self.chance.one_of(&["one@example.test", "two@example.test"])),
            _ => json!(self.chance.one_of(&self.texts)),
        }
    }

    fn address(&mut self) -> Value {
        let line = *self.chance.one_of(&["1 Sample Street", "PO Box 5"]);
        if self.chance.often(2) {
            let state = self.chance.one_of(&["NY", "NY", "AK", "HI", "AS"]);
            json!({ "line1": line, "city": "Albany", "state": state, "postal_code": "12207", "country": "US" })
        } else {
            json!({ "line1": line, "city": "Lisbon", "country": "PT" })
        }
    }

    /// A date, of which the day or the month too may not be known.
    fn partial_date(&mut self, filing: Date) -> String {
        let mut known = self.date(filing).to_string();
        known.truncate(*self.chance.one_of(&[10, 10, 10, 7, 7, 4]));
        known
    }

    /// Around what the form compares with, else around the day of filing.
    fn date(&mut self, filing: Date) -> Date {
        let compared = !self.dates.is_empty() && self.chance.often(3);
        let base = if compared { *self.chance.one_of(&self.dates) } else { filing };
        // Years and days by themselves: a span has one sign.
        let years = if self.chance.often(2) { *self.chance.one_of(&YEARS) } else { 0 };
        let days = if years > 0 { *self.chance.one_of(&TURNS[..6]) } else { *self.chance.one_of(&TURNS) };
        let signed = |number: i32, back: bool| if back { -number } else { number };
        let moved = base.checked_add(signed(years, !self.chance.often(3)).years());
        let moved = moved.and_then(|day| day.checked_add(signed(days, self.chance.often(2)).days()));
        moved.unwrap_or(base)
    }
}

/// What is left to chance, the same each time.
pub(crate) struct Chance(TestRng);

impl Chance {
    pub(crate) fn seeded(seed: [u8; 32]) -> Self {
        Self(TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
    }

    /// Once in so many times.
    pub(crate) fn often(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one_of<'b, T>(&mut self, all: &'b [T]) -> &'b T {
        &all[self.below(all.len())]
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % end as u64).unwrap()
    }
}

/// The questions that a condition hangs on, and those that their being asked hangs on.
pub(crate) fn behind<'a>(form: &'a Form, expr: &Expr) -> Vec<&'a Question> {
    let mut found: Vec<&Question> = Vec::new();
    let mut open: Vec<String> = expr.names();
    while let Some(name) = open.pop() {
        if let Some(question) = form.question(&name)
            && !found.iter().any(|known| known.id == question.id)
        {
            open.extend(question.shown.names());
            open.extend(question.required.names());
            open.extend(question.filled.iter().flat_map(docket_forms::Filled::names));
            found.push(question);
        }
    }
    found
}

pub(crate) fn conditions(form: &Form) -> impl Iterator<Item = &Expr> {
    let rules = form.rules.iter().map(|rule| &rule.when);
    let evidence = form.evidence.iter().map(|row| &row.when);
    let questions = form.questions.iter().flat_map(|question| [&question.shown, &question.required]);
    rules.chain(evidence).chain(questions)
}
