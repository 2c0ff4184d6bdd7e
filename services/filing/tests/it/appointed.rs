//! A client appoints a representative for a filing that is there already, and another one in the place of the first.

use docket_proto::case_status::events::v1 as cases;
use docket_proto::events::{case, filing};
use docket_proto::filing::v1 as pb;
use docket_service::testing::with_token;
use serde_json::json;
use tokio::time::timeout;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::answers;
use crate::client::Client;
use crate::keep::abandon;
use crate::representation::{attorney, client, consented};
use crate::world::{
    PATIENCE, World, bad_fields, case_rejected, fee_settled, reason, request_served, revocation_intended,
};

impl Client {
    pub(crate) async fn appoint(&self, filing: &str) -> Result<pb::AppointRepresentativeResponse, Status> {
        self.appoint_as(Uuid::now_v7(), filing).await
    }

    async fn appoint_as(
        &self,
        request_id: Uuid,
        filing: &str,
    ) -> Result<pb::AppointRepresentativeResponse, Status> {
        let (request_id, filing) = (request_id.to_string(), filing.into());
        let request = pb::AppointRepresentativeRequest { request_id, filing };
        let mut client = self.representations.clone();
        Ok(client.appoint_representative(with_token(request, &self.token)).await?.into_inner())
    }

    /// Enters an appearance with the code of a client who asked, for a form.
    pub(crate) async fn answers_call(
        &self,
        (given, family): (&str, &str),
        code: &str,
        form: &str,
    ) -> Result<pb::PrepareRepresentationResponse, Status> {
        let mut answers = attorney();
        answers["rep_given"] = json!(given);
        answers["rep_family"] = json!(family);
        answers["matters"] = json!([{ "form": form }]);
        let request = pb::PrepareRepresentationRequest {
            request_id: Uuid::now_v7().to_string(),
            answers_json: answers.to_string(),
            typed_name: format!("{given} {family}"),
            appointment_code: code.into(),
        };
        let mut client = self.representations.clone();
        Ok(client.prepare_representation(with_token(request, &self.token)).await?.into_inner())
    }

    async fn consents(&self, code: &str) -> Result<pb::Representation, Status> {
        self.consent(code, &client("Ana Lúcia", "Lima"), "Ana Lucia Lima").await
    }
}

const OBI: (&str, &str) = ("Obi", "Adeyemi");
const NIA: (&str, &str) = ("Nia", "Inventada");

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_client_appoints_for_a_draft_stands_as_if_from_the_start() {
    let world = World::start().await;
    let (ana, obi, eve) =
        (world.person("Ana Lúcia", "Lima"), world.person("Obi", "Adeyemi"), world.person("Eve", "Other"));
    let draft = ana.start("N-400").await.unwrap().name;
    ana.make_ready(&draft).await;
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    assert_eq!(eve.appoint(&draft).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(bad_fields(&ana.appoint("drafts/1").await.unwrap_err()), ["filing"]);
    let request_id = Uuid::now_v7();
    let asked = ana.appoint_as(request_id, &draft).await.unwrap();
    let (sought, code) = (asked.representation.unwrap(), asked.code);
    assert_eq!((sought.state.as_str(), sought.filing.as_str()), ("sought", draft.as_str()));
    assert_eq!(ana.appoint_as(request_id, &draft).await.unwrap().code, code, "asked once");
    assert_eq!(ana.represented().await, std::slice::from_ref(&sought));

    assert_eq!(reason(&ana.consents(&code).await.unwrap_err()), "APPEARANCE_NOT_SIGNED");
    let wrong = obi.answers_call(OBI, "00000-00000", "N-400").await.unwrap_err();
    assert_eq!(
        (reason(&wrong).as_str(), bad_fields(&wrong)),
        ("CODE_UNKNOWN", vec!["appointment_code".into()])
    );
    let own = ana.answers_call(("Ana Lúcia", "Lima"), &code, "N-400").await.unwrap_err();
    assert_eq!(reason(&own), "OWN_CLIENT");
    assert_eq!(reason(&obi.answers_call(OBI, &code, "I-90").await.unwrap_err()), "OUTSIDE_APPOINTMENT");
    assert_eq!(reason(&eve.answers_call(OBI, &code, "N-400").await.unwrap_err()), "NAME_DIFFERS");
    let seen = obi.seen_with(&code).await.unwrap();
    assert_eq!((seen.state.as_str(), seen.forms.as_slice()), ("sought", &["N-400".to_owned()][..]));
    let entered = obi.answers_call(OBI, &code.to_lowercase(), "N-400").await.unwrap();
    assert_eq!(entered.client_code, "", "the client has it");
    let name = entered.representation.unwrap().name;
    assert_eq!(name, sought.name);
    let again = eve.answers_call(("Eve", "Other"), &code, "N-400").await.unwrap_err();
    assert_eq!(reason(&again), "CODE_UNKNOWN");
    let not_eves = eve.consent(&code, &client("Eve", "Other"), "Eve Other").await.unwrap_err();
    assert_eq!(reason(&not_eves), "CODE_UNKNOWN", "another one asked");
    assert_eq!(obi.get(&draft).await.unwrap_err().code(), Code::NotFound, "nothing before the consent");
    assert_eq!(ana.get(&draft).await.unwrap().state, "signed");

    assert_eq!(ana.consents(&code).await.unwrap().state, "active");
    let theirs = obi.get(&draft).await.unwrap();
    assert_eq!((theirs.state.as_str(), theirs.review.as_str()), ("draft", "none"));
    assert_eq!((theirs.representation.as_str(), theirs.ready), (name.as_str(), true));
    let outside = obi.begin_for("N-400", &name, "").await.unwrap_err();
    assert_eq!(reason(&outside), "OUTSIDE_APPEARANCE", "it is for one filing");
    obi.answer(&draft, &json!({ "app_weight": 141 })).await.unwrap();
    obi.quote(&draft).await.unwrap();
    let shown = ana.review(&draft).await.unwrap();
    let early = ana.sign(&draft, &shown.content_hash, "Ana Lucia Lima").await.unwrap_err();
    assert_eq!(reason(&early), "NOT_APPROVED");
    obi.ask_review(&draft).await.unwrap();
    ana.approve(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let payment = obi.submit(&draft).await.unwrap().payment;
    assert_eq!(reason(&ana.appoint(&draft).await.unwrap_err()), "FILING_UNDER_WAY");
    assert_eq!(obi.appoint(&draft).await.unwrap_err().code(), Code::PermissionDenied);
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    assert_eq!(reason(&ana.appoint(&draft).await.unwrap_err()), "FILING_UNDER_WAY");
    let filing::Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!() };
    assert_eq!(submitted.representative, obi.account.to_string());
    assert_eq!(name.replace("representations/", ""), submitted.representation_id);
    world.expect_nothing_personal_in_the_clear(&["Imaginary Plaza", "Fictitious Row", &code]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_takes_the_place_and_never_do_two_stand() {
    let world = World::start().await;
    let (obi, ana, general) = consented(&world).await;
    let nia = world.person("Nia", "Inventada");
    let first = obi.begin_for("N-400", &general, "").await.unwrap().name;
    let second = obi.begin_for("N-400", &general, "").await.unwrap().name;
    let code = ana.appoint(&first).await.unwrap().code;
    assert_eq!(reason(&obi.answers_call(OBI, &code, "N-400").await.unwrap_err()), "ALREADY_REPRESENTED");
    nia.answers_call(NIA, &code, "N-400").await.unwrap();
    ana.consents(&code).await.unwrap();
    // The former one stands on for what else was begun under it.
    assert_eq!(obi.get(&first).await.unwrap_err().code(), Code::NotFound);
    assert!(obi.get(&second).await.is_ok() && nia.get(&first).await.is_ok());
    assert_eq!(nia.get(&second).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(obi.represented().await[0].state, "active");
    let code = ana.appoint(&second).await.unwrap().code;
    nia.answers_call(NIA, &code, "N-400").await.unwrap();
    ana.consents(&code).await.unwrap();
    assert!(obi.list().await.is_empty() && nia.list().await.len() == 2);
    assert_eq!(obi.represented().await[0].state, "replaced");
    assert_eq!(reason(&obi.withdraw(&general).await.unwrap_err()), "NOT_REPRESENTED");
    assert_eq!(reason(&obi.begin_for("N-400", &general, "").await.unwrap_err()), "NOT_REPRESENTED");
    let states: Vec<_> = ana.represented().await.into_iter().map(|one| one.state).collect();
    assert_eq!(states, ["active", "active", "replaced"]);

    // Two consents at one moment: one stands after the other, and one of them at the end.
    let rivals = [("Cy", "Ersatz"), ("Dee", "Ersatz")].map(|name| (name, world.person(name.0, name.1)));
    let mut codes = Vec::new();
    for (name, rival) in &rivals {
        let code = ana.appoint(&first).await.unwrap().code;
        rival.answers_call(*name, &code, "N-400").await.unwrap();
        codes.push(code);
    }
    let (one, other) = tokio::join!(ana.consents(&codes[0]), ana.consents(&codes[1]));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    let mut standing = 0;
    for (_, rival) in &rivals {
        standing += u8::from(rival.get(&first).await.is_ok());
    }
    assert_eq!((standing, nia.get(&first).await.unwrap_err().code()), (1, Code::NotFound));
    let states: Vec<_> = ana.represented().await.into_iter().map(|one| one.state).collect();
    assert_eq!(states.iter().filter(|state| *state == "active").count(), 2, "{states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn for_an_open_case_somebody_is_appointed_and_for_one_that_is_over_nobody() {
    let world = World::start().await;
    let (ana, obi) = (world.person("Ana Lúcia", "Lima"), world.person("Obi", "Adeyemi"));
    let (sent, payment) = ana.sent().await;
    world.accept(&ana, &sent, &payment).await;
    let before = ana.copy(&sent).await.unwrap();
    let code = ana.appoint(&sent).await.unwrap().code;
    obi.answers_call(OBI, &code, "N-400").await.unwrap();
    let active = ana.consents(&code).await.unwrap();
    assert_eq!(obi.get(&sent).await.unwrap().state, "accepted");
    assert_eq!(obi.copy(&sent).await.unwrap(), before, "what was signed stays what it was");
    // Taken back before anybody answers, a code opens nothing.
    let asked = ana.appoint(&sent).await.unwrap();
    assert_eq!(ana.end(&asked.representation.unwrap().name).await.unwrap().state, "ended");
    assert_eq!(obi.seen_with(&asked.code).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ana.end(&active.name).await.unwrap().state, "ended");
    assert_eq!(obi.get(&sent).await.unwrap_err().code(), Code::NotFound);

    let late = ana.appoint(&sent).await.unwrap().code;
    obi.answers_call(OBI, &late, "N-400").await.unwrap();
    let denied = cases::CaseDenied { officer: Uuid::now_v7().to_string(), ..Default::default() };
    world.case(&sent, case::Event::from(denied)).await;
    let refused = async || ana.appoint(&sent).await.err().map(|status| reason(&status)).unwrap_or_default();
    timeout(PATIENCE, async { while refused().await != "CASE_DECIDED" {} }).await.unwrap();
    assert_eq!(reason(&ana.consents(&late).await.unwrap_err()), "CASE_DECIDED");
    // Whom the office asks something about its decision is represented in the answer.
    let asked = Uuid::now_v7();
    world.case(&sent, revocation_intended(asked)).await;
    world.case(&sent, request_served(asked, world.now_us() + 3_600_000_000)).await;
    ana.until_response(asked).await;
    ana.consents(&late).await.unwrap();
    assert_eq!(obi.get(&sent).await.unwrap().state, "accepted");

    let draft = ana.start("N-400").await.unwrap().name;
    ana.answer(&draft, &answers::ready()).await.unwrap();
    let code = ana.appoint(&draft).await.unwrap().code;
    abandon(&ana, Uuid::now_v7(), &draft).await.unwrap();
    assert_eq!(reason(&ana.appoint(&draft).await.unwrap_err()), "DRAFT_GONE");
    assert_eq!(reason(&obi.answers_call(OBI, &code, "N-400").await.unwrap_err()), "DRAFT_GONE");
    let (rejected, payment) = ana.sent().await;
    world.payment(&payment, fee_settled(&payment, &rejected, world.now_us())).await;
    ana.until(&rejected, "submitted").await;
    world.case(&rejected, case_rejected("X-SIGN")).await;
    ana.until(&rejected, "rejected").await;
    assert_eq!(reason(&ana.appoint(&rejected).await.unwrap_err()), "FILING_REJECTED");
}
