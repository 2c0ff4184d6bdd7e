//! The approval of a petition ends by the law itself, by something that happened before the beneficiary became a resident (8 CFR 205.1): an
//! officer records it on facts, never the clock, and no notice of intent comes before it.

use docket_kernel::Refusal;
use docket_kernel::calendar::plus_days;
use docket_kernel::deadline::office_date;
use docket_proto::case_status::events::v1 as pb;
use jiff::Timestamp;
use jiff::civil::Date;
use uuid::Uuid;

use super::ending::ending;
use super::revocation::revocable;
use super::{Decision, Others, cause_unknown, worded};
use crate::domain::{Case, Outcome, Stage, rules};

/// What ends the approval of a petition for a relative (8 CFR 205.1(a)(3)(i)), and of which of [`RELATIONS`]. A petition for the spouse of
/// a citizen becomes one for a widow or widower (C)(1), and the child of a citizen who marries has another class (G), (H).
const OF_RELATIVES: [(&str, &[&str]); 6] = [
    ("petitioner_withdrew", &RELATIONS),
    ("petitioner_died", &["relative_of_citizen", "spouse_of_resident", "child_of_resident"]),
    ("beneficiary_died", &RELATIONS),
    ("marriage_ended", &["spouse_of_citizen", "spouse_of_resident"]),
    ("beneficiary_married", &["child_of_resident"]),
    ("petitioner_lost_residence", &["spouse_of_resident", "child_of_resident"]),
];
/// For whom a petition for a relative is.
const RELATIONS: [&str; 4] =
    ["spouse_of_citizen", "relative_of_citizen", "spouse_of_resident", "child_of_resident"];
/// What ends the approval of a petition for a worker (8 CFR 205.1(a)(3)(iii)).
const OF_WORKERS: [&str; 5] = [
    "petitioner_withdrew",
    "petitioner_died",
    "beneficiary_died",
    "certification_invalidated",
    "business_ended",
];
/// What ends the approval of a petition for a worker only when it happened within so many days of it (8 CFR 205.1(a)(3)(iii)(C), (D)).
const SOON: [&str; 2] = ["petitioner_withdrew", "business_ended"];
/// The days of those, and those that an application for adjustment has to be pending for the petition to outlive them.
const SOON_DAYS: &str = "revocation.by_law.soon";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Happened<'a> {
    /// What, by code.
    pub cause: &'a str,
    /// On which day.
    pub on: Date,
    /// Of a petition for a relative, for whom it is, as the command says; empty of one for a worker.
    pub relation: &'a str,
    /// What the officer found, in words to the party; sealed by the log.
    pub findings: &'a str,
}

/// Records that the approval was revoked by the law. `others` holds the applications that rest on it, as they stand at that moment: what
/// hangs on it is told that its basis is lost, and an officer decides there.
///
/// # Errors
/// `NOT_APPROVED`, `NOT_REVOCABLE`, `CAUSE_UNKNOWN`, `RELATION_UNKNOWN`, `NOT_AUTOMATIC`, `ALREADY_ADJUSTED`, `WORDS_OUT_OF_BOUNDS`; not found without a case.
pub fn revoke_by_law(
    case: &Case,
    officer: Uuid,
    happened: Happened<'_>,
    others: &Others,
    now: Timestamp,
) -> Decision {
    revocable(case)?;
    let worker = case.form == "I-140";
    if worker && !OF_WORKERS.contains(&happened.cause) {
        return Err(cause_unknown(&OF_WORKERS));
    }
    if !worker {
        ends_for(happened.cause, happened.relation)?;
    }
    let today = office_date(now);
    if happened.on > today {
        return Err(Refusal::invalid(
            "happened_on_date",
            "NOT_AUTOMATIC",
            "What has not happened yet ends no approval.",
        ));
    }
    if worker && SOON.contains(&happened.cause) {
        happened_soon(case, happened.on, others)?;
    }
    let was_resident = |it: &Case| {
        let adjusted: Option<Date> = it.approved_on.parse().ok();
        it.outcome == Some(Outcome::Approved) && adjusted.is_none_or(|day| day <= happened.on)
    };
    if case.carried().any(|id| others.get(&id).is_some_and(was_resident)) {
        return Err(Refusal::state(
            "ALREADY_ADJUSTED",
            "The beneficiary became a resident before; the approval ends no more by itself (8 CFR 205.1(a)).",
        )
        .way_out("Send a notice of intent to revoke, if there are grounds for one."));
    }
    let recorded = pb::ApprovalRevokedByLaw {
        officer: officer.to_string(),
        cause: happened.cause.to_owned(),
        happened_on_date: happened.on.to_string(),
        findings: worded("findings", happened.findings)?,
        recorded_on_date: today.to_string(),
        relation: if worker { String::new() } else { happened.relation.to_owned() },
    };
    let mut events = vec![recorded.into()];
    events.extend(ending(case, "revoked"));
    Ok(events)
}

/// Whether a cause ends the approval of a petition for such a relative.
fn ends_for(cause: &str, relation: &str) -> Result<(), Refusal> {
    let Some((_, relations)) = OF_RELATIVES.iter().find(|(known, _)| *known == cause) else {
        return Err(cause_unknown(&OF_RELATIVES.map(|(cause, _)| cause)));
    };
    if !RELATIONS.contains(&relation) {
        return Err(Refusal::invalid(
            "relation",
            "RELATION_UNKNOWN",
            format!("Say for whom the petition is: one of {}.", RELATIONS.join(", ")),
        ));
    }
    if relations.contains(&relation) {
        return Ok(());
    }
    Err(Refusal::state(
        "NOT_AUTOMATIC",
        "That does not end the approval of such a petition; it stands, perhaps in another class (8 CFR 205.1(a)(3)(i)).",
    )
    .way_out("Look at the cause and for whom the petition is; other grounds need a notice of intent to revoke.")
    .field("cause"))
}

/// A petition for a worker outlives its employer after 180 days, and where an application for adjustment was pending as long.
fn happened_soon(case: &Case, on: Date, others: &Others) -> Result<(), Refusal> {
    let day = |text: &str| text.parse::<Date>().ok();
    let soon = rules::number(SOON_DAYS, on);
    let soon_after = |day: Date| on < plus_days(day, soon);
    let after_approval = day(&case.approved_on).is_none_or(soon_after);
    let pending_long = case.carried().filter_map(|id| others.get(&id)).any(|application| {
        // On what day another end came is not kept; who is unsure sends a notice of intent.
        application.outcome != Some(Outcome::Withdrawn)
            && !matches!(application.stage, Stage::Rejected | Stage::Voided)
            && day(&application.receipt_date).is_some_and(|day| !soon_after(day))
    });
    if after_approval && !pending_long {
        return Ok(());
    }
    Err(Refusal::state(
        "NOT_AUTOMATIC",
        "It happened 180 days or more after the approval, or while an application for adjustment had been pending as long: the approval stands (8 CFR 205.1(a)(3)(iii)(C), (D)).",
    )
    .way_out("Send a notice of intent to revoke, if there are other grounds.")
    .field("happened_on_date"))
}
