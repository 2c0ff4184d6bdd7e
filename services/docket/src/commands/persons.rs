//! `docket person`: releasing a person from the account they are linked to, by two records officers.
use super::{Refused, Session, when};
use crate::client::request;
use crate::output::Teller;
use anyhow::Result;
use docket_proto::identity::v1 as pb;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// What records officers can ask of people's links to accounts.
#[derive(Debug, clap::Subcommand)]
pub enum PersonCommand {
    /// The requests that wait for another officer.
    Releases,
    /// Ask that the person whom an account was refused for be released for it; another officer approves within a week. Asks for a
    /// fresh second factor.
    Release {
        /// The account that was refused, accounts/<id>.
        account: String,
        /// account-lost, made-by-another or linked-in-error.
        #[arg(long)]
        reason: String,
    },
    /// Approve what another officer asked: the link ends, and both accounts are told. Asks for a fresh second factor.
    Approve {
        /// releases/<id>, as `docket person releases` shows it.
        release: String,
    },
}

/// Runs a records officer's command.
pub async fn person(home: &Path, command: PersonCommand, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let token = Some(token.as_str());
    let mut persons = connection.persons();
    let request_id = Uuid::now_v7().to_string();
    match command {
        PersonCommand::Releases => {
            let answer = persons.list_releases(request(token, pb::ListReleasesRequest {})).await;
            releases(answer.map_err(Refused::from)?.into_inner().releases, teller);
        }
        PersonCommand::Release { account, reason } => {
            let reason = reason.replace('-', "_");
            let message = pb::AskReleaseRequest { request_id, account, reason };
            let answer = persons.ask_release(request(token, message)).await;
            let asked = answer.map_err(Refused::from)?.into_inner().release.unwrap_or_default();
            if teller.is_json() {
                teller.value(&shown(&asked));
            } else {
                teller.line(&format!(
                    "asked; somebody else runs, until {}: docket person approve {}",
                    when(asked.expires_at_us),
                    asked.name
                ));
            }
        }
        PersonCommand::Approve { release } => {
            let message = pb::ApproveReleaseRequest { request_id, name: release };
            persons.approve_release(request(token, message)).await.map_err(Refused::from)?;
            teller.line("the link has ended; both accounts are told");
        }
    }
    Ok(())
}

fn shown(release: &pb::Release) -> serde_json::Value {
    json!({
        "release": release.name, "account": release.account, "linked_to": release.linked_to,
        "reason": release.reason, "asked_by": release.asked_by, "expires_at_us": release.expires_at_us,
    })
}

fn releases(releases: Vec<pb::Release>, teller: &Teller) {
    let mut rows = Vec::new();
    for release in releases {
        if teller.is_json() {
            teller.value(&shown(&release));
        }
        rows.push(vec![release.name, release.account, release.linked_to, release.reason, release.asked_by]);
    }
    if !teller.is_json() {
        teller.table(&["request", "for account", "linked to", "reason", "asked by"], rows);
    }
}
