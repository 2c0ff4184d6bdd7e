//! What a filing costs, from the rows in force on its date.

use docket_kernel::Cents;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::Answers;
use crate::answers::Facts;
use crate::evaluate::hangs_on;
use crate::explain::{because, rests_on};
use crate::expr::eval::{Context, truth};
use crate::form::{Channel, FeeKind, FeeRule, Form};
use crate::given::{FilingChannel, Given};
use crate::truth::Truth;

/// A row which counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeRow {
    /// Such as `online`.
    pub id: String,
    /// Whole cents, USD; zero when waived.
    pub cents: i64,
    /// The source.
    pub cite: String,
    /// How it counts.
    pub kind: FeeKind,
    /// Why it counts.
    pub because: String,
    /// Whether a granted waiver made it zero.
    pub waived: bool,
    /// Whether it is kept where the filing is rejected.
    #[serde(default)]
    pub kept_on_rejection: bool,
}

/// What a filing costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FeeResult {
    /// Every row is decided.
    Known {
        /// What is paid at filing.
        rows: Vec<FeeRow>,
        /// The sum of the rows, in cents.
        total_cents: i64,
        /// What comes later and is not part of the sum.
        later: Vec<FeeRow>,
        /// The version of the fee table.
        table_version: String,
    },
    /// It hangs on answers which are not there.
    Unknown {
        /// The questions; `filing_date` when no row is in force on it.
        hangs_on: Vec<String>,
        /// The version of the fee table.
        table_version: String,
    },
    /// A row counts whose amount is not published for the filing date.
    Unpublished {
        /// Such as `hr1-asylum-initial`.
        row: String,
        /// The last day whose amount is known.
        known_until: Date,
        /// The source that moves it.
        cite: String,
    },
}

impl FeeResult {
    /// The sum, when it is known.
    pub fn total(&self) -> Option<Cents> {
        match self {
            Self::Known { total_cents, .. } => Some(Cents(*total_cents)),
            Self::Unknown { .. } | Self::Unpublished { .. } => None,
        }
    }
}

/// What the filing costs by the table in force on its date.
///
/// The first `base` row which is true counts, and every `add` row which is true; a row before them
/// which is not decided leaves the fee open. A granted waiver zeroes what is waivable. Where a row counts whose amount is not
/// published for the day, no sum is said.
pub fn fee(form: &Form, answers: &Answers, given: &Given, waiver_granted: bool) -> FeeResult {
    let facts = Facts::read(form, answers, given);
    let mut sheet = Sheet::new(&facts, waiver_granted);
    let base = sheet.base();
    sheet.every(FeeKind::Add);
    if !base && sheet.open.is_empty() && sheet.unpublished.is_none() {
        sheet.open.push("filing_date".to_owned());
    }
    let Sheet { rows, open, unpublished, .. } = sheet;
    let table_version = form.catalogue_version.clone();
    if !open.is_empty() {
        return FeeResult::Unknown { hangs_on: open, table_version };
    }
    if let Some(FeeRule { id, known_until: Some(known_until), cite, .. }) = unpublished {
        return FeeResult::Unpublished { row: id.clone(), known_until: *known_until, cite: cite.clone() };
    }
    let mut coming = Sheet::new(&facts, false);
    coming.every(FeeKind::Later);
    let total_cents = rows.iter().map(|row| row.cents).sum();
    FeeResult::Known { rows, total_cents, later: coming.rows, table_version }
}

struct Sheet<'a> {
    facts: &'a Facts<'a>,
    waiver_granted: bool,
    rows: Vec<FeeRow>,
    open: Vec<String>,
    /// A row whose amount nobody knows yet.
    unpublished: Option<&'a FeeRule>,
}

impl<'a> Sheet<'a> {
    fn new(facts: &'a Facts<'a>, waiver_granted: bool) -> Self {
        Self { facts, waiver_granted, rows: Vec::new(), open: Vec::new(), unpublished: None }
    }

    /// Takes the first base row which is true; whether one was found.
    fn base(&mut self) -> bool {
        for row in self.in_force(FeeKind::Base) {
            match self.decide(row) {
                Truth::True => {
                    self.take(row);
                    return true;
                }
                Truth::False => {}
                Truth::Unknown => self.open(&row.when),
            }
        }
        false
    }

    fn every(&mut self, kind: FeeKind) {
        for row in self.in_force(kind) {
            match self.decide(row) {
                Truth::True => self.take(row),
                Truth::False => {}
                Truth::Unknown => self.open(&row.when),
            }
        }
    }

    fn in_force(&self, kind: FeeKind) -> Vec<&'a FeeRule> {
        let given = self.facts.given;
        let day = given.filing_date;
        let holds = |row: &&FeeRule| {
            row.kind == kind
                && row.in_force(day)
                && match row.channel {
                    Channel::Any => true,
                    Channel::Online => given.channel == FilingChannel::Online,
                    Channel::Paper => given.channel == FilingChannel::Paper,
                }
        };
        self.facts.form.fees.iter().filter(holds).collect()
    }

    fn decide(&self, row: &FeeRule) -> Truth {
        truth(&row.when.node, &Context::of(self.facts, None))
    }

    fn take(&mut self, row: &'a FeeRule) {
        if !row.is_known(self.facts.given.filing_date) {
            self.unpublished = Some(row);
            return;
        }
        let mut waived = false;
        if self.waiver_granted && row.waivable {
            match truth(&row.waivable_when.node, &Context::of(self.facts, None)) {
                Truth::True => waived = true,
                Truth::False => {}
                Truth::Unknown => self.open(&row.waivable_when),
            }
        }
        let (language, rests_on) = (self.facts.form.language, rests_on(self.facts, &row.when, None));
        let mut because = because(self.facts, &row.when, &rests_on, language.paid_by_everyone());
        if row.kept_on_rejection {
            because = format!("{because} {}", language.kept_on_rejection());
        }
        self.rows.push(FeeRow {
            id: row.id.clone(),
            cents: if waived { 0 } else { row.cents },
            cite: row.cite.clone(),
            kind: row.kind,
            because,
            waived,
            kept_on_rejection: row.kept_on_rejection,
        });
    }

    fn open(&mut self, expr: &crate::expr::Expr) {
        for name in hangs_on(self.facts, expr) {
            if !self.open.contains(&name) {
                self.open.push(name);
            }
        }
    }
}
