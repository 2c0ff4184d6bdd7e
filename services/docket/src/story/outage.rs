//! Services that are away for a while, and what people see meanwhile.
use super::party::{call, wait_for};
use super::player::{Answer, Player};
use crate::address::Addresses;
use anyhow::Context;
use docket_proto::filing::v1 as filings;
use docket_proto::notifications::v1 as notifications;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::json;

/// Stops a service; the supervisor leaves it so. One that was killed a moment ago may be on its way back, and is stopped then.
pub async fn stop(player: &Player, service: &str) -> Answer {
    let file = player.addresses.held.join(service);
    std::fs::write(&file, "").with_context(|| format!("write {}", file.display()))?;
    let home = file.parent().and_then(|held| held.parent()).context("home")?;
    let admin = player.addresses.admin.get(service).context("an address")?.clone();
    let mut stopped = None;
    // The supervisor takes notice of its end; until then its id is still there.
    wait_for(&format!("{service} has stopped"), async || {
        let pid = *Addresses::read(home)?.processes.get(service).context("it does not run")?;
        let process = Pid::from_raw(pid.cast_signed()).context("a process id")?;
        if stopped != Some(pid) {
            // It may have ended by itself.
            let _ = kill_process(process, Signal::TERM);
            stopped = Some(pid);
            return Ok(None);
        }
        let gone = test_kill_process(process).is_err()
            || player.http.get(format!("{admin}/livez")).send().await.is_err();
        Ok(gone.then_some(()))
    })
    .await?;
    Ok(format!("{service} is away"))
}

/// Lets the supervisor start it again.
pub async fn start(player: &Player, service: &str) -> Answer {
    std::fs::remove_file(player.addresses.held.join(service)).context("it was not stopped")?;
    let url = format!("{}/readyz", player.addresses.admin.get(service).context("an address")?);
    wait_for(&format!("{service} is ready"), async || {
        let answer = player.http.get(&url).send().await;
        Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
    })
    .await?;
    Ok(format!("{service} is back"))
}

/// Whether the mail relay takes mail.
pub async fn set_mail(player: &Player, works: bool) -> Answer {
    let url = format!("{}/sandbox/parties/mail", player.addresses.sandbox);
    let mode = json!({ "mode": if works { "works" } else { "error" } });
    let answer = player.http.put(url).json(&mode).send().await.context("the sandbox")?;
    answer.error_for_status().context("the sandbox")?;
    Ok(if works { "the relay takes mail" } else { "the relay puts every mail off" }.to_owned())
}

/// Sees that a mail waits.
pub async fn see_mail_waiting(player: &Player, who: &str) -> Answer {
    let alert = wait_for("a mail waits", async || {
        let message = notifications::ListDeliveriesRequest { page_size: 0 };
        let deliveries = call!(player, player.token(who)?, inbox, list_deliveries, message)?.deliveries;
        let waiting =
            |delivery: &notifications::Delivery| delivery.channel == "email" && delivery.state == "queued";
        Ok(deliveries.into_iter().find(waiting).map(|delivery| delivery.alert))
    })
    .await?;
    Ok(format!("{alert} waits"))
}

/// Sees how far the filing at hand is.
pub async fn see_filing(player: &Player, who: &str, state: &str) -> Answer {
    let seen = wait_for(&format!("the filing is {state}"), async || {
        let message =
            filings::GetFilingRequest { name: player.matter.filing.clone(), language: String::new() };
        let filing = call!(player, player.token(who)?, drafts, get_filing, message)?.filing;
        Ok(filing.filter(|filing| filing.state == state))
    })
    .await?;
    Ok(format!("{}: {}", seen.form, seen.state))
}
