//! A form as the catalogue gives it: everything public, for showing, checking and printing.

mod rows;

use std::collections::HashMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use rows::{
    Channel, Evidence, EvidenceLevel, FeeKind, FeeRule, FindingKind, LastDay, Level, NotKnown, Protection,
    Reject, Rfe, Rule, Untold,
};

use crate::Answers;
use crate::edition::EarlierEdition;
use crate::expr::Expr;
use crate::filled::Filled;
use crate::language::Language;
use crate::value::{Precision, Shape, Type};
use crate::visas::VisaBulletin;

/// A form of the catalogue.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Form {
    /// The language of its texts.
    pub language: Language,
    /// The number, such as `N-400`.
    pub id: String,
    /// The official title.
    pub title: String,
    /// The family of cases it opens or belongs to.
    pub family: String,
    /// One sentence: who asks for what.
    pub summary: String,
    /// The date printed on the present edition.
    pub edition: Date,
    /// The first day on which this edition is taken.
    #[serde(default)]
    pub accepted_from: Date,
    /// The last day on which it is taken, where the edition after it is known.
    #[serde(default)]
    pub accepted_until: Option<Date>,
    /// From when older editions are refused.
    pub edition_required_from: Date,
    /// Where the edition date is known from.
    pub edition_source: String,
    /// Whether and how the agency takes it online.
    pub online_in_reality: String,
    /// `online` (guided filing), `package` (guided, beside the form it goes with), `attached` (inside another filing) or `record`.
    pub docket: String,
    /// The form with which one that opens no case of its own is filed, in the same package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goes_with: Option<String>,
    /// Who may ask somebody else to file it in their package; nothing where nobody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_for: Option<AskedFor>,
    /// Whether the online form takes a fee waiver.
    pub online_fee_waiver: bool,
    /// Which decided case it is against, of a form that challenges a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenges: Option<Challenges>,
    /// The question with the receipt number of the case that it rests on, of a form that needs another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_on: Option<String>,
    /// Until which day it can be filed in time, where the law says so: the first row that is true counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_days: Vec<LastDay>,
    /// When it is of somebody whom 8 USC 1367 protects: where any row is true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub protections: Vec<Protection>,
    /// The Visa Bulletin, of a form whose conditions read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visas: Option<VisaBulletin>,
    /// The law it rests on.
    pub cfr: Vec<String>,
    /// `always`, `usual`, `rare` or `never`.
    pub biometrics: String,
    /// More on biometrics.
    pub biometrics_note: String,
    /// `full` or `short`: how much of the form the catalogue asks.
    pub detail: String,
    /// Who takes part.
    pub roles: Vec<Role>,
    /// In order of asking.
    pub sections: Vec<Section>,
    /// In order of asking, those of blocks included.
    pub questions: Vec<Question>,
    /// What is checked, rules of blocks and of all forms included.
    pub rules: Vec<Rule>,
    /// What must or may be attached.
    pub evidence: Vec<Evidence>,
    /// The rows of its fees, past and present.
    pub fees: Vec<FeeRule>,
    /// Why a filing is rejected at intake.
    pub rejects: Vec<Reject>,
    /// Why evidence is often requested later.
    pub rfes: Vec<Rfe>,
    /// The version of the catalogue it came from.
    pub catalogue_version: String,
    /// Questions in an order in which each stands after those its being shown hangs on.
    #[serde(skip)]
    pub(crate) order: Vec<usize>,
    /// The editions before this one, from the earliest on; a definition does not carry them.
    #[serde(skip)]
    pub(crate) earlier: Vec<EarlierEdition>,
}

impl Form {
    /// The question with this id.
    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// Who signs it together with whoever files it, one person or each of a list, where somebody may.
    pub fn co_signer(&self) -> Option<(&Role, &CoSigns)> {
        self.roles.iter().find_map(|role| Some((role, role.co_signs.as_ref()?)))
    }

    /// Where each question stands among the questions, by its id.
    pub(crate) fn places(&self) -> HashMap<String, usize> {
        self.questions.iter().enumerate().map(|(place, question)| (question.id.clone(), place)).collect()
    }

    /// The section a field belongs to: a question's, the section itself, or `evidence` and `form`.
    pub fn section_of(&self, field: &str) -> &str {
        match self.question(field) {
            Some(question) => &question.section,
            None if field == "evidence" => "evidence",
            None => {
                self.sections.iter().find(|section| section.id == field).map_or("form", |section| &section.id)
            }
        }
    }
}

/// Where a form says which decision it challenges, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenges {
    /// The question with the receipt number of the decided case.
    pub receipt: String,
    /// What the form is, such as `hearing`; nothing where it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The question that says what it is; nothing where the form is one thing only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind_asked: Option<String>,
}

/// Someone who takes part in a form.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    /// Such as `applicant`.
    pub id: String,
    /// When somebody must take it.
    pub required: Expr,
    /// Whether it signs.
    pub signs: bool,
    /// Who may take it.
    pub note: String,
    /// How it signs beside whoever files; nothing for everybody who does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub co_signs: Option<CoSigns>,
}

/// How a form is asked of somebody else, who files it in the package of whoever asks, from an account of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedFor {
    /// The forms of the package of which whoever files one may ask.
    pub by: Vec<String>,
    /// Most that are asked for in one package and stand.
    pub most: u32,
    /// What it answers from the start.
    #[serde(default, skip_serializing_if = "Answers::is_empty")]
    pub answers: Answers,
}

/// How somebody signs a form together with whoever files it, in an account of their own: one person, or each of a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoSigns {
    /// Prefix of the questions that name them, such as `sp_`; with `signature` it is the one that their signature answers. Empty where
    /// a list names them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The list whose items each name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<CoSignsEach>,
    /// What they declare under penalty of perjury, as it is signed.
    pub declares: String,
}

/// How each of a list signs for themselves: the part of the form that is theirs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoSignsEach {
    /// The list.
    pub list: String,
    /// Its part with the full name.
    pub name: String,
    /// Its part that says how somebody signs.
    pub how: String,
    /// The option of it that means: in an account of their own.
    pub own: String,
    /// Sections that they read and sign beside their own item.
    #[serde(default)]
    pub sees: Vec<String>,
}

/// A page of questions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Section {
    /// Such as `eligibility`.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// The id of the heading's text, such as `n-400.eligibility.title`.
    pub title_id: String,
}

/// A question.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Question {
    /// Such as `app_dob`.
    pub id: String,
    /// The section it is asked in.
    pub section: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// When an answer must be there.
    pub required: Expr,
    /// When it is asked.
    pub shown: Expr,
    /// What is asked.
    pub label: String,
    /// The id of the label's text, such as `n-400.app_dob.label`.
    pub label_id: String,
    /// A hint, or nothing.
    pub help: Option<String>,
    /// Of `select` and `multi`.
    pub options: Vec<String>,
    /// What people read for each of the options, in their order.
    pub option_labels: Vec<String>,
    /// Of `partial_date`: what of it must be known at least.
    #[serde(default, skip_serializing_if = "Precision::is_year")]
    pub precision: Precision,
    /// Of `repeating`.
    pub fields: Vec<SubField>,
    /// Which table answers it, where nobody is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filled: Option<Filled>,
    /// The block it came from.
    pub block: Option<String>,
    /// Its id there, without the prefix.
    #[serde(skip)]
    pub(crate) common_id: Option<String>,
    /// Sub-fields in an order in which each stands after those its being shown hangs on.
    #[serde(skip)]
    pub(crate) field_order: Vec<usize>,
}

/// A part of each item of a `repeating` question.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubField {
    /// Such as `married_on`.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Type,
    /// When an answer must be there, over `it`.
    pub required: Expr,
    /// When it is asked, over `it`.
    pub shown: Expr,
    /// What is asked.
    pub label: String,
    /// The id of the label's text.
    pub label_id: String,
    /// Of `select` and `multi`.
    pub options: Vec<String>,
    /// What people read for each of the options, in their order.
    pub option_labels: Vec<String>,
    /// Of `partial_date`: what of it must be known at least.
    #[serde(default, skip_serializing_if = "Precision::is_year")]
    pub precision: Precision,
}

impl Question {
    pub(crate) fn shape(&self) -> Shape {
        if self.kind != Type::Repeating {
            return shape(self.kind, &self.options);
        }
        Shape::Items(self.fields.iter().map(|field| (field.id.clone(), field.shape())).collect())
    }
}

impl SubField {
    fn shape(&self) -> Shape {
        shape(self.kind, &self.options)
    }
}

fn shape(kind: Type, options: &[String]) -> Shape {
    match kind {
        Type::YesNo | Type::Check => Shape::Condition,
        Type::Int | Type::Money | Type::Weight => Shape::Number,
        Type::Date | Type::PartialDate => Shape::Date,
        Type::Select => Shape::Text(Some(options.to_vec())),
        Type::Multi => Shape::Multi(options.to_vec()),
        Type::Address => Shape::Address,
        Type::Repeating => Shape::Items(std::collections::BTreeMap::new()),
        Type::Text
        | Type::LongText
        | Type::NamePart
        | Type::ANumber
        | Type::Receipt
        | Type::AccountNumber
        | Type::Ssn
        | Type::I94
        | Type::PassportNumber
        | Type::Sevis
        | Type::EadCategory
        | Type::Country
        | Type::UsState
        | Type::Phone
        | Type::Email
        | Type::Height
        | Type::Signature => Shape::Text(None),
    }
}
