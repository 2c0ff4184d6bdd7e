//! A form as the interview needs it: sections, questions and their parts, read from the catalogue's definition.
use serde::Deserialize;

/// What `GetForm` gives, as far as it is asked here.
#[derive(Debug, Deserialize)]
pub struct Form {
    pub sections: Vec<Section>,
    pub questions: Vec<Question>,
}

/// A page of questions.
#[derive(Debug, Deserialize)]
pub struct Section {
    pub id: String,
    pub title: String,
}

/// A question.
#[derive(Debug, Clone, Deserialize)]
pub struct Question {
    pub id: String,
    pub section: String,
    #[serde(flatten)]
    pub part: Part,
    pub help: Option<String>,
    /// Of a list: what is asked of each of its items.
    #[serde(default)]
    pub fields: Vec<Field>,
}

/// What is asked of each item of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Field {
    pub id: String,
    #[serde(flatten)]
    pub part: Part,
}

/// What one line, or the parts of an address, can answer.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Part {
    #[serde(rename = "type")]
    pub kind: String,
    pub label: String,
    #[serde(default)]
    pub options: Vec<String>,
    /// What people read for each of the options.
    #[serde(default)]
    pub option_labels: Vec<String>,
    /// Of a date of which not all need be known: `month` where the year alone is not enough.
    #[serde(default)]
    pub precision: String,
}

impl Form {
    /// The question of that id.
    pub fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// The heading of a section.
    pub fn heading<'a>(&'a self, section: &'a str) -> &'a str {
        self.sections.iter().find(|one| one.id == section).map_or(section, |one| &one.title)
    }
}

impl Part {
    /// A part of an answer without a label or choices of its own.
    pub fn of(kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..Self::default() }
    }

    /// Its type, and what of a date must be known, as hints are looked up: `date`, `partial_date:month`.
    pub fn hinted(&self) -> String {
        if self.precision.is_empty() {
            self.kind.clone()
        } else {
            format!("{}:{}", self.kind, self.precision)
        }
    }
}
