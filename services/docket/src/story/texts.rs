//! Texts in a story: a person has them on, answers one, and counts them at the carrier.
use super::act::Act;
use super::party::{call, step_up, wait_for};
use super::player::{Answer, Player, Stumble, command_id};
use anyhow::{Context, anyhow};
use docket_proto::notifications::v1 as notifications;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Acts on texts.
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
pub async fn act(player: &mut Player, who: &str, act: &Act) -> Answer {
    match act {
        Act::HaveTexts {} => have(player, who).await,
        Act::AnswerText { body, state } => answer(player, who, body, state).await,
        other => Err(anyhow!("{other:?} is no act on texts").into()),
    }
}

async fn standing(player: &Player, who: &str) -> Result<notifications::GetTextingResponse, Stumble> {
    let language = player.person(who)?.row.language.clone();
    let message = notifications::GetTextingRequest { language };
    Ok(call!(player, player.token(who)?, texting, get_texting, message)?)
}

async fn have(player: &mut Player, who: &str) -> Answer {
    step_up(player, who).await?;
    let consent = standing(player, who).await?.consent;
    let (number, language) = (player.person(who)?.phone.clone(), player.person(who)?.row.language.clone());
    let request_id = command_id();
    let message =
        notifications::AddTextNumberRequest { request_id, number: number.clone(), consent, language };
    call!(player, player.token(who)?, texting, add_text_number, message)?;
    let code = wait_for("the code has come to the phone", async || {
        let texts = at_the_carrier(player, &number).await?;
        Ok(texts.last().and_then(|body| code_in(body)))
    })
    .await?;
    let message = notifications::ConfirmTextNumberRequest { request_id: command_id(), code };
    call!(player, player.token(who)?, texting, confirm_text_number, message)?;
    Ok("texts are on, to a number that was proven by a code".to_owned())
}

async fn answer(player: &Player, who: &str, body: &str, state: &str) -> Answer {
    let url = format!("{}/sandbox/texts/reply", player.addresses.sandbox);
    let reply = json!({ "from": player.person(who)?.phone, "body": body });
    let answer = player.http.post(url).json(&reply).send().await.context("the carrier")?;
    answer.error_for_status().context("the carrier")?;
    wait_for(&format!("texts are {state}"), async || {
        Ok((standing(player, who).await?.state == state).then_some(()))
    })
    .await?;
    Ok(format!("answered {body}: texts are {state}"))
}

/// So many alerts tell somebody by text. Those that were handed to the carrier are there once each; the others wait for the morning, or for
/// the next day.
pub(super) async fn told_by_text(player: &Player, who: &str, wanted: usize) -> Result<usize, Stumble> {
    let number = player.person(who)?.phone.clone();
    let mut last = (0, 0, 0);
    let counted = wait_for("every text is there once", async || {
        let message = notifications::ListDeliveriesRequest { page_size: 100 };
        let told = call!(player, player.token(who)?, inbox, list_deliveries, message)?.deliveries;
        let alerts: Vec<_> =
            told.iter().filter(|told| told.channel == "sms" && !told.alert.starts_with("text_")).collect();
        let sent = alerts.iter().filter(|told| told.state == "handed_over").count();
        let there = at_the_carrier(player, &number).await?;
        let there: Vec<&String> = there.iter().filter(|body| code_in(body).is_none()).collect();
        let unique: BTreeSet<&&String> = there.iter().collect();
        if unique.len() != there.len() {
            return Err(anyhow!("{} texts, but only {} different ones", there.len(), unique.len()).into());
        }
        last = (alerts.len(), sent, there.len());
        Ok((last.0 == wanted && last.1 == last.2).then_some(last.2))
    })
    .await;
    counted.map_err(|_| {
        anyhow!("texts in the ledger, sent, and at the carrier: {last:?}; {wanted} expected").into()
    })
}

/// What the carrier has for a number, in its order: each text bears letters of its own.
async fn at_the_carrier(player: &Player, number: &str) -> Result<Vec<String>, Stumble> {
    let url = format!("{}/sms/messages", player.addresses.sandbox);
    let answer = player.http.get(url).query(&[("to", number)]).send().await.context("the carrier")?;
    let answer: Value = answer.json().await.context("the carrier")?;
    let texts = answer["messages"].as_array().into_iter().flatten();
    Ok(texts.map(|text| text["body"].as_str().unwrap_or_default().to_owned()).collect())
}

/// Six digits in a text, other than the letters at its end.
fn code_in(body: &str) -> Option<String> {
    let words = body.split(" Ref. ").next().unwrap_or_default();
    words.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 6).map(str::to_owned)
}
