//! `docket email`: the e-mail address of the account, shown and changed; and the way back of whoever reads the mail of the one before.
use super::session::ask;
use super::{Refused, Session};
use crate::address::Addresses;
use crate::client::{Connection, request};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::identity::v1 as pb;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// What is asked of the address; shown without it.
#[derive(Debug, clap::Args)]
pub struct EmailArgs {
    #[command(subcommand)]
    command: Option<EmailCommand>,
}

/// What can be asked of it.
#[derive(Debug, clap::Subcommand)]
enum EmailCommand {
    /// Ask that the account have another address: a code goes there, and the address that it has is told. Asks for a fresh second factor.
    Change {
        /// The new address.
        email: String,
    },
    /// Give the code that went to the new address: it is the account's, and all other sessions end.
    Confirm {
        /// Six digits; asked for when not given.
        code: Option<String>,
    },
    /// Give up what was asked for.
    Withdraw,
    /// Stop a change, or take it back within 14 days, with the code that went to the address before; nobody need sign in for that. All
    /// sessions of the account end.
    TakeBack {
        /// Four groups of four letters; asked for when not given.
        code: Option<String>,
    },
}

/// Shows the address, or changes it.
pub async fn email(home: &Path, args: EmailArgs, teller: &Teller) -> Result<()> {
    if let Some(EmailCommand::TakeBack { code }) = args.command {
        return take_back(home, code, teller).await;
    }
    let (connection, token) = Session::resume(home).await?;
    let request_id = Uuid::now_v7().to_string();
    match args.command {
        Some(EmailCommand::Change { email }) => {
            let message = pb::RequestEmailChangeRequest { request_id, email };
            let answer = connection.accounts().request_email_change(request(Some(&token), message)).await;
            let expires_at_us = answer.map_err(Refused::from)?.into_inner().expires_at_us;
            let next =
                "a code went to the new address, if it is nobody else's; good until {}: docket email confirm";
            let next = teller.filled(next, &[&teller.when(expires_at_us)]);
            said(teller, "expires_at_us", expires_at_us, &next);
        }
        Some(EmailCommand::Confirm { code }) => {
            let code = given(code, teller.words("code from the mail to the new address: "))?;
            let message = pb::ConfirmEmailChangeRequest { request_id, code };
            let answer = connection.accounts().confirm_email_change(request(Some(&token), message)).await;
            let back_until_us = answer.map_err(Refused::from)?.into_inner().back_until_us;
            let done =
                "changed: sign in with the new address from now on; the one before can take it back until {}";
            let done = teller.filled(done, &[&teller.when(back_until_us)]);
            said(teller, "back_until_us", back_until_us, &done);
        }
        Some(EmailCommand::Withdraw) => {
            let message = pb::WithdrawEmailChangeRequest { request_id };
            let answer = connection.accounts().withdraw_email_change(request(Some(&token), message)).await;
            answer.map_err(Refused::from)?;
            teller.line(teller.words("given up: the account keeps its address"));
        }
        Some(EmailCommand::TakeBack { .. }) | None => shown(&connection, &token, teller).await?,
    }
    Ok(())
}

async fn shown(connection: &Connection, token: &str, teller: &Teller) -> Result<()> {
    let asked = request(Some(token), pb::GetAccountRequest {});
    let answer = connection.accounts().get_account(asked).await.map_err(Refused::from)?;
    let account = answer.into_inner().account.context("account")?;
    if teller.is_json() {
        teller.value(&json!({
            "email": account.email, "new_email": account.new_email, "new_email_until_us": account.new_email_until_us,
        }));
        return Ok(());
    }
    teller.pair(teller.words("e-mail address"), &account.email);
    if !account.new_email.is_empty() {
        teller.pair(teller.words("asked for"), &account.new_email);
        teller.pair(teller.words("its code is good until"), &teller.when(account.new_email_until_us));
    }
    Ok(())
}

async fn take_back(home: &Path, code: Option<String>, teller: &Teller) -> Result<()> {
    let connection = Connection::new(&Addresses::read(home)?)?;
    let code = given(code, teller.words("code from the mail to the address before: "))?;
    let message = pb::TakeBackEmailChangeRequest { request_id: Uuid::now_v7().to_string(), code };
    connection.accounts().take_back_email_change(request(None, message)).await.map_err(Refused::from)?;
    let back = "the account has the address that it had, and all its sessions have ended: sign in";
    teller.line(teller.words(back));
    Ok(())
}

fn given(code: Option<String>, prompt: &str) -> Result<String> {
    code.map_or_else(|| ask(prompt), Ok)
}

/// An instant that the service answered with, for programs or in words.
fn said(teller: &Teller, name: &str, at_us: i64, words: &str) {
    if teller.is_json() {
        teller.value(&json!({ name: at_us }));
    } else {
        teller.line(words);
    }
}
