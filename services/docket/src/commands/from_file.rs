//! `docket file` with a JSON file: a filing that is begun with all that the file says, or a draft into which it goes.
use super::Refused;
use super::attach::attach;
use super::interview::ask::say;
use super::interview::words::{FromFile, Words};
use super::interview::{answers_of, definition};
use super::paper::{Drafts, Place, tell};
use crate::client::{fact, reason};
use crate::failure::{Ending, Said};
use crate::output::Teller;
use crate::upload::Outgoing;
use anyhow::{Context, Result, ensure};
use docket_proto::filing::v1 as pb;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tonic::{Code, Status};

/// The form with which the waiver of a fee is asked for.
const WAIVER: &str = "I-912";
/// How often somebody else may come between before we give up.
const ATTEMPTS: u32 = 5;

/// A filing in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paper {
    /// Of a draft that is there it need not be said.
    form: Option<String>,
    #[serde(default)]
    answers: Map<String, Value>,
    /// The answers to Form I-912, where a waiver of the fee is asked for.
    fee_waiver_answers: Option<Map<String, Value>>,
    /// Files to attach.
    #[serde(default)]
    evidence: Vec<Sheet>,
    /// Kinds from the checklist that cannot be provided, and why.
    #[serde(default)]
    explanations: BTreeMap<String, String>,
    /// The version of the draft that the answers go on from, as `docket file --json` and `docket export` say it.
    etag: Option<u64>,
}

/// A file to attach; its path is relative to the file that names it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    kind: String,
    path: PathBuf,
    #[serde(default)]
    foreign_language: bool,
}

/// Where a file goes.
#[derive(Clone, Copy, Debug)]
pub enum Goes<'a> {
    /// Into a filing that is begun, where the place says.
    New(Place<'a>),
    /// Into this draft.
    Into(&'a str, Otherwise),
}

/// What becomes of an answer that the draft has otherwise than the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// Nothing is saved, and all of them are told.
    Ask,
    /// What is saved there stays; the rest goes in.
    Keep,
    /// What the file says takes its place.
    Replace,
}

impl Otherwise {
    /// As the two options say it; the command line takes one of them at most.
    pub fn of(keep: bool, replace: bool) -> Self {
        match (keep, replace) {
            (true, _) => Self::Keep,
            (false, true) => Self::Replace,
            (false, false) => Self::Ask,
        }
    }
}

/// Puts the answers, the request for a waiver and the evidence of a file where it goes. Every file that it names is looked at before
/// anything is sent.
pub async fn file(home: &Path, path: &Path, goes: Goes<'_>, language: &str, teller: &Teller) -> Result<()> {
    let mut paper = read(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let look = |sheet: &Sheet| Outgoing::look(&folder.join(&sheet.path), &sheet.kind, sheet.foreign_language);
    let files: Vec<Outgoing> = paper.evidence.iter().map(look).collect::<Result<_>>()?;
    let (drafts, words) = (Drafts::of(home, language).await?, Words::of(language));
    let answers = std::mem::take(&mut paper.answers);
    let (mut filing, waived) = match goes {
        Goes::New(place) => {
            let filing = begun(&drafts, words, (&paper, answers), place).await?;
            let asked = match paper.fee_waiver_answers.take() {
                Some(answers) => {
                    drafts.ask_waiver((&filing.name, filing.etag), Some(answers)).await.map(drop)
                }
                None => Ok(()),
            };
            (filing, asked.map_err(Refused::from).context(WAIVER))
        }
        Goes::Into(name, otherwise) => {
            let into = Onto { drafts: &drafts, words: &words.from_file, name, otherwise, etag: paper.etag };
            into.put((answers, paper.fee_waiver_answers.take()), &mut paper).await?
        }
    };
    let accompanied = match waived {
        Ok(()) => accompany(&drafts, words, &filing.name, &files, &paper.explanations).await,
        refused => refused,
    };
    filing = drafts.get(&filing.name).await?;
    // What is stored is told also where something of it was refused: it can be gone on with.
    tell(&filing, words, teller);
    accompanied
}

fn read(path: &Path) -> Result<Paper> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is not {{\"form\", \"answers\", \"fee_waiver_answers\", \"evidence\", \"explanations\", \"etag\"}}",
            path.display()
        )
    })
}

/// Begins a filing with answers.
async fn begun(
    drafts: &Drafts,
    words: &Words,
    (paper, answers): (&Paper, Map<String, Value>),
    place: Place<'_>,
) -> Result<pb::Filing> {
    ensure!(paper.etag.is_none(), "\"etag\" is of a draft that is there: name it with --draft");
    let form = paper.form.as_deref().context("\"form\" is missing: which form is begun?")?;
    let begun = drafts.begin(form, place).await?;
    let taken: Vec<String> = answers_of(&begun).into_iter().map(|(question, _)| question).collect();
    if !taken.is_empty() {
        say(&words.taken_over.replace("{}", &taken.len().to_string()));
        say(&format!("= {}", taken.join(", ")));
    }
    match drafts.amend(&begun, answers).await {
        Ok(filing) => Ok(filing),
        Err(status) => {
            // Nothing of wrong answers was stored: with the file put right it is begun anew, and no empty draft is left to be warned of.
            let is_gone = status.code() == Code::InvalidArgument && drafts.give_up(&begun.name).await.is_ok();
            if !is_gone {
                say(&format!("{} {}", begun.form, begun.name));
            }
            Err(Refused::from(status).into())
        }
    }
}

/// Attaches files and says what cannot be provided, until one of them is refused. What is attached already stays so.
async fn accompany(
    drafts: &Drafts,
    words: &Words,
    filing: &str,
    files: &[Outgoing],
    explanations: &BTreeMap<String, String>,
) -> Result<()> {
    for file in files {
        match attach(drafts, words, filing, file).await {
            Err(status) if reason(&status) == "ALREADY_ATTACHED" => {
                say(&words.from_file.attached_already.replace("{}", file.file_name()));
            }
            attached => {
                attached.map_err(Refused::from).with_context(|| file.file_name().to_owned())?;
            }
        }
    }
    for (kind, why) in explanations {
        drafts.explain(filing, kind, why).await.map_err(Refused::from).with_context(|| kind.clone())?;
    }
    Ok(())
}

/// What a draft has, what the file says, and of which questions the two differ.
type Told<'a> = (Map<String, Value>, &'a Map<String, Value>, Vec<String>);

/// A draft into which a file goes.
struct Onto<'a> {
    drafts: &'a Drafts,
    words: &'a FromFile,
    name: &'a str,
    otherwise: Otherwise,
    etag: Option<u64>,
}

/// One of the two sets of answers of a draft: those to its form, and those to Form I-912.
#[derive(Clone, Copy)]
enum Set {
    Form,
    Waiver,
}

impl Set {
    fn of(self, filing: &pb::Filing) -> Map<String, Value> {
        match self {
            Self::Form => answers_of(filing),
            Self::Waiver => serde_json::from_str(&filing.waiver_answers_json).unwrap_or_default(),
        }
    }
}

impl Onto<'_> {
    /// Puts the answers and the request for a waiver in, and leaves of the explanations in the file those that are to be said. Where the
    /// file does not say which version it goes on from, nothing is saved before all was compared with what is there; explanations are
    /// also where it is another version than the present one. Gives the draft, and whether the waiver was asked for.
    async fn put(
        &self,
        (answers, waiver): (Map<String, Value>, Option<Map<String, Value>>),
        paper: &mut Paper,
    ) -> Result<(pb::Filing, Result<()>)> {
        let seen = self.drafts.get(self.name).await?;
        let is_later = self.etag.is_some_and(|etag| etag > seen.etag);
        ensure!(!is_later, "{} has no version {} yet", self.name, self.etag.unwrap_or_default());
        if let Some(form) = paper.form.as_deref() {
            let (_, named) = definition(&self.drafts.connection, form, &self.drafts.language).await?;
            ensure!(named.id == seen.form, "{} is a {}, and the file says {form}", self.name, seen.form);
        }
        let answers = self.normalised(&seen.form, answers).await?;
        let waiver = match waiver {
            Some(waiver) => Some(self.normalised(WAIVER, waiver).await?),
            None => None,
        };
        self.compared(&seen, (&answers, waiver.as_ref()), &mut paper.explanations)?;
        let not_saved = if answers.is_empty() { self.words.nothing_saved } else { self.words.rest_not_saved };
        let filing = self.saved(&seen, (Set::Form, answers), self.words.nothing_saved).await?;
        let asked_for = match waiver {
            Some(waiver) => {
                self.saved(&filing, (Set::Waiver, waiver), not_saved).await.map(drop).context(WAIVER)
            }
            None => Ok(()),
        };
        Ok((filing, asked_for))
    }

    /// Compares a file with the draft as it was seen, and leaves of the explanations those that are to be said. The service knows which
    /// answers are later than a version, and not which explanations are.
    ///
    /// # Errors
    /// Where something is otherwise there, and it was not said what becomes of it.
    fn compared(
        &self,
        seen: &pb::Filing,
        (answers, waiver): (&Map<String, Value>, Option<&Map<String, Value>>),
        explanations: &mut BTreeMap<String, String>,
    ) -> Result<()> {
        let (here, there) = (explained(seen), said(explanations));
        let other = if self.etag == Some(seen.etag) { Vec::new() } else { differing(&here, &there) };
        match self.otherwise {
            Otherwise::Ask => {
                let mut sets = vec![(here, &there, other)];
                let both = [(Set::Form, Some(answers)), (Set::Waiver, waiver)];
                for (set, given) in both.into_iter().filter(|_| self.etag.is_none()) {
                    let (here, Some(given)) = (set.of(seen), given) else { continue };
                    let other = differing(&here, given);
                    sets.push((here, given, other));
                }
                self.none_contested(&sets, self.words.nothing_saved)
            }
            Otherwise::Keep => {
                explanations.retain(|kind, _| !other.contains(kind));
                Ok(())
            }
            Otherwise::Replace => Ok(()),
        }
    }

    /// The answers as the service keeps them, so that one and the same answer is not taken for two. What is none stays as it is: the
    /// service says what is wrong with it.
    async fn normalised(&self, form: &str, answers: Map<String, Value>) -> Result<Map<String, Value>> {
        let (_, rules) = definition(&self.drafts.connection, form, &self.drafts.language).await?;
        let normal = |(question, answer): (String, Value)| {
            let kept = docket_forms::normalise(&rules, &question, &answer).unwrap_or(answer);
            (question, kept)
        };
        Ok(answers.into_iter().map(normal).collect())
    }

    /// Saves a set of answers in the draft as it was seen; what somebody else wrote meanwhile is treated as what was there. Where it is
    /// not saved, `not_saved` says so.
    async fn saved(
        &self,
        seen: &pb::Filing,
        (set, mut given): (Set, Map<String, Value>),
        not_saved: &'static str,
    ) -> Result<pb::Filing> {
        let mut etag = self.etag.unwrap_or(seen.etag);
        let here = set.of(seen);
        if self.etag.is_none() && self.otherwise == Otherwise::Keep {
            given.retain(|question, answer| !is_otherwise(&here, question, answer));
        }
        for _ in 0..ATTEMPTS {
            let answer = match set {
                Set::Form => self.drafts.amend_at((self.name, etag), given.clone()).await,
                Set::Waiver => self.drafts.ask_waiver((self.name, etag), Some(given.clone())).await,
            };
            let contested = match answer {
                Err(status) if reason(&status) == "ANSWERED_MEANWHILE" => contested(&status),
                answer => return Ok(answer.map_err(Refused::from)?),
            };
            let now = self.drafts.get(self.name).await?;
            match self.otherwise {
                Otherwise::Ask => self.none_contested(&[(set.of(&now), &given, contested)], not_saved)?,
                Otherwise::Keep => given.retain(|question, _| !contested.contains(question)),
                Otherwise::Replace => etag = now.etag,
            }
        }
        Err(Said(Ending::Away, not_saved.to_owned()).into())
    }

    /// Tells what the draft has otherwise than the file: of each set what is there, what the file says, and which of it.
    ///
    /// # Errors
    /// Where there is any.
    fn none_contested(&self, sets: &[Told<'_>], not_saved: &'static str) -> Result<()> {
        let mut any = false;
        for (here, given, contested) in sets {
            for question in contested {
                any = true;
                let [here, there] =
                    [here, *given].map(|answers| answers.get(question).unwrap_or(&Value::Null).to_string());
                let words = self.words.saved_otherwise.replacen("{}", &format!("{question}: {here}"), 1);
                say(&words.replacen("{}", &there, 1));
            }
        }
        if any { Err(Said(Ending::Refused, not_saved.to_owned()).into()) } else { Ok(()) }
    }
}

/// Why evidence cannot be provided as a draft says it, by kind.
fn explained(filing: &pb::Filing) -> Map<String, Value> {
    let said = filing.explanations.iter();
    said.map(|one| (one.kind.clone(), one.explanation.clone().into())).collect()
}

/// The same as a file says it; the service keeps it without the blanks around it.
fn said(explanations: &BTreeMap<String, String>) -> Map<String, Value> {
    explanations.iter().map(|(kind, why)| (kind.clone(), why.trim().into())).collect()
}

/// The questions that are answered otherwise than a file says.
fn differing(here: &Map<String, Value>, given: &Map<String, Value>) -> Vec<String> {
    let other = given.iter().filter(|(question, answer)| is_otherwise(here, question, answer));
    other.map(|(question, _)| question.clone()).collect()
}

/// Whether a question has an answer, and another one.
fn is_otherwise(here: &Map<String, Value>, question: &str, answer: &Value) -> bool {
    here.get(question).is_some_and(|saved| !saved.is_null() && saved != answer)
}

/// The questions of a refusal that somebody else answered.
fn contested(status: &Status) -> Vec<String> {
    fact(status, "questions").split(',').map(str::to_owned).filter(|question| !question.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tonic_types::{ErrorDetails, StatusExt as _};

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn only_what_is_answered_and_otherwise_is_contested() {
        let here = map(json!({ "reason": "mutilated", "town": "Lima", "open": null }));
        let given = map(json!({ "reason": "never_received", "town": "Lima", "open": 1, "new": true }));
        assert_eq!(differing(&here, &given), ["reason"]);
        let cleared = map(json!({ "town": null, "new": null }));
        assert_eq!(differing(&here, &cleared), ["town"], "an answer that is taken away is one too");
    }

    #[test]
    fn an_explanation_with_other_words_is_contested_and_the_same_one_with_blanks_around_it_is_not() {
        let one = |kind: &str| pb::MissingEvidence { kind: kind.into(), explanation: "It burned.".into() };
        let draft =
            pb::Filing { explanations: ["lease", "passport"].map(one).into(), ..pb::Filing::default() };
        let file = [("lease", " It burned.\n"), ("passport", "It was stolen."), ("deed", "It was lost.")];
        let file = file.map(|(kind, why)| (kind.to_owned(), why.to_owned())).into();
        assert_eq!(differing(&explained(&draft), &said(&file)), ["passport"]);
    }

    #[test]
    fn what_somebody_else_answered_is_named_by_the_refusal() {
        let facts = [("questions".to_owned(), "reason,town".to_owned())];
        let details = ErrorDetails::with_error_info("ANSWERED_MEANWHILE", "filing.docket", facts);
        let refusal = Status::with_error_details(Code::Aborted, "Somebody else answered this.", details);
        assert_eq!(contested(&refusal), ["reason", "town"]);
        assert!(contested(&Status::aborted("")).is_empty());
    }

    #[test]
    fn a_file_says_what_it_may_and_nothing_else() {
        let path = std::env::temp_dir().join(format!("docket-file-{}.json", uuid::Uuid::now_v7()));
        let of = |value: Value| {
            std::fs::write(&path, value.to_string()).unwrap();
            read(&path)
        };
        let paper =
            of(json!({ "fee_waiver_answers": { "basis": ["financial_hardship"] }, "etag": 7 })).unwrap();
        assert_eq!((paper.etag, paper.form.is_none(), paper.answers.is_empty()), (Some(7), true, true));
        let wrong = of(json!({ "form": "I-90", "answer": {} })).err().unwrap();
        assert!(wrong.to_string().contains("fee_waiver_answers"), "{wrong}");
        std::fs::remove_file(&path).unwrap();
    }
}
