//! Turning the clock of a system that is thrown away; everybody signs in anew afterwards.
use super::party::{call, sign_in, wait_for};
use super::player::{Answer, Player, Stumble};
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

/// Turns the clock just past the deadline that `who` sees.
pub async fn turn_past_deadline(player: &mut Player, who: &str) -> Answer {
    let file = player.addresses.clock.clone().context("the clock of this system cannot be turned")?;
    let message = cases::GetCaseRequest { name: player.case(), language: String::new(), min_version: 0 };
    let case = call!(player, player.token(who)?, status, get_case, message)?.case.context("case")?;
    let deadline = case.deadline.context("a deadline that is open")?;
    clock::turn(&file, deadline.expires_at_us / 1_000_000 + AFTER_S)?;
    wait_for("every service has the new time", async || followed(player, who).await).await?;
    let ids: Vec<String> = player.people.keys().cloned().collect();
    for id in ids {
        if !player.person(&id)?.totp_secret.is_empty() {
            sign_in(player, &id, false).await?;
        }
    }
    Ok(format!("it is past {}; everybody signs in anew", deadline.due_date))
}

/// Every service follows once it no longer takes a token of the time before.
async fn followed(player: &Player, who: &str) -> Result<Option<()>, Stumble> {
    let token = || player.token(who);
    if token()?.is_none() {
        return Err(anyhow!("{who} has not signed in").into());
    }
    let refusals = [
        call!(player, token()?, accounts, get_account, identity::GetAccountRequest::default()).err(),
        call!(player, token()?, drafts, list_filings, filings::ListFilingsRequest::default()).err(),
        call!(player, token()?, payments, list_payments, payments::ListPaymentsRequest::default()).err(),
        call!(player, token()?, cases, list_free_slots, cases::ListFreeSlotsRequest::default()).err(),
        call!(player, token()?, status, list_cases, cases::ListCasesRequest::default()).err(),
        call!(player, token()?, inbox, list_notices, notifications::ListNoticesRequest::default()).err(),
    ];
    let old =
        |refusal: &Option<Status>| refusal.as_ref().is_some_and(|no| no.code() == Code::Unauthenticated);
    Ok(refusals.iter().all(old).then_some(()))
}
