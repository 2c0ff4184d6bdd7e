//! The title people see: the first row that applies, a function of the fold only (lifecycle §6 and 47).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hold::VISA_UNAVAILABLE;
use super::timeline::{Fact, challenge, document, hold_named, office_named};
use super::{Biometrics, CardState, Case, Interview, Oath, Outcome, RequestKind, RequestState, Stage};

/// A title with the facts its text names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title {
    /// Row of the table, for example `17`.
    pub id: String,
    /// Facts by the name of their placeholder.
    pub facts: BTreeMap<String, Fact>,
}

/// Rows a case of this program can reach, and whether they say what to do next.
pub const ROWS: [(&str, bool); 54] = [
    ("1", true),
    ("2", true),
    ("2a", true),
    ("3", false),
    ("4", true),
    ("4a", false),
    ("5", true),
    ("5a", true),
    ("5b", true),
    ("5c", false),
    ("3a", false),
    ("6", false),
    ("7", true),
    ("7a", false),
    ("7b", true),
    ("8", true),
    ("9", false),
    ("10", false),
    ("11", true),
    ("12", true),
    ("13", true),
    ("13a", true),
    ("14", true),
    ("15", true),
    ("16", false),
    ("17", true),
    ("18", true),
    ("18a", true),
    ("18b", true),
    ("18c", true),
    ("19", false),
    ("20", true),
    ("21", true),
    ("21a", true),
    ("21b", true),
    ("21c", true),
    ("22", true),
    ("23", true),
    ("25", true),
    ("26", true),
    ("27", false),
    ("28", false),
    ("29", false),
    ("29a", false),
    ("30", true),
    ("31", true),
    ("32", true),
    ("33", true),
    ("33a", true),
    ("36", false),
    ("33b", true),
    ("34", false),
    ("32b", true),
    ("0", false),
];

/// Rows whose title names a day or a place; strangers read another one.
pub const PUBLIC: [&str; 10] = ["4", "12", "17", "18", "18a", "18b", "18c", "19", "22", "26"];

/// The title of a case.
pub fn title(case: &Case) -> Title {
    let id = row(case);
    Title { id: id.to_owned(), facts: facts(case, id) }
}

fn row(case: &Case) -> &'static str {
    outcome_row(case)
        .or_else(|| fee_row(case))
        .or_else(|| open_request_row(case))
        .or_else(|| expected_row(case))
        .or_else(|| ended_request_row(case))
        .or_else(|| attended_row(case))
        .or_else(|| hold_row(case))
        .unwrap_or(match case.stage {
            Stage::InReview | Stage::Accepted if case.transferred => "30",
            Stage::InReview => "31",
            // Biometrics are the first thing to wait for where they are needed.
            Stage::Accepted if matches!(case.biometrics, Biometrics::NotNeeded | Biometrics::Waived) => "32b",
            Stage::Accepted => "32",
            Stage::Rejected => "33",
            Stage::Voided => "33a",
            Stage::Submitted => "34",
            Stage::DecisionPending => "16",
            // Closed without a decision: a report that was carried out.
            Stage::Closed => "36",
            Stage::Decided | Stage::Unknown => "0",
        })
}

/// A pending motion or appeal stands before the denial that it is about: what to do about that is being done.
fn outcome_row(case: &Case) -> Option<&'static str> {
    match case.outcome {
        _ if case.is_decided_against() && !case.challenges.is_empty() => Some("6"),
        Some(Outcome::DeniedAbandoned) => Some("1"),
        Some(Outcome::Denied) => Some("2"),
        Some(Outcome::Referred) => Some("2a"),
        Some(Outcome::Withdrawn) => Some("3"),
        Some(Outcome::AdministrativelyClosed) if case.reopen_until.is_empty() => Some("4a"),
        Some(Outcome::AdministrativelyClosed) => Some("4"),
        Some(Outcome::Revoked) => Some("5"),
        Some(Outcome::RevokedByLaw) => Some("5b"),
        // Against the end of a deferral there is nothing to be done (8 CFR 236.23(d)).
        Some(Outcome::Terminated) if case.form == "I-821D" => Some("5c"),
        Some(Outcome::Terminated) => Some("5a"),
        Some(Outcome::ClosedAsMoot) => Some("3a"),
        // An approval that is to be revoked stands, and there is something to answer.
        Some(Outcome::Approved) if case.intended_revocation().is_some() => {
            open_request_row(case).or_else(|| ended_request_row(case))
        }
        Some(Outcome::Approved) => Some(match case.oath {
            Oath::Taken => "11",
            Oath::Scheduled => "12",
            Oath::Missed if case.oaths_missed > 1 => "13a",
            Oath::Missed => "13",
            Oath::ToSchedule => "14",
            Oath::None => card_row(case).unwrap_or("15"),
        }),
        None => (case.stage == Stage::DecisionPending).then_some("16"),
    }
}

fn card_row(case: &Case) -> Option<&'static str> {
    match case.card.state {
        CardState::Returned if case.address_confirmed_since_return() => Some("7a"),
        CardState::Returned => Some("7"),
        CardState::Delivered => Some("8"),
        CardState::Mailed => Some("9"),
        CardState::Ordered | CardState::Produced => Some("10"),
        // Misprinted, or kept until nobody confirmed the address: another one is made, in the latter case to an address that is.
        CardState::Destroyed if case.address_confirmed_since_return() => Some("10"),
        CardState::Destroyed => Some("7b"),
        CardState::None => None,
    }
}

/// What is owed stands before what is asked: without the fee nothing goes on.
fn fee_row(case: &Case) -> Option<&'static str> {
    match case.stage {
        Stage::Voided => Some("33a"),
        Stage::Submitted | Stage::Accepted | Stage::InReview => case.fee_owed.as_ref().map(|_| "33b"),
        Stage::Unknown | Stage::Rejected | Stage::DecisionPending | Stage::Decided | Stage::Closed => None,
    }
}

fn open_request_row(case: &Case) -> Option<&'static str> {
    Some(match case.open_request()?.kind {
        RequestKind::Noid => "18",
        RequestKind::Noir => "18a",
        RequestKind::Noit => "18c",
        RequestKind::OwnMotion => "18b",
        RequestKind::Rfe | RequestKind::N14 => "17",
    })
}

/// A day that was missed or is to come stands before an answer that was given or is past: there something is to be done.
fn expected_row(case: &Case) -> Option<&'static str> {
    match (case.interview, case.biometrics) {
        (Interview::Missed, _) => Some(match &case.absence {
            None => "21",
            Some(absence) if absence.explained => "21b",
            Some(absence) if absence.passed => "21c",
            Some(_) => "21a",
        }),
        (Interview::Scheduled, _) => Some("22"),
        (_, Biometrics::Missed) => Some("25"),
        (_, Biometrics::Scheduled) => Some("26"),
        _ => None,
    }
}

fn ended_request_row(case: &Case) -> Option<&'static str> {
    let request = case.request.as_ref()?;
    match request.state {
        RequestState::RespondedComplete | RequestState::RespondedPartial => Some("20"),
        RequestState::Expired if request.received_at.is_some() => Some("20"),
        RequestState::Expired => Some("19"),
        RequestState::Open | RequestState::Cancelled => None,
    }
}

fn attended_row(case: &Case) -> Option<&'static str> {
    let reviewed = case.stage == Stage::InReview;
    if case.interview == Interview::Completed {
        return Some("23");
    }
    if reviewed {
        return None;
    }
    let taken = (case.biometrics == Biometrics::Taken).then_some("28");
    taken.or((case.biometrics == Biometrics::Reused).then_some("27"))
}

/// What a case waits for that nobody here can hasten. A check that is not finished is told to nobody (lifecycle 6).
fn hold_row(case: &Case) -> Option<&'static str> {
    let waits = matches!(case.stage, Stage::Accepted | Stage::InReview);
    let hold = case.told_hold().filter(|_| waits)?;
    Some(if hold.reason == VISA_UNAVAILABLE { "29" } else { "29a" })
}

fn facts(case: &Case, id: &str) -> BTreeMap<String, Fact> {
    let mut facts = BTreeMap::new();
    let mut put = |name: &str, fact: Fact| facts.insert(name.to_owned(), fact);
    match id {
        "12" | "22" | "26" => {
            if let Some(appointment) = case.appointment() {
                put("when", Fact::at(appointment.starts_at, &appointment.zone));
                put("place", Fact::Text(appointment.place.clone()));
            }
        }
        "17" | "18" | "18a" | "18b" | "18c" | "19" | "20" => {
            if let Some(request) = &case.request {
                put("due", Fact::Date(request.deadline.due_date.clone()));
                if let Some(received_at) = request.received_at {
                    put("received", Fact::at(received_at, &case.zone));
                }
            }
        }
        "4" => {
            put("due", Fact::Date(case.reopen_until.clone()));
        }
        "13" | "13a" => {
            put("due", Fact::Date(case.oath_explained_by.clone()));
        }
        "21a" | "21c" => {
            if let Some(absence) = &case.absence {
                put("due", Fact::Date(absence.deadline.due_date.clone()));
            }
        }
        "6" => {
            if let Some(kind) = case.challenges.values().next() {
                put("challenge", challenge(kind));
            }
        }
        "33b" => {
            if let Some(owed) = &case.fee_owed {
                put("amount", Fact::Text(docket_kernel::Cents(owed.amount_cents).to_string()));
                put("due", Fact::Date(owed.deadline.due_date.clone()));
            }
        }
        "7" | "7a" | "7b" | "8" | "9" | "10" => {
            put("document", document(case));
            put("due", Fact::Date(case.card.keep_until.clone()));
            put("date", Fact::Date(case.card.delivered_on.clone()));
            put("carrier", Fact::Text(case.card.carrier.clone()));
            put("tracking", Fact::Text(case.card.tracking_number.clone()));
        }
        "29" | "29a" => {
            if let Some(hold) = case.told_hold() {
                put("hold", hold_named(&hold.reason));
                put("due", Fact::Date(hold.review_by.clone()));
            }
        }
        "30" => {
            put("office", office_named(&case.office));
        }
        "32" | "32b" => {
            put("receipt", Fact::Text(case.receipt_number.clone()));
            put("date", Fact::Date(case.receipt_date.clone()));
        }
        _ => {}
    }
    facts
}
