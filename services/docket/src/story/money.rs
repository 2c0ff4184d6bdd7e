//! Money in a story: the payer pays, lets somebody else pay, or takes the payment back; a bank takes its time, or the money back.
use super::act::Act;
use super::party::{call, wait_for};
use super::player::{Answer, Player, Stumble, command_id};
use crate::commands::amount;
use anyhow::{Context, anyhow};
use docket_proto::payments::v1 as payments;
use docket_proto::payments::v1::pay_with_card_response::Outcome;
use serde_json::{Value, json};

/// Acts on the payment of the filing at hand.
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
pub async fn act(player: &mut Player, who: &str, act: &Act) -> Answer {
    match act {
        Act::Pay { method, outcome, with_code } => pay(player, who, method, outcome, *with_code).await,
        Act::InvitePayer {} => invite(player, who).await,
        Act::WithdrawPayment {} => withdraw(player, who).await,
        Act::SeePayment { state, with_code } => see(player, who, state, *with_code).await,
        Act::BankPays {} => {
            sandbox(player, &of(player, "settle"), &json!({ "outcome": "succeeded" })).await?;
            Ok("the bank carried the debit out".to_owned())
        }
        Act::PaymentComesBack {} => {
            let dispute = sandbox(player, &of(player, "dispute"), &json!({})).await?;
            dispute["id"].as_str().context("a dispute has an id")?.clone_into(&mut player.dispute);
            Ok("the money was taken back".to_owned())
        }
        Act::DisputeIsWon {} => {
            let close = format!("disputes/{}/close", player.dispute);
            sandbox(player, &close, &json!({ "status": "won" })).await?;
            Ok("the objection is decided for the office".to_owned())
        }
        other => Err(anyhow!("{other:?} is no act of money").into()),
    }
}

fn name(player: &Player) -> String {
    format!("payments/{}", player.matter.package)
}

fn code(player: &Player, with_code: bool) -> String {
    if with_code { player.payer_code.clone() } else { String::new() }
}

/// What the sandbox does with the payment at hand.
fn of(player: &Player, what: &str) -> String {
    format!("payments/{}/{what}", player.matter.package)
}

async fn sandbox(player: &Player, what: &str, body: &Value) -> anyhow::Result<Value> {
    let url = format!("{}/sandbox/{what}", player.addresses.sandbox);
    let answer = player.http.post(url).json(body).send().await.context("the sandbox")?;
    answer.error_for_status().context("the sandbox")?.json().await.context("the sandbox")
}

/// Waits until payments has heard of the package; sent again, until it is no longer the payment that was withdrawn.
async fn opened(player: &Player, who: &str, name: &str, payer_code: &str) -> Result<(), Stumble> {
    wait_for("the payment is open", async || {
        let message =
            payments::GetPaymentRequest { name: name.to_owned(), payer_code: payer_code.to_owned() };
        let answer = call!(player, player.token(who)?, payments, get_payment, message).ok();
        let payment = answer.and_then(|answer| answer.payment);
        Ok(payment.filter(|payment| payment.state() != payments::payment::State::Withdrawn))
    })
    .await?;
    Ok(())
}

async fn pay(player: &Player, who: &str, method: &str, outcome: &str, with_code: bool) -> Answer {
    let (name, payer_code) = (name(player), code(player, with_code));
    opened(player, who, &name, &payer_code).await?;
    let method_token = method.to_owned();
    let message = payments::PayWithCardRequest { request_id: command_id(), name, method_token, payer_code };
    let answer = call!(player, player.token(who)?, payments, pay_with_card, message)?;
    let payment = answer.payment.clone().context("payment")?;
    let (came, told) = match answer.outcome() {
        Outcome::Paid => {
            let paid = amount(payment.amount.unwrap_or_default().cents);
            let card = [payment.card_brand, payment.card_last4].join(" …");
            ("paid", if with_code { format!("paid {paid}") } else { format!("paid {paid} with {card}") })
        }
        Outcome::Declined => ("declined", payment.last_refusal),
        Outcome::Pending => {
            ("pending", "the processor has not answered yet; nothing is charged twice".to_owned())
        }
        Outcome::Unspecified => ("unspecified", String::new()),
    };
    if came != outcome {
        return Err(anyhow!("{outcome} was expected, it came {came}: {told}").into());
    }
    Ok(told)
}

async fn invite(player: &mut Player, who: &str) -> Answer {
    let message = payments::InvitePayerRequest { request_id: command_id(), name: name(player) };
    let answer = call!(player, player.token(who)?, payments, invite_payer, message)?;
    player.payer_code = answer.payer_code;
    Ok("has a code to hand over; it opens this payment and nothing else".to_owned())
}

async fn withdraw(player: &Player, who: &str) -> Answer {
    let name = name(player);
    opened(player, who, &name, "").await?;
    let message = payments::WithdrawPaymentRequest { request_id: command_id(), name };
    call!(player, player.token(who)?, payments, withdraw_payment, message)?;
    Ok("nothing was charged, and what was sent is a draft again".to_owned())
}

async fn see(player: &Player, who: &str, state: &str, with_code: bool) -> Answer {
    let wanted = payments::payment::State::from_str_name(&format!("STATE_{}", state.to_uppercase()))
        .with_context(|| format!("{state:?} is no state of a payment"))?;
    let seen = wait_for(&format!("the payment is {state}"), async || {
        let message = payments::GetPaymentRequest { name: name(player), payer_code: code(player, with_code) };
        // Before payments has heard of the package there is none.
        let answer = call!(player, player.token(who)?, payments, get_payment, message).ok();
        Ok(answer.and_then(|answer| answer.payment).filter(|payment| payment.state() == wanted))
    })
    .await?;
    Ok(format!("{state}; due now: {}", amount(seen.due.unwrap_or_default().cents)))
}
