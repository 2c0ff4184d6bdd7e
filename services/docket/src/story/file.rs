//! The shape of a story file.
use super::act::Act;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A story.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// Title.
    pub title: String,
    /// What it shows, for `docket story --list`.
    pub about: String,
    /// Whether it turns the clock: then it is played in an environment of its own that is thrown away.
    #[serde(default)]
    pub turns_clock: bool,
    /// People in it.
    pub person: Vec<PersonRow>,
    /// Steps, still with their variables.
    pub step: Vec<toml::Value>,
    /// Folder of the file, for evidence.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// A person in a story.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonRow {
    /// Short name used in the steps.
    pub id: String,
    /// How the telling names them.
    pub called: String,
    /// `applicant`, `petitioner`, `spouse`, `representative`, `interpreter`, `officer`, `operator` or `stranger`.
    pub part: String,
    /// Family name.
    #[serde(default)]
    pub family_name: String,
    /// Given name.
    #[serde(default)]
    pub given_name: String,
    /// Date of birth, ISO 8601.
    #[serde(default)]
    pub birth_date: String,
    /// Zone.
    #[serde(default = "new_york")]
    pub zone: String,
    /// Language.
    #[serde(default = "english")]
    pub language: String,
}

impl PersonRow {
    /// Whether it is somebody who has to prove who they are.
    pub fn proves_identity(&self) -> bool {
        ["applicant", "petitioner", "spouse", "daughter", "representative"].contains(&self.part.as_str())
    }

    /// Somebody of whom only the name is known.
    pub fn named(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            called: id.to_owned(),
            part: String::new(),
            family_name: String::new(),
            given_name: String::new(),
            birth_date: String::new(),
            zone: new_york(),
            language: english(),
        }
    }
}

fn new_york() -> String {
    "America/New_York".to_owned()
}
fn english() -> String {
    "en".to_owned()
}

/// One step with its variables filled in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Who does it.
    pub who: String,
    /// What, as told.
    pub say: String,
    /// The act.
    #[serde(rename = "do")]
    pub act: Act,
    /// Expected refusal: the reason of the error.
    pub refused: Option<String>,
    /// What people see afterwards.
    #[serde(default)]
    pub see: See,
}

/// What is seen after a step.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct See {
    /// The applicant.
    pub applicant: Option<View>,
    /// Who files for the applicant.
    pub petitioner: Option<View>,
    /// Who represents the applicant.
    pub representative: Option<View>,
    /// The officer.
    pub officer: Option<View>,
}

/// What one person sees.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Number of the status title.
    pub title: Option<String>,
    /// Kinds of event on the timeline, without `case.` and version.
    #[serde(default)]
    pub lines: Vec<String>,
    /// Kinds that must not be there.
    #[serde(default)]
    pub hidden: Vec<String>,
    /// Words that must stand in the title, what is said with it, or the timeline, in the language of the person.
    #[serde(default)]
    pub says: Vec<String>,
}

impl Story {
    /// Reads a story.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let mut story: Self =
            toml::from_str(&text).with_context(|| format!("{} is no story", path.display()))?;
        path.parent().unwrap_or(Path::new(".")).clone_into(&mut story.folder);
        for (step, number) in story.step.iter_mut().zip(1..) {
            put_answers_in(step, &story.folder).with_context(|| format!("step {number}"))?;
        }
        Ok(story)
    }
}

/// Answers named by their file are read from it: `do.file_form = { answers = "n-400.toml" }`, and with `do.answer`. A file may
/// begin with those of another one: `like = "i-90-lost.toml"`.
fn put_answers_in(step: &mut toml::Value, folder: &Path) -> Result<()> {
    let acts = step.get_mut("do").and_then(toml::Value::as_table_mut);
    let Some((_, act)) = acts.and_then(|acts| acts.iter_mut().next()) else { return Ok(()) };
    let Some(answers) = act.get_mut("answers") else { return Ok(()) };
    if let Some(file) = answers.as_str() {
        let table = answers_of(&folder.join("answers"), file)?;
        *answers = toml::Value::Table(table);
    }
    Ok(())
}

fn answers_of(folder: &Path, file: &str) -> Result<toml::Table> {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let mut table: toml::Table = toml::from_str(&text).with_context(|| path.display().to_string())?;
    if let Some(like) = table.remove("like") {
        let like = like.as_str().context("`like` names a file")?.to_owned();
        let mut whole = answers_of(folder, &like)?;
        whole.extend(table);
        table = whole;
    }
    Ok(table)
}
