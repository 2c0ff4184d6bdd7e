//! The rows of a form: rules, evidence, fees, and what goes wrong with them.

use docket_kernel::calendar;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::expr::Expr;

/// What a finding does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Stops signing.
    Block,
    /// Is shown, and may be passed with a tick.
    Warn,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The filing would be rejected.
    Intake,
    /// It would cause a request for evidence.
    Rfe,
    /// Answers do not agree.
    Consistency,
    /// Advice only.
    Advice,
}

/// A check over the answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rule {
    /// Such as `early-5`; rules of blocks carry the block's prefix.
    pub id: String,
    /// What it does.
    pub level: Level,
    /// True when something is wrong.
    pub when: Expr,
    /// Where to show it.
    pub field: String,
    /// Plain words with the way out.
    pub message: String,
    /// The id of the message's text, such as `n-400.rule.early-5.message`.
    pub message_id: String,
    /// What it is about.
    pub kind: FindingKind,
    /// The source, or nothing.
    pub cite: Option<String>,
    /// Its id in `_common.toml`, without the prefix, when it stands there.
    #[serde(skip)]
    pub(crate) common_id: Option<String>,
}

/// When evidence must be there.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceLevel {
    /// At filing.
    #[default]
    Initial,
    /// Brought or sent later.
    Later,
}

/// A document which may be attached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evidence {
    /// Such as `green_card`.
    pub kind: String,
    /// What it is.
    pub title: String,
    /// When it is needed.
    pub when: Expr,
    /// Kinds which do instead.
    pub substitutes: Vec<String>,
    /// What people read for each of them, in their order.
    #[serde(default)]
    pub substitute_titles: Vec<String>,
    /// A hint, or nothing.
    pub note: Option<String>,
    /// The source that asks for it, or nothing.
    #[serde(default)]
    pub cite: Option<String>,
    /// When it must be there.
    pub level: EvidenceLevel,
}

/// For which way of filing a fee row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Online only.
    Online,
    /// On paper only.
    Paper,
    /// Both.
    Any,
}

/// How a fee row counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeKind {
    /// The first which matches counts.
    #[default]
    Base,
    /// Every one which matches is added.
    Add,
    /// Shown as coming, not paid at filing.
    Later,
}

/// A row of the fee table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FeeRule {
    /// Such as `online`.
    pub id: String,
    /// How it counts.
    pub kind: FeeKind,
    /// Whole cents, USD.
    pub cents: i64,
    /// For which way of filing.
    pub channel: Channel,
    /// When it matches.
    pub when: Expr,
    /// First filing date, inclusive.
    pub from: Date,
    /// Last filing date, inclusive.
    pub until: Option<Date>,
    /// Last filing date for which the amount is published, inclusive, where the law moves it every year (Pub. L. 119-21):
    /// the row holds after it, with an amount that nobody knows yet.
    #[serde(default)]
    pub known_until: Option<Date>,
    /// Whether a granted waiver zeroes it.
    pub waivable: bool,
    /// When a granted waiver zeroes it.
    pub waivable_when: Expr,
    /// Whether it is kept where the filing is rejected, against the rule that a fee goes back then (8 CFR 103.2(a)(7)(ii)).
    #[serde(default)]
    pub kept_on_rejection: bool,
    /// The source.
    pub cite: String,
    /// How sure the source is.
    pub mark: String,
}

impl FeeRule {
    /// Whether it holds for what is filed on `day`.
    pub fn in_force(&self, day: Date) -> bool {
        calendar::in_force(self.from, self.until, day)
    }

    /// Whether its amount is published for `day`.
    pub fn is_known(&self, day: Date) -> bool {
        self.known_until.is_none_or(|known| day <= known)
    }
}

/// A day after which a form is late.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastDay {
    /// When it holds.
    pub when: Expr,
    /// The day itself, a date; it lasts until it has ended in the office's zone and where the filer is.
    pub day: Expr,
    /// The source.
    pub cite: String,
}

/// A condition under which nobody outside may learn that the case exists.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protection {
    /// When it holds.
    pub when: Expr,
    /// The source.
    pub cite: String,
}

/// A reason to reject at intake.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// Such as `X-SIGN`.
    pub code: String,
    /// Plain words.
    pub text: String,
    /// The source.
    pub cite: String,
    /// Rules, evidence kinds or questions which catch it, or a guard of every filing (`fee`); empty when nothing that is
    /// answered or attached tells it beforehand.
    #[serde(default)]
    pub prevent: Vec<String>,
    /// What of it answers and papers do not tell, and why; nothing where they tell it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_known: Option<Untold>,
}

/// A frequent request for evidence, and what prevents it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rfe {
    /// Such as `N400-COURT`.
    pub code: String,
    /// Plain words.
    pub text: String,
    /// Rules, evidence kinds or questions which catch it.
    pub prevent: Vec<String>,
    /// What of it answers and papers do not tell, and why; nothing where they tell it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_known: Option<Untold>,
}

/// What of a refusal or request answers and papers do not tell beforehand.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Untold {
    /// Why.
    pub reason: NotKnown,
    /// What of it, and what is told all the same.
    pub what: String,
}

/// Why something cannot be known from answers and papers: the whole list, so that no other reason excuses a refusal or request that
/// nothing catches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotKnown {
    /// It stands in a list which somebody else keeps and the catalogue does not hold.
    KeptElsewhere,
    /// It stands in a paper, which is attached and not read.
    PaperOnly,
    /// An officer weighs it.
    OfficersJudgment,
    /// It happens only after the filing was sent.
    HappensAfter,
}
