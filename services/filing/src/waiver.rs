//! A waiver of the fee: Form I-912 lives inside the filing, and takes from it what the filing says already (8 CFR 106.3).

use docket_forms::{Answers, Evaluation, FeeResult, Form, Given, Question, evaluate, fee};
use docket_kernel::{FieldFault, Refusal};
use serde_json::json;

use crate::check::with_signature;
use crate::sheet::{Row, Section};
use crate::{answers, party, review};

/// The form that asks for it.
pub(crate) const FORM: &str = "I-912";

/// Sections that the filing itself, or signing it, answers.
const ANSWERED_BY_THE_FILING: [&str; 2] = ["about", "review"];
/// The question that the filing's own form answers.
const FORMS: &str = "forms";

/// The request inside a filing, evaluated as it would be if the filing were signed now.
pub(crate) struct Waiver<'a> {
    pub(crate) form: &'a Form,
    /// What was asked of the filer.
    pub(crate) asked: Answers,
    pub(crate) evaluation: Evaluation,
}

impl<'a> Waiver<'a> {
    /// Evaluates the answers `asked`, with what the filing on `main` says of the person; what is found is said as in `said`,
    /// the form in the reader's language.
    pub(crate) fn new(
        (form, said): (&'a Form, &Form),
        asked: Answers,
        main: (&Form, &Answers),
        given: &Given,
    ) -> Self {
        let given = Given { filer_role: "requestor".to_owned(), ..given.clone() };
        let answers = with_signature(form, &whole(form, &asked, main), &given);
        let evaluation = evaluate(said, &answers, &given);
        Self { form, asked, evaluation }
    }

    /// What is signed of it, in the form's order: the answers that count.
    pub(crate) fn section(&self) -> Section {
        self.section_of(&self.evaluation.counting(&self.asked))
    }

    /// The same with what is set aside: so it was signed before that was left out.
    pub(crate) fn section_with_aside(&self) -> Section {
        self.section_of(&self.asked)
    }

    fn section_of(&self, answers: &Answers) -> Section {
        let asked = self.form.questions.iter().filter(|question| is_asked(question));
        let answered = asked.filter_map(|question| Some(Row::of(question, Some(answers.get(&question.id)?))));
        Section {
            title: format!("{} {}, edition {}", self.form.id, self.form.title, self.form.edition),
            rows: answered.collect(),
        }
    }

    /// The same as text.
    pub(crate) fn text(&self) -> String {
        review::waiver(&self.section())
    }
}

/// Whether the filer is asked: everything else follows from the filing, or from a table of the law.
fn is_asked(question: &Question) -> bool {
    !ANSWERED_BY_THE_FILING.contains(&question.section.as_str())
        && question.id != FORMS
        && question.filled.is_none()
}

/// All answers of the form: what was asked, and what the filing says.
fn whole(form: &Form, asked: &Answers, (main, answers): (&Form, &Answers)) -> Answers {
    let mut whole = asked.clone();
    let person = party::names(main, answers).into_iter().next().unwrap_or_default();
    let prefix = party::prefix(form).unwrap_or_default();
    for question in form.questions.iter().filter(|question| !is_asked(question)) {
        let known = if question.id == FORMS {
            Some(json!([{ "form": main.id, "person": person }]))
        } else if let Some(of_person) = question.id.strip_prefix(prefix).filter(|_| !prefix.is_empty()) {
            party::answer(main, answers, of_person).cloned()
        } else {
            answers.get(&question.id).cloned()
        };
        if let Some(known) = known {
            whole.insert(question.id.clone(), known);
        }
    }
    whole
}

/// The answers as they are stored; every faulty one is named, and then nothing is stored. Nothing when none are given.
///
/// # Errors
/// `JSON_EXPECTED`, `ANSWERED_BY_THE_FILING`, and what is wrong with an answer.
pub(crate) fn normalised(form: &Form, answers_json: &str) -> Result<Option<Answers>, Refusal> {
    if answers_json.is_empty() {
        return Ok(None);
    }
    let example = r#"{"basis": ["financial_hardship"]}"#;
    let answers = answers::normalised(form, answers_json, example, |question, _| {
        let words = "Leave this out: the filing answers it.";
        (!is_asked(question)).then(|| FieldFault::new(&question.id, "ANSWERED_BY_THE_FILING", words))
    })?;
    Ok((!answers.is_empty()).then_some(answers))
}

/// The answers to the form after somebody gave some, and which of them are others than before.
#[derive(Debug, PartialEq)]
pub(crate) struct Merged {
    pub(crate) answers: Answers,
    pub(crate) changed: Vec<String>,
}

/// Merges answers into those before, or puts them in their place when they are the `whole`; null clears one.
pub(crate) fn merged(before: &Answers, given: Answers, whole: bool) -> Merged {
    let mut answers = if whole { Answers::new() } else { before.clone() };
    answers.extend(given);
    answers.retain(|_, answer| !answer.is_null());
    let now = |question: &String| answers.get(question);
    let cleared = before.keys().filter(|question| now(question).is_none());
    let other = answers.iter().filter(|(question, answer)| before.get(*question) != Some(answer));
    let mut changed: Vec<String> = other.map(|(question, _)| question).chain(cleared).cloned().collect();
    changed.sort();
    Merged { answers, changed }
}

/// Whether the fee of this filing can be waived at all.
///
/// # Errors
/// `WAIVER_NOT_POSSIBLE`.
pub(crate) fn possible(main: &Form, answers: &Answers, given: &Given) -> Result<(), Refusal> {
    let waivable = match fee(main, answers, given, true) {
        FeeResult::Known { rows, .. } => rows.iter().any(|row| row.waived),
        FeeResult::Unknown { .. } | FeeResult::Unpublished { .. } => main.fees.iter().any(|row| row.waivable),
    };
    if waivable {
        return Ok(());
    }
    Err(Refusal::state("WAIVER_NOT_POSSIBLE", format!("The fee of this {} cannot be waived.", main.id))
        .way_out("Look at the fee: it may be zero already; else it has to be paid.")
        .fact("form", main.id.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(answers: serde_json::Value) -> Answers {
        answers.as_object().expect("an object").clone()
    }

    #[test]
    fn what_was_asked_on_another_basis_is_not_signed() {
        let catalogue = docket_forms::Catalogue::embedded();
        let (form, main) = (catalogue.form(FORM).unwrap(), catalogue.form("I-90").unwrap());
        let signed = |asked| {
            let given = Given::on("2026-09-20".parse().unwrap());
            Waiver::new((form, form), of(asked), (main, &Answers::new()), &given)
        };
        let benefit = json!({ "basis": ["means_tested_benefit"], "benefit_name": "Medicaid",
            "benefit_receiver": "I do", "benefit_expires": "2026-01-01" });
        let text = signed(benefit.clone()).text();
        assert!(text.contains("- Benefit: Medicaid\n") && text.contains("- Expires: 2026-01-01\n"), "{text}");
        let (mut changed, hardship) =
            (benefit, json!({ "basis": ["financial_hardship"], "hardship": "A bill." }));
        changed.as_object_mut().unwrap().extend(of(hardship.clone()));
        let (changed, alone) = (signed(changed), signed(hardship));
        assert_eq!(changed.text(), alone.text());
        assert_eq!(
            changed.evaluation.findings, alone.evaluation.findings,
            "nor does the benefit's end block"
        );
        let before = review::waiver(&changed.section_with_aside());
        assert!(before.contains("- Benefit: Medicaid\n"), "{before}");
    }

    #[test]
    fn what_is_answered_is_merged_and_only_what_is_another_answer_counts_as_changed() {
        let before =
            of(json!({ "basis": ["financial_hardship"], "hardship": "A bill.", "household_size": 2 }));
        let given = of(json!({ "hardship": "A bill.", "household_size": null, "income": 100 }));
        let merged = |given: &Answers, whole| super::merged(&before, given.clone(), whole);
        let part = merged(&given, false);
        assert_eq!(part.changed, ["household_size", "income"]);
        assert_eq!(
            part.answers,
            of(json!({ "basis": ["financial_hardship"], "hardship": "A bill.", "income": 100 }))
        );
        let whole = merged(&given, true);
        assert_eq!(whole.changed, ["basis", "household_size", "income"]);
        assert_eq!(whole.answers, of(json!({ "hardship": "A bill.", "income": 100 })));
        assert_eq!(merged(&before, true), Merged { answers: before.clone(), changed: Vec::new() });
    }
}
