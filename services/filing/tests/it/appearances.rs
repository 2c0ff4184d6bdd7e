//! What a Form G-28 says: where papers go, as the client alone says anew, and who reads the signed form.

use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::download_appearance_response::Part;
use docket_proto::types::v1::MailingWishes;
use docket_service::testing::with_token;
use futures::future::Either;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::client::{Client, header_and_bytes};
use crate::copies::text;
use crate::representation::consented;
use crate::world::{World, bad_fields, case_assigned, reason};

impl Client {
    /// Says where papers go.
    async fn wish(
        &self,
        name: &str,
        wishes: impl Into<Option<MailingWishes>>,
    ) -> Result<pb::Representation, Status> {
        let (request_id, name, wishes) = (Uuid::now_v7().to_string(), name.into(), wishes.into());
        let request = pb::ChangeRepresentationWishesRequest { request_id, name, wishes };
        let mut client = self.representations.clone();
        let answer = client.change_representation_wishes(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().representation.expect("an appearance"))
    }

    /// The Form G-28 of a filing: who represents whom, and its PDF.
    async fn form_g28(&self, filing: &str) -> Result<(pb::Representation, Vec<u8>), Status> {
        let request = with_token(pb::DownloadAppearanceRequest { filing: filing.into() }, &self.token);
        let parts = self.representations.clone().download_appearance(request).await?.into_inner();
        let (header, pdf) = header_and_bytes(parts, |message| match message.part.expect("a part") {
            Part::Appearance(appearance) => Either::Left(appearance),
            Part::Chunk(chunk) => Either::Right(chunk),
        })
        .await?;
        assert_eq!(header.size, pdf.len() as u64);
        Ok((header.representation.expect("an appearance"), pdf))
    }
}

const ON_THE_FORM: MailingWishes = MailingWishes {
    notices_to_representative: true,
    documents_to_representative: false,
    i94_to_client: true,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_client_alone_says_anew_where_papers_go_and_may_take_it_back() {
    let world = World::start().await;
    let (obi, ana, name) = consented(&world).await;
    assert_eq!(ana.represented().await[0].wishes, Some(ON_THE_FORM), "as the form says");
    let cards = MailingWishes { documents_to_representative: true, ..ON_THE_FORM };
    assert_eq!(obi.wish(&name, cards).await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(world.person("Eve", "Other").wish(&name, cards).await.unwrap_err().code(), Code::NotFound);
    let unsure = ana.without_step_up().wish(&name, cards).await.unwrap_err();
    assert_eq!(reason(&unsure), "STEP_UP_REQUIRED");
    assert_eq!(ana.wish(&name, cards).await.unwrap().wishes, Some(cards));
    assert_eq!(obi.represented().await[0].wishes, Some(cards), "the representative sees it");
    let none = ana.wish(&name, None).await.unwrap_err();
    assert_eq!((reason(&none), bad_fields(&none)), ("WISHES_MISSING".into(), vec!["wishes".into()]));
    assert_eq!(ana.represented().await[0].wishes, Some(cards), "nothing is wished by saying nothing");
    assert_eq!(ana.wish(&name, ON_THE_FORM).await.unwrap().wishes, Some(ON_THE_FORM));
    ana.end(&name).await.unwrap();
    assert_eq!(reason(&ana.wish(&name, cards).await.unwrap_err()), "NOT_REPRESENTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_reads_the_form_g_28_of_its_case_as_both_signed_it() {
    let world = World::start().await;
    let (obi, ana, representation) = consented(&world).await;
    let draft = obi.begin_for("N-400", &representation, "").await.unwrap().name;
    let own = ana.start("I-90").await.unwrap().name;
    assert_eq!(reason(&ana.form_g28(&own).await.unwrap_err()), "NOT_REPRESENTED");
    let officer = world.officer("adjudicator", "NBC").await;
    let other = world.officer("adjudicator", "NBC").await;
    assert_eq!(officer.form_g28(&draft).await.unwrap_err().code(), Code::NotFound);
    world.case(&draft, case_assigned(officer.account)).await;
    officer.until(&draft, "draft").await;

    let (read, pdf) = officer.form_g28(&draft).await.unwrap();
    assert_eq!((read.name.as_str(), read.state.as_str()), (representation.as_str(), "active"));
    assert_eq!(read.representative, obi.account.to_string());
    assert_eq!(
        (read.client.as_str(), read.forms.as_slice()),
        (&*ana.account.to_string(), &["N-400".to_owned()][..])
    );
    assert_eq!(read.wishes, Some(ON_THE_FORM));
    let said = text(&pdf);
    for word in
        ["G-28", "Imaginary Plaza", "Fictitious Row", "Obi Adeyemi", "Ana Lucia Lima", "New York", "Stands"]
    {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    for reader in [&ana, &obi] {
        assert_eq!(reader.form_g28(&draft).await.unwrap(), (read.clone(), pdf.clone()), "the same for both");
    }
    for stranger in [&other, &world.person("Eve", "Other")] {
        assert_eq!(stranger.form_g28(&draft).await.unwrap_err().code(), Code::NotFound);
    }

    // What the client says since is told, and the form stays as it was signed; so it is once it has ended.
    let cards = MailingWishes { documents_to_representative: true, ..ON_THE_FORM };
    ana.wish(&representation, cards).await.unwrap();
    let (read, pdf) = officer.form_g28(&draft).await.unwrap();
    assert_eq!(read.wishes, Some(cards));
    assert!(text(&pdf).contains("cards to the representative"), "{}", text(&pdf));
    // Whose originals are the client's, theirs is the notice with the I-94 too.
    let all = MailingWishes { notices_to_representative: false, i94_to_client: false, ..cards };
    ana.wish(&representation, all).await.unwrap();
    let said = text(&officer.form_g28(&draft).await.unwrap().1);
    assert!(said.contains("the notice with the I-94 to the client"), "{said}");
    ana.wish(&representation, MailingWishes { notices_to_representative: true, ..all }).await.unwrap();
    let said = text(&officer.form_g28(&draft).await.unwrap().1);
    assert!(said.contains("the notice with the I-94 to the representative"), "{said}");
    obi.withdraw(&representation).await.unwrap();
    let (read, pdf) = officer.form_g28(&draft).await.unwrap();
    assert_eq!(read.state, "withdrawn");
    assert!(text(&pdf).contains("the representative withdrew") && text(&pdf).contains("Imaginary Plaza"));
    assert_eq!(
        obi.form_g28(&draft).await.unwrap_err().code(),
        Code::NotFound,
        "nothing of the client's any more"
    );
}
