//! The catalogue: all forms of a folder, checked as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use docket_kernel::FieldFault;
use docket_kernel::identifier::form_number;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::form::Form;
use crate::guide::Guide;
use crate::language::Language;
use crate::load::assemble::Beside;
use crate::load::source::{Common, FormFile};
use crate::load::translate::{self, Translation};
use crate::load::{File, assemble, editions, guidelines, visas};
use crate::shared::{self, Part};

const COMMON: &str = "_common.toml";
const GUIDE: &str = "_guide.toml";
const SHARED: &str = "_shared.toml";
const GUIDELINES: &str = "_guidelines.toml";
const VISAS: &str = "_visa_bulletin.toml";
/// The files that are no form's.
const OF_NO_FORM: [&str; 5] = [COMMON, GUIDE, SHARED, GUIDELINES, VISAS];

/// All forms, ready to be asked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalogue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    english: Said,
    /// What is translated.
    spanish: Said,
    /// Persons whom several forms ask about.
    parts: Vec<Part>,
    version: String,
}

/// Forms and guide in one language.
#[derive(Debug)]
struct Said {
    forms: Vec<Form>,
    /// The forms in editions before the present one, as far as it is known what those say; each form's from the earliest on.
    before: Vec<Form>,
    guide: Option<Guide>,
}

/// What is wrong in a file of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The file's name.
    pub file: String,
    /// The question, rule, row or block; empty when the file as a whole is meant.
    pub id: String,
    /// From 1; 0 when the file could not be read.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if !self.id.is_empty() {
            write!(f, "{}: ", self.id)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for LoadError {}

impl Catalogue {
    /// Reads every `.toml` file of a folder, and of the folders of languages (`es`), of earlier editions and of forms as they were
    /// before in it.
    ///
    /// # Errors
    /// Everything that is wrong in any of the files.
    pub fn load(dir: &Path) -> Result<Self, Vec<LoadError>> {
        let mut files = Vec::new();
        read_folder(dir, "", &mut files)?;
        for under in Language::ALL.map(Language::tag).into_iter().chain([editions::FOLDER, editions::BEFORE])
        {
            let folder = dir.join(under);
            if folder.is_dir() {
                read_folder(&folder, &format!("{under}/"), &mut files)?;
            }
        }
        Self::from_files(files)
    }

    /// The catalogue which is built in.
    pub fn embedded() -> Self {
        static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(|| {
            let files = FILES.iter().map(|(name, text)| File { name: (*name).into(), text: (*text).into() });
            Catalogue::from_files(files.collect()).expect("the built-in files are loaded in every test run")
        });
        EMBEDDED.clone()
    }

    fn from_files(mut files: Vec<File>) -> Result<Self, Vec<LoadError>> {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let (editions, files): (Vec<File>, Vec<File>) =
            files.into_iter().partition(|file| file.is_under(editions::FOLDER));
        let (before, files): (Vec<File>, Vec<File>) =
            files.into_iter().partition(|file| file.is_under(editions::BEFORE));
        let (translations, files): (Vec<File>, Vec<File>) =
            files.into_iter().partition(|file| file.name.contains('/'));
        let version =
            version(files.iter().filter(|file| file.name != SHARED).chain(&editions).chain(&before));
        let mut errors = Vec::new();
        let Some(common_file) = files.iter().find(|file| file.name == COMMON) else {
            return Err(unread(COMMON, "the file of question blocks is not there"));
        };
        let common: Option<Common> = common_file.read(&mut errors);
        let (mut names, mut forms): (Vec<&str>, Vec<Form>) = (Vec::new(), Vec::new());
        let of_forms = || files.iter().filter(|file| !OF_NO_FORM.contains(&file.name.as_str()));
        let sources: Vec<(&File, Option<FormFile>)> =
            of_forms().map(|file| (file, file.read(&mut errors))).collect();
        let ids: Option<BTreeSet<String>> =
            sources.iter().map(|(_, source)| Some(source.as_ref()?.form.id.get_ref().clone())).collect();
        let guidelines = files.iter().find(|file| file.name == GUIDELINES);
        let guidelines = guidelines.map(|file| guidelines::read(file, &mut errors)).unwrap_or_default();
        let visas = files.iter().find(|file| file.name == VISAS).map(|file| visas::read(file, &mut errors));
        let beside = Beside { forms: ids, guidelines: &guidelines, visas: visas.as_ref() };
        for (file, source) in &sources {
            if let (Some(source), Some(common)) = (source, &common)
                && let Some(form) =
                    assemble::form((file, source), (common_file, common), &beside, &version, &mut errors)
            {
                names.push(&file.name);
                forms.push(form);
            }
        }
        let all: Vec<&str> = of_forms().map(|file| file.name.as_str()).collect();
        editions::put(&editions, (&names, &all), &mut forms, &mut errors);
        let read = |file: &File, errors: &mut Vec<LoadError>| {
            let (source, common): (FormFile, _) = (file.read(errors)?, common.as_ref()?);
            assemble::form((file, &source), (common_file, common), &beside, &version, errors)
        };
        let (names_before, forms_before) = as_before(&before, (&names, &all), &forms, read, &mut errors);
        for (n, form) in forms.iter().enumerate() {
            if forms.iter().take(n).any(|other| other.id == form.id) {
                let file = form.id.to_lowercase();
                let message = "two files describe this form".to_owned();
                errors.push(LoadError { file, id: form.id.clone(), line: 1, column: 1, message });
            }
        }
        let guide = files.iter().find(|file| file.name == GUIDE);
        let guide = guide.and_then(|file| Guide::read(file, &forms, &mut errors));
        let persons = files.iter().find(|file| file.name == SHARED).zip(common.as_ref());
        let parts = persons.map(|(file, common)| shared::read(file, common, &forms, &mut errors));
        let (Some(common), true) = (common, errors.is_empty()) else { return Err(errors) };
        let written = Said { forms, before: forms_before, guide };
        let [english, spanish] = written.said((&names, &names_before), &common, &translations)?;
        Ok(Self(Arc::new(Inner { english, spanish, parts: parts.unwrap_or_default(), version })))
    }

    /// All forms, in order of their files' names.
    pub fn forms(&self) -> impl Iterator<Item = &Form> {
        self.0.english.forms.iter()
    }

    /// The form with this number, as the catalogue writes it.
    pub fn form(&self, id: &str) -> Option<&Form> {
        self.forms().find(|form| form.id == id)
    }

    /// The form in the edition that is taken on a day: the newest whose first day is not after it. Before the first day of all that
    /// are known here it is the earliest of them. An edition of which the catalogue knows only what it asked, and not what it
    /// says, cannot be filled in: where that one was taken, the next one is.
    pub fn form_on(&self, id: &str, day: Date) -> Option<&Form> {
        let present = self.form(id)?;
        let before = || self.0.english.before.iter().filter(|form| form.id == id);
        let taken = before().chain([present]).rfind(|form| form.accepted_from <= day);
        taken.or_else(|| before().next()).or(Some(present))
    }

    /// The form in an edition, where it is known here what that one says.
    pub fn in_edition(&self, id: &str, edition: Date) -> Option<&Form> {
        let all = self.0.english.before.iter().chain(&self.0.english.forms);
        all.filter(|form| form.id == id).find(|form| form.edition == edition)
    }

    /// All forms in the editions that are taken on a day, in order of their files' names.
    pub fn forms_on(&self, day: Date) -> impl Iterator<Item = &Form> {
        self.forms().filter_map(move |form| self.form_on(&form.id, day))
    }

    /// The form a person means by `n400`, `N 400` or `N-400`.
    ///
    /// # Errors
    /// No form has this number.
    pub fn find(&self, typed: &str) -> Result<&Form, FieldFault> {
        let known = form_number(typed, self.forms().map(|form| form.id.as_str()))?;
        self.form(&known).ok_or_else(|| FieldFault::new("form", "FORM_UNKNOWN", "No form has this number."))
    }

    /// A form of this catalogue as it reads in a language; one that is not translated reads in English.
    pub fn in_language<'a>(&'a self, form: &'a Form, language: Language) -> &'a Form {
        let said = match language {
            Language::En => &self.0.english,
            Language::Es => &self.0.spanish,
        };
        let mut all = said.forms.iter().chain(&said.before);
        all.find(|one| one.id == form.id && one.edition == form.edition).unwrap_or(form)
    }

    /// The guided choice of a form, in a language or in English where it is not translated; nothing when the folder has none.
    pub fn guide(&self, language: Language) -> Option<&Guide> {
        let spanish = self.0.spanish.guide.as_ref().filter(|_| language == Language::Es);
        spanish.or(self.0.english.guide.as_ref())
    }

    /// The persons whom a form asks about and other forms ask about too.
    pub fn parts(&self, form: &str) -> impl Iterator<Item = &Part> {
        self.0.parts.iter().filter(move |part| part.form == form)
    }

    /// The first 16 hexadecimal digits of a SHA-256 over names and contents of all files but translations and what forms
    /// share, which change no form.
    pub fn version(&self) -> &str {
        &self.0.version
    }
}

impl Said {
    /// What is written, in each language: English with the words that have a file of their own, Spanish as far as translated.
    fn said(
        self,
        names: (&[&str], &[&str]),
        common: &Common,
        translations: &[File],
    ) -> Result<[Self; 2], Vec<LoadError>> {
        let mut known: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let present = names.0.iter().zip(&self.forms);
        for (name, form) in present.chain(names.1.iter().zip(&self.before)) {
            known.entry(name).or_default().extend(form.texts().into_keys());
        }
        known.insert(COMMON, translate::of_blocks(common));
        known.extend(self.guide.as_ref().map(|guide| (GUIDE, guide.texts().into_keys().collect())));
        let mut errors = Vec::new();
        let texts = Language::ALL.map(|language| Translation::read(language, translations, &mut errors));
        for texts in &texts {
            texts.check(COMMON, &known, &mut errors);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let [english, spanish] = texts;
        let english = self.in_language(names, &english);
        let spanish = english.in_language(names, &spanish);
        Ok([english, spanish])
    }

    fn in_language(&self, names: (&[&str], &[&str]), texts: &Translation<'_>) -> Self {
        let said = |names: &[&str], forms: &[Form]| {
            let pairs = names.iter().zip(forms);
            pairs.filter_map(|(name, form)| texts.form(COMMON, name, form)).collect()
        };
        Self {
            forms: said(names.0, &self.forms),
            before: said(names.1, &self.before),
            guide: self.guide.as_ref().and_then(|guide| texts.guide(GUIDE, guide)),
        }
    }
}

/// Reads the `.toml` files of a folder; `under` stands before their names.
fn read_folder(dir: &Path, under: &str, files: &mut Vec<File>) -> Result<(), Vec<LoadError>> {
    let folder = dir.display().to_string();
    for entry in std::fs::read_dir(dir).map_err(|error| unread(&folder, &error.to_string()))? {
        let path = entry.map_err(|error| unread(&folder, &error.to_string()))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = format!("{under}{}", path.file_name().unwrap_or_default().to_string_lossy());
        let text = std::fs::read_to_string(&path).map_err(|error| unread(&name, &error.to_string()))?;
        files.push(File { name, text });
    }
    Ok(())
}

/// The forms in editions before their present ones, each with the name of its form's file; `names` are the files of `forms`, and
/// `all` those of every form.
fn as_before<'n>(
    files: &[File],
    (names, all): (&[&'n str], &[&str]),
    forms: &[Form],
    read: impl Fn(&File, &mut Vec<LoadError>) -> Option<Form>,
    errors: &mut Vec<LoadError>,
) -> (Vec<&'n str>, Vec<Form>) {
    let (mut names_before, mut forms_before) = (Vec::new(), Vec::new());
    for (name, form) in names.iter().zip(forms) {
        let file = files.iter().find(|file| under(&file.name) == *name);
        let kept = file.and_then(|file| Some((file, read(file, errors)?)));
        let known = editions::before(form, kept.as_ref().map(|(file, kept)| (*file, kept)), errors);
        names_before.extend(known.iter().map(|_| *name));
        forms_before.extend(known);
    }
    for file in files.iter().filter(|file| !all.contains(&under(&file.name))) {
        errors.push(file.error("", 0, format!("there is no form in a file {}", under(&file.name))));
    }
    (names_before, forms_before)
}

/// The name of a file without the folder in which it stands.
fn under(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A fault of a file as a whole.
fn unread(file: &str, message: &str) -> Vec<LoadError> {
    vec![LoadError { file: file.into(), id: String::new(), line: 0, column: 0, message: message.into() }]
}

fn version<'a>(files: impl Iterator<Item = &'a File>) -> String {
    let mut hash = Sha256::new();
    for file in files {
        for part in [&file.name, &file.text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    let digest: Vec<u8> = hash.finalize().to_vec();
    hex::encode(digest.get(..8).unwrap_or(&digest))
}

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../catalogue/", $name)))),*]
    };
}

/// The files of the folder `catalogue`; a test compares them with the folder.
const FILES: &[(&str, &str)] = built_in![
    "_common.toml",
    "_guide.toml",
    "_guidelines.toml",
    "_shared.toml",
    "_visa_bulletin.toml",
    "ar-11.toml",
    "g-1450.toml",
    "g-28.toml",
    "i-129f.toml",
    "i-130.toml",
    "i-131.toml",
    "i-140.toml",
    "i-290b.toml",
    "i-485.toml",
    "i-539.toml",
    "i-589.toml",
    "i-751.toml",
    "i-765.toml",
    "i-821.toml",
    "i-821d.toml",
    "i-864.toml",
    "i-90.toml",
    "i-912.toml",
    "n-336.toml",
    "n-400.toml",
    "n-600.toml",
    "editions/i-485.toml",
    "editions/i-539.toml",
    "editions/i-765.toml",
    "en/_common.toml",
    "en/g-28.toml",
    "en/i-129f.toml",
    "en/i-130.toml",
    "en/i-131.toml",
    "en/i-140.toml",
    "en/i-290b.toml",
    "en/i-485.toml",
    "en/i-539.toml",
    "en/i-751.toml",
    "en/i-765.toml",
    "en/i-821d.toml",
    "en/i-864.toml",
    "en/i-90.toml",
    "en/i-912.toml",
    "en/n-400.toml",
    "es/_common.toml",
    "es/_guide.toml",
    "es/ar-11.toml",
    "es/g-1450.toml",
    "es/g-28.toml",
    "es/i-129f.toml",
    "es/i-130.toml",
    "es/i-131.toml",
    "es/i-140.toml",
    "es/i-290b.toml",
    "es/i-485.toml",
    "es/i-539.toml",
    "es/i-589.toml",
    "es/i-751.toml",
    "es/i-765.toml",
    "es/i-821.toml",
    "es/i-821d.toml",
    "es/i-864.toml",
    "es/i-90.toml",
    "es/i-912.toml",
    "es/n-336.toml",
    "es/n-400.toml",
    "es/n-600.toml",
];
