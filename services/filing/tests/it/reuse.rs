//! A paper that was given once is attached again without being sent: the party's own, nobody else's, sealed anew.

use docket_proto::filing::v1 as pb;
use docket_service::testing::with_token;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::client::Client;
use crate::files;
use crate::world::{World, reason};

impl Client {
    pub(crate) async fn reusable(&self, parent: &str) -> Result<Vec<pb::ReusableEvidence>, Status> {
        let request = pb::ListReusableEvidenceRequest { parent: parent.into() };
        let answer = self.evidence.clone().list_reusable_evidence(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().evidence)
    }

    pub(crate) async fn reuse(
        &self,
        command: Uuid,
        parent: &str,
        kind: &str,
        evidence: &str,
    ) -> Result<pb::Evidence, Status> {
        let request = pb::ReuseEvidenceRequest {
            request_id: command.to_string(),
            parent: parent.into(),
            kind: kind.into(),
            evidence: evidence.into(),
        };
        let answer = self.evidence.clone().reuse_evidence(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().evidence.expect("evidence"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_of_one_filing_serves_another_of_the_same_person() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (first, second) = (ana.start("N-400").await.unwrap().name, ana.start("N-400").await.unwrap().name);
    let other_form = ana.start("AR-11").await.unwrap().name;
    let card = files::picture(41);
    let attached = ana.upload(&first, "green_card", "card.png", &card).await.unwrap();

    assert!(ana.reusable(&first).await.unwrap().is_empty(), "it is here");
    assert!(ana.reusable(&other_form).await.unwrap().is_empty(), "that form takes no such paper");
    let offered = ana.reusable(&second).await.unwrap();
    assert_eq!((offered.len(), offered[0].form.as_str()), (1, "N-400"));
    assert_eq!(offered[0].evidence.as_ref(), Some(&attached));

    let command = Uuid::now_v7();
    let here = ana.reuse(command, &second, "green_card", &attached.name).await.unwrap();
    assert!(here.name.starts_with(&second) && here.file_name == "card.png", "{here:?}");
    assert_eq!(ana.reuse(command, &second, "green_card", &attached.name).await.unwrap(), here, "once");
    let (_, bytes) = ana.download(&here.name).await.unwrap();
    assert!(bytes == card);
    assert_eq!(world.objects(), 2, "each filing has its own, under its own key");
    assert!(ana.reusable(&second).await.unwrap().is_empty(), "it is no longer offered");

    // Whatever becomes of the first, the second keeps its own.
    ana.remove(&attached.name).await.unwrap();
    assert!(ana.download(&here.name).await.unwrap().1 == card);
    assert_eq!(ana.reusable(&first).await.unwrap()[0].evidence, Some(here));
    world.expect_nothing_personal_in_the_clear(&["card.png"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_of_no_kind_is_offered_and_attached_as_what_its_owner_says() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (name, payment) = ana.sent().await;
    world.accept(&ana, &name, &payment).await;
    let letter = ana.upload(&name, "other", "letter.png", &files::picture(43)).await.unwrap();

    let next = ana.start("N-400").await.unwrap().name;
    let offered = ana.reusable(&next).await.unwrap();
    assert!(offered.iter().any(|one| one.evidence.as_ref() == Some(&letter)), "{offered:?}");
    let kindless = ana.reuse(Uuid::now_v7(), &next, "other", &letter.name).await.unwrap_err();
    assert_eq!(reason(&kindless), "KIND_UNKNOWN", "a draft has its checklist");
    ana.reuse(Uuid::now_v7(), &next, "green_card", &letter.name).await.unwrap();
    let left = ana.reusable(&next).await.unwrap();
    assert!(left.iter().all(|one| one.evidence.as_ref() != Some(&letter)), "it is here, under its kind");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_of_anothers_papers_and_what_does_not_fit_is_refused() {
    let world = World::start().await;
    let (ana, eve) = (world.person("Ana Lúcia", "Lima"), world.person("Eve", "Ito"));
    let (anas, eves) = (ana.start("N-400").await.unwrap().name, eve.start("N-400").await.unwrap().name);
    let attached = ana.upload(&anas, "green_card", "card.png", &files::picture(42)).await.unwrap();

    assert!(eve.reusable(&eves).await.unwrap().is_empty());
    assert_eq!(eve.reusable(&anas).await.unwrap_err().code(), Code::NotFound);
    let command = Uuid::now_v7();
    let not_hers = eve.reuse(command, &eves, "green_card", &attached.name).await.unwrap_err();
    assert_eq!(not_hers.code(), Code::NotFound);
    let into_anothers = eve.reuse(command, &anas, "green_card", &attached.name).await.unwrap_err();
    assert_eq!(into_anothers.code(), Code::NotFound);

    let second = ana.start("N-400").await.unwrap().name;
    let unknown = ana.reuse(command, &second, "fishing_licence", &attached.name).await.unwrap_err();
    assert_eq!(reason(&unknown), "KIND_UNKNOWN");
    let malformed = ana.reuse(command, &second, "green_card", "card.png").await.unwrap_err();
    assert_eq!(reason(&malformed), "NAME_MALFORMED");
    world.break_scanner("hangup").await;
    let waits = ana.reuse(command, &second, "green_card", &attached.name).await.unwrap();
    assert!(waits.being_checked, "scanned anew, by what the scanner knows today");
    // Nor is it offered, or attached, from there to a third before it was scanned.
    let third = ana.start("N-400").await.unwrap().name;
    let offered = ana.reusable(&third).await.unwrap();
    assert!(offered.iter().all(|one| one.evidence.as_ref() != Some(&waits)), "{offered:?}");
    let unscanned = ana.reuse(Uuid::now_v7(), &third, "green_card", &waits.name).await.unwrap_err();
    assert_eq!(reason(&unscanned), "FILE_BEING_CHECKED");
    world.break_scanner("works").await;
}
