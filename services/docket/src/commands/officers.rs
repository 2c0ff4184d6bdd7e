//! `docket officer`: the queue, a case, acts and decisions.
use super::office::{self, OfficeAct};
use super::paper::filing_of;
use super::{Refused, Session, case, each_page, helper, view, when};
use crate::client::request;
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::case_status::v1 as pb;
use docket_proto::filing::v1 as filings;
use serde_json::json;
use std::path::Path;
use tonic::Code;
use uuid::Uuid;

/// What officers can ask for.
#[derive(Debug, clap::Subcommand)]
pub enum OfficerCommand {
    /// The queue.
    Worklist {
        /// mine, office or unassigned.
        #[arg(long, default_value = "mine")]
        queue: String,
    },
    /// A case with its whole timeline.
    Open {
        /// Receipt number, or cases/<id>.
        case: String,
    },
    /// Do the next thing on a case.
    Act {
        /// cases/<id>.
        case: String,
        /// What.
        #[command(subcommand)]
        act: OfficerAct,
    },
    /// For supervisors and records officers: refuse the appearance that stands for a case, as not valid; needs a fresh second factor.
    RefuseAppearance {
        /// filings/<id>, or cases/<id>.
        filing: String,
        /// form-not-valid, not-authorized or supervision-not-shown.
        reason: String,
    },
    /// For supervisors and records officers: end all appearances of a representative who may no longer act, who enters no other until they
    /// are reinstated; needs a fresh second factor.
    EndAppearances {
        /// accounts/<id>.
        representative: String,
        /// suspended, disbarred or accreditation-ended.
        reason: String,
    },
    /// For supervisors and records officers: let somebody represent again; needs a fresh second factor.
    ReinstateRepresentative {
        /// accounts/<id>.
        representative: String,
    },
    /// Decide as the second officer; needs a fresh second factor.
    Decide {
        /// cases/<id>.
        case: String,
        /// approve, deny, refer (asylum, to the immigration court) or return.
        decision: String,
        /// A ground of a denial or a referral, by its code; may be given more than once.
        #[arg(long = "ground")]
        grounds: Vec<String>,
        /// The findings and reasons of a denial or a referral, in plain words to the party.
        #[arg(long, default_value = "")]
        reasons: String,
        /// Whether who asks for asylum is in a lawful status now, for a denial of asylum: lawful or none.
        #[arg(long, default_value = "")]
        status: String,
        /// Facts that a denial rests on and that the party did not know: none, or told by a notice of intent that is answered or ran out.
        #[arg(long, default_value = "")]
        new_facts: String,
    },
}

/// Acts on a case.
#[derive(Debug, clap::Subcommand)]
pub enum OfficerAct {
    /// Take the case, or give it to somebody.
    Assign {
        /// accounts/<id>; oneself when empty.
        #[arg(default_value = "")]
        officer: String,
    },
    /// Begin the review.
    StartReview,
    /// Set an appointment on the first open day.
    Schedule {
        /// biometrics, interview or oath.
        kind: String,
    },
    /// Record that nobody came to an appointment, once its day is over; decides nothing.
    Missed {
        /// biometrics, interview or oath.
        kind: String,
    },
    /// Send the case to another office: who has it here sees it no more; due dates and receipt number stay.
    Transfer {
        /// Code of the office, such as FO-CHI.
        office: String,
        /// jurisdiction or workload.
        reason: String,
    },
    /// Send a notice of intent to deny: the party may answer the grounds before anything is decided.
    IntendDenial {
        /// The grounds, in plain words to the party.
        #[arg(long)]
        grounds: String,
        /// Derogatory information that the party may not know of, in plain words.
        #[arg(long, default_value = "")]
        derogatory_information: String,
        /// What is asked for beside the answer, as code or code:reason; may be given more than once.
        #[arg(long = "item")]
        items: Vec<String>,
        /// Days to answer; the rule's own when 0.
        #[arg(long, default_value_t = 0)]
        days: u32,
    },
    /// Recommend a decision.
    Recommend {
        /// approve, deny or refer.
        recommendation: String,
        /// Grounds, for the office.
        #[arg(long, default_value = "")]
        grounds: String,
    },
    /// Answer the request to expedite; there is no appeal, and only the order of work changes.
    AnswerExpedite {
        /// grant or deny.
        #[arg(value_parser = ["grant", "deny"])]
        answer: String,
        /// To the party, in 20 to 2,000 characters.
        words: String,
    },
    /// Answer an inquiry.
    AnswerInquiry {
        /// inquiries/<id>, as `docket inquiries` shows it.
        inquiry: String,
        /// To the party, in 20 to 2,000 characters.
        words: String,
    },
    /// Of the office's own accord.
    #[command(flatten)]
    Office(OfficeAct),
    /// Record what was tried to reach somebody whom a mail about a notice did not reach; ends the search.
    Sought {
        /// What was tried: account, other-channel, representative, phone or letter; may be given more than once.
        #[arg(long = "tried", required = true)]
        tried: Vec<String>,
        /// What came of it, in 20 to 2,000 characters, for the file.
        note: String,
        /// notices/<id>, as `docket officer open` shows it; every one that is open when not given.
        #[arg(long, default_value = "")]
        notice: String,
    },
}

/// Runs an officer's command.
pub async fn officer(home: &Path, command: OfficerCommand, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let token = Some(token.as_str());
    match command {
        OfficerCommand::Worklist { queue } => {
            each_page(async |page_token| {
                let first = page_token.is_empty();
                let message = pb::ListWorklistRequest { queue: queue.clone(), page_size: 100, page_token };
                let answer = connection.status().list_worklist(request(token, message)).await;
                let answer = answer.map_err(Refused::from)?.into_inner();
                if first && !teller.is_json() {
                    teller.heading(&format!("{} case(s) in the queue", answer.total));
                }
                worklist(&answer, teller);
                Ok(answer.next_page_token)
            })
            .await
        }
        OfficerCommand::Open { case } => {
            let message = pb::GetCaseRequest { name: case.clone(), language: String::new(), min_version: 0 };
            let answer = connection
                .status()
                .get_case(request(token, message))
                .await
                .map_err(Refused::from)?
                .into_inner();
            let message = pb::ListTimelineRequest { name: case, language: String::new(), as_of_us: 0 };
            let timeline = connection
                .status()
                .list_timeline(request(token, message))
                .await
                .map_err(Refused::from)?
                .into_inner();
            let case = answer.case.context("case")?;
            case::show(&case, &timeline.entries, teller);
            if !case.waiting_threads.is_empty() && !teller.is_json() {
                teller.pair("to read and answer", &format!("docket message {}", case.name));
            }
            notes(&connection, token, &case, teller).await?;
            papers(&connection, token, &case.name, teller).await?;
            answers(&connection, token, &case.name, teller).await
        }
        OfficerCommand::Act { case, act } => done(self::act(&connection, token, case, act).await?, teller),
        OfficerCommand::RefuseAppearance { filing, reason } => {
            let (request_id, filing) = (Uuid::now_v7().to_string(), filing_of(&filing));
            let message =
                filings::RefuseAppearanceRequest { request_id, filing, reason: office::code(&reason) };
            let answer = connection.representations().refuse_appearance(request(token, message)).await;
            let refused = answer.map_err(Refused::from)?.into_inner().representation;
            no_longer(&[refused.context("representation")?.name], teller);
            Ok(())
        }
        OfficerCommand::EndAppearances { representative, reason } => {
            let (request_id, reason) = (Uuid::now_v7().to_string(), office::code(&reason));
            let message = filings::EndAppearancesRequest { request_id, representative, reason };
            let answer = connection.representations().end_appearances(request(token, message)).await;
            no_longer(&answer.map_err(Refused::from)?.into_inner().ended, teller);
            Ok(())
        }
        OfficerCommand::ReinstateRepresentative { representative } => {
            let request_id = Uuid::now_v7().to_string();
            let message = filings::ReinstateRepresentativeRequest {
                request_id,
                representative: representative.clone(),
            };
            let answer = connection.representations().reinstate_representative(request(token, message)).await;
            answer.map_err(Refused::from)?;
            if teller.is_json() {
                teller.value(&json!({ "reinstated": representative }));
            } else {
                teller.line(&format!("{representative} may represent again"));
            }
            Ok(())
        }
        OfficerCommand::Decide { case: name, decision, grounds, reasons, status, new_facts } => {
            let message = pb::DecideCaseRequest {
                request_id: Uuid::now_v7().to_string(),
                name,
                decision,
                ground_codes: grounds,
                reasons,
                applicant_status: status,
                new_facts,
            };
            done(
                connection
                    .cases()
                    .decide_case(request(token, message))
                    .await
                    .map_err(Refused::from)?
                    .into_inner()
                    .case,
                teller,
            )
        }
    }
}

/// Appearances that the office ended.
fn no_longer(ended: &[String], teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({ "ended": ended }));
        return;
    }
    teller.line(&format!("{} appearance(s) ended; both sides are told by mail", ended.len()));
    for name in ended {
        teller.line(name);
    }
}

/// What officers noted about whom a mail did not reach; nothing for whoever may not read it.
async fn notes(
    connection: &crate::client::Connection,
    token: Option<&str>,
    case: &pb::Case,
    teller: &Teller,
) -> Result<()> {
    if case.searches.iter().all(|search| search.state != "sought") {
        return Ok(());
    }
    let message = pb::ListSearchesRequest { name: case.name.clone() };
    let searches = match connection.office().list_searches(request(token, message)).await {
        Ok(answer) => answer.into_inner().searches,
        Err(status) if [Code::NotFound, Code::PermissionDenied].contains(&status.code()) => return Ok(()),
        Err(status) => return Err(Refused::from(status).into()),
    };
    for search in searches.iter().filter(|search| search.noted_at_us != 0) {
        if teller.is_json() {
            teller.value(&json!({"notice": search.notice, "addressee": search.addressee, "tried": search.tried, "note": search.note, "officer": search.officer, "noted_at_us": search.noted_at_us}));
        } else {
            let (whom, tried) = (&search.addressee, search.tried.join(", "));
            teller.pair(&format!("sought, {whom} ({tried})"), &search.note);
        }
    }
    Ok(())
}

/// What was filed in a case and what went in with it, and how to read it; nothing for whoever may not.
async fn papers(
    connection: &crate::client::Connection,
    token: Option<&str>,
    case: &str,
    teller: &Teller,
) -> Result<()> {
    let name = filing_of(case);
    let message = docket_proto::filing::v1::GetFilingRequest { name, language: String::new() };
    let filing = match connection.drafts().get_filing(request(token, message)).await {
        Ok(answer) => answer.into_inner().filing.context("filing")?,
        Err(status) if [Code::NotFound, Code::PermissionDenied].contains(&status.code()) => return Ok(()),
        Err(status) => return Err(Refused::from(status).into()),
    };
    let enclosed = filing.enclosed.iter().map(|enclosed| (enclosed.form.as_str(), enclosed.name.as_str()));
    for (form, name) in std::iter::once((filing.form.as_str(), filing.name.as_str())).chain(enclosed) {
        if teller.is_json() {
            teller.value(&json!({ "form": form, "filing": name }));
        } else {
            teller.pair(&format!("Form {form}"), &format!("docket copy {name}"));
        }
    }
    filing.evidence.iter().chain(&filing.unsolicited).for_each(|file| view::tell(file, teller));
    // Who signed it beside whoever filed it.
    if !filing.helpers.is_empty() {
        helper::list(&filing, teller);
    }
    Ok(())
}

/// What the party answered to the requests in a case: its files, and why something could not be provided; nothing for whoever may
/// not read it.
async fn answers(
    connection: &crate::client::Connection,
    token: Option<&str>,
    case: &str,
    teller: &Teller,
) -> Result<()> {
    let message = docket_proto::filing::v1::ListCaseResponsesRequest { case: case.to_owned() };
    let responses = match connection.evidence().list_case_responses(request(token, message)).await {
        Ok(answer) => answer.into_inner().responses,
        Err(status) if [Code::NotFound, Code::PermissionDenied].contains(&status.code()) => return Ok(()),
        Err(status) => return Err(Refused::from(status).into()),
    };
    for response in &responses {
        answer(response, teller);
    }
    Ok(())
}

fn answer(response: &docket_proto::filing::v1::Response, teller: &Teller) {
    if teller.is_json() {
        let files = response.evidence.iter().map(|file| {
            json!({"item": file.kind, "file": file.file_name, "name": file.name, "foreign_language": file.foreign_language, "hard_to_read": view::pages_of(file)})
        });
        let lacking = response.explanations.iter();
        let lacking = lacking.map(|said| json!({"item": said.kind, "explanation": said.explanation}));
        let taken_out = response.refused.iter();
        let taken_out = taken_out.map(
            |file| json!({"item": file.kind, "file": file.file_name, "name": file.name, "verdict": file.verdict}),
        );
        teller.value(&json!({
            "response": response.name, "request_kind": response.request_kind, "received_at_us": response.received_at_us,
            "items": response.items, "files": files.collect::<Vec<_>>(),
            "cannot_be_provided": lacking.collect::<Vec<_>>(), "taken_out": taken_out.collect::<Vec<_>>(),
        }));
        return;
    }
    let (kind, received) = (response.request_kind.to_uppercase(), when(response.received_at_us));
    teller.heading(&format!("answer to {kind}, received {received}"));
    for file in &response.evidence {
        view::tell(file, teller);
    }
    for file in &response.refused {
        let why = format!("{}: taken out when it was checked ({})", file.file_name, file.verdict);
        teller.pair(&file.kind, &why);
    }
    for said in &response.explanations {
        teller.pair(&said.kind, &format!("cannot be provided: {}", said.explanation));
    }
    for item in unanswered(response) {
        teller.pair(item, "nothing");
    }
}

/// The items of which nothing came at all.
fn unanswered(response: &docket_proto::filing::v1::Response) -> impl Iterator<Item = &String> {
    let is_there = |item: &&String| {
        response.evidence.iter().any(|file| file.kind == **item)
            || response.refused.iter().any(|file| file.kind == **item)
            || response.explanations.iter().any(|said| said.kind == **item)
    };
    response.items.iter().filter(move |item| !is_there(item))
}

async fn act(
    connection: &crate::client::Connection,
    token: Option<&str>,
    name: String,
    act: OfficerAct,
) -> Result<Option<pb::CaseVersion>> {
    let request_id = Uuid::now_v7().to_string();
    let mut cases = connection.cases();
    Ok(match act {
        OfficerAct::Assign { officer } => {
            let message = pb::AssignCaseRequest { request_id, name, officer };
            cases.assign_case(request(token, message)).await.map_err(Refused::from)?.into_inner().case
        }
        OfficerAct::StartReview => {
            let message = pb::StartReviewRequest { request_id, name };
            cases.start_review(request(token, message)).await.map_err(Refused::from)?.into_inner().case
        }
        OfficerAct::Schedule { kind } => {
            let kind = crate::story::appointment_kind(&kind)?.into();
            let message = pb::ScheduleAppointmentRequest {
                request_id,
                name,
                kind,
                date: String::new(),
                time: String::new(),
            };
            cases
                .schedule_appointment(request(token, message))
                .await
                .map_err(Refused::from)?
                .into_inner()
                .case
        }
        OfficerAct::Missed { kind } => {
            let kind = crate::story::appointment_kind(&kind)?.into();
            let message = pb::RecordMissedAppointmentRequest { request_id, name, kind };
            let answer = cases.record_missed_appointment(request(token, message)).await;
            answer.map_err(Refused::from)?.into_inner().case
        }
        OfficerAct::Transfer { office, reason } => {
            let message = pb::TransferCaseRequest { request_id, name, office, reason };
            cases.transfer_case(request(token, message)).await.map_err(Refused::from)?.into_inner().case
        }
        OfficerAct::IntendDenial { grounds, derogatory_information, items, days } => {
            let items = items.iter().map(|item| asked(item)).collect();
            let message =
                pb::IntendDenialRequest { request_id, name, grounds, derogatory_information, items, days };
            cases.intend_denial(request(token, message)).await.map_err(Refused::from)?.into_inner().case
        }
        OfficerAct::Recommend { recommendation, grounds } => {
            let message = pb::RecommendDecisionRequest { request_id, name, recommendation, grounds };
            cases.recommend_decision(request(token, message)).await.map_err(Refused::from)?.into_inner().case
        }
        OfficerAct::AnswerExpedite { answer, words } => {
            let granted = answer == "grant";
            let message = pb::AnswerExpediteRequest { request_id, name, granted, answer: words };
            cases.answer_expedite(request(token, message)).await.map_err(Refused::from)?.into_inner().case
        }
        OfficerAct::AnswerInquiry { inquiry, words } => {
            let message = pb::AnswerInquiryRequest { request_id, name, inquiry, answer: words };
            cases.answer_inquiry(request(token, message)).await.map_err(Refused::from)?.into_inner().case
        }
        OfficerAct::Office(act) => office::act(connection, token, (request_id, name), act).await?,
        OfficerAct::Sought { tried, note, notice } => {
            let tried = tried.iter().map(|way| way.replace('-', "_")).collect();
            let message = pb::RecordAddresseeSoughtRequest { request_id, name, notice, tried, note };
            let answer = cases.record_addressee_sought(request(token, message)).await;
            answer.map_err(Refused::from)?.into_inner().case
        }
    })
}

/// An item as it is typed: its code, and why it is asked for unless it is missing.
pub(super) fn asked(item: &str) -> pb::request_evidence_request::Item {
    let (code, reason) = item.split_once(':').unwrap_or((item, "missing"));
    pb::request_evidence_request::Item { code: code.to_owned(), reason: reason.to_owned() }
}

fn done(case: Option<pb::CaseVersion>, teller: &Teller) -> Result<()> {
    let case = case.context("case")?;
    if teller.is_json() {
        teller.value(&json!({"name": case.name, "version": case.version, "events": case.events}));
    } else {
        teller.line(&format!(
            "done: {} is at version {} ({})",
            case.name,
            case.version,
            case.events.join(", ")
        ));
    }
    Ok(())
}

fn worklist(answer: &pb::ListWorklistResponse, teller: &Teller) {
    for item in &answer.items {
        let case = item.case.clone().unwrap_or_default();
        if teller.is_json() {
            let due = item.answer_deadline.as_ref().map(|deadline| &deadline.due_date);
            let by_law = case.office_deadline.as_ref().map(|deadline| &deadline.due_date);
            teller.value(&json!({"name": case.name, "receipt_number": case.receipt_number, "form": case.form, "task": item.task, "waiting_since_us": item.waiting_since_us, "answer": item.answer, "answer_due_date": due, "office_due_date": by_law}));
        } else {
            teller.line(&format!(
                "{}  {:<6} {:<28} since {}  {}",
                case.receipt_number,
                case.form,
                item.task,
                when(item.waiting_since_us),
                case.name
            ));
            if let Some(deadline) = &item.answer_deadline {
                teller.line(&format!("  {} by {}", item.answer, deadline.due_date));
            }
            if let Some(deadline) = &case.office_deadline {
                let acts = if case::is_hearing(deadline) { "hear" } else { "decide" };
                teller.line(&format!("  {acts} by {} ({})", deadline.due_date, deadline.cite));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use docket_proto::filing::v1::{RefusedFile, Response};

    #[test]
    fn what_came_and_was_taken_out_is_not_nothing() {
        let refused = RefusedFile { kind: "court_records".into(), ..RefusedFile::default() };
        let items = ["court_records", "lease"].map(str::to_owned).into();
        let response = Response { items, refused: vec![refused], ..Response::default() };
        assert_eq!(unanswered(&response).collect::<Vec<_>>(), ["lease"]);
    }
}
