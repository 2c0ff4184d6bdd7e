//! `docket address`: the address of record, shown, and confirmed for a case in which something is still to be mailed.
use super::{Refused, Session};
use crate::client::request;
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::case_status::v1 as cases;
use docket_proto::identity::v1 as identity;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// What is shown or confirmed.
#[derive(Debug, clap::Args)]
pub struct AddressArgs {
    /// Confirm for this case (receipt number, or cases/<id>) that it is right; give the second factor before, with step-up.
    #[arg(long)]
    confirm: Option<String>,
}

/// Shows the address of record, and confirms it where that is asked.
pub async fn address(home: &Path, args: AddressArgs, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let asked = request(Some(&token), identity::GetAccountRequest {});
    let account = connection.accounts().get_account(asked).await.map_err(Refused::from)?;
    let account = account.into_inner().account.context("account")?;
    if let Some(case) = &args.confirm {
        let (connection, token, name) = super::inquiries::at_the_case(home, case, teller.language()).await?;
        let message = cases::ConfirmAddressRequest { request_id: Uuid::now_v7().to_string(), name };
        connection.cases().confirm_address(request(Some(&token), message)).await.map_err(Refused::from)?;
    }
    let confirmed = args.confirm.is_some();
    if teller.is_json() {
        teller.value(&json!({
            "postal_address": account.postal_address, "mailing_address": account.mailing_address, "confirmed": confirmed,
        }));
        return Ok(());
    }
    if account.postal_address.is_empty() {
        let none = "no address is on record: report where you live with docket file AR-11";
        teller.line(teller.words(none));
        return Ok(());
    }
    teller.pair(teller.words("address of record"), &account.postal_address.replace('\n', ", "));
    if !account.mailing_address.is_empty() {
        teller.pair(teller.words("mail goes to"), &account.mailing_address.replace('\n', ", "));
    }
    let moved = "if that is not right, report a move: docket file AR-11";
    teller.line(teller.words(if confirmed { "confirmed" } else { moved }));
    Ok(())
}
