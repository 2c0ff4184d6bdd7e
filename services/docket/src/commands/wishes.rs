//! Where papers go under an appearance, as the client says on Form G-28 or has said since, and the signed form itself.
use super::paper::Drafts;
use super::{Refused, Session};
use crate::client::{Part, header_and_bytes, request};
use crate::output::Teller;
use anyhow::{Context, Result, ensure};
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::download_appearance_response::Part as Sent;
use docket_proto::types::v1::MailingWishes;
use serde_json::{Value, json};
use std::path::Path;
use tonic::{Response, Status};

/// Whose a paper is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Whose {
    /// The client's own.
    Client,
    /// The representative's.
    Representative,
}

/// What of it is said anew; the rest stays.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(required = true, multiple = true)]
pub struct WishesArgs {
    /// Whose the originals of notices are; both find every notice in their inboxes.
    #[arg(long, value_name = "WHOSE")]
    notices: Option<Whose>,
    /// To whom cards are mailed.
    #[arg(long, value_name = "WHOSE")]
    cards: Option<Whose>,
    /// Whose the notice with the I-94 is.
    #[arg(long, value_name = "WHOSE")]
    i94: Option<Whose>,
}

impl WishesArgs {
    /// What holds from here on.
    pub fn over(self, before: Option<MailingWishes>) -> MailingWishes {
        let before = before.unwrap_or_default();
        let to =
            |said: Option<Whose>, before: bool| said.map_or(before, |whose| whose == Whose::Representative);
        MailingWishes {
            notices_to_representative: to(self.notices, before.notices_to_representative),
            documents_to_representative: to(self.cards, before.documents_to_representative),
            i94_to_client: self.i94.map_or(before.i94_to_client, |whose| whose == Whose::Client),
        }
    }
}

/// Sends it.
pub async fn change(
    drafts: &Drafts,
    token: &str,
    message: pb::ChangeRepresentationWishesRequest,
) -> Result<Response<pb::ChangeRepresentationWishesResponse>, Status> {
    let mut representations = drafts.connection.representations();
    representations.change_representation_wishes(request(Some(token), message)).await
}

/// In words for who reads an appearance.
pub fn tell(one: &pb::Representation, teller: &Teller) {
    let Some(wishes) = one.wishes else { return };
    let whose =
        |representative| teller.words(if representative { "the representative" } else { "the client" });
    let originals = teller.filled("{}; both find every notice", &[&whose(wishes.notices_to_representative)]);
    teller.pair(teller.words("originals of notices"), &originals);
    teller.pair(teller.words("cards are mailed to"), whose(wishes.documents_to_representative));
    teller.pair(
        teller.words("notice with the I-94"),
        whose(wishes.notices_to_representative && !wishes.i94_to_client),
    );
}

/// The same for programs.
pub fn value(one: &pb::Representation) -> Value {
    one.wishes.map_or(Value::Null, |wishes| {
        json!({
            "notices_to_representative": wishes.notices_to_representative,
            "documents_to_representative": wishes.documents_to_representative,
            "i94_to_client": wishes.i94_to_client,
        })
    })
}

/// Saves the Form G-28 of a filing, for whoever may read the filing: both of whom it speaks, and its officers.
pub async fn save_form(home: &Path, filing: &str, out: &Path, teller: &Teller) -> Result<()> {
    let (connection, token) = Session::resume(home).await?;
    let message = pb::DownloadAppearanceRequest { filing: filing.to_owned() };
    let answer = connection.representations().download_appearance(request(Some(&token), message)).await;
    let part = |message: pb::DownloadAppearanceResponse| match message.part? {
        Sent::Appearance(appearance) => Some(Part::Header(appearance)),
        Sent::Chunk(chunk) => Some(Part::Chunk(chunk)),
    };
    let messages = answer.map_err(Refused::from)?.into_inner();
    let (header, pdf) = header_and_bytes(messages, part).await.map_err(Refused::from)?;
    let header = header.context("an answer without its header")?;
    ensure!(header.size == pdf.len() as u64, "the form was cut; ask for it again");
    std::fs::write(out, &pdf).with_context(|| format!("write {}", out.display()))?;
    let one = header.representation.context("representation")?;
    if teller.is_json() {
        teller.value(&json!({
            "name": one.name, "state": one.state, "representative": one.representative, "client": one.client,
            "forms": one.forms, "filing": one.filing, "wishes": value(&one), "file": out, "bytes": pdf.len(),
        }));
        return Ok(());
    }
    teller.line(&format!("{}  {}, {}", one.name, one.state, one.forms.join(", ")));
    teller.pair(teller.words("representative"), &one.representative);
    teller.pair(teller.words("client"), &one.client);
    tell(&one, teller);
    teller.line(&teller.filled("{} bytes written to {}", &[&pdf.len(), &out.display()]));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_anew_stays() {
        let before = MailingWishes {
            notices_to_representative: true,
            documents_to_representative: true,
            i94_to_client: false,
        };
        let cards = WishesArgs { notices: None, cards: Some(Whose::Client), i94: None };
        let after = MailingWishes { documents_to_representative: false, ..before };
        assert_eq!(cards.over(Some(before)), after);
        let all = WishesArgs {
            notices: Some(Whose::Client),
            cards: Some(Whose::Representative),
            i94: Some(Whose::Client),
        };
        let only_cards =
            MailingWishes { documents_to_representative: true, i94_to_client: true, ..Default::default() };
        assert_eq!(all.over(None), only_cards);
    }
}
