//! `docket view` and `docket accesses`: a page of a file as a picture, for the party and for officers, and who opened the files.
use super::sign::hard_to_read;
use super::{Refused, Session, each_page};
use crate::client::{Connection, request, whole_page};
use crate::failure::{Ending, Said};
use crate::output::Teller;
use anyhow::{Context, Result, ensure};
use docket_proto::filing::v1 as pb;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tonic::Code;

/// What is looked at.
#[derive(Debug, clap::Args)]
pub struct ViewArgs {
    /// filings/<id>/evidence/<id>, or responses/<id>/evidence/<id>; with filings/<id> alone, the files that are there.
    file: String,
    /// Page, from 1; only a PDF and a TIFF have more than one.
    #[arg(long, default_value_t = 1)]
    page: u32,
    /// Dots of the longest side, 64 to 2400; 0 is 1600.
    #[arg(long, default_value_t = 0)]
    side: u32,
    /// Where the picture goes.
    #[arg(long)]
    to: Option<PathBuf>,
}

/// Saves a page of a file as a picture, or names the files of a filing.
pub async fn view(home: &Path, args: &ViewArgs, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let connection = connection.reading(teller.language());
    if !args.file.contains("/evidence/") {
        let message = pb::GetFilingRequest { name: args.file.clone(), language: String::new() };
        let answer = connection.drafts().get_filing(request(Some(&token), message)).await;
        let filing = answer.map_err(Refused::from)?.into_inner().filing.context("filing")?;
        filing.evidence.iter().chain(&filing.unsolicited).for_each(|file| tell(file, teller));
        return Ok(());
    }
    let to = args.to.as_deref().ok_or_else(|| {
        Said(Ending::Usage, teller.words("say where the picture of the page goes: --to PATH").to_owned())
    })?;
    let message = pb::ViewEvidenceRequest {
        name: args.file.clone(),
        page: args.page,
        longest_side: args.side,
        code: String::new(),
    };
    let (view, picture) = page(&connection, &token, message, teller).await?;
    std::fs::write(to, &picture).with_context(|| format!("write {}", to.display()))?;
    if teller.is_json() {
        teller.value(&json!({
            "name": args.file, "file": to, "page": view.page, "page_count": view.page_count, "width": view.width,
            "height": view.height, "media_type": view.media_type, "bytes": picture.len(),
            "incomplete": view.incomplete,
        }));
        return Ok(());
    }
    let said = "page {} of {} ({}) written to {}";
    teller.line(&teller.filled(said, &[&view.page, &view.page_count, &view.media_type, &to.display()]));
    if view.incomplete {
        let original = "Something on it could not be drawn as it is: look at the original too.";
        teller.line(teller.words(original));
    }
    Ok(())
}

/// The picture of a page.
pub(super) async fn page(
    connection: &Connection,
    token: &str,
    message: pb::ViewEvidenceRequest,
    teller: &Teller,
) -> Result<(pb::PageView, Vec<u8>)> {
    let answer = connection.evidence().view_evidence(request(Some(token), message)).await;
    let messages = answer.map_err(Refused::from)?.into_inner();
    let (header, picture) = whole_page(messages).await.map_err(Refused::from)?;
    let header = header.context("an answer without its header")?;
    let is_whole = header.size == picture.len() as u64;
    ensure!(is_whole, "{}", teller.words("the picture was cut; ask for it again"));
    Ok((header, picture))
}

/// A file, and how to look at it.
pub(super) fn tell(file: &pb::Evidence, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({
            "name": file.name, "kind": file.kind, "file_name": file.file_name, "media_type": file.media_type,
            "being_checked": file.being_checked, "hard_to_read": pages_of(file),
        }));
    } else {
        let look = format!("docket view {}", file.name);
        teller.pair(&file.kind, &format!("{}  {}", file.file_name, look));
        if !file.hard_to_read.is_empty() {
            teller.line(&hard_to_read(file, teller.language()));
        }
    }
}

/// Which of its pages may be hard to read, or cannot be shown.
pub(super) fn pages_of(file: &pb::Evidence) -> Vec<Value> {
    file.hard_to_read.iter().map(|page| json!({ "page": page.page, "fault": page.fault })).collect()
}

/// Lists who opened the files of a filing, newest first.
pub async fn accesses(home: &Path, filing: &str, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let connection = connection.reading(teller.language());
    let names = file_names(&connection, &token, filing).await?;
    let mut none = true;
    each_page(async |page_token| {
        let message = pb::ListAccessesRequest { filing: filing.to_owned(), page_size: 100, page_token };
        let answer = connection.evidence().list_accesses(request(Some(&token), message)).await;
        let answer = answer.map_err(Refused::from)?.into_inner();
        none &= answer.accesses.is_empty();
        answer.accesses.iter().for_each(|access| tell_access(access, &names, teller));
        Ok(answer.next_page_token)
    })
    .await?;
    if none && !teller.is_json() {
        teller.line(teller.words("nobody has opened a file of it"));
    }
    Ok(())
}

/// What the files are called, for whoever may read the filing.
async fn file_names(connection: &Connection, token: &str, filing: &str) -> Result<BTreeMap<String, String>> {
    let message = pb::GetFilingRequest { name: filing.to_owned(), language: String::new() };
    let filing = match connection.drafts().get_filing(request(Some(token), message)).await {
        Ok(answer) => answer.into_inner().filing.context("filing")?,
        Err(status) if status.code() == Code::PermissionDenied => return Ok(BTreeMap::new()),
        Err(status) => return Err(Refused::from(status).into()),
    };
    let files = filing.evidence.into_iter().chain(filing.unsolicited);
    Ok(files.map(|file| (file.name, file.file_name)).collect())
}

fn tell_access(access: &pb::Access, names: &BTreeMap<String, String>, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({
            "evidence": access.evidence, "opened": access.opened, "stands_as": access.stands_as,
            "account": access.account, "opened_at_us": access.opened_at_us, "case": access.case,
        }));
        return;
    }
    let who = teller.words(standing(&access.stands_as));
    let account = if access.account.is_empty() { String::new() } else { format!(" ({})", access.account) };
    let how = teller.words(match access.opened.as_str() {
        "view" => "looked at pages of",
        _ => "downloaded",
    });
    let file = names.get(&access.evidence).unwrap_or(&access.evidence);
    teller.line(&format!("{}  {who}{account} {how} {file}", teller.when(access.opened_at_us)));
}

/// How somebody stands to what was filed, in words.
fn standing(stands_as: &str) -> &'static str {
    match stands_as {
        "applicant" => "who filed it",
        "representative" => "the representative",
        "co_signer" => "who signs it too",
        "assigned_officer" => "the officer of the case",
        "intake" => "an officer at intake",
        "supervisor" => "a supervisor of the office",
        _ => "somebody",
    }
}
