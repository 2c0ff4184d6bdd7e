//! Taking a role away: one operator asks, another one approves.
use super::act::Act;
use super::party::call;
use super::player::{Answer, Player, command_id};
use anyhow::anyhow;
use docket_proto::identity::v1 as identity;

/// Acts of operators on roles.
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
pub async fn act(player: &mut Player, who: &str, act: &Act) -> Answer {
    let (request_id, token) = (command_id(), player.token(who)?);
    match act {
        Act::RevokeRole { from, role, office, reason } => {
            let message = identity::AskRevocationRequest {
                request_id,
                account: player.person(from)?.account.clone(),
                role: role.clone(),
                office: office.clone(),
                reason: reason.clone(),
            };
            player.revocation = call!(player, token, roles, ask_revocation, message)?.revocation;
            Ok(format!("asked: {role} at {office}; another operator approves"))
        }
        Act::ApproveRevocation {} => {
            let name = player.revocation.clone();
            let message = identity::ApproveRevocationRequest { request_id, name };
            call!(player, token, roles, approve_revocation, message)?;
            Ok("the role has ended".to_owned())
        }
        other => Err(anyhow!("{other:?} is no act on roles").into()),
    }
}
