//! What nobody is asked, because a table of the law answers it: the poverty guideline of a household.

use docket_kernel::identifier::us_state_name;
use docket_kernel::{Cents, calendar};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::answers::Facts;
use crate::expr::Expr;
use crate::expr::check::{Names, expect};
use crate::expr::eval::{Context, value};
use crate::expr::parse::Fault;
use crate::form::Question;
use crate::value::{Shape, Type, Value};

/// How a question is answered from the poverty guidelines.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filled {
    /// The use of the guidelines, such as `fee_waiver`; each takes a year's from a day of its own on.
    pub table: String,
    /// The number of persons in the household.
    pub household: Expr,
    /// Where it lives: the first of these that is known.
    pub state: Vec<Expr>,
    /// The parts of a hundred with which the form compares.
    pub percent: Vec<i64>,
    /// The guidelines of this use, year by year.
    pub years: Vec<Guideline>,
}

/// The guidelines of a year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guideline {
    /// First filing date, inclusive.
    pub from: Date,
    /// Last filing date, inclusive; nothing while no later ones are known.
    pub until: Option<Date>,
    /// The source.
    pub cite: String,
    /// Where which amounts hold.
    pub amounts: Vec<Amounts>,
}

/// The amounts of some states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// Their two letters.
    pub states: Vec<String>,
    /// Whole cents a year, USD, for a household of one, of two and so on.
    pub cents: Vec<i64>,
    /// For each person more.
    pub more: i64,
}

/// What a table answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilledIn {
    /// The question.
    pub question: String,
    /// Its label.
    pub label: String,
    /// Whole cents, USD.
    pub cents: i64,
    /// What it is, of whom, and what the form compares with.
    pub because: String,
    /// The source.
    pub cite: String,
}

/// The row of the table that answers.
struct Line<'a> {
    household: i64,
    state: String,
    cents: i64,
    cite: &'a str,
}

impl Filled {
    /// The questions from whose answers it follows.
    pub(crate) fn questions(&self) -> impl Iterator<Item = usize> {
        self.sources().flat_map(Expr::questions)
    }

    /// The names of those questions.
    pub fn names(&self) -> Vec<String> {
        self.sources().flat_map(Expr::names).collect()
    }

    fn sources(&self) -> impl Iterator<Item = &Expr> {
        std::iter::once(&self.household).chain(&self.state)
    }

    /// The same, to be settled.
    pub(crate) fn sources_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        std::iter::once(&mut self.household).chain(&mut self.state)
    }

    /// The answer, in cents; nothing where the household or where it lives is not known, or no guideline is for it.
    pub(crate) fn cents(&self, facts: &Facts<'_>) -> Option<i64> {
        Some(self.line(facts)?.cents)
    }

    fn line(&self, facts: &Facts<'_>) -> Option<Line<'_>> {
        let context = Context::of(facts, None);
        let household = value(&self.household.node, &context)?;
        let Value::Number(household) = *household else { return None };
        let state = self.state.iter().find_map(|state| {
            let state = value(&state.node, &context)?;
            let Value::Text(state) = state.as_ref() else { return None };
            Some(state.to_string())
        })?;
        let day = facts.given.filing_date;
        let holds = |year: &&Guideline| calendar::in_force(year.from, year.until, day);
        let year = self.years.iter().find(holds)?;
        let amounts = year.amounts.iter().find(|amounts| amounts.states.contains(&state))?;
        Some(Line { household, state, cents: amounts.of(household)?, cite: &year.cite })
    }
}

impl Amounts {
    /// For a household; nothing for one without anybody, or one for which no number has room.
    fn of(&self, household: i64) -> Option<i64> {
        let before = usize::try_from(household.checked_sub(1)?).ok()?;
        if let Some(cents) = self.cents.get(before) {
            return Some(*cents);
        }
        let beyond = i64::try_from(before.checked_add(1)? - self.cents.len()).ok()?;
        self.cents.last()?.checked_add(self.more.checked_mul(beyond)?)
    }
}

/// What tables answered of a form.
pub(crate) fn filled_in(facts: &Facts<'_>) -> Vec<FilledIn> {
    facts.form.questions.iter().filter_map(|question| words(facts, question)).collect()
}

/// What a table answered to a question, in the form's language.
fn words(facts: &Facts<'_>, question: &Question) -> Option<FilledIn> {
    let filled = question.filled.as_ref()?;
    let Line { household, state, cents, cite } = filled.line(facts)?;
    let place = us_state_name(&state).unwrap_or(&state);
    let compared = filled.percent.iter().filter_map(|percent| {
        let part = i128::from(cents) * i128::from(*percent) / 100;
        Some((*percent, Cents(i64::try_from(part).ok()?)))
    });
    let compared: Vec<(i64, Cents)> = compared.collect();
    Some(FilledIn {
        question: question.id.clone(),
        label: question.label.clone(),
        cents,
        because: facts.form.language.guideline((household, place), Cents(cents), &compared),
        cite: cite.to_owned(),
    })
}

/// Checks what a table answers a question by: a number of persons and a state, and rows that answer it.
pub(crate) fn check(question: &Question, names: &Names<'_>) -> Result<(), Fault> {
    let Some(filled) = &question.filled else { return Ok(()) };
    let fault = |message: String| Err(Fault::new(0, message));
    if filled.years.is_empty() {
        return fault(format!("nothing fills it in: there is no table {}", filled.table));
    }
    if question.kind != Type::Money || !question.required.is_never() {
        return fault("a table fills in an amount of money, which is never required of anybody".to_owned());
    }
    if filled.state.is_empty() {
        return fault("nothing says where the household lives".to_owned());
    }
    expect(&filled.household.node, names, None, &Shape::Number)?;
    filled.state.iter().try_for_each(|state| expect(&state.node, names, None, &Shape::Text(None)))
}
