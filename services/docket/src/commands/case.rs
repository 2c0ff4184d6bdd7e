//! `docket status`: a case as people would want to read it.
use super::{Refused, Session};
use crate::address::Addresses;
use crate::client::{Connection, passing, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::case_status::v1 as pb;
use docket_proto::types::v1::{AppointmentSlot, Deadline};
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tonic::Status;

/// A pause before a watch that ended is begun again.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows a case; where nobody signed in only what anybody may know.
pub async fn status(home: &Path, receipt: &str, watch: bool, language: &str, teller: &Teller) -> Result<()> {
    if !Session::is_kept(home) {
        anyhow::ensure!(!watch, "{}", teller.words("sign in to watch a case: docket sign-in"));
        return public(home, receipt, language, teller).await;
    }
    let (connection, token) = Session::resume(home).await?;
    let connection = connection.reading(language);
    let (name, language) = (receipt.to_owned(), language.to_owned());
    let message = pb::GetCaseRequest { name: name.clone(), language: language.clone(), min_version: 0 };
    let answer = connection.status().get_case(request(Some(&token), message)).await.map_err(Refused::from)?;
    let case = answer.into_inner().case.context("case")?;
    let message = pb::ListTimelineRequest { name: name.clone(), language: language.clone(), as_of_us: 0 };
    let answer =
        connection.status().list_timeline(request(Some(&token), message)).await.map_err(Refused::from)?;
    show(&case, &answer.into_inner().entries, teller);
    // Who sees the officer is of the office.
    if !case.request.is_empty() && case.officer.is_empty() && !teller.is_json() {
        teller.pair(teller.words("to answer"), &format!("docket respond {receipt}"));
    }
    if !watch {
        return Ok(());
    }
    let mut message = pb::WatchCaseRequest { name, after_version: case.version, language };
    loop {
        match watch_once(home, &mut message, teller).await {
            Err(status) if !passing(&status) => return Err(Refused::from(status).into()),
            // Each connection ends after some minutes: the watch goes on behind what was shown last.
            Ok(()) | Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Shows the changes of a case until the stream ends, and keeps the version that was shown last.
async fn watch_once(home: &Path, message: &mut pb::WatchCaseRequest, teller: &Teller) -> Result<(), Status> {
    let (connection, token) =
        Session::resume(home).await.map_err(|error| match error.downcast::<Refused>() {
            Ok(refused) => refused.status(),
            Err(error) => Status::failed_precondition(format!("{error:#}")),
        })?;
    // A watch lives until the person ends it, so it has no deadline.
    let mut asked = request(Some(&token), message.clone());
    asked.metadata_mut().remove("grpc-timeout");
    let mut changes = connection.reading(&message.language).status().watch_case(asked).await?.into_inner();
    while let Some(change) = changes.message().await? {
        if let Some(case) = change.case {
            message.after_version = case.version;
            show(&case, &[], teller);
        }
    }
    Ok(())
}

async fn public(home: &Path, receipt: &str, language: &str, teller: &Teller) -> Result<()> {
    let connection = Connection::new(&Addresses::read(home)?)?.reading(language);
    let message =
        pb::GetPublicStatusRequest { receipt_number: receipt.to_owned(), language: language.to_owned() };
    let answer = connection
        .status()
        .get_public_status(request(None, message))
        .await
        .map_err(Refused::from)?
        .into_inner();
    if teller.is_json() {
        teller.value(
            &json!({"receipt_number": answer.receipt_number, "form": answer.form, "title": answer.title}),
        );
    } else {
        teller.heading(&format!("{} {}", answer.form, answer.receipt_number));
        teller.line(&answer.title);
        teller.line(teller.words("(sign in to see more)"));
    }
    Ok(())
}

/// Prints a case with its timeline, oldest line first.
pub fn show(case: &pb::Case, timeline: &[pb::TimelineEntry], teller: &Teller) {
    if teller.is_json() {
        let lines: Vec<_> = timeline
            .iter()
            .map(|line| json!({"version": line.version, "kind": line.kind, "text": line.text, "recorded_at_us": line.recorded_at_us, "office_only": line.office_only}))
            .collect();
        teller.value(&json!({
            "name": case.name, "receipt_number": case.receipt_number, "form": case.form, "title_id": case.title_id, "title": case.title,
            "explanation": case.explanation, "next_step": case.next_step, "stage": case.stage, "receipt_date": case.receipt_date,
            "version": case.version, "due_date": case.deadline.as_ref().map(|d| &d.due_date), "expedite": case.expedite,
            "office_due_date": case.office_deadline.as_ref().map(|d| &d.due_date),
            "card": case.card.as_ref().map(|card| json!({"document": card.document, "state": card.state, "goes_to": card.goes_to})),
            "appointment": case.appointment_kind, "correction": case.correction,
            "holds": case.holds.iter().map(|hold| json!({"reason": hold.reason, "review_by_date": hold.review_by_date})).collect::<Vec<_>>(),
            "searches": case.searches.iter().map(search_json).collect::<Vec<_>>(),
            "waiting_threads": case.waiting_threads.iter().map(waiting_json).collect::<Vec<_>>(), "timeline": lines,
        }));
        return;
    }
    teller.heading(&format!("{} {} · {}", case.form, case.receipt_number, case.title));
    teller.line(&case.explanation);
    if !case.next_step.is_empty() {
        teller.pair(teller.words("next step"), &case.next_step);
    }
    let hears = case.office_deadline.as_ref().is_some_and(is_hearing);
    let acts = if hears { "the office has to hear this by" } else { "the office has to decide by" };
    for (what, deadline) in [
        ("due", &case.deadline),
        ("say why nobody came by", &case.absence_deadline),
        (acts, &case.office_deadline),
    ] {
        if let Some(deadline) = deadline {
            let until = format!("{} ({}; {})", deadline.due_date, deadline.derivation, deadline.cite);
            teller.pair(teller.words(what), &until);
        }
    }
    if !case.expedite.is_empty() {
        teller.pair(teller.words("request to expedite"), &case.expedite);
    }
    if !case.correction.is_empty() {
        teller.pair(teller.words("request for a correction"), &case.correction);
    }
    for hold in &case.holds {
        let reason = hold.reason.replace('_', " ");
        let why = teller.filled("{}, looked at again by {}", &[&reason, &hold.review_by_date]);
        teller.pair(teller.words("on hold"), &why);
    }
    for search in &case.searches {
        let due = search.deadline.as_ref().map_or("", |deadline| deadline.due_date.as_str());
        let is_open = search.state == "open";
        let until = if is_open { teller.filled(", look for them by {}", &[&due]) } else { String::new() };
        let (whom, kind) = (&search.addressee, search.notice_kind.replace('_', " "));
        let how = format!("{whom}, {kind} {}: {} ({}){until}", search.notice, search.state, search.reason);
        teller.pair(teller.words("not reached by mail"), &how);
    }
    for waiting in &case.waiting_threads {
        let due = waiting.deadline.as_ref().map_or("", |deadline| deadline.due_date.as_str());
        let (writer, topic) = (&waiting.writer, waiting.topic.replace('_', " "));
        let since = teller.when(waiting.since_us);
        let how = "{}: {}, {}, since {}, answer by {}; the last is {}";
        let how = teller.filled(how, &[&waiting.thread, writer, &topic, &since, &due, &waiting.last_message]);
        teller.pair(teller.words("waits for an answer"), &how);
    }
    if let Some(slot) = &case.appointment {
        // What it is for, as far as the service says it.
        let what = match case.appointment_kind.as_str() {
            "biometrics" => "biometrics",
            "interview" => "interview",
            "oath" => "oath ceremony",
            _ => "appointment",
        };
        teller.pair(teller.words(what), &slot_text(slot, teller));
    }
    if let Some(card) = &case.card {
        let document = card.document.replace('_', " ");
        teller.pair(teller.words("card"), &format!("{document}, {} → {}", card.state, card.goes_to));
    }
    for line in timeline {
        let mark = if line.office_only { "·" } else { "●" };
        teller.line(&format!("{mark} {}  {}", teller.when(line.recorded_at_us), line.text));
    }
}

/// Whether a day by which the office has to act is that of a hearing, and else of a decision.
pub(super) fn is_hearing(by_law: &Deadline) -> bool {
    by_law.rule == "n336.hearing"
}

fn search_json(search: &pb::AddresseeSearch) -> serde_json::Value {
    json!({
        "notice": search.notice, "notice_kind": search.notice_kind, "addressee": search.addressee, "reason": search.reason,
        "state": search.state, "known_at_us": search.known_at_us, "tried": search.tried,
        "due_date": search.deadline.as_ref().map(|deadline| &deadline.due_date),
    })
}

fn waiting_json(waiting: &pb::WaitingThread) -> serde_json::Value {
    json!({
        "thread": waiting.thread, "topic": waiting.topic, "writer": waiting.writer, "since_us": waiting.since_us,
        "last_message": waiting.last_message, "due_date": waiting.deadline.as_ref().map(|deadline| &deadline.due_date),
    })
}

fn slot_text(slot: &AppointmentSlot, teller: &Teller) -> String {
    let zone = jiff::tz::TimeZone::get(&slot.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let at = jiff::Timestamp::from_microsecond(slot.starts_at_us).unwrap_or_default();
    let form = if teller.language() == "en" { "%A, %B %-d, %Y, %-I:%M %p %Z" } else { "%Y-%m-%d %H:%M %Z" };
    format!("{}, {}", at.to_zoned_datetime(zone).strftime(form), slot.place)
}
