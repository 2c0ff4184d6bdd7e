//! `docket helper`: an interpreter or a preparer is asked to sign, reads what the filer is going to sign, and signs for having helped.
use super::{Refused, Session, when};
use crate::client::{Connection, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::filing::v1 as pb;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// What is asked of helpers, and what they do.
#[derive(Debug, clap::Args)]
pub struct HelperArgs {
    #[command(subcommand)]
    command: HelperCommand,
    /// Language in which a refusal is said: en or es.
    #[arg(long, global = true, default_value = "en")]
    language: String,
}

/// Of whoever fills in the form, and of the helper.
#[derive(Debug, clap::Subcommand)]
enum HelperCommand {
    /// Ask the interpreter or preparer whom a draft names to sign it. Prints the code to hand over; one before opens nothing any more.
    Ask {
        /// filings/<id>.
        filing: String,
        /// interpreter or preparer.
        role: String,
    },
    /// As the helper: the text that the filer is going to sign, your statement, and the hash to sign by.
    Show {
        /// The code that you were given.
        code: String,
    },
    /// As the helper: sign what `docket helper show` showed. Give the second factor first: `docket step-up`.
    Sign {
        /// The code that you were given.
        code: String,
        /// The hash that was shown with the text.
        #[arg(long)]
        hash: String,
        /// Your full name, as the form gives it.
        #[arg(long)]
        name: String,
        /// As an interpreter: the language in which you read the form to the filer.
        #[arg(long, default_value = "")]
        spoken_language: String,
    },
}

/// Asks, shows or signs.
pub async fn helper(home: &Path, args: HelperArgs, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let connection = connection.reading(&args.language);
    match args.command {
        HelperCommand::Ask { filing, role } => {
            let message = pb::AskHelperRequest {
                request_id: Uuid::now_v7().to_string(),
                name: filing,
                role,
                language: args.language,
            };
            ask(&connection, &token, message, teller).await
        }
        HelperCommand::Show { code } => show(&connection, &token, code, teller).await,
        HelperCommand::Sign { code, hash, name, spoken_language } => {
            let message = pb::SignAsHelperRequest {
                request_id: Uuid::now_v7().to_string(),
                code,
                content_hash: hex::decode(&hash).context("the hash is 64 digits and letters a to f")?,
                typed_name: name,
                spoken_language,
            };
            sign(&connection, &token, message, teller).await
        }
    }
}

async fn ask(
    connection: &Connection,
    token: &str,
    message: pb::AskHelperRequest,
    teller: &Teller,
) -> Result<()> {
    let role = message.role.clone();
    let answer = connection.helpers().ask_helper(request(Some(token), message)).await;
    let answer = answer.map_err(Refused::from)?.into_inner();
    let filing = answer.filing.context("filing")?;
    let asked = filing.helpers.iter().find(|helper| helper.role == role).context("helper")?;
    if teller.is_json() {
        teller.value(&json!({
            "filing": filing.name, "role": role, "code": answer.code, "valid_until_us": asked.valid_until_us,
        }));
        return Ok(());
    }
    teller.pair("code", &answer.code);
    teller.pair("good until", &when(asked.valid_until_us));
    teller.line(&format!(
        "hand it to {}, who signs in an account of their own: docket helper show {}",
        asked.name, answer.code
    ));
    Ok(())
}

async fn show(connection: &Connection, token: &str, code: String, teller: &Teller) -> Result<()> {
    let message = pb::ReviewAsHelperRequest { code };
    let answer = connection.helpers().review_as_helper(request(Some(token), message)).await;
    let shown = answer.map_err(Refused::from)?.into_inner();
    let hash = hex::encode(&shown.content_hash);
    if teller.is_json() {
        teller.value(&json!({
            "role": shown.role, "form": shown.form, "text": shown.text, "hash": hash,
            "statement": shown.statement, "valid_until_us": shown.valid_until_us,
        }));
        return Ok(());
    }
    for line in shown.text.lines() {
        teller.line(line);
    }
    teller.heading(&format!("You sign as {} of this {}", shown.role, shown.form));
    teller.line(&shown.statement);
    teller.pair("hash", &hash);
    teller.pair("code good until", &when(shown.valid_until_us));
    Ok(())
}

async fn sign(
    connection: &Connection,
    token: &str,
    message: pb::SignAsHelperRequest,
    teller: &Teller,
) -> Result<()> {
    let answer = connection.helpers().sign_as_helper(request(Some(token), message)).await;
    let signed = answer.map_err(Refused::from)?.into_inner();
    if teller.is_json() {
        teller.value(&json!({"role": signed.role, "form": signed.form, "signed_at_us": signed.signed_at_us}));
    } else {
        teller.line(&format!(
            "signed as {} of this {}, {}",
            signed.role,
            signed.form,
            when(signed.signed_at_us)
        ));
    }
    Ok(())
}
