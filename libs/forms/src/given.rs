//! What is given beside the answers: dates, channel, what is linked and attached.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::form::Form;
use crate::value::{Shape, Value};

/// The way a form is filed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilingChannel {
    /// In a guided filing.
    #[default]
    Online,
    /// Printed or uploaded.
    Paper,
}

impl FilingChannel {
    /// The word in expressions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Paper => "paper",
        }
    }
}

/// What is given beside the answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// The civil date in `America/New_York` of submission; of now while drafting.
    pub filing_date: Date,
    /// The civil date now in the filer's own zone.
    pub today: Date,
    /// The way of filing.
    pub channel: FilingChannel,
    /// The filer's role, such as `applicant`.
    pub filer_role: String,
    /// Whether a fee waiver (I-912) is asked for.
    pub fee_waiver_requested: bool,
    /// Whether the deployment lets the online form take a waiver; or-ed with the form's own key.
    pub online_fee_waiver: bool,
    /// Forms of other filings in the package, or of pending cases of the same person.
    pub linked: BTreeSet<String>,
    /// Kinds of evidence attached.
    pub evidence: BTreeSet<String>,
    /// Kinds of evidence of which the filer said why they cannot be provided.
    #[serde(default)]
    pub explained: BTreeSet<String>,
    /// Whether any attached file is not in English.
    pub foreign_language: bool,
    /// The date printed on an uploaded or printed form; nothing in a guided filing.
    pub edition: Option<Date>,
}

impl Given {
    /// A guided online filing on `day`, with nothing linked or attached.
    pub fn on(day: Date) -> Self {
        Self {
            filing_date: day,
            today: day,
            channel: FilingChannel::Online,
            filer_role: "applicant".to_owned(),
            fee_waiver_requested: false,
            online_fee_waiver: false,
            linked: BTreeSet::new(),
            evidence: BTreeSet::new(),
            explained: BTreeSet::new(),
            foreign_language: false,
            edition: None,
        }
    }

    /// The value of a given name; nothing when it is unknown.
    pub(crate) fn value(&self, form: &Form, name: &str) -> Option<Value<'_>> {
        match name {
            "filing_date" => Some(Value::Date(self.filing_date)),
            "today" => Some(Value::Date(self.today)),
            "channel" => Some(Value::Text(Cow::Borrowed(self.channel.as_str()))),
            "filer_role" => Some(self.filer_role.as_str())
                .filter(|role| !role.is_empty())
                .map(|role| Value::Text(role.into())),
            "fee_waiver_requested" => Some(Value::Bool(self.fee_waiver_requested)),
            "online_fee_waiver" => Some(Value::Bool(self.online_fee_waiver || form.online_fee_waiver)),
            "edition" => self.edition.map(Value::Date),
            "form_edition" => Some(Value::Date(form.edition)),
            "edition_required_from" => Some(Value::Date(form.edition_required_from)),
            _ => None,
        }
    }
}

/// The type of a given name.
pub(crate) fn given_shape(name: &str) -> Option<Shape> {
    Some(match name {
        "filing_date" | "today" | "edition" | "form_edition" | "edition_required_from" => Shape::Date,
        "channel" => Shape::Text(Some(vec!["online".to_owned(), "paper".to_owned()])),
        "filer_role" => Shape::Text(None),
        "fee_waiver_requested" | "online_fee_waiver" => Shape::Condition,
        _ => return None,
    })
}
