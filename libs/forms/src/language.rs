//! The languages people read, and the words that are no form's own: why something is asked, and the parts of an address.

use docket_kernel::Cents;
use docket_kernel::calendar::MONTHS;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::visas::{Chart, Cutoff, VisaArea};

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

    /// Why something is asked where no answer has a part in it: what is so, or what is given with every filing.
    pub(crate) fn because_it_is_so(self, what: &[String]) -> String {
        match (self, what) {
            (Self::En, []) => "Because of how and when you file.".to_owned(),
            (Self::Es, []) => "Por la forma y la fecha en que usted presenta.".to_owned(),
            (Self::En, what) => format!("Because {}.", what.join(" and ")),
            (Self::Es, what) => format!("Porque {}.", what.join(" y ")),
        }
    }

    /// What the poverty guideline is for so many in a place, and the parts of a hundred of it with which a form compares.
    pub(crate) fn guideline(
        self,
        (household, place): (i64, &str),
        line: Cents,
        parts: &[(i64, Cents)],
    ) -> String {
        let words = match self {
            Self::En => {
                format!("The poverty guideline for a household of {household} in {place} is {line} a year")
            }
            Self::Es => {
                format!("La guía de pobreza para un hogar de {household} en {place} es de {line} por año")
            }
        };
        let compared = parts.iter().filter(|(percent, _)| *percent != 100);
        let compared = compared.map(|(percent, cents)| match self {
            Self::En => format!("; {percent} % of it is {cents}"),
            Self::Es => format!("; el {percent} % de ella es {cents}"),
        });
        let compared: Vec<String> = compared.collect();
        words + &compared.concat() + "."
    }

    /// What the Visa Bulletin of a month has in one of its charts for a class and an area.
    pub(crate) fn visa_bulletin(
        self,
        (month, chart): (Date, Chart),
        (class, area): (&str, &VisaArea),
        cutoff: Cutoff,
    ) -> String {
        let (of, year, chart) = (self.month(month), month.year(), self.chart(chart));
        let says = match (self, cutoff) {
            (Self::En, Cutoff::Current) => "numbers for everybody".to_owned(),
            (Self::En, Cutoff::Unavailable) => "no numbers".to_owned(),
            (Self::En, Cutoff::Before(day)) => format!("numbers for priority dates before {}", self.day(day)),
            (Self::Es, Cutoff::Current) => "números para todas las personas".to_owned(),
            (Self::Es, Cutoff::Unavailable) => "ningún número".to_owned(),
            (Self::Es, Cutoff::Before(day)) => {
                format!("números para fechas de prioridad anteriores al {}", self.day(day))
            }
        };
        match self {
            Self::En => {
                format!("For {class} and {}, the Visa Bulletin of {of} {year} ({chart}) has {says}.", area.en)
            }
            Self::Es => {
                format!(
                    "Para {class} y {}, el Boletín de Visas de {of} de {year} ({chart}) tiene {says}.",
                    area.es
                )
            }
        }
    }

    fn chart(self, chart: Chart) -> &'static str {
        match (self, chart) {
            (Self::En, Chart::FinalAction) => "Final Action Dates",
            (Self::En, Chart::Filing) => "Dates for Filing",
            (Self::Es, Chart::FinalAction) => "Fechas de Acción Final",
            (Self::Es, Chart::Filing) => "Fechas para Presentar Solicitudes",
        }
    }

    fn month(self, day: Date) -> &'static str {
        let names = match self {
            Self::En => &MONTHS[0],
            Self::Es => &MONTHS[1],
        };
        names[usize::from(day.month().unsigned_abs()) - 1]
    }

    fn day(self, day: Date) -> String {
        let month = self.month(day);
        match self {
            Self::En => format!("{} {month} {}", day.day(), day.year()),
            Self::Es => format!("{} de {month} de {}", day.day(), day.year()),
        }
    }

    pub(crate) fn paid_by_everyone(self) -> &'static str {
        match self {
            Self::En => "Everyone who files this form pays it.",
            Self::Es => "La paga toda persona que presenta este formulario.",
        }
    }

    /// What whoever pays is told of a fee that does not go back where the filing is rejected.
    pub(crate) fn kept_on_rejection(self) -> &'static str {
        match self {
            Self::En => "It does not go back if the filing is rejected.",
            Self::Es => "No se devuelve si la solicitud es rechazada.",
        }
    }

    /// That some attached file is not in English, or that none is.
    pub(crate) fn foreign_file(self, is_there: bool) -> String {
        match (self, is_there) {
            (Self::En, true) => "a file that you attached is not in English",
            (Self::En, false) => "every file that you attached is in English",
            (Self::Es, true) => "un archivo que usted adjuntó no está en inglés",
            (Self::Es, false) => "todos los archivos que usted adjuntó están en inglés",
        }
        .to_owned()
    }

    /// That a paper is attached, or is not.
    pub(crate) fn paper(self, title: &str, is_there: bool) -> String {
        match (self, is_there) {
            (Self::En, true) => format!("you attached \u{201C}{title}\u{201D}"),
            (Self::En, false) => format!("\u{201C}{title}\u{201D} is not attached"),
            (Self::Es, true) => format!("usted adjuntó \u{201C}{title}\u{201D}"),
            (Self::Es, false) => format!("no se adjuntó \u{201C}{title}\u{201D}"),
        }
    }

    /// That a form is filed with this one or is pending, or that none is.
    pub(crate) fn other_form(self, form: &str, is_there: bool) -> String {
        match (self, is_there) {
            (Self::En, true) => format!("a Form {form} is filed with this one or pending"),
            (Self::En, false) => format!("no Form {form} is filed with this one or pending"),
            (Self::Es, true) => {
                format!("un Formulario {form} se presenta junto con este o está pendiente")
            }
            (Self::Es, false) => {
                format!("ningún Formulario {form} se presenta junto con este ni está pendiente")
            }
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
