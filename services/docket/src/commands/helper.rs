//! `docket helper`: an interpreter, a preparer or a co-signer is asked to sign, reads what the filer is going to sign, and signs it.
use super::view::page;
use super::{Refused, Session, code_to_hand};
use crate::client::{Connection, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::filing::v1 as pb;
use serde_json::json;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// What is asked of helpers and co-signers, and what they do.
#[derive(Debug, clap::Args)]
pub struct HelperArgs {
    #[command(subcommand)]
    command: HelperCommand,
}

/// Of whoever fills in the form, and of who has the code.
#[derive(Debug, clap::Subcommand)]
enum HelperCommand {
    /// Ask the interpreter or preparer whom a draft names, or who files it together with you, to sign it. Prints the code to hand over,
    /// which also goes by mail; one before opens nothing any more.
    Ask {
        /// filings/<id>.
        filing: String,
        /// interpreter, preparer or `co_signer`.
        role: String,
        /// Which of several who sign together with you, by their place in the form's list.
        #[arg(long, default_value_t = 0)]
        person: u32,
        /// Send the code to this address by mail.
        #[arg(long, default_value = "")]
        mail: String,
    },
    /// Take back that somebody was asked: the code opens nothing any more.
    Withdraw {
        /// filings/<id>.
        filing: String,
        /// interpreter, preparer or `co_signer`.
        role: String,
        /// Which of several.
        #[arg(long, default_value_t = 0)]
        person: u32,
    },
    /// Who signs a filing beside you, and how that stands.
    List {
        /// filings/<id>.
        filing: String,
    },
    /// As the helper or co-signer: the text that the filer is going to sign, or your part of it, your statement, and the hash to sign by.
    Show {
        /// The code that you were given.
        code: String,
    },
    /// As the co-signer: a page of what is attached, as a picture, before you sign for it.
    Look {
        /// The code that you were given.
        code: String,
        /// filings/<id>/evidence/<id>, as `docket helper show` lists it.
        file: String,
        /// Page, from 1.
        #[arg(long, default_value_t = 1)]
        page: u32,
        /// Where the picture goes.
        #[arg(long)]
        out: PathBuf,
    },
    /// As the helper or co-signer: sign what `docket helper show` showed. Give the second factor first: `docket step-up`.
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
    let connection = connection.reading(teller.language());
    match args.command {
        HelperCommand::Ask { filing, role, person, mail } => {
            let message = pb::AskHelperRequest {
                request_id: Uuid::now_v7().to_string(),
                name: filing,
                role,
                language: teller.language().to_owned(),
                person,
                mail_to: mail,
            };
            ask(&connection, &token, message, teller).await
        }
        HelperCommand::Withdraw { filing, role, person } => {
            let request_id = Uuid::now_v7().to_string();
            let (name, language) = (filing, teller.language().to_owned());
            let message = pb::WithdrawHelperRequest { request_id, name, role, person, language };
            let answer = connection.helpers().withdraw_helper(request(Some(&token), message)).await;
            list(&answer.map_err(Refused::from)?.into_inner().filing.context("filing")?, teller);
            Ok(())
        }
        HelperCommand::List { filing } => {
            let message = pb::GetFilingRequest { name: filing, language: teller.language().to_owned() };
            let answer = connection.drafts().get_filing(request(Some(&token), message)).await;
            list(&answer.map_err(Refused::from)?.into_inner().filing.context("filing")?, teller);
            Ok(())
        }
        HelperCommand::Show { code } => show(&connection, &token, code, teller).await,
        HelperCommand::Look { code, file, page, out } => {
            let message = pb::ViewEvidenceRequest { name: file, page, code, ..Default::default() };
            look(&connection, &token, message, (&out, teller)).await
        }
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
    let (role, person, mail) = (message.role.clone(), message.person, message.mail_to.clone());
    let answer = connection.helpers().ask_helper(request(Some(token), message)).await;
    let answer = answer.map_err(Refused::from)?.into_inner();
    let filing = answer.filing.context("filing")?;
    let asked = filing.helpers.iter().find(|helper| helper.role == role && helper.person == person);
    let asked = asked.context("helper")?;
    if teller.is_json() {
        teller.value(&json!({
            "filing": filing.name, "role": role, "person": person, "code": answer.code, "valid_until_us": asked.valid_until_us,
        }));
        return Ok(());
    }
    let way = code_to_hand(&answer.code, asked.valid_until_us, &mail, teller);
    let next = "{} to {}, who signs in an account of their own: docket helper show {}";
    teller.line(&teller.filled(next, &[&way, &asked.name, &answer.code]));
    Ok(())
}

/// Who signs beside the filer, each with a number where there are several.
pub(super) fn list(filing: &pb::Filing, teller: &Teller) {
    if filing.helpers.is_empty() && !teller.is_json() {
        teller.line(teller.words("nobody signs it beside you, as it is answered now"));
    }
    for helper in &filing.helpers {
        if teller.is_json() {
            teller.value(&json!({
                "role": helper.role, "person": helper.person, "name": helper.name, "state": helper.state,
                "signs_as": helper.signs_as, "signed_at_us": helper.signed_at_us, "valid_until_us": helper.valid_until_us,
            }));
            continue;
        }
        let number = if helper.person == 0 { String::new() } else { format!(" {}", helper.person) };
        teller.line(&format!("{}{number}  {}  {}", helper.role, helper.name, helper.state));
    }
}

async fn show(connection: &Connection, token: &str, code: String, teller: &Teller) -> Result<()> {
    let message = pb::ReviewAsHelperRequest { code };
    let answer = connection.helpers().review_as_helper(request(Some(token), message)).await;
    let shown = answer.map_err(Refused::from)?.into_inner();
    let hash = hex::encode(&shown.content_hash);
    if teller.is_json() {
        teller.value(&json!({
            "role": shown.role, "form": shown.form, "text": shown.text, "hash": hash,
            "statement": shown.statement, "valid_until_us": shown.valid_until_us, "signs_as": shown.signs_as, "person": shown.person,
            "files": shown.evidence.iter().map(|file| json!({ "file": file.name, "kind": file.kind })).collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    for line in shown.text.lines() {
        teller.line(line);
    }
    for file in &shown.evidence {
        teller.pair(&file.kind, &file.name);
    }
    let role = if shown.signs_as.is_empty() { &shown.role } else { &shown.signs_as };
    teller.heading(&teller.filled("You sign as {} of this {}", &[role, &shown.form]));
    teller.line(&shown.statement);
    teller.pair("hash", &hash);
    teller.pair(teller.words("code good until"), &teller.when(shown.valid_until_us));
    Ok(())
}

/// Saves the picture of a page.
async fn look(
    connection: &Connection,
    token: &str,
    message: pb::ViewEvidenceRequest,
    (out, teller): (&Path, &Teller),
) -> Result<()> {
    let (view, picture) = page(connection, token, message, teller).await?;
    std::fs::write(out, &picture).with_context(|| format!("write {}", out.display()))?;
    if teller.is_json() {
        teller.value(&json!({ "file": out, "page": view.page, "page_count": view.page_count }));
    } else {
        let written = "page {} of {} written to {}";
        teller.line(&teller.filled(written, &[&view.page, &view.page_count, &out.display()]));
    }
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
        let at = teller.when(signed.signed_at_us);
        teller.line(&teller.filled("signed as {} of this {}, {}", &[&signed.role, &signed.form, &at]));
    }
    Ok(())
}
