//! `docket role`: who holds roles of the office or is invited to one, and taking one away by two operators.
use super::{Refused, Session, each_page, when};
use crate::client::request;
use crate::output::Teller;
use anyhow::Result;
use docket_proto::identity::v1 as pb;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// What operators can ask of roles.
#[derive(Debug, clap::Subcommand)]
pub enum RoleCommand {
    /// Who holds roles, with the open requests to take one away.
    Holders {
        /// Only this office, for example NBC.
        #[arg(long, default_value = "")]
        office: String,
        /// Only this role, for example adjudicator.
        #[arg(long, default_value = "")]
        role: String,
    },
    /// Ask that a role be taken away; another operator approves within a week. Asks for a fresh second factor.
    Revoke {
        /// accounts/<id>.
        account: String,
        /// Role.
        role: String,
        /// Office.
        office: String,
        /// left, moved, given-in-error or misused.
        #[arg(long)]
        reason: String,
    },
    /// The invitations that nobody has taken up, with who issued each.
    Invitations,
    /// Withdraw an invitation that nobody has taken up. Asks for a fresh second factor.
    Withdraw {
        /// invitations/<id>, as `docket role invitations` shows it.
        invitation: String,
    },
    /// Approve what another operator asked: the role ends at once. Asks for a fresh second factor.
    Approve {
        /// revocations/<id>, as `docket role holders` shows it.
        revocation: String,
    },
}

/// Runs an operator's command.
pub async fn role(home: &Path, command: RoleCommand, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let token = Some(token.as_str());
    let mut roles = connection.roles();
    let request_id = Uuid::now_v7().to_string();
    match command {
        RoleCommand::Holders { office, role } => {
            let mut rows = Vec::new();
            each_page(async |page_token| {
                let (office, role) = (office.clone(), role.clone());
                let message = pb::ListRoleHoldersRequest { office, role, page_size: 100, page_token };
                let answer = roles.list_role_holders(request(token, message)).await;
                let answer = answer.map_err(Refused::from)?.into_inner();
                rows.extend(answer.holders);
                Ok(answer.next_page_token)
            })
            .await?;
            holders(rows, teller);
        }
        RoleCommand::Revoke { account, role, office, reason } => {
            let reason = reason.replace('-', "_");
            let message = pb::AskRevocationRequest { request_id, account, role, office, reason };
            let answer = roles.ask_revocation(request(token, message)).await;
            let answer = answer.map_err(Refused::from)?.into_inner();
            if teller.is_json() {
                let expires_at_us = answer.expires_at_us;
                teller.value(&json!({"revocation": answer.revocation, "expires_at_us": expires_at_us}));
            } else {
                teller.line(&format!(
                    "asked; somebody else runs, until {}: docket role approve {}",
                    when(answer.expires_at_us),
                    answer.revocation
                ));
            }
        }
        RoleCommand::Invitations => {
            let answer = roles.list_invitations(request(token, pb::ListInvitationsRequest {})).await;
            invitations(answer.map_err(Refused::from)?.into_inner().invitations, teller);
        }
        RoleCommand::Withdraw { invitation } => {
            let message = pb::WithdrawInvitationRequest { request_id, name: invitation };
            roles.withdraw_invitation(request(token, message)).await.map_err(Refused::from)?;
            teller.line("the invitation can be taken up no more");
        }
        RoleCommand::Approve { revocation } => {
            let message = pb::ApproveRevocationRequest { request_id, name: revocation };
            roles.approve_revocation(request(token, message)).await.map_err(Refused::from)?;
            teller.line("the role has ended");
        }
    }
    Ok(())
}

fn holders(holders: Vec<pb::RoleHolder>, teller: &Teller) {
    let mut rows = Vec::new();
    for holder in holders {
        if teller.is_json() {
            teller.value(&json!({
                "account": holder.account, "role": holder.role, "office": holder.office,
                "revocation": holder.revocation, "reason": holder.reason, "asked_by": holder.asked_by,
            }));
        }
        rows.push(vec![holder.account, holder.role, holder.office, holder.revocation, holder.reason]);
    }
    if !teller.is_json() {
        teller.table(&["account", "role", "office", "to be taken away", "reason"], rows);
    }
}

fn invitations(invitations: Vec<pb::Invitation>, teller: &Teller) {
    let mut rows = Vec::new();
    for one in invitations {
        if teller.is_json() {
            teller.value(&json!({
                "invitation": one.name, "role": one.role, "office": one.office,
                "issued_by": one.issued_by, "expires_at_us": one.expires_at_us,
            }));
        }
        rows.push(vec![one.name, one.role, one.office, one.issued_by, when(one.expires_at_us)]);
    }
    if !teller.is_json() {
        teller.table(&["invitation", "role", "office", "issued by", "good until"], rows);
    }
}
