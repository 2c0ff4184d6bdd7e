//! `docket representations`: for whom one stands, and who stands for oneself.
use super::{Refused, Session, each_page};
use crate::client::request;
use crate::output::Teller;
use anyhow::Result;
use docket_proto::filing::v1::ListRepresentationsRequest;
use serde_json::json;
use std::path::Path;

/// Lists the appearances of the session, newest first.
pub async fn representations(home: &Path, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    each_page(async |page_token| {
        let message = ListRepresentationsRequest { page_size: 100, page_token };
        let answer = connection.representations().list_representations(request(Some(&token), message)).await;
        let answer = answer.map_err(Refused::from)?.into_inner();
        for one in answer.representations {
            if teller.is_json() {
                teller.value(&json!({
                    "name": one.name, "state": one.state, "forms": one.forms, "ended_because": one.ended_because,
                }));
            } else {
                let why = match one.ended_because.as_str() {
                    "" => String::new(),
                    why => format!(" ({})", teller.words(because(why))),
                };
                teller.line(&format!("{}  {}{why}, {}", one.name, one.state, one.forms.join(", ")));
            }
        }
        Ok(answer.next_page_token)
    })
    .await
}

/// Why the office ended an appearance, in words.
fn because(reason: &str) -> &'static str {
    match reason {
        "form_not_valid" => "Form G-28 is not completed or signed as it must be",
        "not_authorized" => "whoever entered it may not represent",
        "supervision_not_shown" => "a student or graduate, and who supervises them is not shown",
        "suspended" => "the representative is suspended",
        "disbarred" => "the representative is disbarred",
        "accreditation_ended" => "the accreditation has ended",
        _ => "the office ended it",
    }
}
