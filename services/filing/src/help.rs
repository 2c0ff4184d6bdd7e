//! Who signs beside the filer, as the answers say it: an interpreter, a preparer, a co-signer or several, by name; the statement that
//! each signs, and the code to do so.

use docket_forms::{Answers, CoSigns, CoSignsEach, Form, Question, Role, Type};
use docket_service::ApiError;
use docket_vault::Vault;
use serde_json::Value;
use uuid::Uuid;

use crate::appearance::{self, Said};
use crate::desk::Desk;
use crate::domain::filing::{HelperRole, NameProven};
use crate::domain::name;
use crate::dossiers::Dossier;
use crate::party;

/// What an interpreter signs, after the certification in the agency's forms (28 USC 1746); the language stands beside it.
const INTERPRETED: &str = "I certify under penalty of perjury under the laws of the United States of America that I am fluent in English and in the language that I name with my signature, that I read to the filer in that language every question and instruction of this form and every answer to it, and that the filer told me that they understood all of it and that every answer is correct.";
/// What a preparer signs, after the declaration in the agency's forms (28 USC 1746).
const PREPARED: &str = "I declare under penalty of perjury under the laws of the United States of America that I prepared this form at the request of the filer, that every answer in it rests on what the filer told me or allowed me to use, and that the filer looked at it and told me that all of it is complete and true.";

/// Somebody who signs beside the filer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Helping {
    /// As what.
    pub(crate) role: HelperRole,
    /// The name that the form gives.
    pub(crate) name: String,
    /// All ways in which that may be typed.
    names: Vec<String>,
    /// The language in which an interpreter read the form; empty for everybody else.
    pub(crate) spoken_language: String,
    /// The role of the form in which a co-signer signs; empty for who helped.
    pub(crate) signs_as: String,
    /// What is signed under penalty of perjury.
    pub(crate) statement: String,
    /// Whether it is the representative: the signature on Form G-28 counts, and no other is asked for.
    pub(crate) by_appearance: bool,
}

impl Helping {
    /// Whether a name is the one that the form gives.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.names.iter().any(|one| name::same(one, name))
    }

    /// Whether the name proven for an account, empty where none is, is the one that the form gives.
    pub(crate) fn proven(&self, name: &str) -> NameProven {
        if name.is_empty() {
            NameProven::None
        } else if self.is_named(name) {
            NameProven::AsInTheForm
        } else {
            NameProven::Another
        }
    }
}

/// Whether a question is answered by the own signature of somebody beside the filer.
pub(crate) fn is_signature(form: &Form, question: &Question) -> bool {
    question.kind == Type::Signature && (is_helpers(question) || is_co_signers(form, question))
}

/// Whether it is one of the questions about whoever helped.
fn is_helpers(question: &Question) -> bool {
    [HelperRole::Interpreter, HelperRole::Preparer]
        .iter()
        .any(|role| question.block.as_deref() == Some(role.as_str()))
}

/// Whether it is the signature of who signs together with the filer.
pub(crate) fn is_co_signers(form: &Form, question: &Question) -> bool {
    let alone = form.co_signer().filter(|(_, co_signs)| co_signs.each.is_none());
    alone.is_some_and(|(_, co_signs)| question.id.strip_prefix(&*co_signs.prefix) == Some("signature"))
}

/// Who signs a filing beside the filer, of the questions that apply; `takes_part` says whether a role of the form does.
///
/// # Errors
/// A database, log or vault that does not answer.
pub(crate) async fn with(
    desk: &Desk,
    dossier: &Dossier,
    form: &Form,
    applies: impl Fn(&str) -> bool,
    takes_part: impl Fn(&str) -> bool,
) -> Result<Vec<Helping>, ApiError> {
    let answers = &dossier.content.answers;
    let mut helping = named(form, answers, applies);
    helping.extend(co_signers(form, answers, takes_part));
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
    let helped = |used: &str| {
        form.question(used).is_some() && applies(used) && answers.get(used) == Some(&Value::Bool(true))
    };
    let helping = |role, name, language, statement: &str| {
        let name = appearance::text_of(answers, name);
        Helping {
            role,
            names: vec![name.clone()],
            name,
            spoken_language: appearance::text_of(answers, language),
            signs_as: String::new(),
            statement: statement.to_owned(),
            by_appearance: false,
        }
    };
    // No form asks it of two people.
    let interpreter = helped("used_interpreter")
        .then(|| helping(HelperRole::Interpreter, "interp_name", "interp_language", INTERPRETED));
    let preparer = helped("used_preparer").then(|| helping(HelperRole::Preparer, "prep_name", "", PREPARED));
    interpreter.into_iter().chain(preparer).collect()
}

/// Who signs it together with the filer, where the form has such a role and somebody takes it: one, or each of a list who does so in an
/// account of their own.
fn co_signers(form: &Form, answers: &Answers, takes_part: impl Fn(&str) -> bool) -> Vec<Helping> {
    let Some((Role { id, .. }, CoSigns { prefix, each, declares })) = form.co_signer() else {
        return Vec::new();
    };
    if !takes_part(id) {
        return Vec::new();
    }
    let helping = |role, names: Vec<String>| Helping {
        role,
        name: names.last().cloned().unwrap_or_default(),
        names,
        spoken_language: String::new(),
        signs_as: id.clone(),
        statement: declares.clone(),
        by_appearance: false,
    };
    let Some(CoSignsEach { list, name, how, own, .. }) = each else {
        let names = party::typed(|question| answers.get(&format!("{prefix}{question}")));
        return vec![helping(HelperRole::CoSigner, names)];
    };
    let items = answers.get(list).and_then(Value::as_array).into_iter().flatten();
    let signing = (1..).zip(items).filter(|(_, item)| item.get(how).and_then(Value::as_str) == Some(own));
    let said = |item: &Value| item.get(name).and_then(Value::as_str).map(str::to_owned);
    signing.map(|(n, item)| helping(HelperRole::OneOf(n), said(item).into_iter().collect())).collect()
}

/// The code that a command makes: kept nowhere, and the same when the command is repeated.
pub(crate) fn code(vault: &Vault, filing: Uuid, role: HelperRole, command: Uuid) -> String {
    let of = [filing.as_bytes().as_slice(), command.as_bytes().as_slice(), role.as_str().as_bytes()].concat();
    appearance::written(&vault.mac("filing.helper_code", &of))
}

/// The same of a code with which somebody is asked to file a form in a package.
pub(crate) fn invitation_code(vault: &Vault, package: Uuid, command: Uuid) -> String {
    let of = [package.as_bytes().as_slice(), command.as_bytes().as_slice()].concat();
    appearance::written(&vault.mac("filing.package_invitation", &of))
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
            let signatures = form.questions.iter().filter(|question| is_signature(form, question));
            let helpers = signatures.filter(|question| !is_co_signers(form, question));
            let ids: Vec<_> = helpers.map(|question| question.id.as_str()).collect();
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
    fn who_signs_together_with_the_filer_is_whom_the_catalogue_says_under_the_name_in_the_form() {
        let catalogue = Catalogue::embedded();
        let form = catalogue.form("I-751").unwrap();
        let answers = json!({
            "sp_family_name": "Sample", "sp_given_name": "Sol", "sp_middle_name": "Maria", "sp_suffix": "Jr."
        });
        let answers = answers.as_object().unwrap();
        assert!(co_signers(form, answers, |_| false).is_empty());
        let spouse = co_signers(form, answers, |role| role == "spouse").remove(0);
        assert_eq!((spouse.signs_as.as_str(), spouse.name.as_str()), ("spouse", "Sol Maria Sample Jr."));
        assert!(spouse.statement.contains("penalty of perjury") && spouse.statement.contains("marriage"));
        for (name, proven) in [
            ("", NameProven::None),
            ("Sol Sample", NameProven::AsInTheForm),
            ("sol maría sample jr.", NameProven::AsInTheForm),
            ("Sol Other", NameProven::Another),
        ] {
            assert_eq!(
                (spouse.proven(name), spouse.is_named(name)),
                (proven, proven == NameProven::AsInTheForm)
            );
        }
        // Before the name is answered nobody is.
        let unnamed = co_signers(form, &Answers::new(), |_| true).remove(0);
        assert!(!unnamed.is_named("") && unnamed.proven("Sol Sample") == NameProven::Another);
        let signature = form.question("sp_signature").unwrap();
        assert!(is_signature(form, signature) && is_co_signers(form, signature));
        for form in catalogue.forms().filter(|form| form.id != "I-751") {
            assert!(co_signers(form, answers, |_| true).is_empty(), "{}", form.id);
            assert!(!form.questions.iter().any(|question| is_co_signers(form, question)), "{}", form.id);
        }
    }

    #[test]
    fn each_of_a_list_who_has_an_account_signs_under_the_name_in_the_list() {
        let catalogue = Catalogue::embedded();
        let form = catalogue.form("I-539").unwrap();
        let answers = json!({ "co_applicants": [
            { "name": "Max Sample", "signs": "parent" },
            { "name": "Sol María Sample", "signs": "own_account" },
            { "name": "Pia Sample", "signs": "on_paper" },
            { "name": "Lia Sample", "signs": "own_account" },
            { "name": "Not Yet" },
        ] });
        let several = co_signers(form, answers.as_object().unwrap(), |role| role == "family_member");
        let said: Vec<_> = several.iter().map(|one| (one.role, &*one.name, &*one.signs_as)).collect();
        let (second, fourth) = (HelperRole::OneOf(2), HelperRole::OneOf(4));
        assert_eq!(
            said,
            [(second, "Sol María Sample", "family_member"), (fourth, "Lia Sample", "family_member")]
        );
        assert!(several[0].is_named("sol maria SAMPLE") && !several[0].is_named("Lia Sample"));
        assert!(several[0].statement.contains("penalty of perjury"));
        assert!(co_signers(form, answers.as_object().unwrap(), |_| false).is_empty());
        assert!(co_signers(form, &Answers::new(), |_| true).is_empty());
        for role in HelperRole::ALONE.into_iter().chain([second, fourth]) {
            assert_eq!(HelperRole::of_key(&role.key()), Some(role));
            assert_eq!(HelperRole::known(role.as_str(), role.person()), Some(role));
        }
        for unknown in ["interpreter:1", "co_signer:x", "friend"] {
            assert_eq!(HelperRole::of_key(unknown), None, "{unknown}");
        }
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
