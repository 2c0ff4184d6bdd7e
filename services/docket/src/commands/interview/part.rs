//! A part of a form that is no draft, such as one side of Form G-28, asked on the terminal question by question.
use super::ask::{Ask, Said, say};
use super::form::{Form, Question};
use super::given;
use anyhow::Result;
use docket_forms::{Finding, Level, Truth, evaluate};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The sections of a form that one person answers.
pub struct Part<'a> {
    pub form: &'a Form,
    /// The same form, as it says what is asked.
    pub rules: &'a docket_forms::Form,
    pub sections: &'a [&'a str],
    /// Questions in them that are not for this person.
    pub but: &'a [&'a str],
}

impl Part<'_> {
    /// Asks what is asked of this person, in the form's order; nothing where they stop before the end.
    pub fn ask(&self, ask: &mut Ask) -> Result<Option<Map<String, Value>>> {
        let (mut answers, mut done, mut section) = (Map::new(), Vec::new(), String::new());
        while let Some(question) = self.next(&answers, &done) {
            if question.section != section {
                say(&format!("\n  — {} —", self.form.heading(&question.section)));
                section.clone_from(&question.section);
            }
            let asked = |item: &Map<String, Value>| {
                docket_forms::parts_asked(self.rules, (&question.id, item), &answers, &given())
            };
            match ask.question(question, (None, &asked), &self.why(question, &answers))? {
                Said::Stop => return Ok(None),
                Said::Nothing | Said::Papers => {}
                Said::Back => {
                    // The one before is asked anew.
                    if let Some(before) = done.pop() {
                        answers.remove(&before);
                    }
                    continue;
                }
                Said::Answer(answer) => match docket_forms::normalise(self.rules, &question.id, &answer) {
                    Ok(answer) => {
                        let before = self.found(&answers);
                        answers.insert(question.id.clone(), answer);
                        self.found(&answers).difference(&before).for_each(|words| say(words));
                    }
                    Err(fault) => {
                        say(&format!("✗ {}", fault.message));
                        continue;
                    }
                },
            }
            done.push(question.id.clone());
        }
        Ok(Some(answers))
    }

    /// The next question of these sections that is asked. What a signature or a table of the law answers is not.
    fn next(&self, answers: &Map<String, Value>, done: &[String]) -> Option<&Question> {
        let shown = evaluate(self.rules, answers, &given()).shown;
        self.form.questions.iter().find(|question| {
            self.is_ours(&question.section)
                && !is_signing(question)
                && !self.but.contains(&question.id.as_str())
                && self.rules.question(&question.id).is_none_or(|asked| asked.filled.is_none())
                && !done.contains(&question.id)
                && shown.get(&question.id) == Some(&Truth::True)
        })
    }

    fn is_ours(&self, section: &str) -> bool {
        self.sections.contains(&section)
    }

    /// Why a question is asked, with the source where an answer is required.
    fn why(&self, question: &Question, answers: &Map<String, Value>) -> String {
        let missing = evaluate(self.rules, answers, &given()).missing;
        let missing = missing.iter().find(|missing| missing.field == question.id);
        let asked = || docket_forms::why_asked(self.rules, &question.id, answers, &given());
        missing
            .map(|missing| format!("{} {}", missing.because, missing.cite))
            .or_else(asked)
            .unwrap_or_default()
    }

    /// What is wrong with the answers of these sections.
    fn found(&self, answers: &Map<String, Value>) -> BTreeSet<String> {
        let found = evaluate(self.rules, answers, &given()).findings;
        found.iter().filter(|finding| self.is_ours(&finding.section)).map(told).collect()
    }
}

/// A finding as people read it.
fn told(finding: &Finding) -> String {
    let mark = if finding.level == Level::Block { "✗" } else { "!" };
    format!("{mark} {} {}", finding.message, finding.cite).trim_end().to_owned()
}

fn is_signing(question: &Question) -> bool {
    question.part.kind == "signature" || question.id.ends_with("_signed_on")
}

#[cfg(test)]
mod tests {
    use super::super::words::Words;
    use super::*;
    use serde_json::json;

    fn answered(sections: &[&str], lines: &[&str]) -> Option<Map<String, Value>> {
        let catalogue = docket_forms::Catalogue::embedded();
        let rules = catalogue.form("G-28").unwrap();
        let form: Form = serde_json::from_str(&serde_json::to_string(rules).unwrap()).unwrap();
        let mut ask = Ask::typed(Words::of("en"), lines);
        Part { form: &form, rules, sections, but: &[] }.ask(&mut ask).unwrap()
    }

    #[test]
    fn one_side_is_asked_its_own_sections_and_nothing_that_a_signature_answers() {
        let lines = ["attorney", "New York", "", "am not", "", ""];
        let said = answered(&["eligibility"], &lines).unwrap();
        assert_eq!(
            Value::Object(said),
            json!({"rep_kind": "attorney", "licensing_authority": "New York", "discipline": "am_not"})
        );
    }

    #[test]
    fn back_asks_the_one_before_anew_a_wrong_line_is_asked_again_and_the_end_of_the_input_stops() {
        let lines = ["attorney", "<", "reputable individual", "", ""];
        let said = answered(&["eligibility"], &lines).unwrap();
        assert_eq!(Value::Object(said), json!({"rep_kind": "reputable_individual"}));
        assert_eq!(answered(&["eligibility"], &["attorney", "!"]), None);
        assert_eq!(answered(&["eligibility"], &["nobody"]), None);
    }
}
