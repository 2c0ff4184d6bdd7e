//! The files as they are written.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Deserialize;
use toml::Spanned;

use crate::form::{
    AskedFor, Challenges, Channel, CoSigns, EvidenceLevel, FeeKind, FindingKind, Level, Reject, Rfe,
};

pub(crate) type Text = Spanned<String>;

/// `_common.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Common {
    pub(crate) block: IndexMap<String, Block>,
    #[serde(default)]
    pub(crate) block_rule: Vec<BlockRule>,
    #[serde(default, rename = "common_rule")]
    pub(crate) rules_of_all: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Block {
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    pub(crate) question: Vec<Question>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BlockRule {
    pub(crate) block: Text,
    pub(crate) id: String,
    pub(crate) level: Level,
    pub(crate) when: Text,
    pub(crate) field: String,
    pub(crate) message: String,
    pub(crate) kind: FindingKind,
    pub(crate) cite: Option<String>,
}

/// A form's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormFile {
    pub(crate) form: Head,
    #[serde(default)]
    pub(crate) role: Vec<Role>,
    #[serde(default)]
    pub(crate) section: Vec<Section>,
    #[serde(default)]
    pub(crate) include: Vec<Include>,
    #[serde(default)]
    pub(crate) question: Vec<Question>,
    #[serde(default)]
    pub(crate) rule: Vec<Rule>,
    #[serde(default)]
    pub(crate) evidence: Vec<Evidence>,
    #[serde(default)]
    pub(crate) fee: Vec<Fee>,
    #[serde(default)]
    pub(crate) last_day: Vec<LastDay>,
    #[serde(default)]
    pub(crate) protected: Vec<Protected>,
    #[serde(default)]
    pub(crate) reject: Vec<Reject>,
    #[serde(default)]
    pub(crate) rfe: Vec<Rfe>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    pub(crate) id: Text,
    pub(crate) title: String,
    pub(crate) family: String,
    pub(crate) summary: String,
    pub(crate) edition: jiff::civil::Date,
    pub(crate) accepted_from: Option<jiff::civil::Date>,
    pub(crate) edition_required_from: Option<jiff::civil::Date>,
    pub(crate) edition_source: String,
    pub(crate) online_in_reality: String,
    #[serde(default)]
    pub(crate) online_fee_waiver: bool,
    pub(crate) docket: Text,
    pub(crate) goes_with: Option<Text>,
    pub(crate) asked_for: Option<Spanned<AskedFor>>,
    pub(crate) cfr: Vec<String>,
    pub(crate) biometrics: String,
    #[serde(default)]
    pub(crate) biometrics_note: String,
    pub(crate) detail: String,
    pub(crate) challenges: Option<Spanned<Challenges>>,
    pub(crate) rests_on: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Role {
    pub(crate) id: String,
    pub(crate) required: Text,
    pub(crate) signs: bool,
    #[serde(default)]
    pub(crate) note: String,
    pub(crate) co_signs: Option<Spanned<CoSigns>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    pub(crate) id: Text,
    pub(crate) title: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Include {
    pub(crate) block: Text,
    pub(crate) prefix: String,
    pub(crate) section: String,
    pub(crate) required: Option<Text>,
    #[serde(default)]
    pub(crate) bind: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    pub(crate) id: Text,
    pub(crate) section: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Text,
    pub(crate) required: Text,
    pub(crate) shown: Option<Text>,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
    #[serde(default)]
    pub(crate) options: Vec<String>,
    pub(crate) precision: Option<Text>,
    #[serde(default)]
    pub(crate) fields: Vec<Text>,
    pub(crate) filled: Option<Filled>,
}

/// The table that answers a question, and by which answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filled {
    pub(crate) table: String,
    pub(crate) household: Text,
    pub(crate) state: Vec<Text>,
    pub(crate) percent: Vec<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    pub(crate) id: Text,
    pub(crate) level: Level,
    pub(crate) when: Text,
    pub(crate) field: String,
    pub(crate) message: String,
    pub(crate) kind: FindingKind,
    pub(crate) cite: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evidence {
    pub(crate) kind: Text,
    pub(crate) title: String,
    pub(crate) when: Text,
    pub(crate) substitutes: Vec<String>,
    pub(crate) note: Option<String>,
    pub(crate) cite: Option<String>,
    #[serde(default)]
    pub(crate) level: EvidenceLevel,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fee {
    pub(crate) id: Text,
    pub(crate) usd: u32,
    pub(crate) channel: Channel,
    pub(crate) when: Text,
    pub(crate) from: jiff::civil::Date,
    pub(crate) until: Option<jiff::civil::Date>,
    pub(crate) known_until: Option<jiff::civil::Date>,
    pub(crate) waivable: bool,
    pub(crate) waivable_when: Option<Text>,
    #[serde(default)]
    pub(crate) kept_on_rejection: bool,
    pub(crate) cite: String,
    #[serde(default)]
    pub(crate) mark: String,
    #[serde(default)]
    pub(crate) kind: FeeKind,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LastDay {
    pub(crate) when: Text,
    pub(crate) day: Text,
    pub(crate) cite: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Protected {
    pub(crate) when: Text,
    pub(crate) cite: String,
}
