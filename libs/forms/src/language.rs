//! The languages people read, and the words that are no form's own: why something is asked, and the parts of an address.

use serde::{Deserialize, Serialize};

use crate::expr::Expr;

/// A language in which forms can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English: the forms' own language, in which they are signed.
    #[default]
    En,
    /// Spanish.
    Es,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::En, Self::Es];

    /// The language asked for by a tag such as `es` or `es-MX`; English where none or another one is.
    pub fn of(tag: &str) -> Self {
        let language = tag.split(['-', '_']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("es") { Self::Es } else { Self::En }
    }

    /// `en` or `es`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }

    pub(crate) fn asked_of_everyone(self) -> &'static str {
        match self {
            Self::En => "This form asks it of everyone.",
            Self::Es => "Este formulario se lo pregunta a todas las personas.",
        }
    }

    pub(crate) fn needed_from_everyone(self) -> &'static str {
        match self {
            Self::En => "This form needs it from everyone.",
            Self::Es => "Este formulario lo exige a todas las personas.",
        }
    }

    /// Why something is asked: the labels of the questions whose answers make it so.
    pub(crate) fn because_of_answers(self, labels: &[&str]) -> String {
        let quoted: Vec<String> = labels.iter().map(|label| format!("\u{201C}{label}\u{201D}")).collect();
        match self {
            Self::En => format!("Because of your answer to {}.", quoted.join(" and ")),
            Self::Es => format!("Debido a su respuesta a {}.", quoted.join(", ")),
        }
    }

    /// Why something is asked where no answer has a part in it.
    pub(crate) fn because_of(self, condition: &Expr) -> String {
        match self {
            Self::En => format!("Because: {condition}."),
            Self::Es => format!("Motivo: {condition}."),
        }
    }

    /// What a part of an address is called.
    pub(crate) fn part_label(self, part: &str) -> &'static str {
        match (self, part) {
            (Self::En, "line1") => "street and number",
            (Self::En, "city") => "city",
            (Self::En, "state") => "state",
            (Self::En, "postal_code") => "ZIP code",
            (Self::En, _) => "country",
            (Self::Es, "line1") => "calle y número",
            (Self::Es, "city") => "ciudad",
            (Self::Es, "state") => "estado",
            (Self::Es, "postal_code") => "código postal",
            (Self::Es, _) => "país",
        }
    }
}
