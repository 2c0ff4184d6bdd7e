//! Who signs beside the filer in a story: an interpreter, preparer or co-signer is asked with a code, reads what is going to be signed, and signs.
use super::act::Act;
use super::party::call;
use super::player::{Answer, Player, command_id};
use anyhow::{Context, anyhow};
use docket_proto::filing::v1 as filings;

/// Acts of helpers, and of whoever asks them.
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
pub async fn act(player: &mut Player, who: &str, act: &Act) -> Answer {
    match act {
        Act::AskHelper { role } => ask(player, who, role).await,
        Act::SignAsHelper { name, spoken_language } => sign(player, who, name, spoken_language).await,
        other => Err(anyhow!("{other:?} is no act of a helper").into()),
    }
}

async fn ask(player: &mut Player, who: &str, role: &str) -> Answer {
    let message = filings::AskHelperRequest {
        request_id: command_id(),
        name: player.matter.filing.clone(),
        role: role.to_owned(),
        language: String::new(),
    };
    let answer = call!(player, player.token(who)?, helpers, ask_helper, message)?;
    player.helper_code = answer.code;
    let helpers = answer.filing.context("filing")?.helpers;
    let asked = helpers.iter().find(|helper| helper.role == role).context("helper")?;
    Ok(format!("the {role} gets a code; {}", asked.state))
}

/// Reads the text and signs it under a name; the own one when none is given.
async fn sign(player: &Player, who: &str, name: &str, spoken_language: &str) -> Answer {
    let code = player.helper_code.clone();
    let message = filings::ReviewAsHelperRequest { code: code.clone() };
    let seen = call!(player, player.token(who)?, helpers, review_as_helper, message)?;
    let row = &player.person(who)?.row;
    let own = format!("{} {}", row.given_name, row.family_name);
    let message = filings::SignAsHelperRequest {
        request_id: command_id(),
        code,
        content_hash: seen.content_hash,
        typed_name: if name.is_empty() { own } else { name.to_owned() },
        spoken_language: spoken_language.to_owned(),
    };
    let signed = call!(player, player.token(who)?, helpers, sign_as_helper, message)?;
    Ok(format!("{} lines read and signed as {}", seen.text.lines().count(), signed.role))
}
