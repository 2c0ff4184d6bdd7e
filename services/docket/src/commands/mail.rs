//! `docket inbox`: notices, and one of them as PDF.
use super::{Refused, Session, each_page};
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
        teller.line(&teller.filled("{} bytes written to {}", &[&pdf.len(), &to.display()]));
        return Ok(());
    }
    let mut none = true;
    each_page(async |page_token| {
        let message = pb::ListNoticesRequest { case: String::new(), page_size: 100, page_token };
        let answer = connection.inbox().list_notices(request(Some(&token), message)).await;
        let answer = answer.map_err(Refused::from)?.into_inner();
        if none && answer.mail_returned_at_us != 0 {
            returned(answer.mail_returned_at_us, teller);
        }
        none &= answer.notices.is_empty();
        answer.notices.iter().for_each(|notice| tell(notice, teller));
        Ok(answer.next_page_token)
    })
    .await?;
    if none && !teller.is_json() {
        teller.line(teller.words("no notices yet"));
    }
    Ok(())
}

/// Mail to the person's address comes back.
fn returned(at_us: i64, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({ "mail_returned_at_us": at_us }));
        return;
    }
    let back =
        "! mail to your e-mail address comes back (last on {}): look here for notices, and have it mended";
    teller.line(&teller.filled(back, &[&teller.when(at_us)]));
}

fn tell(notice: &pb::Notice, teller: &Teller) {
    if teller.is_json() {
        teller.value(&json!({
            "name": notice.name, "case": notice.case, "kind": notice.kind, "title": notice.title,
            "official_name": notice.official_name, "posted_at_us": notice.posted_at_us, "opened": notice.opened,
            "which": notice.which,
        }));
        return;
    }
    let mark = if notice.opened { " " } else { "●" };
    let (posted, title) = (teller.when(notice.posted_at_us), &notice.title);
    // Where who acts for the party is told too, one of the two has the original.
    // The other word is one in Spanish too.
    let which = if notice.which == "copy" { teller.words("copy") } else { &notice.which };
    let which = if which.is_empty() { String::new() } else { format!(", {which}") };
    teller.line(&format!("{mark} {posted}  {title} ({}{which})  {}", notice.official_name, notice.name));
}
