//! Who signs beside the filer in a story: an interpreter, preparer or co-signer is asked with a code, by hand or by mail, reads what is
//! going to be signed, and signs.
use super::act::Act;
use super::party::{call, mail_text};
use super::player::{Answer, Player, command_id};
use anyhow::{Context, anyhow};
use docket_proto::filing::v1 as filings;

/// What stands in the subject of the mail that asks somebody to sign, or to file a form.
const INVITED: &str = "are asked to";

/// Acts of helpers, and of whoever asks them.
#[expect(clippy::wildcard_enum_match_arm, reason = "the player sorts the acts")]
pub async fn act(player: &mut Player, who: &str, act: &Act) -> Answer {
    match act {
        Act::AskHelper { role, person, mail } => ask(player, who, (role, *person), mail).await,
        Act::WithdrawHelper { role, person } => withdraw(player, who, (role, *person)).await,
        Act::OpenInvitation {} => open_invitation(player, who).await,
        Act::SeeSigners { signers } => see(player, who, signers).await,
        Act::SignAsHelper { name, spoken_language, reads, reads_not } => {
            sign(player, who, (name, spoken_language), (reads, reads_not)).await
        }
        other => Err(anyhow!("{other:?} is no act of a helper").into()),
    }
}

async fn ask(player: &mut Player, who: &str, (role, person): (&str, u32), mail: &str) -> Answer {
    let mail_to = if mail.is_empty() { String::new() } else { player.person(mail)?.email.clone() };
    let message = filings::AskHelperRequest {
        request_id: command_id(),
        name: player.matter.filing.clone(),
        role: role.to_owned(),
        language: String::new(),
        person,
        mail_to,
    };
    let answer = call!(player, player.token(who)?, helpers, ask_helper, message)?;
    // What goes by mail is read there.
    player.helper_code = if mail.is_empty() { answer.code } else { String::new() };
    let helpers = answer.filing.context("filing")?.helpers;
    let asked = helpers.iter().find(|helper| helper.role == role && helper.person == person);
    Ok(format!("the {role} gets a code; {}", asked.context("helper")?.state))
}

async fn withdraw(player: &Player, who: &str, (role, person): (&str, u32)) -> Answer {
    let message = filings::WithdrawHelperRequest {
        request_id: command_id(),
        name: player.matter.filing.clone(),
        role: role.to_owned(),
        person,
        language: String::new(),
    };
    let answer = call!(player, player.token(who)?, helpers, withdraw_helper, message)?;
    let waiting = answer.filing.context("filing")?.helpers.iter().filter(|one| one.state == "asked").count();
    Ok(format!("taken back; {waiting} still asked"))
}

async fn open_invitation(player: &mut Player, who: &str) -> Answer {
    let text = mail_text(player, &player.person(who)?.email, INVITED).await?;
    let mut words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
    let code = words.find(|word| is_code(word)).context("no code in the mail")?;
    code.clone_into(&mut player.helper_code);
    Ok("the mail has a code, and names nobody and no form".to_owned())
}

/// Ten letters and digits with a line between them.
fn is_code(word: &str) -> bool {
    let part = |part: &str| {
        part.len() == 5 && part.chars().all(|one| one.is_ascii_digit() || one.is_ascii_uppercase())
    };
    word.split_once('-').is_some_and(|(first, second)| part(first) && part(second))
}

async fn see(player: &Player, who: &str, signers: &[String]) -> Answer {
    let message = filings::GetFilingRequest { name: player.matter.filing.clone(), language: String::new() };
    let answer = call!(player, player.token(who)?, drafts, get_filing, message)?;
    let helpers = answer.filing.context("filing")?.helpers;
    let seen: Vec<String> = helpers.iter().map(|one| format!("{}: {}", one.name, one.state)).collect();
    if seen != signers {
        return Err(anyhow!("who signs is {seen:?}").into());
    }
    Ok(seen.join("; "))
}

/// Reads the text and signs it under a name; the own one when none is given.
async fn sign(
    player: &Player,
    who: &str,
    (name, spoken_language): (&str, &str),
    (reads, reads_not): (&[String], &[String]),
) -> Answer {
    let code = player.helper_code.clone();
    let message = filings::ReviewAsHelperRequest { code: code.clone() };
    let seen = call!(player, player.token(who)?, helpers, review_as_helper, message)?;
    if let Some(missing) = reads.iter().find(|words| !seen.text.contains(*words)) {
        return Err(anyhow!("what is read does not say {missing:?}: {}", seen.text).into());
    }
    if let Some(said) = reads_not.iter().find(|words| seen.text.contains(*words)) {
        return Err(anyhow!("what is read says {said:?}: {}", seen.text).into());
    }
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
