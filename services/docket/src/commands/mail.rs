//! `docket inbox`: notices, and one of them as PDF.
use super::{Refused, Session, when};
use crate::client::{request, whole_notice};
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::notifications::v1 as pb;
use serde_json::json;
use std::path::Path;

/// Lists the notices, or saves one.
pub async fn inbox(home: &Path, save: Option<(&str, &Path)>, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    if let Some((name, to)) = save {
        let message = pb::DownloadNoticeRequest { name: name.to_owned() };
        let parts = connection
            .inbox()
            .download_notice(request(Some(&token), message))
            .await
            .map_err(Refused::from)?
            .into_inner();
        let pdf = whole_notice(parts).await.map_err(Refused::from)?;
        std::fs::write(to, &pdf).with_context(|| format!("write {}", to.display()))?;
        teller.line(&format!("{} bytes written to {}", pdf.len(), to.display()));
        return Ok(());
    }
    let message = pb::ListNoticesRequest { case: String::new(), page_size: 100, page_token: String::new() };
    let answer = connection
        .inbox()
        .list_notices(request(Some(&token), message))
        .await
        .map_err(Refused::from)?
        .into_inner();
    if answer.notices.is_empty() && !teller.is_json() {
        teller.line("no notices yet");
    }
    for notice in answer.notices {
        if teller.is_json() {
            teller.value(&json!({
                "name": notice.name, "case": notice.case, "kind": notice.kind, "title": notice.title,
                "official_name": notice.official_name, "posted_at_us": notice.posted_at_us, "opened": notice.opened,
            }));
        } else {
            let mark = if notice.opened { " " } else { "●" };
            teller.line(&format!(
                "{mark} {}  {} ({})  {}",
                when(notice.posted_at_us),
                notice.title,
                notice.official_name,
                notice.name
            ));
        }
    }
    Ok(())
}
