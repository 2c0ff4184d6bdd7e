//! Who helped, as the answers say it: an interpreter, a preparer, by name; the statement that each signs, and the code to do so.

use docket_forms::{Answers, Form, Question, Type};
use docket_service::ApiError;
use docket_vault::Vault;
use serde_json::Value;
use uuid::Uuid;

use crate::appearance::{self, Said};
use crate::desk::Desk;
use crate::domain::filing::HelperRole;
use crate::domain::name;
use crate::dossiers::Dossier;

/// What an interpreter signs, after the certification in the agency's forms (28 USC 1746); the language stands beside it.
const INTERPRETED: &str = "I certify under penalty of perjury under the laws of the United States of America that I am fluent in English and in the language that I name with my signature, that I read to the filer in that language every question and instruction of this form and every answer to it, and that the filer told me that they understood all of it and that every answer is correct.";
/// What a preparer signs, after the declaration in the agency's forms (28 USC 1746).
const PREPARED: &str = "I declare under penalty of perjury under the laws of the United States of America that I prepared this form at the request of the filer, that every answer in it rests on what the filer told me or allowed me to use, and that the filer looked at it and told me that all of it is complete and true.";

/// Somebody who helped with a filing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Helping {
    /// As what.
    pub(crate) role: HelperRole,
    /// The name that the form gives.
    pub(crate) name: String,
    /// The language in which an interpreter read the form; empty for a preparer.
    pub(crate) spoken_language: String,
    /// Whether it is the representative: the signature on Form G-28 counts, and no other is asked for.
    pub(crate) by_appearance: bool,
}

/// The statement that a helper signs under penalty of perjury.
pub(crate) fn statement(role: HelperRole) -> &'static str {
    match role {
        HelperRole::Interpreter => INTERPRETED,
        HelperRole::Preparer => PREPARED,
    }
}

/// Whether a question is answered by a helper's own signature.
pub(crate) fn is_signature(question: &Question) -> bool {
    let of_helper = HelperRole::ALL.iter().any(|role| question.block.as_deref() == Some(role.as_str()));
    of_helper && question.kind == Type::Signature
}

/// Who helped with a filing, of the questions that apply.
///
/// # Errors
/// A database, log or vault that does not answer.
pub(crate) async fn with(
    desk: &Desk,
    dossier: &Dossier,
    form: &Form,
    applies: impl Fn(&str) -> bool,
) -> Result<Vec<Helping>, ApiError> {
    let answers = &dossier.content.answers;
    let mut helping = named(form, answers, applies);
    let preparer = helping.iter_mut().find(|one| one.role == HelperRole::Preparer);
    if let Some(preparer) = preparer.filter(|_| says_representative(answers))
        && let Some((id, _)) = desk.represented(dossier).await?
    {
        let said = Said::open(&desk.log, &desk.representations.load(id).await?.events).await?;
        preparer.by_appearance = name::same(&said.signed_by, &preparer.name);
    }
    Ok(helping)
}

/// Whether the answers name as preparer the representative who signed Form G-28 under this name.
pub(crate) fn prepared_by(answers: &Answers, signed_by: &str) -> bool {
    answers.get("used_preparer") == Some(&Value::Bool(true))
        && says_representative(answers)
        && name::same(&appearance::text_of(answers, "prep_name"), signed_by)
}

fn says_representative(answers: &Answers) -> bool {
    answers.get("prep_is_rep") == Some(&Value::Bool(true))
}

fn named(form: &Form, answers: &Answers, applies: impl Fn(&str) -> bool) -> Vec<Helping> {
    let helped = |role: &HelperRole| {
        let used = used(*role);
        form.question(used).is_some() && applies(used) && answers.get(used) == Some(&Value::Bool(true))
    };
    let helping = |role: HelperRole| {
        let (name, language) = match role {
            HelperRole::Interpreter => ("interp_name", "interp_language"),
            HelperRole::Preparer => ("prep_name", ""),
        };
        Helping {
            role,
            name: appearance::text_of(answers, name),
            spoken_language: appearance::text_of(answers, language),
            by_appearance: false,
        }
    };
    HelperRole::ALL.into_iter().filter(helped).map(helping).collect()
}

/// The question whether somebody helped; no form asks it of two people.
fn used(role: HelperRole) -> &'static str {
    match role {
        HelperRole::Interpreter => "used_interpreter",
        HelperRole::Preparer => "used_preparer",
    }
}

/// The code that a command makes: kept nowhere, and the same when the command is repeated.
pub(crate) fn code(vault: &Vault, filing: Uuid, role: HelperRole, command: Uuid) -> String {
    let of = [filing.as_bytes().as_slice(), command.as_bytes().as_slice(), role.as_str().as_bytes()].concat();
    appearance::written(&vault.mac("filing.helper_code", &of))
}

/// What a code is known by, however it is written.
pub(crate) fn code_mac(vault: &Vault, code: &str) -> Vec<u8> {
    vault.mac("filing.helper_code.known", appearance::plain(code).as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use docket_forms::Catalogue;
    use serde_json::json;

    use super::*;

    #[test]
    fn on_every_form_that_asks_who_helped_each_is_named_and_signs_themselves() {
        let mut forms = 0;
        for form in Catalogue::embedded().forms().filter(|form| form.question("used_interpreter").is_some()) {
            forms += 1;
            let signatures = form.questions.iter().filter(|question| is_signature(question));
            let ids: Vec<_> = signatures.map(|question| question.id.as_str()).collect();
            assert_eq!(ids, ["interp_signature", "prep_signature"], "{}", form.id);
            let answers = json!({
                "used_interpreter": true, "interp_name": "Ines Invented", "interp_language": "Portuguese",
                "used_preparer": true, "prep_name": "Paul Plainly",
            });
            let answers = answers.as_object().unwrap();
            let helping = named(form, answers, |_| true);
            let said: Vec<_> =
                helping.iter().map(|one| (one.role, &*one.name, &*one.spoken_language)).collect();
            let (interpreter, preparer) = (HelperRole::Interpreter, HelperRole::Preparer);
            assert_eq!(said, [(interpreter, "Ines Invented", "Portuguese"), (preparer, "Paul Plainly", "")]);
            assert_eq!(named(form, answers, |question| question != "used_preparer").len(), 1, "{}", form.id);
            assert!(named(form, &Answers::new(), |_| true).is_empty());
        }
        assert_eq!(forms, 18);
    }

    #[test]
    fn the_representative_who_prepared_it_is_known_by_name() {
        let answers = json!({ "used_preparer": true, "prep_is_rep": true, "prep_name": "obi ADEYEMI" });
        let answers = answers.as_object().unwrap();
        assert!(prepared_by(answers, "Obi Adeyemi") && !prepared_by(answers, "Eve Other"));
        for (question, answer) in [("used_preparer", false), ("prep_is_rep", false)] {
            let mut other = answers.clone();
            other.insert(question.to_owned(), json!(answer));
            assert!(!prepared_by(&other, "Obi Adeyemi"), "{question}");
        }
    }
}
