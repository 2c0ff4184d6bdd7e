//! The office refuses an appearance that is not valid, or ends all of a representative who may no longer act.

use docket_proto::filing::v1 as pb;
use docket_service::testing::with_token;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::client::Client;
use crate::representation::{attorney, client, consented, sent_under};
use crate::world::{World, case_assigned, reason};

impl Client {
    async fn refuse_appearance(
        &self,
        request_id: Uuid,
        filing: &str,
        reason: &str,
    ) -> Result<pb::Representation, Status> {
        let (request_id, filing, reason) = (request_id.to_string(), filing.into(), reason.into());
        let request = with_token(pb::RefuseAppearanceRequest { request_id, filing, reason }, &self.token);
        let answer = self.representations.clone().refuse_appearance(request).await?;
        Ok(answer.into_inner().representation.expect("an appearance"))
    }

    async fn reinstate(&self, request_id: Uuid, whom: &Client) -> Result<(), Status> {
        let representative = format!("accounts/{}", whom.account);
        let request =
            pb::ReinstateRepresentativeRequest { request_id: request_id.to_string(), representative };
        self.representations.clone().reinstate_representative(with_token(request, &self.token)).await?;
        Ok(())
    }

    async fn end_appearances(
        &self,
        request_id: Uuid,
        of: &Client,
        reason: &str,
    ) -> Result<Vec<String>, Status> {
        let representative = format!("accounts/{}", of.account);
        let (request_id, reason) = (request_id.to_string(), reason.into());
        let request = pb::EndAppearancesRequest { request_id, representative, reason };
        let answer = self.representations.clone().end_appearances(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().ended)
    }
}

/// A case that a representative prepared, and the appearance.
async fn represented(world: &World) -> (Client, Client, String, String) {
    let (obi, ana, appearance) = consented(world).await;
    let (draft, payment) = sent_under(&obi, &ana, &appearance).await;
    world.accept(&ana, &draft, &payment).await;
    (obi, ana, appearance, draft)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_refuses_an_appearance_and_whoever_acted_under_it_sees_nothing() {
    let world = World::start().await;
    for role in ["supervisor", "records_officer"] {
        let (obi, ana, appearance, case) = represented(&world).await;
        let (officer, ada) = (world.officer(role, "NBC").await, world.officer("adjudicator", "NBC").await);
        world.case(&case, case_assigned(ada.account)).await;
        ada.until(&case, "accepted").await;
        let refuse = async |who: &Client, why| who.refuse_appearance(Uuid::now_v7(), &case, why).await;
        for other in [&ada, &ana, &obi] {
            assert_eq!(refuse(other, "not_authorized").await.unwrap_err().code(), Code::PermissionDenied);
        }
        let elsewhere = world.officer(role, "FO-NYC").await;
        assert_eq!(refuse(&elsewhere, "not_authorized").await.unwrap_err().code(), Code::NotFound);
        assert_eq!(reason(&refuse(&officer, "suspended").await.unwrap_err()), "APPEARANCE_REASON_UNKNOWN");
        let unsure = refuse(&officer.without_step_up(), "not_authorized").await.unwrap_err();
        assert_eq!(reason(&unsure), "STEP_UP_REQUIRED");
        assert_eq!(obi.get(&case).await.unwrap().state, "accepted", "it stands");

        let id = Uuid::now_v7();
        let refused = officer.refuse_appearance(id, &case, "not_authorized").await.unwrap();
        assert_eq!((&refused.name, refused.state.as_str()), (&appearance, "ended_by_office"));
        assert_eq!((refused.ended_because.as_str(), refused.text.as_str()), ("not_authorized", ""));
        assert_eq!(obi.get(&case).await.unwrap_err().code(), Code::NotFound);
        for side in [&obi, &ana] {
            let seen = side.represented().await.remove(0);
            assert_eq!((seen.state.as_str(), &*seen.ended_because), ("ended_by_office", "not_authorized"));
        }
        let begun = obi.begin_for("N-400", &appearance, "").await.unwrap_err();
        assert_eq!(reason(&begun), "NOT_REPRESENTED");
        assert_eq!(officer.refuse_appearance(id, &case, "not_authorized").await.unwrap(), refused);
        assert_eq!(reason(&refuse(&officer, "not_authorized").await.unwrap_err()), "NOT_REPRESENTED");
        assert_eq!(ana.get(&case).await.unwrap().state, "accepted", "the case goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_appearances_of_somebody_who_is_suspended_end_and_nobody_elses() {
    let world = World::start().await;
    let (obi, ana, first) = consented(&world).await;
    let draft = obi.begin_for("N-400", &first, "").await.unwrap().name;
    let waiting = obi.prepare(&attorney()).await.unwrap();
    let withdrawn = obi.prepare(&attorney()).await.unwrap().representation.unwrap().name;
    obi.withdraw(&withdrawn).await.unwrap();
    let (other, _, others) = consented(&world).await;
    let ria = world.officer("records_officer", "FO-NYC").await;
    for nobody in [&ana, &obi, &world.officer("adjudicator", "NBC").await] {
        let refused = nobody.end_appearances(Uuid::now_v7(), &obi, "suspended").await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    let unknown = ria.end_appearances(Uuid::now_v7(), &obi, "form_not_valid").await.unwrap_err();
    assert_eq!(reason(&unknown), "APPEARANCE_REASON_UNKNOWN");

    let id = Uuid::now_v7();
    let ended = ria.end_appearances(id, &obi, "suspended").await.unwrap();
    let code = waiting.client_code;
    assert_eq!(ended, [waiting.representation.unwrap().name, first.clone()], "newest first");
    assert_eq!(
        ria.end_appearances(id, &obi, "suspended").await.unwrap(),
        ended,
        "a repetition says the same"
    );
    assert!(ria.end_appearances(Uuid::now_v7(), &obi, "suspended").await.unwrap().is_empty());
    assert_eq!(obi.get(&draft).await.unwrap_err().code(), Code::NotFound);
    let bob = world.person("Bob", "Stone");
    let late = bob.consent(&code, &client("Bob", "Stone"), "Bob Stone").await.unwrap_err();
    assert_eq!(late.code(), Code::NotFound, "its code opens nothing");
    let again = obi.prepare(&attorney()).await.unwrap_err();
    assert_eq!(reason(&again), "REPRESENTATIVE_BARRED");
    let called = ana.appoint(&draft).await.unwrap().code;
    let by_call = obi.answers_call(("Obi", "Adeyemi"), &called, "N-400").await.unwrap_err();
    assert_eq!(reason(&by_call), "REPRESENTATIVE_BARRED", "also by a client who asks");
    let states: Vec<_> = obi.represented().await.into_iter().map(|one| one.state).collect();
    assert_eq!(states, ["withdrawn", "ended_by_office", "ended_by_office"]);
    let draft = other.begin_for("N-400", &others, "").await.unwrap().name;
    assert_eq!(other.get(&draft).await.unwrap().state, "draft", "somebody else's stands");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_reinstated_enters_new_appearances_and_what_ended_stays_so() {
    let world = World::start().await;
    let (obi, ana, first) = consented(&world).await;
    let sam = world.officer("supervisor", "NBC").await;
    assert_eq!(reason(&sam.reinstate(Uuid::now_v7(), &obi).await.unwrap_err()), "NOT_BARRED");
    sam.end_appearances(Uuid::now_v7(), &obi, "disbarred").await.unwrap();
    for nobody in [&ana, &obi, &world.officer("adjudicator", "NBC").await] {
        let refused = nobody.reinstate(Uuid::now_v7(), &obi).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
    let unsure = sam.without_step_up().reinstate(Uuid::now_v7(), &obi).await.unwrap_err();
    assert_eq!(reason(&unsure), "STEP_UP_REQUIRED");
    assert_eq!(reason(&obi.prepare(&attorney()).await.unwrap_err()), "REPRESENTATIVE_BARRED");

    let id = Uuid::now_v7();
    sam.reinstate(id, &obi).await.unwrap();
    sam.reinstate(id, &obi).await.unwrap();
    obi.prepare(&attorney()).await.unwrap();
    let states: Vec<_> = obi.represented().await.into_iter().map(|one| one.state).collect();
    assert_eq!(states, ["prepared", "ended_by_office"]);
    assert_eq!(obi.begin_for("N-400", &first, "").await.unwrap_err().code(), Code::FailedPrecondition);
}

/// Whoever enters an appearance at the moment at which they are kept from it: it is refused, or it ends.
#[tokio::test(flavor = "multi_thread")]
async fn no_appearance_stands_that_is_entered_while_its_representative_is_barred() {
    let world = World::start().await;
    let obi = world.person("Obi", "Adeyemi");
    let sam = world.officer("supervisor", "NBC").await;
    for _ in 0..8 {
        let (entered, ended) = tokio::join!(
            async { obi.prepare(&attorney()).await },
            sam.end_appearances(Uuid::now_v7(), &obi, "suspended")
        );
        ended.unwrap();
        if let Err(refused) = entered {
            assert_eq!(reason(&refused), "REPRESENTATIVE_BARRED");
        }
        let states: Vec<_> = obi.represented().await.into_iter().map(|one| one.state).collect();
        assert!(states.iter().all(|state| state == "ended_by_office"), "{states:?}");
        sam.reinstate(Uuid::now_v7(), &obi).await.unwrap();
    }
}
