//! `docket replace-app`: a new authenticator app in the place of one that is lost.
use super::session::{ask, ask_unseen};
use super::{Refused, Session};
use crate::client::request;
use crate::output::Teller;
use anyhow::Result;
use docket_proto::identity::v1 as pb;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// With what it is replaced.
#[derive(Debug, clap::Args)]
pub struct ReplaceAppArgs {
    /// A recovery code that was not used yet, or six digits of the old app; asked for when not given.
    #[arg(long)]
    code: Option<String>,
}

/// Shows the new app's secret, takes its first code, and shows the new recovery codes.
pub async fn replace_app(home: &Path, args: &ReplaceAppArgs, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let code = match &args.code {
        Some(code) => code.clone(),
        None => ask_unseen(teller.words("a recovery code, or a code of the old app: "))?,
    };
    let message = pb::BeginTotpReplacementRequest { request_id: Uuid::now_v7().to_string(), code };
    let begun = connection.accounts().begin_totp_replacement(request(Some(&token), message)).await;
    let begun = begun.map_err(Refused::from)?.into_inner();
    if teller.is_json() {
        teller.value(&json!({"secret": begun.secret, "otpauth_uri": begun.otpauth_uri}));
    } else {
        teller.line(&teller.filled("type this into the new app: {}", &[&begun.secret]));
        teller.line(&teller.filled("or make a QR code of: {}", &[&begun.otpauth_uri]));
    }
    let code = ask(teller.words("code from the new app: "))?;
    let message = pb::ConfirmTotpReplacementRequest { request_id: Uuid::now_v7().to_string(), code };
    let answer = connection.accounts().confirm_totp_replacement(request(Some(&token), message)).await;
    let codes = answer.map_err(Refused::from)?.into_inner().recovery_codes;
    if teller.is_json() {
        teller.value(&json!({"recovery_codes": codes}));
        return Ok(());
    }
    teller.line(teller.words("the new app is your second factor; keep these codes, each is good once:"));
    for code in &codes {
        teller.line(&format!("  {code}"));
    }
    Ok(())
}
