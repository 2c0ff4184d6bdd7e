//! `docket withdraw`: the party ends a case, and says before that it is understood what that means.
use super::sign::Guarded;
use super::{Refused, StepUpArgs};
use crate::client::{patiently, request};
use crate::output::Teller;
use anyhow::{Context, Result, ensure};
use docket_proto::case_status::v1 as pb;
use serde_json::json;
use std::path::Path;
use uuid::Uuid;

/// Which case.
#[derive(Debug, clap::Args)]
pub struct WithdrawArgs {
    /// Receipt number, or cases/<id>.
    case: String,
    /// That it cannot be taken back, and that the fee stays, is understood.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    factor: StepUpArgs,
}

/// Withdraws a case, once that was confirmed.
pub async fn withdraw(home: &Path, args: &WithdrawArgs, teller: &Teller) -> Result<()> {
    let not_said = "a withdrawal cannot be taken back, and the fee is not returned (8 CFR 103.2(b)(6), 103.2(a)(1)): say --yes";
    ensure!(args.yes, "{}", teller.words(not_said));
    let mut party = Guarded::of(home, &args.factor, teller.language()).await?;
    let token = party.drafts.token().await.map_err(Refused::from)?;
    let name = super::inquiries::case_named(&party.drafts.connection, &token, &args.case).await?;
    let message = pb::WithdrawCaseRequest { request_id: Uuid::now_v7().to_string(), name };
    let withdrawn = party.call(async |drafts, token| {
        patiently(|| {
            let (mut cases, message) = (drafts.connection.cases(), request(Some(token), message.clone()));
            async move { cases.withdraw_case(message).await }
        })
        .await
    });
    let case = withdrawn.await?.into_inner().case.context("case")?;
    if teller.is_json() {
        teller.value(&json!({"name": case.name, "version": case.version, "events": case.events}));
    } else {
        let ended = "{} is withdrawn; what was open in it, appointments too, has ended";
        teller.line(&teller.filled(ended, &[&case.name]));
    }
    Ok(())
}
