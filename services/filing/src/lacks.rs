//! What the rules of a form find lacking: answers, evidence, and findings that block.

use docket_forms::{Evaluation, EvidenceNeed, Finding, Form, Level, Missing};
use docket_kernel::Refusal;

/// What is lacking, by name.
pub(crate) struct Lacks<'a> {
    missing: Vec<&'a Missing>,
    evidence: Vec<&'a EvidenceNeed>,
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
            lacks.missing.extend(evaluation.missing.iter().filter(|missing| meant(&missing.section)));
            lacks.evidence.extend(evaluation.evidence.iter().filter(|need| need.is_lacking()));
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
            words.push(format!("answers are missing: {}", self.fields(", ")));
        }
        if !self.evidence.is_empty() {
            words.push(format!("{of_evidence}: {}", self.kinds(", ")));
        }
        words.extend(self.blocking.iter().map(|finding| format!("{}: {}", finding.field, finding.message)));
        words.join("; ")
    }

    /// All of it for people, a line each; a finding with the label that its question has on the form.
    pub(crate) fn lines(&self, form: &Form) -> Vec<String> {
        let about = |field| form.question(field).map_or(field, |question| &question.label);
        let answers = self.missing.iter().map(|missing| format!("Answer: {}", missing.label));
        let evidence = self.evidence.iter().map(|need| format!("Evidence: {}", need.title));
        let findings = self.blocking.iter().map(|it| format!("{}: {}", about(&it.field), it.message));
        answers.chain(evidence).chain(findings).collect()
    }

    fn fields(&self, between: &str) -> String {
        self.missing.iter().map(|missing| missing.field.as_str()).collect::<Vec<_>>().join(between)
    }

    fn kinds(&self, between: &str) -> String {
        self.evidence.iter().map(|need| need.kind.as_str()).collect::<Vec<_>>().join(between)
    }

    /// The refusal with all of it as facts.
    pub(crate) fn facts(&self, refusal: Refusal) -> Refusal {
        let rules: Vec<_> = self.blocking.iter().map(|finding| finding.rule.as_str()).collect();
        refusal
            .fact("missing", self.fields(","))
            .fact("evidence", self.kinds(","))
            .fact("rules", rules.join(","))
    }
}
