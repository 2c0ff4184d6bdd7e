//! Every way through a form that is filed online ends: ready to be signed, or at a stop that says what is wrong and what to do.
//!
//! A walk gives an acceptable answer to what is missing and attaches what is needed, and does nothing else. The walks begin at
//! every option that a condition depends on, at ages around which conditions turn. Some dozens of walks a form in the short form,
//! some thousand in the long one (`DOCKET_PROOF`).

use std::collections::BTreeSet;

use docket_forms::{
    Answers, Catalogue, Evaluation, EvidenceNeed, Finding, Form, Given, Level, Question, Type,
};
use docket_forms::{evaluate, normalise};
use jiff::ToSpan as _;
use serde_json::{Value, json};

use crate::search::{Search, conditions};
use crate::support::{day, load};

/// A form is answered in far fewer rounds: each answers everything that is missing, or one thing where it goes one by one.
const ROUNDS: usize = 60;
const STEPS: usize = 600;
/// How often what stops a walk is answered otherwise.
const MENDS: usize = 300;
const AGES: [i32; 14] = [1, 5, 13, 14, 15, 17, 18, 20, 21, 31, 49, 50, 66, 79];
/// The day of the walks' filings.
const TODAY: &str = "2026-11-27";

/// How a walk ended well.
#[derive(Debug, PartialEq)]
enum End {
    Ready,
    /// Nothing is missing, and these say what is wrong.
    Stopped(Vec<Finding>),
}

/// A walk through a form.
struct Walk<'f, 's> {
    form: &'f Form,
    search: &'s mut Search<'f>,
    answers: Answers,
    given: Given,
    answered: BTreeSet<String>,
}

impl<'f, 's> Walk<'f, 's> {
    fn from(form: &'f Form, search: &'s mut Search<'f>, answers: Answers) -> Self {
        let mut given = Given::on(day(TODAY));
        if let Some(role) = form.roles.first() {
            given.filer_role.clone_from(&role.id);
        }
        for text in search.texts.clone() {
            if search.chance.often(2) {
                given.linked.insert(text);
            }
        }
        Self { form, search, answers, given, answered: BTreeSet::new() }
    }

    /// Goes to the end.
    ///
    /// # Errors
    /// Where it hangs: not ready, and nobody says what to do.
    fn go(&mut self, one_by_one: bool) -> Result<End, String> {
        for _ in 0..if one_by_one { STEPS } else { ROUNDS } {
            let now = evaluate(self.form, &self.answers, &self.given);
            if now.ready {
                return Ok(End::Ready);
            }
            let lacking = now.evidence.iter().filter(|need| need.is_lacking());
            let lacking: Vec<String> = lacking.map(|need: &EvidenceNeed| need.kind.clone()).collect();
            if !now.missing.is_empty() {
                let many = if one_by_one { 1 } else { now.missing.len() };
                for missing in now.missing.iter().take(many) {
                    self.answer(&missing.field)?;
                }
            } else if lacking.is_empty() {
                return self.stop(now);
            } else {
                self.given.evidence.extend(lacking);
            }
        }
        Err("no end in sight".to_owned())
    }

    /// Every finding that blocks says what is wrong and what to do, about something that there is.
    fn stop(&self, now: Evaluation) -> Result<End, String> {
        let blocks: Vec<Finding> =
            now.findings.into_iter().filter(|finding| finding.level == Level::Block).collect();
        if blocks.is_empty() {
            return Err("not ready, and nothing is missing, lacking or blocked".to_owned());
        }
        for finding in &blocks {
            let place = self.form.question(&finding.field).is_some()
                || self.form.sections.iter().any(|section| section.id == finding.field)
                || matches!(finding.field.as_str(), "evidence" | "form");
            if finding.message.trim().is_empty() || finding.way_out.trim().is_empty() || !place {
                return Err(format!("the stop at {} names no way out", finding.rule));
            }
        }
        Ok(End::Stopped(blocks))
    }

    /// Answers what is missing; once answered it does not go missing again.
    fn answer(&mut self, field: &str) -> Result<(), String> {
        if !self.answered.insert(field.to_owned()) {
            return Err(format!("{field} is answered and still missing"));
        }
        let (id, rest) = field.split_at(field.find(['.', '[']).unwrap_or(field.len()));
        let question = self.form.question(id).ok_or_else(|| format!("{field} is no question"))?;
        let row = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        match row {
            None => {
                let answer = self.acceptable(question, None)?;
                self.answers.insert(id.to_owned(), answer);
            }
            Some((row, sub)) => {
                let row: usize = row.parse().unwrap();
                let sub = sub.trim_start_matches('.').split('.').next().unwrap_or_default();
                let answer = self.acceptable(question, Some(sub))?;
                let items = self.answers.get_mut(id).and_then(Value::as_array_mut);
                items.unwrap()[row][sub] = answer;
            }
        }
        Ok(())
    }

    /// An answer that the form takes: made up where that hits, else an example of the type.
    fn acceptable(&mut self, question: &Question, sub: Option<&str>) -> Result<Value, String> {
        let field = sub.map(|sub| question.fields.iter().find(|field| field.id == sub).unwrap());
        let (kind, options) =
            field.map_or((question.kind, &question.options), |field| (field.kind, &field.options));
        if sub.is_none() && kind == Type::Repeating {
            // What happened long ago and goes on leaves no gap.
            let dated = question.fields.iter().filter_map(|field| match field.id.as_str() {
                "from" => Some((field.id.clone(), json!("1990-01-01"))),
                "current" => Some((field.id.clone(), json!(true))),
                _ => None,
            });
            return Ok(json!([Value::Object(dated.collect())]));
        }
        let filing = self.given.filing_date;
        for n in 0..24 {
            let typed =
                if n < 12 { self.search.value(kind, options, filing) } else { example(kind, options) };
            let asked = sub.map_or_else(|| typed.clone(), |sub| json!([{ sub: typed }]));
            if let Ok(stored) = normalise(self.form, &question.id, &asked) {
                let stored = sub.map_or_else(|| stored.clone(), |sub| stored[0][sub].clone());
                if !stored.is_null() && stored.as_array().is_none_or(|list| !list.is_empty()) {
                    return Ok(stored);
                }
            }
        }
        Err(format!("no answer to {} {sub:?} is taken", question.id))
    }

    /// Goes on from stop to stop, answering otherwise what each names; the last stop where that does not help.
    ///
    /// # Errors
    /// Where it hangs.
    fn past_its_stops(&mut self) -> Result<End, String> {
        let mut end = self.go(false)?;
        for _ in 0..MENDS {
            let End::Stopped(stops) = &end else { break };
            self.mend(stops);
            end = self.go(false)?;
        }
        Ok(end)
    }

    /// Gives other answers to what stops it, and begins again.
    fn mend(&mut self, stops: &[Finding]) {
        for stop in stops {
            let named: Vec<&Question> =
                stop.rests_on.iter().chain([&stop.field]).filter_map(|id| self.form.question(id)).collect();
            if named.is_empty() {
                continue;
            }
            let question = *self.search.chance.one_of(&named);
            let other = self.acceptable(question, None);
            match other {
                Ok(answer) if !self.search.chance.often(3) => {
                    self.answers.insert(question.id.clone(), answer);
                }
                Ok(_) | Err(_) => drop(self.answers.remove(&question.id)),
            }
        }
        // What was taken away leaves behind what hung on it.
        self.answered.clear();
        for text in self.search.texts.clone() {
            if self.search.chance.often(2) {
                self.given.linked.insert(text.clone());
                self.given.evidence.insert(text);
            }
        }
    }
}

/// An example of each type.
fn example(kind: Type, options: &[String]) -> Value {
    match kind {
        Type::Multi => json!(options),
        Type::YesNo | Type::Check => json!(true),
        Type::Select => json!(options.first()),
        Type::Int | Type::Money => json!(2),
        Type::Weight => json!(150),
        Type::Date | Type::PartialDate => json!("2020-02-29"),
        Type::NamePart | Type::Text | Type::LongText | Type::Signature => json!("Ana Paz"),
        Type::ANumber => json!("A012345678"),
        Type::Receipt => json!("IOE0912345678"),
        Type::AccountNumber => json!("051234567890"),
        Type::Ssn => json!("123-45-6789"),
        Type::I94 => json!("123456789A1"),
        Type::PassportNumber => json!("X1234567"),
        Type::Sevis => json!("N0012345678"),
        Type::EadCategory => json!("(c)(9)"),
        Type::Country => json!("PE"),
        Type::UsState => json!("NY"),
        Type::Phone => json!("212-555-0147"),
        Type::Email => json!("one@example.test"),
        Type::Height => json!("5'04\""),
        Type::Address => {
            json!({ "line1": "1 Elm St", "city": "Reno", "state": "NV", "postal_code": "89501", "country": "US" })
        }
        Type::Repeating => json!([{}]),
    }
}

/// Every answer that a condition looks for: options, yes and no, and texts that it compares with.
fn turns(form: &Form, search: &Search<'_>) -> Vec<(String, Value)> {
    let behind: BTreeSet<String> = conditions(form).flat_map(docket_forms::Expr::names).collect();
    let mut turns = Vec::new();
    for question in form.questions.iter().filter(|question| behind.contains(&question.id)) {
        let values: Vec<Value> = match question.kind {
            Type::Select => question.options.iter().map(|option| json!(option)).collect(),
            Type::Multi => question.options.iter().map(|option| json!([option])).collect(),
            Type::YesNo | Type::Check => vec![json!(true), json!(false)],
            Type::EadCategory => search.texts.iter().map(|text| json!(text)).collect(),
            Type::Text
            | Type::LongText
            | Type::Int
            | Type::Money
            | Type::Date
            | Type::PartialDate
            | Type::NamePart
            | Type::ANumber
            | Type::Receipt
            | Type::AccountNumber
            | Type::Ssn
            | Type::I94
            | Type::PassportNumber
            | Type::Sevis
            | Type::Country
            | Type::UsState
            | Type::Address
            | Type::Phone
            | Type::Email
            | Type::Height
            | Type::Weight
            | Type::Signature
            | Type::Repeating => Vec::new(),
        };
        let taken = values.into_iter().filter_map(|value| normalise(form, &question.id, &value).ok());
        turns.extend(taken.map(|value| (question.id.clone(), value)));
    }
    turns
}

/// The answers a walk begins with: one that turns something, and for everybody an age.
fn beginning(form: &Form, search: &mut Search<'_>, turn: Option<&(String, Value)>) -> Answers {
    let mut answers = Answers::new();
    for question in form.questions.iter().filter(|question| question.id.ends_with("dob")) {
        let age = *search.chance.one_of(&AGES);
        let born = day(TODAY).checked_sub(age.years()).unwrap().checked_sub(40.days()).unwrap();
        answers.insert(question.id.clone(), json!(born.to_string()));
    }
    answers.extend(turn.cloned());
    answers
}

/// How the walks through a form ended.
#[derive(Debug, Default)]
struct Ends {
    walks: usize,
    ready: usize,
    /// The stops of the others.
    stops: BTreeSet<String>,
    /// How many got past their stops, of those that tried.
    past: usize,
}

/// Walks through a form; each tenth that is stopped tries to get past its stops.
fn walk_through(form: &Form, walks: usize) -> Result<Ends, String> {
    let mut search = Search::seeded(form, [13; 32]);
    let turns = turns(form, &search);
    let mut ends = Ends::default();
    for n in 0..walks.max(turns.len()) {
        let turn = turns.get(n % turns.len().max(1));
        let answers = beginning(form, &mut search, turn);
        let mut walk = Walk::from(form, &mut search, answers);
        let hangs = |hangs: String| format!("{}: {turn:?}: {hangs}", form.id);
        ends.walks += 1;
        match walk.go(n % 25 == 0).map_err(hangs)? {
            End::Ready => ends.ready += 1,
            End::Stopped(stops) => {
                ends.stops.extend(stops.into_iter().map(|stop| stop.rule));
                if n % 10 == 0 && walk.past_its_stops().map_err(hangs)? == End::Ready {
                    ends.past += 1;
                }
            }
        }
    }
    Ok(ends)
}

fn proof() -> bool {
    std::env::var_os("DOCKET_PROOF").is_some()
}

#[test]
fn every_walk_through_a_form_ends_ready_or_at_a_stop_that_is_explained() {
    let catalogue = Catalogue::embedded();
    let walks = if proof() { 2_000 } else { 60 };
    let online: Vec<&Form> =
        catalogue.forms().filter(|form| ["online", "package"].contains(&form.docket.as_str())).collect();
    assert!(online.len() > 10);
    let ends: Vec<(&str, Ends)> = std::thread::scope(|scope| {
        let halves = online.chunks(online.len().div_ceil(2));
        let walking: Vec<_> = halves
            .map(|half| {
                scope.spawn(move || {
                    let ends = half.iter().map(|form| (form.id.as_str(), walk_through(form, walks).unwrap()));
                    ends.collect::<Vec<_>>()
                })
            })
            .collect();
        walking.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    for (form, ends) in ends {
        println!("{form}: {ends:?}");
        assert!(ends.ready + ends.past > 0, "no way leads to {form} being ready: {:?}", ends.stops);
    }
}

/// Carried over from an earlier edition, a draft can be brought to its end: what stops it is answered otherwise.
#[test]
fn a_draft_that_was_carried_over_can_still_be_filled_to_the_end() {
    let catalogue = Catalogue::embedded();
    let drafts = if proof() { 200 } else { 5 };
    for form in catalogue.forms() {
        for edition in form.earlier_editions() {
            let mut search = Search::seeded(form, [17; 32]);
            let questions: Vec<&Question> = form.questions.iter().collect();
            for n in 0..drafts {
                let old = search.answers(&questions, day(TODAY));
                let carried = form.carry_over(edition.date, &old).unwrap();
                let mut walk = Walk::from(form, &mut search, carried.answers);
                let end = walk.past_its_stops().unwrap();
                assert_eq!(end, End::Ready, "{} draft {n} of {}", form.id, edition.date);
            }
        }
    }
}

#[test]
fn a_stop_that_says_nothing_is_found() {
    let rule = |message: &str| {
        load(&format!(
            "question = [{{ id = \"sure\", section = \"all\", type = \"yes_no\", required = \"always\", label = \"Sure?\" }}]\n\
             rule = [{{ id = \"stop\", level = \"block\", when = \"sure\", field = \"sure\", kind = \"intake\", message = \"{message}\" }}]"
        ))
        .unwrap()
    };
    let ends = walk_through(&rule("Not so. Answer no."), 40).unwrap();
    assert!(ends.ready > 0 && ends.past > 0 && ends.stops.contains("stop"), "{ends:?}");
    let hangs = walk_through(&rule(" "), 40).unwrap_err();
    assert!(hangs.contains("the stop at stop names no way out"), "{hangs}");
}
