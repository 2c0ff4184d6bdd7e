//! Form G-28 at the edge: what the representative and the client answer, whether it will do, and the text that is signed.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use docket_eventlog::{EventLog, Recorded};
use docket_forms::{Answers, Evaluation, Form, Given, Question, Type, evaluate};
use docket_kernel::{FieldFault, Refusal};
use docket_proto::events::representation::Event;
use docket_proto::types::v1::MailingWishes;
use docket_service::ApiError;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answers;
use crate::desk::Desk;
use crate::facts::{OFFICE_ZONE, civil_date};
use crate::lacks::Lacks;
use crate::review::line;
use crate::sheet::{Row, Section, Sheet};

/// The form.
pub(crate) const FORM: &str = "G-28";

/// Letters and digits of a code: Crockford's base 32, without I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code: 50 bits.
const CODE_LENGTH: usize = 10;

/// Who answers a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The representative.
    Representative,
    /// The client.
    Client,
}

impl Side {
    fn of_section(section: &str) -> Self {
        if ["client", "consent"].contains(&section) { Self::Client } else { Self::Representative }
    }

    fn of(question: &Question) -> Self {
        Self::of_section(&question.section)
    }

    fn other(self) -> &'static str {
        match self {
            Self::Representative => "the client",
            Self::Client => "the representative",
        }
    }
}

/// What an appearance says, opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    /// Answers of the representative.
    pub(crate) representative: Answers,
    /// Answers of the client; empty before consent.
    pub(crate) client: Answers,
    /// The representative's name as typed.
    pub(crate) signed_by: String,
    /// The client's name as typed; empty before consent.
    pub(crate) consented_by: String,
    /// The client's code, whoever it was given to.
    pub(crate) code: String,
    /// Version of the catalogue that the representative's part was checked with.
    pub(crate) catalogue_version: String,
    /// A key was destroyed: not everything can be read again.
    pub(crate) erased: bool,
}

impl Said {
    /// Opens the events of an appearance.
    pub(crate) async fn open(log: &EventLog, events: &[Recorded]) -> Result<Self, ApiError> {
        let mut said = Self::default();
        for recorded in events.iter().filter(|event| !event.sealed.is_empty()) {
            let opened = log.open_payload(recorded).await?;
            said.erased |= opened.is_erased();
            let event: Event = opened.decode(&recorded.kind).map_err(docket_eventlog::Error::from)?;
            if let Event::RepresentationSought(e) = event {
                said.code = e.code;
            } else if let Event::RepresentationPrepared(e) = event {
                said.representative = object(&e.answers_json);
                said.signed_by = e.typed_name;
                said.catalogue_version = e.catalogue_version;
                if !e.code.is_empty() {
                    said.code = e.code;
                }
            } else if let Event::RepresentationAccepted(e) = event {
                said.client = object(&e.answers_json);
                said.consented_by = e.typed_name;
            }
        }
        Ok(said)
    }

    fn whole(&self) -> Answers {
        self.representative.iter().chain(&self.client).map(|(k, v)| (k.clone(), v.clone())).collect()
    }
}

fn object(json: &str) -> Answers {
    serde_json::from_str(json).unwrap_or_default()
}

/// The answers of one side as they are stored, or everything that is wrong with them.
///
/// # Errors
/// `JSON_EXPECTED`, `ANSWERED_BY_SIGNING`, `ANSWERED_BY_THE_OTHER`, and what is wrong with an answer.
pub(crate) fn normalised(form: &Form, side: Side, answers_json: &str) -> Result<Answers, Refusal> {
    let example = match side {
        Side::Representative => r#"{"rep_kind": "attorney"}"#,
        Side::Client => r#"{"consent_disclosure": true}"#,
    };
    answers::normalised(form, answers_json, example, |question, _| {
        if is_signing(question) {
            let words = "Leave this out: signing answers it.";
            return Some(FieldFault::new(&question.id, "ANSWERED_BY_SIGNING", words));
        }
        let others = Side::of(question) != side;
        let words = format!("Leave this out: {} answers it.", side.other());
        others.then(|| FieldFault::new(&question.id, "ANSWERED_BY_THE_OTHER", words))
    })
}

fn is_signing(question: &Question) -> bool {
    question.kind == Type::Signature || question.id.ends_with("_signed_on")
}

/// Why one side's part will not do; nothing when it will.
pub(crate) fn not_ready(
    desk: &Desk,
    form: &Form,
    side: Side,
    said: &Said,
    signed_at: Timestamp,
) -> Option<Refusal> {
    let found = evaluated(desk, form, said, signed_at);
    // The client's consent is checked with the whole; the representative's part before there is a client.
    let meant = |section: &str| side == Side::Client || Side::of_section(section) == side;
    let lacks = Lacks::of(std::iter::once(&found), meant);
    if lacks.nothing() {
        return None;
    }
    let words = lacks.words("it needs papers that are taken by mail only");
    let refusal = Refusal::state("NOT_READY", format!("The appearance will not do: {words}."))
        .way_out("Complete and correct what is named.");
    Some(lacks.facts(refusal))
}

/// The same with those answers of a side that count: what others set aside is neither signed nor kept.
pub(crate) fn counting(desk: &Desk, form: &Form, side: Side, said: Said, signed_at: Timestamp) -> Said {
    let found = evaluated(desk, form, &said, signed_at);
    match side {
        Side::Representative => {
            Said { representative: found.counting(&said.representative).into_owned(), ..said }
        }
        Side::Client => Said { client: found.counting(&said.client).into_owned(), ..said },
    }
}

fn evaluated(desk: &Desk, form: &Form, said: &Said, signed_at: Timestamp) -> Evaluation {
    let today = desk.today();
    let answers = with_signatures(form, said, civil_date(signed_at, OFFICE_ZONE), today);
    evaluate(form, &answers, &Given { today, ..Given::on(today) })
}

/// All answers as the two signatures complete them.
fn with_signatures(form: &Form, said: &Said, signed_on: Date, today: Date) -> Answers {
    let mut answers = said.whole();
    for question in form.questions.iter().filter(|question| is_signing(question)) {
        let (name, day) = match Side::of(question) {
            Side::Representative => (&said.signed_by, signed_on),
            Side::Client => (&said.consented_by, today),
        };
        let is_date = question.kind == Type::Date;
        answers.insert(question.id.clone(), if is_date { json!(day.to_string()) } else { json!(name) });
    }
    answers
}

/// The text of a side, in the form's order.
pub(crate) fn text(form: &Form, side: Side, said: &Said) -> String {
    let answers = match side {
        Side::Representative => &said.representative,
        Side::Client => &said.client,
    };
    let mut text = format!("{} {}\nEdition {}\n", form.id, form.title, form.edition);
    for section in form.sections.iter().filter(|section| Side::of_section(&section.id) == side) {
        let asked: Vec<_> = form
            .questions
            .iter()
            .filter(|question| question.section == section.id && answers.contains_key(&question.id))
            .collect();
        if !asked.is_empty() {
            writeln!(text, "\n{}", section.title).expect("a string takes everything");
        }
        for question in asked {
            line(&mut text, &Row::of(question, answers.get(&question.id)));
        }
    }
    text
}

/// The keyed hash of the representative's text.
pub(crate) fn content_mac(desk: &Desk, id: Uuid, form: &Form, said: &Said) -> Vec<u8> {
    let text = text(form, Side::Representative, said);
    let bytes = [id.as_bytes().as_slice(), text.as_bytes()].concat();
    desk.base.vault.mac("representation.content", &bytes).to_vec()
}

/// The forms it is for, by number.
///
/// # Errors
/// `FORM_UNKNOWN` on the field `matters`.
pub(crate) fn forms(desk: &Desk, answers: &Answers) -> Result<Vec<String>, Refusal> {
    let matters = answers.get("matters").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut forms = Vec::new();
    for matter in &matters {
        let number = matter.get("form").and_then(Value::as_str).unwrap_or_default();
        forms.push(desk.form(number).map_err(|refusal| refusal.field("matters"))?.id.clone());
    }
    forms.dedup();
    Ok(forms)
}

/// A text answer; empty when there is none.
pub(crate) fn text_of(answers: &Answers, question: &str) -> String {
    answers.get(question).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Where the client wants originals and documents sent.
pub(crate) fn wishes(client: &Answers) -> MailingWishes {
    let said = |question: &str| client.get(question) == Some(&Value::Bool(true));
    MailingWishes {
        notices_to_representative: said("notices_to_rep"),
        documents_to_representative: said("documents_to_rep"),
        i94_to_client: said("i94_to_client"),
    }
}

/// The form as both signed it, the client's part once there is a consent: as data for a page.
pub(crate) fn sheet(form: &Form, said: &Said) -> Sheet {
    let answers = said.whole();
    let section = |section: &docket_forms::Section| {
        let asked = form.questions.iter().filter(|question| question.section == section.id);
        let answered = asked.filter_map(|question| Some(Row::of(question, Some(answers.get(&question.id)?))));
        Section { title: section.title.clone(), rows: answered.collect() }
    };
    Sheet {
        number: form.id.clone(),
        title: form.title.clone(),
        edition: form.edition.to_string(),
        catalogue_version: said.catalogue_version.clone(),
        declaration: "The representative appears in the matters named here. The client consents to the representation and to the disclosure of the record (8 CFR 292.4(a)).".to_owned(),
        sections: form.sections.iter().map(section).filter(|section| !section.rows.is_empty()).collect(),
        evidence: Vec::new(),
        lacking: Vec::new(),
        waiver: None,
    }
}

/// A new code, `XXXXX-XXXXX`.
///
/// # Errors
/// The system has no randomness.
pub(crate) fn new_code() -> Result<String, ApiError> {
    let mut bytes = [0_u8; CODE_LENGTH];
    rand::fill(&mut bytes).map_err(|_| ApiError::internal(anyhow::anyhow!("no randomness")))?;
    Ok(written(&bytes))
}

/// Bytes as a code: `XXXXX-XXXXX`, of the first ten.
pub(crate) fn written(bytes: &[u8]) -> String {
    let letters = bytes.iter().take(CODE_LENGTH).map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
    let letters: String = letters.collect();
    format!("{}-{}", &letters[..5], &letters[5..])
}

/// A code however it is written: I and L are 1, O is 0, dashes and blanks do not matter.
pub(crate) fn plain(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    let letters = letters.map(|letter| match letter.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        letter => letter,
    });
    letters.collect()
}

/// What a client's code is known by.
pub(crate) fn code_hash(code: &str) -> Vec<u8> {
    digest(&SHA256, plain(code).as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_written() {
        let code = new_code().unwrap();
        assert_eq!((code.len(), code.as_bytes()[5]), (11, b'-'));
        assert_eq!(code_hash(&code), code_hash(&code.to_lowercase().replace('-', " ")));
        assert_eq!(code_hash("01234-5678O"), code_hash("oi234-56780"));
        assert_ne!(code_hash("01234-56789"), code_hash("01234-56788"));
    }
}
