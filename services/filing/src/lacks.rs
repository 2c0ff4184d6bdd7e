//! What the rules of a form find lacking: answers, evidence, and findings that block.

use docket_forms::{Evaluation, Finding, Form, Level};
use docket_kernel::Refusal;

/// What is lacking, by name.
pub(crate) struct Lacks<'a> {
    missing: Vec<&'a str>,
    evidence: Vec<&'a str>,
    blocking: Vec<&'a Finding>,
}

impl<'a> Lacks<'a> {
    /// Of some evaluations, in the sections that are meant; evidence belongs to none.
    pub(crate) fn of(
        evaluations: impl Iterator<Item = &'a Evaluation>,
        meant: impl Fn(&str) -> bool,
    ) -> Self {
        let mut lacks = Self { missing: Vec::new(), evidence: Vec::new(), blocking: Vec::new() };
        for evaluation in evaluations {
            let missing = evaluation.missing.iter().filter(|missing| meant(&missing.section));
            lacks.missing.extend(missing.map(|missing| missing.field.as_str()));
            let needed = evaluation.evidence.iter().filter(|need| need.is_lacking());
            lacks.evidence.extend(needed.map(|need| need.kind.as_str()));
            let blocks = |finding: &&Finding| finding.level == Level::Block && meant(&finding.section);
            lacks.blocking.extend(evaluation.findings.iter().filter(blocks));
        }
        lacks
    }

    /// Whether nothing is.
    pub(crate) fn nothing(&self) -> bool {
        self.missing.is_empty() && self.evidence.is_empty() && self.blocking.is_empty()
    }

    /// All of it in words; `of_evidence` stands before the kinds of evidence.
    pub(crate) fn words(&self, of_evidence: &str) -> String {
        let mut words = Vec::new();
        if !self.missing.is_empty() {
            words.push(format!("answers are missing: {}", self.missing.join(", ")));
        }
        if !self.evidence.is_empty() {
            words.push(format!("{of_evidence}: {}", self.evidence.join(", ")));
        }
        words.extend(self.blocking.iter().map(|finding| format!("{}: {}", finding.field, finding.message)));
        words.join("; ")
    }

    /// The refusal with all of it as facts.
    pub(crate) fn facts(&self, refusal: Refusal) -> Refusal {
        let rules: Vec<_> = self.blocking.iter().map(|finding| finding.rule.as_str()).collect();
        refusal
            .fact("missing", self.missing.join(","))
            .fact("evidence", self.evidence.join(","))
            .fact("rules", rules.join(","))
    }
}

/// What is lacking, a line each, by the labels of the form.
pub(crate) fn lines(form: &Form, evaluation: &Evaluation) -> Vec<String> {
    let label = |field: &str| form.question(field).map_or(field, |question| &question.label).to_owned();
    let answers = evaluation.missing.iter().map(|missing| format!("Answer: {}", label(&missing.field)));
    let needed = evaluation.evidence.iter().filter(|need| need.is_lacking());
    let evidence = needed.map(|need| format!("Evidence: {}", need.title));
    let blocks = evaluation.findings.iter().filter(|finding| finding.level == Level::Block);
    let findings = blocks.map(|finding| format!("{}: {}", label(&finding.field), finding.message));
    answers.chain(evidence).chain(findings).collect()
}
