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
                teller.value(&json!({"name": one.name, "state": one.state, "forms": one.forms}));
            } else {
                teller.line(&format!("{}  {}, {}", one.name, one.state, one.forms.join(", ")));
            }
        }
        Ok(answer.next_page_token)
    })
    .await
}
