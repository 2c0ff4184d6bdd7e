//! The form catalogue and its three-valued rules: what is asked, what is missing, what is wrong, what it costs.
//!
//! A [`Catalogue`] is read from a folder of TOML files. [`evaluate`] says what a set of answers still
//! needs; [`fee`] says what the filing costs; [`normalise`] reads one answer as a person typed it.
//! [`Catalogue::in_language`] gives a form as it reads in another language: what is evaluated over it is said in that one.
//! [`Form::carry_over`] brings answers of an earlier edition into the present one.
//! [`Catalogue::parts`] says which questions of different forms ask the same of the same person.
//! Everything here is a pure function of its arguments.

mod answers;
mod catalogue;
mod definition;
mod edition;
mod evaluate;
mod explain;
mod expr;
mod fees;
mod filled;
mod folder;
mod form;
mod given;
mod guide;
mod language;
mod last_day;
mod load;
mod normalise;
mod protection;
mod shared;
mod texts;
mod truth;
mod value;
mod visas;
mod within;

pub use catalogue::{Catalogue, LoadError};
pub use definition::DefinitionError;
pub use edition::{Attention, CarriedOver, EarlierEdition, Happened, UnknownEdition};
pub use evaluate::{
    Evaluation, EvidenceNeed, Finding, Missing, evaluate, parts_asked, rule_value, takes_part, why_asked,
};
pub use expr::Expr;
pub use fees::{FeeResult, FeeRow, fee};
pub use filled::{Amounts, Filled, FilledIn, Guideline};
pub use folder::{CatalogueFolder, Unreadable};
pub use form::{
    AskedFor, Challenges, Channel, CoSigns, CoSignsEach, Evidence, EvidenceLevel, FeeKind, FeeRule,
    FindingKind, Form, LastDay, Level, NotKnown, Protection, Question, Reject, Rfe, Role, Rule, Section,
    SubField, Untold,
};
pub use given::{FilingChannel, Given};
pub use guide::{Choice, Guide, Outcome, Step};
pub use language::Language;
pub use last_day::last_day;
pub use normalise::normalise;
pub use protection::is_protected;
pub use shared::Part;
pub use truth::Truth;
pub use value::{Precision, Type};
pub use visas::{Chart, Cutoff, VisaArea, VisaBulletin, VisaClass, VisaMonth, VisaRow};

/// What people send: question id to JSON value.
pub type Answers = serde_json::Map<String, serde_json::Value>;
