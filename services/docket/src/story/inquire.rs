//! What a party asks in its case, and what the office answers.
use super::act::Act;
use super::party::{call, wait_for};
use super::player::{Answer, Player, command_id};
use anyhow::{Context, anyhow};
use docket_proto::case_status::v1 as cases;

/// Acts of both sides.
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
pub async fn act(player: &mut Player, who: &str, act: &Act) -> Answer {
    let (request_id, name) = (command_id(), player.case());
    let token = player.token(who)?;
    let (version, told) = match act {
        Act::RequestExpedite { criterion, reasons } => {
            let (criterion, reasons) = (criterion.clone(), reasons.clone());
            let message = cases::RequestExpediteRequest { request_id, name, criterion, reasons };
            let answer = call!(player, token, cases, request_expedite, message)?;
            let due = answer.deadline.context("deadline")?.due_date;
            (answer.case, format!("asked; to be answered by {due}"))
        }
        Act::SendInquiry { kind, text } => {
            let (kind, text) = (kind.clone(), text.clone());
            let message = cases::SendInquiryRequest { request_id, name, kind, text };
            let answer = call!(player, token, cases, send_inquiry, message)?;
            let due = answer.deadline.context("deadline")?.due_date;
            (answer.case, format!("sent; to be answered by {due}"))
        }
        Act::AskCorrection { field, value, error_of, proof, explanation } => {
            let message = cases::AskCorrectionRequest {
                request_id,
                name,
                field: field.clone(),
                value: value.clone(),
                cause: error_of.clone(),
                proof: proof.clone(),
                explanation: explanation.clone(),
            };
            let answer = call!(player, token, office, ask_correction, message)?;
            let due = answer.deadline.context("deadline")?.due_date;
            (answer.case, format!("asked; to be answered by {due}"))
        }
        Act::AnswerExpedite { granted, answer } => {
            let told = if *granted { "the case is expedited" } else { "the case is not expedited" };
            let message =
                cases::AnswerExpediteRequest { request_id, name, granted: *granted, answer: answer.clone() };
            (call!(player, token, cases, answer_expedite, message)?.case, told.to_owned())
        }
        Act::AnswerInquiry { answer } => {
            let listed = call!(
                player,
                token.clone(),
                cases,
                list_inquiries,
                cases::ListInquiriesRequest { name: name.clone() }
            )?;
            let open = listed.inquiries.into_iter().find(|inquiry| inquiry.state == "open");
            let (inquiry, kind) = open.map(|open| (open.name, open.kind)).context("no inquiry is open")?;
            let message = cases::AnswerInquiryRequest { request_id, name, inquiry, answer: answer.clone() };
            (call!(player, token, cases, answer_inquiry, message)?.case, format!("answered: {kind}"))
        }
        Act::ReadInquiries { words } => return read(player, who, words).await,
        other => return Err(anyhow!("{other:?} asks and answers nothing").into()),
    };
    player.matter.version = version.context("case")?.version;
    Ok(told)
}

/// The words of both sides, as somebody reads them who may.
async fn read(player: &Player, who: &str, words: &[String]) -> Answer {
    let found = wait_for("the words can be read", async || {
        let message = cases::ListInquiriesRequest { name: player.case() };
        let listed = call!(player, player.token(who)?, cases, list_inquiries, message)?;
        let expedited = listed.expedite_requests.into_iter().flat_map(|asked| [asked.reasons, asked.answer]);
        let inquired = listed.inquiries.into_iter().flat_map(|sent| [sent.text, sent.answer]);
        let corrected = listed.corrections.into_iter();
        let corrected =
            corrected.flat_map(|it| [it.asked_value, it.explanation, it.corrected_value, it.reasons]);
        let said: Vec<String> =
            expedited.chain(inquired).chain(corrected).filter(|said| !said.is_empty()).collect();
        let told = |word: &String| said.iter().any(|said| said.contains(word.as_str()));
        Ok(words.iter().all(told).then_some(said))
    })
    .await?;
    Ok(found.join("\n"))
}
