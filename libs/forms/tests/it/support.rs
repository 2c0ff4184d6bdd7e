//! What the tests share: dates, answers, and a form of one's own in a folder.

use docket_forms::{Answers, Catalogue, Form, Given, Language, LoadError};
use jiff::civil::Date;
use serde_json::Value;

pub(crate) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(crate) fn answers(json: Value) -> Answers {
    json.as_object().expect("answers are an object").clone()
}

pub(crate) fn given(date: &str) -> Given {
    Given::on(day(date))
}

/// The head of a form for tests.
pub(crate) const HEAD: &str = r#"
form.id = "T-1"
form.title = "A form of the tests"
form.family = "tests"
form.summary = "Nobody files this."
form.edition = "2025-01-20"
form.edition_source = "made up"
form.online_in_reality = "no"
form.docket = "record"
form.cfr = []
form.biometrics = "never"
form.detail = "short"
section = [{ id = "all", title = "Everything" }]
"#;

/// Loads one form beside the real blocks.
pub(crate) fn load(form: &str) -> Result<Form, Vec<LoadError>> {
    load_all(&[("t-1.toml", &format!("{HEAD}{form}"))])
}

/// Loads one form with a file of its earlier editions.
pub(crate) fn load_editions(form: &str, editions: &str) -> Result<Form, Vec<LoadError>> {
    load_all(&[("t-1.toml", &format!("{HEAD}{form}")), ("editions/t-1.toml", editions)])
}

/// Loads a catalogue of files beside the real blocks.
pub(crate) fn load_catalogue(files: &[(&str, &str)]) -> Result<Catalogue, Vec<LoadError>> {
    let folder = tempfile::tempdir().unwrap();
    for under in ["editions", "before", "es"] {
        std::fs::create_dir(folder.path().join(under)).unwrap();
    }
    std::fs::write(folder.path().join("_common.toml"), include_str!("../../catalogue/_common.toml")).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    Catalogue::load(folder.path())
}

/// Loads the form of a catalogue of files beside the real blocks.
pub(crate) fn load_all(files: &[(&str, &str)]) -> Result<Form, Vec<LoadError>> {
    load_catalogue(files).map(|catalogue| {
        let form = catalogue.form("T-1").unwrap();
        let spanish = files.iter().any(|(name, _)| name.starts_with("es/"));
        catalogue.in_language(form, if spanish { Language::Es } else { Language::En }).clone()
    })
}

/// The only fault of a form.
pub(crate) fn fault(form: &str) -> LoadError {
    let mut faults = load(form).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

/// A form whose questions are written `id = "type"`, as an edition's are.
pub(crate) fn form(questions: &str) -> String {
    let rows = questions.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let (id, asked) = line.split_once('=').unwrap();
        let id = id.trim();
        let head = format!("id = \"{id}\", section = \"all\", required = \"never\", label = \"{id}?\"");
        let asked = toml::from_str::<toml::Table>(&format!("it = {asked}")).unwrap()["it"].clone();
        if let Some(fields) = asked.as_table() {
            let field =
                |(id, kind): (&String, &toml::Value)| format!("\"{id}|{}|n|{id}\"", kind.as_str().unwrap());
            let fields: Vec<String> = fields.iter().map(field).collect();
            return format!("  {{ {head}, type = \"repeating\", fields = [{}] }},\n", fields.join(", "));
        }
        let asked = asked.as_str().unwrap();
        if let Some(("partial_date", precision)) = asked.split_once(':') {
            return format!("  {{ {head}, type = \"partial_date\", precision = \"{precision}\" }},\n");
        }
        let (kind, options) = asked.split_once(':').unwrap_or((asked, ""));
        let options: Vec<&str> = options.split(',').filter(|option| !option.is_empty()).collect();
        let options = if options.is_empty() { String::new() } else { format!(", options = {options:?}") };
        format!("  {{ {head}, type = \"{kind}\"{options} }},\n")
    });
    format!("question = [\n{}]\n", rows.collect::<String>())
}
