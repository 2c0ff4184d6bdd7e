//! Everything a form and the guide say to people, each text with its id: what a translation can give.

use std::collections::BTreeMap;

use crate::form::{Form, Question, Rule};
use crate::guide::Guide;

/// Where a text stands: `question.app_dob`, `option.reason.renewal`, `field.app_other_names.family`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    kind: &'static str,
    of: &'a str,
    part: &'a str,
    /// The id without the include's prefix, of what `_common.toml` says once for all forms.
    common: Option<&'a str>,
}

/// What looks at a text, and may put another one there.
pub(crate) type See<'s> = &'s mut dyn FnMut(&Place<'_>, &mut String);

impl<'a> Place<'a> {
    pub(crate) fn new(kind: &'static str, of: &'a str) -> Self {
        Self { kind, of, part: "", common: None }
    }

    /// The id of the text.
    pub(crate) fn id(&self) -> String {
        self.named(self.of)
    }

    /// Its id in `_common.toml`, when it stands there.
    pub(crate) fn common_id(&self) -> Option<String> {
        self.common.map(|of| self.named(of))
    }

    fn named(&self, of: &str) -> String {
        let dot = if self.part.is_empty() { "" } else { "." };
        format!("{}.{of}{dot}{}", self.kind, self.part)
    }
}

/// The kind of text that names what may stand in for a paper; `_common.toml` says it once for all forms.
const SUBSTITUTE: &str = "substitute";

/// Whether an id is that of such a name. A folder may have fewer forms than names.
pub(crate) fn names_a_substitute(id: &str) -> bool {
    id.split_once('.').is_some_and(|(kind, _)| kind == SUBSTITUTE)
}

impl Form {
    /// Every text of the form by its id, such as `question.app_dob` or `rule.early-5`.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        self.clone().each_text(&mut |place, text| drop(texts.insert(place.id(), text.clone())));
        texts
    }

    /// Goes through its texts; one that says nothing is passed over.
    pub(crate) fn each_text(&mut self, see: See<'_>) {
        let mut see = |place: &Place<'_>, text: &mut String| {
            if !text.is_empty() {
                see(place, text);
            }
        };
        see(&Place::new("form", "title"), &mut self.title);
        see(&Place::new("form", "summary"), &mut self.summary);
        see(&Place::new("form", "biometrics_note"), &mut self.biometrics_note);
        for role in &mut self.roles {
            see(&Place::new("role", &role.id), &mut role.note);
        }
        for section in &mut self.sections {
            see(&Place::new("section", &section.id), &mut section.title);
        }
        for question in &mut self.questions {
            question.each_text(&mut see);
        }
        for edition in &mut self.earlier {
            let date = edition.date.to_string();
            for (slot, reason) in edition.reasons() {
                see(&Place { part: &slot, ..Place::new("dropped", &date) }, reason);
            }
        }
        for Rule { id, common_id, message, .. } in &mut self.rules {
            see(&Place { common: common_id.as_deref(), ..Place::new("rule", id) }, message);
        }
        for row in &mut self.evidence {
            see(&Place::new("evidence", &row.kind), &mut row.title);
            for (kind, title) in row.substitutes.iter().zip(&mut row.substitute_titles) {
                see(&Place { common: Some(kind), ..Place::new(SUBSTITUTE, kind) }, title);
            }
            if let Some(note) = &mut row.note {
                see(&Place::new("note", &row.kind), note);
            }
        }
        for reject in &mut self.rejects {
            see(&Place::new("reject", &reject.code), &mut reject.text);
        }
        for rfe in &mut self.rfes {
            see(&Place::new("rfe", &rfe.code), &mut rfe.text);
        }
    }
}

impl Question {
    fn each_text(&mut self, see: See<'_>) {
        let Self { id, common_id, label, help, options, option_labels, fields, .. } = self;
        let place = |kind| Place { common: common_id.as_deref(), ..Place::new(kind, id) };
        see(&place("question"), label);
        if let Some(help) = help {
            see(&place("help"), help);
        }
        for (option, label) in options.iter().zip(option_labels) {
            see(&Place { part: option, ..place("option") }, label);
        }
        for field in fields {
            see(&Place { part: &field.id, ..place("field") }, &mut field.label);
            for (option, label) in field.options.iter().zip(&mut field.option_labels) {
                let part = format!("{}.{option}", field.id);
                see(&Place { part: &part, ..place("option") }, label);
            }
        }
    }
}

impl Guide {
    /// Every text of the guide by its id, such as `question.aim`, `option.aim.work` or `outcome.naturalize`.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        self.clone().each_text(&mut |place, text| drop(texts.insert(place.id(), text.clone())));
        texts
    }

    pub(crate) fn each_text(&mut self, see: See<'_>) {
        for (question, choices) in self.form.questions.iter_mut().zip(&mut self.choices) {
            see(&Place::new("question", &question.id), &mut question.label);
            for choice in choices {
                let place = Place { part: &choice.id, ..Place::new("option", &question.id) };
                see(&place, &mut choice.label);
            }
        }
        for outcome in &mut self.outcomes {
            see(&Place::new("outcome", &outcome.id), &mut outcome.text);
        }
    }
}

/// An option as people read it where no file has words for it.
pub(crate) fn spoken(option: &str) -> String {
    option.replace('_', " ")
}
