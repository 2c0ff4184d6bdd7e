//! `docket copy`: the copy of what was signed, or a draft as it stands, as PDF.
use super::{Refused, Session};
use crate::client::{Part, header_and_bytes, request};
use crate::output::Teller;
use anyhow::{Context, Result, ensure};
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::download_copy_response::Part as Sent;
use serde_json::json;
use std::path::Path;

/// Saves the copy of a filing; with `draft`, also of one that is not signed.
pub async fn copy(home: &Path, (filing, draft): (&str, bool), out: &Path, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let message = pb::DownloadCopyRequest { name: filing.to_owned(), draft };
    let answer = connection.drafts().download_copy(request(Some(&token), message)).await;
    let part = |message: pb::DownloadCopyResponse| match message.part? {
        Sent::Copy(copy) => Some(Part::Header(copy)),
        Sent::Chunk(chunk) => Some(Part::Chunk(chunk)),
    };
    let messages = answer.map_err(Refused::from)?.into_inner();
    let (header, pdf) = header_and_bytes(messages, part).await.map_err(Refused::from)?;
    let header = header.context("an answer without its header")?;
    let is_whole = header.size == pdf.len() as u64;
    ensure!(is_whole, "{}", teller.words("the copy was cut; ask for it again"));
    std::fs::write(out, &pdf).with_context(|| format!("write {}", out.display()))?;
    let hash = hex::encode(&header.content_hash);
    if teller.is_json() {
        teller.value(&json!({
            "filing": header.filing, "file": out, "bytes": pdf.len(), "content_hash": hash, "draft": header.draft
        }));
    } else {
        teller.line(&teller.filled("{} bytes written to {}", &[&pdf.len(), &out.display()]));
        if header.draft {
            teller.line(teller.words("A draft: nothing in it is signed or sent."));
        }
        teller.pair(teller.words("content hash"), &hash);
    }
    Ok(())
}
