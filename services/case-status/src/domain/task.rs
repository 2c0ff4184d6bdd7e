//! What the office has to do next in a case, by code; none when it waits for somebody else or is done.

use super::{Biometrics, CardState, Case, Deadline, Interview, Oath, Outcome, RequestKind, Stage, card_of};

/// Who comes to the appointment has their biometrics taken.
pub const RECORD_BIOMETRICS: &str = "record_biometrics";

/// The task.
pub fn task(case: &Case) -> Option<&'static str> {
    match case.stage {
        Stage::Submitted => Some("intake"),
        Stage::Accepted | Stage::InReview => pending_task(case),
        Stage::DecisionPending if case.fee_owed.is_some() => Some("see_to_fee"),
        // A denial for the lost basis is decided; an approval would be refused.
        Stage::DecisionPending if !case.lost_bases.is_empty() && recommends_approval(case) => {
            Some("see_to_basis")
        }
        Stage::DecisionPending if !case.holds.is_empty() => Some("see_to_hold"),
        Stage::DecisionPending => Some("decide"),
        Stage::Decided if case.intended_revocation().is_some() => {
            let terminates = case.request.as_ref().is_some_and(|asked| asked.kind == RequestKind::Noit);
            let decides = if terminates { "decide_termination" } else { "decide_revocation" };
            case.open_request().is_none().then_some(decides)
        }
        Stage::Decided if case.outcome == Some(Outcome::Approved) => match case.oath {
            Oath::ToSchedule if case.reverified_by.is_none() => Some("reverify"),
            Oath::Missed if case.oaths_missed > 1 => Some("see_to_absence"),
            Oath::ToSchedule | Oath::Missed => Some("schedule_oath"),
            Oath::Scheduled => Some("record_oath"),
            Oath::Taken if !case.certificate => Some("issue_certificate"),
            Oath::None => card_task(case),
            Oath::Taken => None,
        },
        // Only a supervisor does; the party was told that it will be done.
        Stage::Decided if case.is_to_be_reopened() => Some("reopen"),
        Stage::Unknown | Stage::Rejected | Stage::Voided | Stage::Decided | Stage::Closed => None,
    }
}

/// The answer that the party waits for, beside whatever else is to be done: haste first, then a correction, then the oldest inquiry, then the
/// message that waits longest; then whom a mail did not reach.
pub fn answer(case: &Case) -> Option<Answer<'_>> {
    let expedite = case.open_expedite().map(|asked| Answer {
        task: "answer_expedite",
        deadline: &asked.deadline,
        asked_at_us: asked.requested_at_us,
    });
    let correction = case.open_correction().map(|asked| Answer {
        task: "answer_correction",
        deadline: &asked.deadline,
        asked_at_us: asked.asked_at_us,
    });
    let inquiry = case.inquiries.first().map(|asked| Answer {
        task: "answer_inquiry",
        deadline: &asked.deadline,
        asked_at_us: asked.sent_at_us,
    });
    let message = case.waiting_threads.first().map(|waiting| Answer {
        task: "answer_message",
        deadline: &waiting.deadline,
        asked_at_us: waiting.since_us,
    });
    let search = case.open_searches().next().map(|search| Answer {
        task: "find_addressee",
        deadline: &search.deadline,
        asked_at_us: search.known_at_us,
    });
    expedite.or(correction).or(inquiry).or(message).or(search)
}

/// What is owed to the party: an answer, or that it is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The task, by code.
    pub task: &'static str,
    /// Until when the office means to answer.
    pub deadline: &'a Deadline,
    /// When it was asked, microseconds since the epoch.
    pub asked_at_us: i64,
}

/// The card goes from hand to hand; while the carrier has it, nobody here has anything to do.
fn card_task(case: &Case) -> Option<&'static str> {
    card_of(&case.form)?;
    match case.card.state {
        // One that was destroyed is made anew.
        CardState::None | CardState::Destroyed => Some("order_card"),
        CardState::Ordered => Some("produce_card"),
        CardState::Produced => Some("mail_card"),
        CardState::Returned => Some("see_to_card"),
        CardState::Mailed | CardState::Delivered => None,
    }
}

fn recommends_approval(case: &Case) -> bool {
    case.recommendation.is_some_and(|recommended| recommended.approve)
}

fn pending_task(case: &Case) -> Option<&'static str> {
    if case.fee_owed.as_ref().is_some_and(|owed| owed.overdue) {
        return Some("see_to_fee");
    }
    if case.officer.is_none() {
        return Some("assign");
    }
    if !case.lost_bases.is_empty() && case.open_request().is_none() {
        return Some("see_to_basis");
    }
    if case.stage == Stage::Accepted {
        // The review may begin while the biometrics are on their way; they come first in the queue.
        if let Some(task) = biometrics_task(case) {
            return Some(task);
        }
        return Some("start_review");
    }
    if case.open_request().is_some() {
        return None;
    }
    biometrics_task(case)
        .or_else(|| (!case.checks_answered()).then_some("record_background_check"))
        .or(match case.interview {
            Interview::ToSchedule => Some("schedule_interview"),
            Interview::Missed => Some("see_to_absence"),
            Interview::Scheduled => Some("record_interview"),
            Interview::NotNeeded | Interview::Completed | Interview::Waived | Interview::Cancelled => None,
        })
        .or(Some(if case.fee_owed.is_some() {
            "see_to_fee"
        } else if !case.holds.is_empty() {
            "see_to_hold"
        } else {
            "recommend"
        }))
}

fn biometrics_task(case: &Case) -> Option<&'static str> {
    match case.biometrics {
        Biometrics::Needed => Some("schedule_biometrics"),
        Biometrics::Missed => Some("see_to_absence"),
        Biometrics::Scheduled => Some(RECORD_BIOMETRICS),
        Biometrics::NotNeeded
        | Biometrics::Taken
        | Biometrics::Reused
        | Biometrics::Waived
        | Biometrics::Cancelled => None,
    }
}
