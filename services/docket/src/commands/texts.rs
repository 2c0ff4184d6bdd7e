//! `docket texts`: whether and where the account is told by text, a number given and proven, and taken away.
use super::session::ask;
use super::{Refused, Session};
use crate::client::{Connection, request};
use crate::output::Teller;
use anyhow::{Result, bail};
use docket_proto::notifications::v1 as pb;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// What is asked of texts; shown without it.
#[derive(Debug, clap::Args)]
pub struct TextsArgs {
    #[command(subcommand)]
    command: Option<TextsCommand>,
}

/// What can be asked of them.
#[derive(Debug, clap::Subcommand)]
enum TextsCommand {
    /// Give the number of a mobile phone and agree to texts: a code goes there. Asks for a fresh second factor.
    Add {
        /// The number, of the United States or Canada.
        number: String,
        /// The words that `docket texts` shows are agreed to; asked for when not given.
        #[arg(long)]
        agree: bool,
    },
    /// Give the code that went to the number: texts are on.
    Confirm {
        /// Six digits; asked for when not given.
        code: Option<String>,
    },
    /// Take the number away: no texts any more. Mail goes on.
    Remove,
}

/// Shows where texts go, or changes it.
pub async fn texts(home: &Path, args: TextsArgs, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let request_id = Uuid::now_v7().to_string();
    match args.command {
        Some(TextsCommand::Add { number, agree }) => {
            let asked = standing(&connection, &token, teller.language()).await?;
            if !agree {
                let question =
                    format!("{}\n{}", asked.consent_words, teller.words("do you agree? (yes/no) "));
                if !matches!(ask(&question)?.trim(), "yes" | "y" | "sí" | "si" | "s") {
                    bail!(teller.words("nothing was changed: no texts are sent without your consent"));
                }
            }
            let (consent, language) = (asked.consent, teller.language().to_owned());
            let message = pb::AddTextNumberRequest { request_id, number, consent, language };
            let answer = connection.texting().add_text_number(request(Some(&token), message)).await;
            let expires_at_us = answer.map_err(Refused::from)?.into_inner().expires_at_us;
            if teller.is_json() {
                teller.value(&json!({ "expires_at_us": expires_at_us }));
            } else {
                let until = teller.when(expires_at_us);
                teller.line(
                    &teller
                        .filled("a code went to the number; good until {}: docket texts confirm", &[&until]),
                );
            }
        }
        Some(TextsCommand::Confirm { code }) => {
            let code = code.map_or_else(|| ask(teller.words("code from the text: ")), Ok)?;
            let message = pb::ConfirmTextNumberRequest { request_id, code };
            let answer = connection.texting().confirm_text_number(request(Some(&token), message)).await;
            answer.map_err(Refused::from)?;
            teller
                .line(teller.words("texts are on: docket texts remove, or STOP in answer to one, ends them"));
        }
        Some(TextsCommand::Remove) => {
            let message = pb::RemoveTextNumberRequest { request_id };
            let answer = connection.texting().remove_text_number(request(Some(&token), message)).await;
            answer.map_err(Refused::from)?;
            teller.line(teller.words("no texts are sent; mail goes on"));
        }
        None => shown(&standing(&connection, &token, teller.language()).await?, teller),
    }
    Ok(())
}

async fn standing(connection: &Connection, token: &str, language: &str) -> Result<pb::GetTextingResponse> {
    let message = pb::GetTextingRequest { language: language.to_owned() };
    let answer = connection.texting().get_texting(request(Some(token), message)).await;
    Ok(answer.map_err(Refused::from)?.into_inner())
}

fn shown(texting: &pb::GetTextingResponse, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({
            "state": texting.state, "number": texting.number, "new_number": texting.new_number,
            "new_number_until_us": texting.new_number_until_us,
            "consent": texting.consent, "consent_words": texting.consent_words,
        }));
        return;
    }
    let state = match texting.state.as_str() {
        "on" => "on",
        "stopped" => "ended by an answer from the number; START from there begins them again",
        "unreachable" => "ended, since they did not arrive: give the number again, or another one",
        "not_offered" => "not offered here",
        _ => "off",
    };
    teller.pair(teller.words("texts"), teller.words(state));
    if !texting.number.is_empty() {
        teller.pair(teller.words("number"), &texting.number);
    }
    if !texting.new_number.is_empty() {
        teller.pair(teller.words("waits for its code"), &texting.new_number);
        teller.pair(teller.words("its code is good until"), &teller.when(texting.new_number_until_us));
    }
    if texting.state != "not_offered" {
        teller.pair(teller.words("what you agree to"), &texting.consent_words);
    }
}
