//! `docket expedite`, `docket inquire`, `docket correct` and `docket inquiries`: what a party asks in its case, and what it is answered.
use super::{Refused, Session};
use crate::client::{Connection, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::case_status::v1 as pb;
use docket_proto::types::v1::Deadline;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// What is asked.
#[derive(Debug, clap::Args)]
pub struct AskArgs {
    /// Receipt number, or cases/<id>.
    case: String,
    /// To expedite: severe-financial-loss, emergency-or-urgent-humanitarian, nonprofit-us-interest, government-interest,
    /// uscis-error. To inquire: outside-normal-time, notice-not-received, card-not-delivered, typographic-error,
    /// appointment-accommodation, appointment-missed, reopening.
    why: String,
    /// In 20 to 2,000 characters; only you, who acts for you, and the officers of the case read them.
    words: String,
}

/// What is wrong, and how it is right.
#[derive(Debug, clap::Args)]
pub struct CorrectArgs {
    /// Receipt number, or cases/<id>.
    case: String,
    /// name or birth-date.
    what: String,
    /// The name as it is to be printed, or the date, such as 1984-03-09.
    value: String,
    /// Whose error it is: office or filer.
    #[arg(long)]
    error_of: String,
    /// What shows how it is right: passport, birth-certificate, marriage-certificate, court-order or other. The file itself is in the
    /// case, or is added to it.
    #[arg(long)]
    shown_by: String,
    /// What is wrong and where, in 20 to 2,000 characters; only you, who acts for you, and the officers of the case read them.
    words: String,
}

/// Asks that a name or a birth date be corrected.
pub async fn correct(home: &Path, args: CorrectArgs, teller: &Teller) -> Result<()> {
    let (connection, token, name) = at_the_case(home, &args.case, teller.language()).await?;
    let message = pb::AskCorrectionRequest {
        request_id: Uuid::now_v7().to_string(),
        name,
        field: args.what.replace('-', "_"),
        value: args.value,
        cause: args.error_of,
        proof: args.shown_by.replace('-', "_"),
        explanation: args.words,
    };
    let answer = connection.office().ask_correction(request(Some(&token), message)).await;
    let answer = answer.map_err(Refused::from)?.into_inner();
    asked("", answer.case, answer.deadline, teller)
}

/// Asks that a case be expedited.
pub async fn expedite(home: &Path, args: AskArgs, teller: &Teller) -> Result<()> {
    let (connection, token, name) = at_the_case(home, &args.case, teller.language()).await?;
    let message = pb::RequestExpediteRequest {
        request_id: Uuid::now_v7().to_string(),
        name,
        criterion: args.why.replace('-', "_"),
        reasons: args.words,
    };
    let answer = connection.cases().request_expedite(request(Some(&token), message)).await;
    let answer = answer.map_err(Refused::from)?.into_inner();
    asked("", answer.case, answer.deadline, teller)
}

/// Sends an inquiry about a case.
pub async fn inquire(home: &Path, args: AskArgs, teller: &Teller) -> Result<()> {
    let (connection, token, name) = at_the_case(home, &args.case, teller.language()).await?;
    let message = pb::SendInquiryRequest {
        request_id: Uuid::now_v7().to_string(),
        name,
        kind: args.why.replace('-', "_"),
        text: args.words,
    };
    let answer = connection.cases().send_inquiry(request(Some(&token), message)).await;
    let answer = answer.map_err(Refused::from)?.into_inner();
    asked(&answer.inquiry, answer.case, answer.deadline, teller)
}

/// Shows what was asked in a case and what it was answered.
pub async fn inquiries(home: &Path, case: &str, teller: &Teller) -> Result<()> {
    let (connection, token, name) = at_the_case(home, case, teller.language()).await?;
    let message = pb::ListInquiriesRequest { name };
    let answer = connection.cases().list_inquiries(request(Some(&token), message)).await;
    let answer = answer.map_err(Refused::from)?.into_inner();
    for asked in &answer.expedite_requests {
        let what = ("expedite", asked.criterion.as_str(), "");
        let times = (asked.requested_at_us, asked.ended_at_us, asked.deadline.as_ref());
        tell(what, times, &asked.state, (&asked.reasons, &asked.answer), teller);
    }
    for sent in &answer.inquiries {
        let what = ("inquiry", sent.kind.as_str(), sent.name.as_str());
        let times = (sent.sent_at_us, sent.ended_at_us, sent.deadline.as_ref());
        tell(what, times, &sent.state, (&sent.text, &sent.answer), teller);
    }
    for asked in &answer.corrections {
        let what = ("correction", asked.field.as_str(), "");
        let times = (asked.asked_at_us, asked.ended_at_us, asked.deadline.as_ref());
        let words = format!("{} ({}): {}", asked.asked_value, asked.proof, asked.explanation);
        let answer = if asked.state == "made" { &asked.corrected_value } else { &asked.reasons };
        tell(what, times, &asked.state, (&words, answer), teller);
    }
    let nothing =
        answer.expedite_requests.is_empty() && answer.inquiries.is_empty() && answer.corrections.is_empty();
    if nothing && !teller.is_json() {
        teller.line(teller.words("nothing was asked in this case"));
    }
    Ok(())
}

/// The session, and the name of the case.
pub(super) async fn at_the_case(
    home: &Path,
    case: &str,
    language: &str,
) -> Result<(Connection, String, String)> {
    let (connection, token) = Session::resume(home).await?;
    let connection = connection.reading(language);
    let name = case_named(&connection, &token, case).await?;
    Ok((connection, token, name))
}

/// The name of a case that is called so, or by its receipt number.
pub(super) async fn case_named(connection: &Connection, token: &str, case: &str) -> Result<String> {
    if case.starts_with("cases/") {
        return Ok(case.to_owned());
    }
    let message = pb::GetCaseRequest { name: case.to_owned(), language: String::new(), min_version: 0 };
    let answer = connection.status().get_case(request(Some(token), message)).await.map_err(Refused::from)?;
    Ok(answer.into_inner().case.context("case")?.name)
}

fn asked(
    inquiry: &str,
    case: Option<pb::CaseVersion>,
    deadline: Option<Deadline>,
    teller: &Teller,
) -> Result<()> {
    let (case, deadline) = (case.context("case")?, deadline.context("deadline")?);
    if teller.is_json() {
        teller.value(&json!({
            "name": case.name, "version": case.version, "events": case.events, "inquiry": inquiry,
            "due_date": deadline.due_date,
        }));
    } else {
        let asked = "asked; the office means to answer by {} ({}). `docket inquiries {}` shows the answer";
        teller.line(&teller.filled(asked, &[&deadline.due_date, &deadline.derivation, &case.name]));
    }
    Ok(())
}

fn tell(
    (what, why, name): (&str, &str, &str),
    (asked_at_us, ended_at_us, deadline): (i64, i64, Option<&Deadline>),
    state: &str,
    (words, answer): (&str, &str),
    teller: &Teller,
) {
    let due_date = deadline.map(|deadline| deadline.due_date.as_str()).unwrap_or_default();
    if teller.is_json() {
        teller.value(&json!({
            "what": what, "why": why, "name": name, "asked_at_us": asked_at_us, "words": words, "state": state,
            "due_date": due_date, "answer": answer, "ended_at_us": ended_at_us,
        }));
        return;
    }
    teller.heading(&format!("{what}: {} · {state}", why.replace('_', " ")));
    if !name.is_empty() {
        teller.line(name);
    }
    teller.line(&format!("{}  {words}", teller.when(asked_at_us)));
    if ended_at_us == 0 {
        teller.pair(teller.words("to be answered by"), due_date);
    } else if !answer.is_empty() {
        teller.line(&format!("{}  {answer}", teller.when(ended_at_us)));
    }
}
