//! `docket filings`, `docket export`, `docket recall` and `docket abandon`: what one has begun, all that is in it, its way back, its
//! end.
use super::paper::Drafts;
use super::{Refused, Session};
use crate::client::{request, whole_file};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::filing::v1 as pb;
use docket_proto::payments::v1::WithdrawPaymentRequest;
use serde_json::{Value, json};
use std::path::Path;
use uuid::Uuid;

/// Lists the filings of the session, newest first.
pub async fn filings(home: &Path, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let mut page_token = String::new();
    loop {
        let message = pb::ListFilingsRequest { page_size: 100, page_token };
        let answer = connection.drafts().list_filings(request(Some(&token), message)).await;
        let answer = answer.map_err(Refused::from)?.into_inner();
        for filing in &answer.filings {
            tell(filing, teller);
        }
        if answer.next_page_token.is_empty() {
            return Ok(());
        }
        page_token = answer.next_page_token;
    }
}

fn tell(filing: &pb::Filing, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({
            "name": filing.name, "form": filing.form, "state": filing.state,
            "receipt_number": filing.receipt_number, "kept_until_date": filing.kept_until_date,
        }));
        return;
    }
    let more = match (filing.receipt_number.as_str(), filing.kept_until_date.as_str()) {
        ("", "") => String::new(),
        ("", day) => format!(", kept until the end of {day}"),
        (receipt, _) => format!(", {receipt}"),
    };
    teller.line(&format!("{}  {}, {}{more}", filing.name, filing.form, filing.state));
}

/// Saves a filing with its answers, and its files, in a new folder.
pub async fn export(home: &Path, name: &str, to: &Path, teller: &Teller) -> Result<()> {
    let drafts = Drafts::of(home, "en").await?;
    let filing = drafts.get(name).await?;
    std::fs::create_dir(to).with_context(|| format!("make the folder {}", to.display()))?;
    let mut files = Vec::new();
    for (number, evidence) in filing.evidence.iter().chain(&filing.unsolicited).enumerate() {
        let bytes = download(&drafts, &evidence.name).await?;
        // Numbered: two files may have one name.
        let file = format!("{:02} {}", number + 1, evidence.file_name);
        std::fs::write(to.join(&file), bytes).with_context(|| format!("write {file}"))?;
        files.push(json!({ "kind": evidence.kind, "file": file, "media_type": evidence.media_type }));
    }
    let answers: Value = serde_json::from_str(&filing.answers_json).context("the answers")?;
    let explanations: Vec<Value> = filing
        .explanations
        .iter()
        .map(|missing| json!({ "kind": missing.kind, "explanation": missing.explanation }))
        .collect();
    let whole = json!({
        "name": filing.name, "form": filing.form, "state": filing.state, "receipt_number": filing.receipt_number,
        "answers": answers, "files": files, "cannot_be_provided": explanations,
    });
    let text = serde_json::to_string_pretty(&whole).context("the filing")?;
    std::fs::write(to.join("filing.json"), text).context("write filing.json")?;
    teller.line(&format!("filing.json and {} files in {}", files.len(), to.display()));
    Ok(())
}

async fn download(drafts: &Drafts, name: &str) -> Result<Vec<u8>> {
    let message = pb::DownloadEvidenceRequest { name: name.to_owned() };
    let (mut evidence, token) = (drafts.connection.evidence(), drafts.token().await.map_err(Refused::from)?);
    let parts = evidence.download_evidence(request(Some(&token), message)).await;
    Ok(whole_file(parts.map_err(Refused::from)?.into_inner()).await.map_err(Refused::from)?)
}

/// Withdraws the payment of what was sent and not paid, so that it is a draft again.
pub async fn recall(home: &Path, name: &str, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let message = pb::GetFilingRequest { name: name.to_owned(), language: String::new() };
    let answer = connection.drafts().get_filing(request(Some(&token), message)).await;
    let filing = answer.map_err(Refused::from)?.into_inner().filing.context("filing")?;
    let payment = format!("payments/{}", filing.package_id);
    let message = WithdrawPaymentRequest { request_id: Uuid::now_v7().to_string(), name: payment };
    let answer = connection.payments().withdraw_payment(request(Some(&token), message)).await;
    let payment = answer.map_err(Refused::from)?.into_inner().payment.context("payment")?;
    if teller.is_json() {
        teller.value(&json!({ "payment": payment.name, "filings": payment.filing_ids }));
        return Ok(());
    }
    teller.line(&format!("{} is withdrawn; in a moment these are drafts again:", payment.name));
    for id in &payment.filing_ids {
        teller.line(&format!("filings/{id}"));
    }
    teller.line("`docket file filings/<id>` goes on with one, `docket abandon` gives it up.");
    Ok(())
}

/// Gives a draft up, once that was confirmed.
pub async fn abandon(home: &Path, name: &str, confirmed: bool, teller: &Teller) -> Result<()> {
    anyhow::ensure!(
        confirmed,
        "its answers and files are erased and cannot be had again: say --yes; `docket export` saves them first"
    );
    let (connection, token) = Session::resume(home).await?;
    let message = pb::AbandonDraftRequest { request_id: Uuid::now_v7().to_string(), name: name.to_owned() };
    let answer = connection.drafts().abandon_draft(request(Some(&token), message)).await;
    let filing = answer.map_err(Refused::from)?.into_inner().filing.context("filing")?;
    tell(&filing, teller);
    Ok(())
}
