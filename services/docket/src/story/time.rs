//! Turning the clock of a system that is thrown away; everybody signs in anew afterwards.
use super::party::{call, sign_in, wait_for};
use super::player::{Answer, Player, Stumble};
use crate::client::reason;
use crate::clock;
use anyhow::{Context, anyhow};
use docket_proto::case_status::v1 as cases;
use docket_proto::filing::v1 as filings;
use docket_proto::identity::v1 as identity;
use docket_proto::notifications::v1 as notifications;
use docket_proto::payments::v1 as payments;
use tonic::{Code, Status};

/// So long after the end of the deadline.
const AFTER_S: i64 = 60;
/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// After so many failures there is a wait before the next try, at most so long; after so many there is none.
const SLOW_FROM: u32 = 5;
const LONGEST_WAIT_S: i64 = 301;
const LOCKED_AT: u32 = 20;

/// Turns the clock just past the deadline that `who` sees.
pub async fn turn_past_deadline(player: &mut Player, who: &str) -> Answer {
    let message = cases::GetCaseRequest { name: player.case(), language: String::new(), min_version: 0 };
    let case = call!(player, player.token(who)?, status, get_case, message)?.case.context("case")?;
    let deadline = case.deadline.context("a deadline that is open")?;
    turn(player, deadline.expires_at_us / 1_000_000 + AFTER_S)?;
    anew(player, who, &[]).await?;
    Ok(format!("it is past {}; everybody signs in anew", deadline.due_date))
}

/// Turns the clock by so many days.
pub async fn turn_by(player: &mut Player, who: &str, days: i64) -> Answer {
    turn(player, clock::now_s() + days * DAY_S)?;
    anew(player, who, &[]).await?;
    Ok(format!("{days} days later; everybody signs in anew"))
}

/// Tries the password of somebody until it is locked. Each wait between two tries is gone through by the clock.
pub async fn guess(player: &mut Player, who: &str) -> Answer {
    for nth in 0..LOCKED_AT {
        if nth >= SLOW_FROM {
            turn(player, clock::now_s() + LONGEST_WAIT_S)?;
        }
        wait_for("another try is let through", async || match sign_in(player, who, true).await {
            Err(Stumble::Refused(status)) if reason(&status) == "SIGN_IN_REFUSED" => Ok(Some(())),
            Err(Stumble::Refused(status)) if reason(&status) == "TOO_MANY_TRIES" => Ok(None),
            Err(other) => Err(other),
            Ok(_) => Err(anyhow!("the guess was right").into()),
        })
        .await?;
    }
    anew(player, who, &[who]).await?;
    let guessed = player.person_mut(who)?;
    guessed.access_token = None;
    guessed.refresh_token.clear();
    Ok(format!("{LOCKED_AT} guesses, the later ones minutes apart; the others sign in anew"))
}

fn turn(player: &Player, to_s: i64) -> anyhow::Result<()> {
    let file = player.addresses.clock.clone().context("the clock of this system cannot be turned")?;
    clock::turn(&file, to_s)
}

/// Waits until every service has the new time, and signs everybody in anew who had signed in, but for some.
async fn anew(player: &mut Player, who: &str, but: &[&str]) -> Result<(), Stumble> {
    wait_for("every service has the new time", async || followed(player, who).await).await?;
    let ids: Vec<String> = player.people.keys().cloned().collect();
    for id in ids {
        if !player.person(&id)?.totp_secret.is_empty() && !but.contains(&id.as_str()) {
            sign_in(player, &id, false).await?;
        }
    }
    Ok(())
}

/// Every service follows once it no longer takes a token of the time before; one that is away follows when it is back.
async fn followed(player: &Player, who: &str) -> Result<Option<()>, Stumble> {
    let token = || player.token(who);
    if token()?.is_none() {
        return Err(anyhow!("{who} has not signed in").into());
    }
    let refusals = [
        call!(player, token()?, accounts, get_account, identity::GetAccountRequest::default()).err(),
        call!(player, token()?, drafts, list_filings, filings::ListFilingsRequest::default()).err(),
        call!(player, token()?, payments, list_payments, payments::ListPaymentsRequest::default()).err(),
        call!(player, token()?, status, list_cases, cases::ListCasesRequest::default()).err(),
        call!(player, token()?, inbox, list_notices, notifications::ListNoticesRequest::default()).err(),
    ];
    let old =
        |refusal: &Option<Status>| refusal.as_ref().is_some_and(|no| no.code() == Code::Unauthenticated);
    if !refusals.iter().all(old) {
        return Ok(None);
    }
    if player.addresses.held.join("case-status").exists() {
        return Ok(Some(()));
    }
    let slots = call!(player, token()?, cases, list_free_slots, cases::ListFreeSlotsRequest::default()).err();
    Ok(old(&slots).then_some(()))
}
