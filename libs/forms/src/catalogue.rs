//! The catalogue: all forms of a folder, checked as a whole.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use docket_kernel::FieldFault;
use docket_kernel::identifier::form_number;
use sha2::{Digest, Sha256};

use crate::form::Form;
use crate::guide::Guide;
use crate::load::source::{Common, FormFile};
use crate::load::{File, assemble};

const COMMON: &str = "_common.toml";
const GUIDE: &str = "_guide.toml";

/// All forms, ready to be asked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalogue(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    forms: Vec<Form>,
    guide: Option<Guide>,
    version: String,
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
    /// Reads every `.toml` file of a folder.
    ///
    /// # Errors
    /// Everything that is wrong in any of the files.
    pub fn load(dir: &Path) -> Result<Self, Vec<LoadError>> {
        let unreadable = |name: String, error: std::io::Error| {
            vec![LoadError { file: name, id: String::new(), line: 0, column: 0, message: error.to_string() }]
        };
        let folder = dir.display().to_string();
        let mut files = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(|error| unreadable(folder.clone(), error))? {
            let path = entry.map_err(|error| unreadable(folder.clone(), error))?.path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(name.clone(), error))?;
            files.push(File { name, text });
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
        let version = version(&files);
        let mut errors = Vec::new();
        let Some(common_file) = files.iter().find(|file| file.name == COMMON) else {
            let message = "the file of question blocks is not there".to_owned();
            return Err(vec![LoadError {
                file: COMMON.into(),
                id: String::new(),
                line: 0,
                column: 0,
                message,
            }]);
        };
        let common: Option<Common> = common_file.read(&mut errors);
        let mut forms: Vec<Form> = Vec::new();
        for file in files.iter().filter(|file| ![COMMON, GUIDE].contains(&file.name.as_str())) {
            let source: Option<FormFile> = file.read(&mut errors);
            if let (Some(source), Some(common)) = (source, &common) {
                forms.extend(assemble::form(file, &source, common_file, common, &version, &mut errors));
            }
        }
        for (n, form) in forms.iter().enumerate() {
            if forms.iter().take(n).any(|other| other.id == form.id) {
                let file = form.id.to_lowercase();
                let message = "two files describe this form".to_owned();
                errors.push(LoadError { file, id: form.id.clone(), line: 1, column: 1, message });
            }
        }
        let guide = files.iter().find(|file| file.name == GUIDE);
        let guide = guide.and_then(|file| Guide::read(file, &forms, &mut errors));
        if errors.is_empty() { Ok(Self(Arc::new(Inner { forms, guide, version }))) } else { Err(errors) }
    }

    /// All forms, in order of their files' names.
    pub fn forms(&self) -> impl Iterator<Item = &Form> {
        self.0.forms.iter()
    }

    /// The form with this number, as the catalogue writes it.
    pub fn form(&self, id: &str) -> Option<&Form> {
        self.0.forms.iter().find(|form| form.id == id)
    }

    /// The form a person means by `n400`, `N 400` or `N-400`.
    ///
    /// # Errors
    /// No form has this number.
    pub fn find(&self, typed: &str) -> Result<&Form, FieldFault> {
        let known = form_number(typed, self.forms().map(|form| form.id.as_str()))?;
        self.form(&known).ok_or_else(|| FieldFault::new("form", "FORM_UNKNOWN", "No form has this number."))
    }

    /// The guided choice of a form; nothing when the folder has none.
    pub fn guide(&self) -> Option<&Guide> {
        self.0.guide.as_ref()
    }

    /// The first 16 hexadecimal digits of a SHA-256 over names and contents of all files.
    pub fn version(&self) -> &str {
        &self.0.version
    }
}

fn version(files: &[File]) -> String {
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

/// The files of the folder `catalogue`; a test compares the list with the folder.
const FILES: &[(&str, &str)] = built_in![
    "_common.toml",
    "_guide.toml",
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
];
