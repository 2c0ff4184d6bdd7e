//! Texts in a language of their own: files beside the forms, read flat and put into copies of what they translate.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use super::File;
use super::source::Common;
use crate::catalogue::LoadError;
use crate::form::Form;
use crate::guide::Guide;
use crate::language::Language;
use crate::texts::{Place, names_a_substitute};

/// One file of texts: id → text and the place where it stands.
struct Written<'a> {
    file: &'a File,
    texts: BTreeMap<String, (String, usize)>,
}

/// The files of a language.
pub(crate) struct Translation<'a> {
    language: Language,
    /// By the name of the file that each translates.
    files: BTreeMap<&'a str, Written<'a>>,
}

impl<'a> Translation<'a> {
    /// Reads those of `files` which are of the language.
    pub(crate) fn read(language: Language, files: &'a [File], errors: &mut Vec<LoadError>) -> Self {
        let mut read = BTreeMap::new();
        for file in files {
            if let Some((folder, name)) = file.name.split_once('/')
                && folder == language.tag()
            {
                read.insert(name, Written::read(file, errors));
            }
        }
        Self { language, files: read }
    }

    /// The form of a file in this language; nothing where the form is not translated. Other words of English need not be whole:
    /// what no file says is the form's own.
    pub(crate) fn form(&self, common: &str, name: &str, form: &Form) -> Option<Form> {
        let (own, common) = (self.files.get(name), self.files.get(common));
        if own.is_none() && self.language != Language::En {
            return None;
        }
        let mut said = Form { language: self.language, ..form.clone() };
        said.each_text(&mut |place, text| {
            let of_block = || common?.text(&place.common_id()?);
            if let Some(words) = own.and_then(|own| own.text(&place.id())).or_else(of_block) {
                words.clone_into(text);
            }
        });
        Some(said)
    }

    /// The guide in this language; nothing where it is not translated.
    pub(crate) fn guide(&self, name: &str, guide: &Guide) -> Option<Guide> {
        let own = self.files.get(name);
        if own.is_none() && self.language != Language::En {
            return None;
        }
        let mut said = guide.clone();
        said.each_text(&mut |place, text| {
            if let Some(words) = own.and_then(|own| own.text(&place.id())) {
                words.clone_into(text);
            }
        });
        Some(said)
    }

    /// Names every text that translates none; `known` has the ids of the texts of each file. In the file `common` to all forms
    /// the names of substitutes may be more than the forms of this folder have.
    pub(crate) fn check(
        &self,
        common: &str,
        known: &BTreeMap<&str, BTreeSet<String>>,
        errors: &mut Vec<LoadError>,
    ) {
        for (name, written) in &self.files {
            match known.get(name) {
                Some(known) => {
                    let is_known =
                        |id: &str| known.contains(id) || (*name == common && names_a_substitute(id));
                    written.check(name, is_known, errors);
                }
                None => {
                    errors.push(written.file.error("", 0, format!("there is no file {name} to translate")));
                }
            }
        }
    }
}

impl<'a> Written<'a> {
    fn read(file: &'a File, errors: &mut Vec<LoadError>) -> Self {
        let mut texts = BTreeMap::new();
        match DeTable::parse(&file.text) {
            Ok(table) => flatten("", table.get_ref(), file, &mut texts, errors),
            Err(error) => {
                let byte = error.span().map_or(0, |span| span.start);
                errors.push(file.error("", byte, error.message()));
            }
        }
        Self { file, texts }
    }

    fn text(&self, id: &str) -> Option<&str> {
        self.texts.get(id).map(|(text, _)| text.as_str())
    }

    fn check(&self, name: &str, is_known: impl Fn(&str) -> bool, errors: &mut Vec<LoadError>) {
        for (id, (_, byte)) in self.texts.iter().filter(|(id, _)| !is_known(id)) {
            errors.push(self.file.error(id, *byte, format!("{name} has no text with this id")));
        }
    }
}

/// `[option.reason] renewal = "…"` is the text `option.reason.renewal`.
fn flatten(
    under: &str,
    table: &DeTable<'_>,
    file: &File,
    texts: &mut BTreeMap<String, (String, usize)>,
    errors: &mut Vec<LoadError>,
) {
    for (key, value) in table {
        let dot = if under.is_empty() { "" } else { "." };
        let id = format!("{under}{dot}{}", key.get_ref());
        let byte = key.span().start;
        match value.get_ref() {
            DeValue::Table(inner) => flatten(&id, inner, file, texts, errors),
            DeValue::String(text) if !text.trim().is_empty() => {
                texts.insert(id, (text.clone().into_owned(), byte));
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => errors.push(file.error(&id, byte, "a text is needed here")),
        }
    }
}

/// The ids of the texts of `_common.toml`, whichever forms use them.
pub(crate) fn of_blocks(common: &Common) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for question in common.block.values().flat_map(|block| &block.question) {
        let id = question.id.get_ref();
        ids.insert(Place::new("question", id).id());
        ids.extend(question.help.as_ref().map(|_| Place::new("help", id).id()));
        ids.extend(question.options.iter().map(|option| format!("option.{id}.{option}")));
        for field in &question.fields {
            let mut parts = field.get_ref().splitn(3, '|');
            let (name, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            ids.insert(format!("field.{id}.{name}"));
            let options = kind.split_once(':').map_or("", |(_, options)| options).split(',');
            ids.extend(options.filter(|one| !one.is_empty()).map(|one| format!("option.{id}.{name}.{one}")));
        }
    }
    ids.extend(common.block_rule.iter().map(|rule| Place::new("rule", &rule.id).id()));
    ids.extend(common.rules_of_all.iter().map(|rule| Place::new("rule", rule.id.get_ref()).id()));
    ids
}
