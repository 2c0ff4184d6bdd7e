//! A row as the API shows it, in the reader's language and as much as the reader may see.

use std::collections::BTreeMap;

use docket_kernel::resource;
use docket_proto::case_status::v1 as pb;
use docket_proto::types::v1::Money;

use super::row::{CaseRow, TimelineRow};
use super::store::Linked;
use super::viewer::Sight;
use crate::domain::task::RECORD_BIOMETRICS;
use crate::domain::{
    Biometrics, CardState, Case, Hold, Link, Search, Stage, WaitingThread, card_of, decide, task, title,
};
use crate::texts::{Language, has, text};

/// The case.
pub(crate) fn case(row: &CaseRow, sight: Sight, language: Language, linked: &Linked) -> pb::Case {
    let case = &row.case;
    let name = resource::name("cases", row.case_id);
    let receipt_number = case.receipt_number.clone();
    let expected = case.next_appointment();
    let appointment = expected.map(|(_, appointment)| appointment.into());
    let appointment_kind = expected.map(|(kind, _)| kind).unwrap_or_default().to_owned();
    if sight == Sight::Site {
        return pb::Case {
            name,
            receipt_number,
            form: case.form.clone(),
            appointment,
            appointment_kind,
            card: card(row),
            ..pb::Case::default()
        };
    }
    let title = title::title(case);
    let id = |suffix: &str| format!("title-{}{suffix}", title.id);
    let next = id("-next");
    let request = case.open_request();
    let (version, changed_at_us) = match sight {
        Sight::Office => (row.version, row.changed_at_us),
        Sight::Party | Sight::Site => (row.party_version, row.party_changed_at_us),
    };
    pb::Case {
        name,
        receipt_number,
        form: case.form.clone(),
        title: text(language, &id(""), &title.facts),
        explanation: text(language, &id("-explanation"), &title.facts),
        next_step: if has(language, &next) { text(language, &next, &title.facts) } else { String::new() },
        title_id: title.id.clone(),
        stage: case.stage.as_str().to_owned(),
        receipt_date: case.receipt_date.clone(),
        version,
        appointment,
        deadline: request.map(|request| (&request.deadline).into()),
        request: request.map(|request| resource::name("requests", request.id)).unwrap_or_default(),
        officer: officer(row, sight),
        changed_at_us,
        intake_reasons: intake_reasons(row, sight),
        fee_owed: case.fee_owed.as_ref().map(|owed| usd(owed.amount_cents)),
        fee_deadline: case.fee_owed.as_ref().map(|owed| (&owed.deadline).into()),
        links: links(row, sight, linked),
        card: card(row),
        new_evidence: if sight == Sight::Office { case.new_evidence } else { 0 },
        expedite: case.expedite.as_ref().map_or("", |expedite| expedite.state.as_str()).to_owned(),
        absence_deadline: case
            .absence
            .as_ref()
            .filter(|absence| !absence.explained)
            .map(|absence| (&absence.deadline).into()),
        searches: if sight == Sight::Office { searches(case) } else { Vec::new() },
        waiting_threads: if sight == Sight::Office { waiting_threads(case) } else { Vec::new() },
        appointment_kind,
        holds: if sight == Sight::Office { holds(case) } else { Vec::new() },
        correction: case.correction.as_ref().map_or("", |asked| asked.state.as_str()).to_owned(),
        office_deadline: case.office_deadline.as_ref().map(Into::into),
    }
}

/// What keeps it from being decided: the office's. The party is told in words, as far as it is.
fn holds(case: &Case) -> Vec<pb::CaseHold> {
    let shown =
        |hold: &Hold| pb::CaseHold { reason: hold.reason.clone(), review_by_date: hold.review_by.clone() };
    case.holds.iter().map(shown).collect()
}

/// Whom a mail about a notice did not reach: the office's, who looks for them. The party is told in the timeline.
fn searches(case: &Case) -> Vec<pb::AddresseeSearch> {
    let shown = |search: &Search| pb::AddresseeSearch {
        notice: resource::name("notices", search.notice),
        notice_kind: search.notice_kind.clone(),
        addressee: search.addressee.clone(),
        reason: search.reason.clone(),
        state: search.state.as_str().to_owned(),
        known_at_us: search.known_at_us,
        deadline: Some((&search.deadline).into()),
        tried: search.tried.clone(),
    };
    case.searches.iter().map(shown).collect()
}

/// The conversations in which somebody waits for an answer: the office's, which gives it.
fn waiting_threads(case: &Case) -> Vec<pb::WaitingThread> {
    let shown = |waiting: &WaitingThread| pb::WaitingThread {
        thread: resource::name("threads", waiting.thread),
        topic: waiting.topic.clone(),
        writer: waiting.writer.clone(),
        since_us: waiting.since_us,
        last_message: resource::name("messages", waiting.last_message),
        deadline: Some((&waiting.deadline).into()),
    };
    case.waiting_threads.iter().map(shown).collect()
}

/// The case in a queue. The answers that a party waits for are those officers' who see the whole case.
pub(crate) fn work(row: &CaseRow, sight: Sight, linked: &Linked) -> pb::WorkItem {
    let answer = task::answer(&row.case).filter(|_| sight == Sight::Office);
    let only = answer.filter(|_| row.task.is_empty());
    let (task, waiting_since_us) = match (only, expected(row).filter(|_| sight == Sight::Site)) {
        (Some(answer), _) => (answer.task, answer.asked_at_us),
        (None, Some(at_site)) => at_site,
        (None, None) => (row.task.as_str(), row.waiting_since_us),
    };
    pb::WorkItem {
        case: Some(case(row, sight, Language::En, linked)),
        task: task.to_owned(),
        waiting_since_us,
        answer: answer.map_or("", |answer| answer.task).to_owned(),
        answer_deadline: answer.map(|answer| answer.deadline.into()),
    }
}

/// What a site has to do for who is expected there for biometrics, whatever the office has to do meanwhile; since when is then the
/// appointment's beginning.
fn expected(row: &CaseRow) -> Option<(&'static str, i64)> {
    let (stands, booking) = (row.case.biometrics == Biometrics::Scheduled, &row.case.biometrics_booking);
    let appointment = booking.appointment.as_ref().filter(|_| stands && row.task != RECORD_BIOMETRICS)?;
    Some((RECORD_BIOMETRICS, appointment.starts_at.as_microsecond()))
}

fn card(row: &CaseRow) -> Option<pb::Card> {
    let (case, card) = (&row.case, &row.case.card);
    let returned = card.state == CardState::Returned;
    let goes_to = match card.state {
        CardState::Mailed | CardState::Delivered => card.mailed_to,
        CardState::None
        | CardState::Ordered
        | CardState::Produced
        | CardState::Returned
        | CardState::Destroyed => case.card_goes_to(),
    };
    (card.state != CardState::None).then(|| pb::Card {
        document: card_of(&case.form).unwrap_or_default().to_owned(),
        state: card.state.as_str().to_owned(),
        carrier: card.carrier.clone(),
        tracking_number: card.tracking_number.clone(),
        keep_until_date: if returned { card.keep_until.clone() } else { String::new() },
        address_confirmed: returned && case.address_confirmed_since_return(),
        goes_to: goes_to.as_str().to_owned(),
    })
}

/// Links are the office's: a party is told of them in words, and not which case it is.
fn links(row: &CaseRow, sight: Sight, linked: &Linked) -> Vec<pb::CaseLink> {
    if sight != Sight::Office {
        return Vec::new();
    }
    let shown = |link: &Link| {
        let (stage, outcome) = linked.get(&link.case).cloned().unwrap_or_default();
        pb::CaseLink {
            case: resource::name("cases", link.case),
            form: link.form.clone(),
            kind: link.kind.as_str().to_owned(),
            direction: link.direction.as_str().to_owned(),
            stage,
            outcome,
            lost: row.case.lost_bases.contains_key(&link.case),
        }
    };
    row.case.links.iter().map(shown).collect()
}

fn usd(cents: i64) -> Money {
    Money { currency: "USD".to_owned(), cents }
}

fn intake_reasons(row: &CaseRow, sight: Sight) -> Vec<String> {
    if sight != Sight::Office || row.case.stage != Stage::Submitted {
        return Vec::new();
    }
    decide::intake_reasons(&row.case).into_iter().map(str::to_owned).collect()
}

fn officer(row: &CaseRow, sight: Sight) -> String {
    let shown = row.case.officer.filter(|_| sight == Sight::Office);
    shown.map(|officer| resource::name("accounts", officer)).unwrap_or_default()
}

/// The title alone, as strangers may read it: without days, places and what is owed.
pub(crate) fn public_title(case: &Case, language: Language) -> String {
    let title = title::title(&Case { fee_owed: None, ..case.clone() });
    let public = title::PUBLIC.contains(&title.id.as_str());
    let id = format!("title-{}{}", title.id, if public { "-public" } else { "" });
    text(language, &id, &title.facts)
}

/// A line of the timeline.
pub(crate) fn entry(row: &TimelineRow, language: Language) -> pb::TimelineEntry {
    let facts: &BTreeMap<_, _> = &row.line.facts;
    pb::TimelineEntry {
        version: row.version,
        kind: row.kind.clone(),
        text: text(language, &row.line.text, facts),
        recorded_at_us: row.recorded_at_us,
        office_only: row.line.office_only,
    }
}

#[cfg(test)]
mod tests {
    use docket_proto::case_status::events::v1 as pb;

    use super::*;
    use crate::domain::samples::{
        approved, biometrics_scheduled, interview_scheduled, oath_scheduled, served,
    };

    #[test]
    fn strangers_read_a_title_without_its_day_and_nothing_of_what_is_owed() {
        let shown = |case: &Case| public_title(case, Language::En);
        for (case, title) in [
            (biometrics_scheduled(), "A biometrics appointment is set"),
            (interview_scheduled(), "An interview is set"),
            (served(), "We asked for more"),
            (approved(), "Approved: oath ceremony to be scheduled"),
            (oath_scheduled(), "An oath ceremony is set"),
        ] {
            assert_eq!(shown(&case.0), title);
            let owing = case.and(pb::PaymentReturnRecorded { amount_cents: 71_000, ..Default::default() });
            assert_eq!(shown(&owing.0), title, "what is owed is the party's");
        }
    }
}
