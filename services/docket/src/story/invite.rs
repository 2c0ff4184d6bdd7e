//! Who files a form in the package of somebody else in a story: asked by mail, they read who asks, and begin it.
use super::act::Act;
use super::party::call;
use super::player::{Answer, Player, command_id};
use anyhow::{Context, anyhow};
use docket_proto::filing::v1 as filings;

/// Acts of whoever asks, and of who is asked.
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
pub async fn act(player: &mut Player, who: &str, act: &Act) -> Answer {
    match act {
        Act::AskToFile { form, mail } => ask(player, who, form, mail).await,
        Act::AcceptToFile { reads } => accept(player, who, reads).await,
        Act::SeeAsked { asked } => see(player, who, asked).await,
        other => Err(anyhow!("{other:?} asks nobody to file").into()),
    }
}

async fn ask(player: &mut Player, who: &str, form: &str, mail: &str) -> Answer {
    let asked = player.person(mail)?;
    let message = filings::InviteToPackageRequest {
        request_id: command_id(),
        name: player.matter.filing.clone(),
        form: form.to_owned(),
        invitee_name: format!("{} {}", asked.row.given_name, asked.row.family_name),
        mail_to: asked.email.clone(),
    };
    let answer = call!(player, player.token(who)?, invitations, invite_to_package, message)?;
    // It is read in the mail.
    player.helper_code = String::new();
    let invitation = answer.invitation.context("invitation")?;
    Ok(format!("{} of {}: {}", invitation.number, invitation.form, invitation.state))
}

async fn accept(player: &mut Player, who: &str, reads: &[String]) -> Answer {
    let code = player.helper_code.clone();
    let message = filings::ReadPackageInvitationRequest { code: code.clone(), language: String::new() };
    let read = call!(player, player.token(who)?, invitations, read_package_invitation, message)?;
    let said = format!("{} asks for {}, {}", read.asked_by, read.form, read.title);
    if let Some(lacks) = reads.iter().find(|words| !said.contains(words.as_str())) {
        return Err(anyhow!("{lacks:?} is not in {said:?}").into());
    }
    let message =
        filings::AcceptPackageInvitationRequest { request_id: command_id(), code, ..Default::default() };
    let answer = call!(player, player.token(who)?, invitations, accept_package_invitation, message)?;
    player.begin(answer.filing.context("filing")?);
    Ok(said)
}

async fn see(player: &Player, who: &str, asked: &[String]) -> Answer {
    let message = filings::ListPackageInvitationsRequest { name: player.matter.filing.clone() };
    let answer = call!(player, player.token(who)?, invitations, list_package_invitations, message)?;
    let seen: Vec<String> =
        answer.invitations.iter().map(|one| format!("{}: {}", one.form, one.state)).collect();
    if seen != asked {
        return Err(anyhow!("who is asked is {seen:?}").into());
    }
    Ok(seen.join(", "))
}
