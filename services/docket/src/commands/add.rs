//! `docket add`: files that nobody asked for, added to a case while it is pending.
use super::Refused;
use super::attach::attach_or_end;
use super::interview::words::Words;
use super::paper::{Drafts, filing_of};
use super::sign::hard_to_read;
use super::view::pages_of;
use crate::output::Teller;
use crate::upload::Outgoing;
use anyhow::Result;
use docket_proto::filing::v1 as pb;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Which case, and what is added.
#[derive(Debug, clap::Args)]
pub struct AddArgs {
    /// Receipt number, cases/<id> or filings/<id>.
    case: String,
    /// The files: PDF, JPEG, PNG or TIFF.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What they are, as the form's list of evidence calls it.
    #[arg(long, default_value = "other")]
    kind: String,
    /// They are in another language than English.
    #[arg(long)]
    foreign_language: bool,
}

/// Adds files to a case, one after another; what was signed stays what it was.
pub async fn add(home: &Path, args: &AddArgs, teller: &Teller) -> Result<()> {
    let (drafts, words) = (Drafts::of(home, teller.language()).await?, Words::of(teller.language()));
    let files: Vec<Outgoing> = args
        .files
        .iter()
        .map(|path| Outgoing::look(path, &args.kind, args.foreign_language))
        .collect::<Result<_>>()?;
    let filing = filing(&drafts, &args.case).await?;
    for file in &files {
        tell(&filing, &attach_or_end(&drafts, words, &filing, file).await?, words, teller);
    }
    Ok(())
}

async fn filing(drafts: &Drafts, named: &str) -> Result<String> {
    if named.starts_with("filings/") {
        return Ok(named.to_owned());
    }
    let token = drafts.token().await.map_err(Refused::from)?;
    let case = super::inquiries::case_named(&drafts.connection, &token, named).await?;
    Ok(filing_of(&case))
}

fn tell(filing: &str, added: &pb::Evidence, words: &Words, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({
            "filing": filing, "name": added.name, "file": added.file_name, "kind": added.kind,
            "hard_to_read": pages_of(added),
        }));
    } else {
        teller.line(&words.papers.attached.replace("{}", &added.file_name));
        if !added.hard_to_read.is_empty() {
            teller.line(&hard_to_read(added, teller.language()));
        }
    }
}
