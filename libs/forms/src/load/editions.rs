//! The files of earlier editions: what each asked, and its lens to the next, put beside the form of the present edition.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::File;
use super::lens::{Fault, weave};
use crate::catalogue::LoadError;
use crate::edition::EarlierEdition;
use crate::edition::lens::More;
use crate::edition::schema::{Asked, Field, Leaf, Schema};
use crate::form::Form;
use crate::value::{Precision, Type};

/// The folder of these files.
pub(crate) const FOLDER: &str = "editions";
/// The folder of the files of forms as they were in the edition before, kept as long as that one is taken.
pub(crate) const BEFORE: &str = "before";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Editions {
    #[serde(default)]
    edition: Vec<Edition>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edition {
    date: Spanned<Date>,
    accepted_from: Option<Date>,
    rejected_from: Option<Date>,
    source: String,
    #[serde(default)]
    mark: String,
    /// What it asked; left out where that is what the next edition asks.
    question: Option<BTreeMap<String, Spanned<Question>>>,
    #[serde(default)]
    change: Vec<Spanned<Change>>,
}

/// A type as `select:a,b`, or the parts of each item of a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Question {
    One(String),
    List(BTreeMap<String, String>),
}

/// One thing that is not as before.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Change {
    Carry {
        from: String,
        to: Option<String>,
        #[serde(default)]
        options: BTreeMap<String, String>,
        #[serde(default)]
        ask: BTreeSet<String>,
        more: Option<More>,
    },
    Join {
        from: Vec<String>,
        to: String,
        with: String,
    },
    Split {
        from: String,
        to: Vec<String>,
        at: String,
    },
    Drop {
        from: String,
        reason: String,
    },
    New {
        to: String,
    },
}

/// Puts earlier editions beside the forms; `names` are the files of `forms`, and `all` those of every form.
pub(crate) fn put(
    files: &[File],
    (names, all): (&[&str], &[&str]),
    forms: &mut [Form],
    errors: &mut Vec<LoadError>,
) {
    for file in files {
        let name = file.name.rsplit('/').next().unwrap_or_default();
        if !all.contains(&name) {
            errors.push(file.error("", 0, format!("there is no form in a file {name}")));
        }
        // A form that could not be read has faults of its own.
        let form = names.iter().zip(forms.iter_mut()).find(|(one, _)| **one == name);
        if let Some((_, form)) = form
            && let Some(written) = file.read::<Editions>(errors)
        {
            dates(file, &written, form, errors);
            form.earlier = earlier(file, &written, form, errors);
        }
    }
}

/// The form in the editions before its present one, from the earliest on, as far back as it is known what each says: the file
/// that was kept of one, and every edition that asks what the one after it asks.
pub(crate) fn before(form: &Form, kept: Option<(&File, &Form)>, errors: &mut Vec<LoadError>) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    for (n, edition) in form.earlier.iter().enumerate().rev() {
        let next = forms.last().unwrap_or(form);
        let own =
            kept.map(|(_, kept)| kept).filter(|kept| kept.id == form.id && kept.edition == edition.date);
        let said = own.unwrap_or(next);
        if edition.schema.digest() != Schema::of(said).digest() {
            break;
        }
        let earlier: Vec<EarlierEdition> = form.earlier.iter().take(n).cloned().collect();
        let before = Form {
            edition: edition.date,
            edition_source: edition.source.clone(),
            edition_required_from: earlier.last().and_then(|one| one.rejected_from).unwrap_or(edition.date),
            accepted_from: edition.accepted_from.unwrap_or(edition.date),
            accepted_until: next.accepted_from.yesterday().ok(),
            earlier,
            ..said.clone()
        };
        forms.push(before);
    }
    if let Some((file, kept)) = kept
        && (kept.id != form.id || !forms.iter().any(|form| form.edition == kept.edition))
    {
        let message = format!(
            "the edition of {} is not among the earlier editions of {}, or asks something else than is said of it there, or one \
             after it has no file",
            kept.edition, form.id
        );
        errors.push(file.error(&kept.id, 0, message));
    }
    forms.reverse();
    forms
}

/// From the earliest on, each before the next, and none still taken when the form says that it is refused.
fn dates(file: &File, written: &Editions, form: &Form, errors: &mut Vec<LoadError>) {
    let next = written.edition.iter().skip(1).map(|edition| {
        let date = *edition.date.get_ref();
        (date, edition.accepted_from.unwrap_or(date))
    });
    for (edition, (next, taken)) in
        written.edition.iter().zip(next.chain([(form.edition, form.accepted_from)]))
    {
        let date = *edition.date.get_ref();
        let mut fault = |message: String| {
            errors.push(file.error(&date.to_string(), edition.date.span().start, message));
        };
        if date >= next {
            fault(format!("editions stand from the earliest on: the next one is of {next}"));
        }
        if edition.accepted_from.zip(edition.rejected_from).is_some_and(|(from, until)| from >= until) {
            fault("the edition is refused before it is taken".to_owned());
        } else if let Some(refused) = edition.rejected_from.filter(|day| *day < taken) {
            fault(format!("from {refused} to {taken} no edition would be taken"));
        }
        if edition.rejected_from.is_some_and(|day| day > form.edition_required_from) {
            let day = form.edition_required_from;
            fault(format!("the form says that earlier editions are refused from {day}"));
        }
    }
}

/// The editions of a file with their lenses, woven from the last one back.
fn earlier(file: &File, written: &Editions, form: &Form, errors: &mut Vec<LoadError>) -> Vec<EarlierEdition> {
    let mut next = Schema::of(form);
    let mut editions = Vec::new();
    for edition in written.edition.iter().rev() {
        let date = edition.date.get_ref().to_string();
        let schema = match &edition.question {
            Some(questions) => schema(file, questions, errors),
            None => next.clone(),
        };
        let (lens, faults) = weave(&schema, &next, &edition.change);
        for Fault { at, id, message } in faults {
            let question = edition.question.as_ref().and_then(|all| all.get(id.split('.').next()?));
            let byte = at.or(question.map(|one| one.span().start)).unwrap_or(edition.date.span().start);
            errors.push(file.error(&id, byte, format!("from the edition of {date}: {message}")));
        }
        let source = edition.source.clone();
        editions.push(EarlierEdition {
            date: *edition.date.get_ref(),
            accepted_from: edition.accepted_from,
            rejected_from: edition.rejected_from,
            source,
            mark: edition.mark.clone(),
            schema: schema.clone(),
            lens,
        });
        next = schema;
    }
    editions.reverse();
    editions
}

fn schema(
    file: &File,
    questions: &BTreeMap<String, Spanned<Question>>,
    errors: &mut Vec<LoadError>,
) -> Schema {
    let mut schema = Schema::default();
    for (id, question) in questions {
        let byte = question.span().start;
        let mut read = |path: &str, text: &str| {
            leaf(text).map_err(|message| errors.push(file.error(path, byte, message))).ok()
        };
        let asked = match question.get_ref() {
            Question::One(text) => read(id, text).map(|leaf| Asked { leaf, fields: Vec::new() }),
            Question::List(fields) => {
                let fields = fields.iter().filter_map(|(name, text)| {
                    Some(Field { id: name.clone(), leaf: read(&format!("{id}.{name}"), text)? })
                });
                Some(Asked { leaf: Leaf::of(Type::Repeating), fields: fields.collect() })
            }
        };
        schema.0.extend(asked.map(|asked| (id.clone(), asked)));
    }
    schema
}

/// Reads `date`, `select:a,b` or `partial_date:month`.
fn leaf(text: &str) -> Result<Leaf, String> {
    let (word, options) = text.split_once(':').unwrap_or((text, ""));
    let kind = Type::named(word).ok_or_else(|| format!("there is no type {word}"))?;
    if kind == Type::Repeating {
        return Err("a list is written as the table of its fields".to_owned());
    }
    if kind == Type::PartialDate {
        return Ok(Leaf { precision: precision(options)?, ..Leaf::of(kind) });
    }
    let options: Vec<String> =
        options.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect();
    if kind.has_options() == options.is_empty() {
        return Err("options belong to select and multi, which need them".to_owned());
    }
    Ok(Leaf { options, ..Leaf::of(kind) })
}

/// Reads `month`, what of a partial date must be known; the year where nothing is said.
pub(crate) fn precision(word: &str) -> Result<Precision, String> {
    if word.is_empty() {
        return Ok(Precision::default());
    }
    Precision::named(word).ok_or_else(|| format!("of a partial date year or month is known, and not {word}"))
}
