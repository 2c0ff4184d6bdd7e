//! A representative appears, prepares, and sees nothing once it has ended; a package of two people goes in as one.

use docket_proto::events::filing;
use docket_proto::filing::v1 as pb;
use docket_service::testing::with_token;
use serde_json::{Value, json};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::client::Client;
use crate::copies::text;
use crate::keep::abandon;
use crate::shared::{answers, petition};
use crate::world::{GLANCE, PATIENCE, World, bad_fields, fee_settled, payment_withdrawn, reason};

pub(crate) fn attorney() -> Value {
    json!({
        "rep_family": "Adeyemi", "rep_given": "Obi", "rep_phone": "+1 212 555 0188", "rep_email": "obi@example.test",
        "rep_address": { "line1": "9 Imaginary Plaza", "city": "New York", "state": "NY", "postal_code": "10007", "country": "US" },
        "rep_kind": "attorney", "licensing_authority": "New York", "discipline": "am_not", "agency": "uscis",
        "matters": [{ "form": "N-400" }]
    })
}

pub(crate) fn client(given: &str, family: &str) -> Value {
    json!({
        "client_role": "applicant", "client_family_name": family, "client_given_name": given, "client_other_names_used": false,
        "client_day_phone": "+1 212 555 0129", "client_email": "client@example.test",
        "client_mailing": { "line1": "4 Fictitious Row", "city": "Albany", "state": "NY", "postal_code": "12207", "country": "US" },
        "consent_disclosure": true, "notices_to_rep": true, "documents_to_rep": false, "i94_to_client": true
    })
}

impl Client {
    pub(crate) async fn prepare(&self, answers: &Value) -> Result<pb::PrepareRepresentationResponse, Status> {
        let request = pb::PrepareRepresentationRequest {
            request_id: Uuid::now_v7().to_string(),
            answers_json: answers.to_string(),
            typed_name: "Obi Adeyemi".into(),
            ..Default::default()
        };
        let mut client = self.representations.clone();
        let answer = client.prepare_representation(with_token(request, &self.token)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn seen_with(&self, code: &str) -> Result<pb::Representation, Status> {
        let request = pb::GetRepresentationRequest { name: String::new(), client_code: code.into() };
        let answer =
            self.representations.clone().get_representation(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().representation.expect("an appearance"))
    }

    pub(crate) async fn consent(
        &self,
        code: &str,
        answers: &Value,
        name: &str,
    ) -> Result<pb::Representation, Status> {
        let seen = self.seen_with(code).await?;
        let request = pb::AcceptRepresentationRequest {
            request_id: Uuid::now_v7().to_string(),
            client_code: code.into(),
            content_hash: seen.content_hash,
            answers_json: answers.to_string(),
            typed_name: name.into(),
        };
        let mut client = self.representations.clone();
        let answer = client.accept_representation(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().representation.expect("an appearance"))
    }

    pub(crate) async fn begin_for(
        &self,
        form: &str,
        representation: &str,
        package: &str,
    ) -> Result<pb::Filing, Status> {
        self.begin(pb::StartDraftRequest {
            request_id: Uuid::now_v7().to_string(),
            form: form.into(),
            representation: representation.into(),
            package: package.into(),
            ..Default::default()
        })
        .await
    }

    pub(crate) async fn ask_review(&self, name: &str) -> Result<pb::Filing, Status> {
        let request_id = Uuid::now_v7().to_string();
        let request = pb::AskReviewRequest { request_id, name: name.into(), ..Default::default() };
        let answer = self.drafts.clone().ask_review(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().filing.expect("a filing"))
    }

    pub(crate) async fn give_back(&self, name: &str, remark: &str) -> Result<pb::Filing, Status> {
        let request_id = Uuid::now_v7().to_string();
        let (name, remark) = (name.into(), remark.into());
        let request = pb::ReturnFilingRequest { request_id, name, remark, ..Default::default() };
        let answer = self.drafts.clone().return_filing(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().filing.expect("a filing"))
    }

    pub(crate) async fn approve(&self, name: &str) -> Result<pb::Filing, Status> {
        let content_hash = self.review(name).await?.content_hash;
        let request_id = Uuid::now_v7().to_string();
        let name = name.into();
        let request = pb::ApproveFilingRequest { request_id, name, content_hash, ..Default::default() };
        let answer = self.drafts.clone().approve_filing(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().filing.expect("a filing"))
    }

    pub(crate) async fn withdraw(&self, name: &str) -> Result<pb::Representation, Status> {
        let request =
            pb::WithdrawRepresentationRequest { request_id: Uuid::now_v7().to_string(), name: name.into() };
        let mut client = self.representations.clone();
        let answer = client.withdraw_representation(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().representation.expect("an appearance"))
    }

    pub(crate) async fn end(&self, name: &str) -> Result<pb::Representation, Status> {
        let request =
            pb::EndRepresentationRequest { request_id: Uuid::now_v7().to_string(), name: name.into() };
        let mut client = self.representations.clone();
        let answer = client.end_representation(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().representation.expect("an appearance"))
    }

    pub(crate) async fn represented(&self) -> Vec<pb::Representation> {
        let request = with_token(pb::ListRepresentationsRequest::default(), &self.token);
        let answer = self.representations.clone().list_representations(request).await.expect("a list");
        answer.into_inner().representations
    }
}

/// An attorney and a client who consented; the name of the appearance.
pub(crate) async fn consented(world: &World) -> (Client, Client, String) {
    let (obi, ana) = (world.person("Obi", "Adeyemi"), world.person("Ana Lúcia", "Lima"));
    let code = obi.prepare(&attorney()).await.expect("it is entered").client_code;
    let answers = client("Ana Lúcia", "Lima");
    let active = ana.consent(&code, &answers, "Ana Lucia Lima").await.expect("the client consents");
    (obi, ana, active.name)
}

/// An N-400 that was prepared under an appearance, approved, signed and sent: the filing and its payment.
pub(crate) async fn sent_under(obi: &Client, ana: &Client, appearance: &str) -> (String, String) {
    let draft = obi.begin_for("N-400", appearance, "").await.unwrap().name;
    obi.make_ready(&draft).await;
    obi.quote(&draft).await.unwrap();
    obi.ask_review(&draft).await.unwrap();
    ana.approve(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let payment = obi.submit(&draft).await.unwrap().payment;
    (draft, payment)
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_representative_nor_client_needs_a_proven_name() {
    let world = World::start().await;
    let (obi, ana) = (world.unproven_person(), world.unproven_person());
    let mut other = attorney();
    other["rep_given"] = json!("Obadiah");
    assert_eq!(reason(&obi.prepare(&other).await.unwrap_err()), "NAME_DIFFERS");
    let code = obi.prepare(&attorney()).await.unwrap().client_code;
    let other = ana.consent(&code, &client("Ana", "Souza"), "Ana Lima").await.unwrap_err();
    assert_eq!(reason(&other), "NAME_DIFFERS");
    let active = ana.consent(&code, &client("Ana Lúcia", "Lima"), "Ana Lucia Lima").await.unwrap();
    let draft = obi.begin_for("N-400", &active.name, "").await.unwrap();
    assert_eq!(ana.get(&draft.name).await.unwrap().state, "draft");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_answer_sets_aside_is_neither_signed_nor_kept() {
    let world = World::start().await;
    let (obi, ana) = (world.person("Obi", "Adeyemi"), world.person("Ana Lúcia", "Lima"));
    let mut changed = attorney();
    changed["discipline_detail"] = json!("An order that was lifted.");
    changed["recognized_org"] = json!("Society of Yesterday");
    let code = obi.prepare(&changed).await.unwrap().client_code;
    let seen = ana.seen_with(&code).await.unwrap();
    assert!(seen.text.contains("Imaginary Plaza"), "{seen:?}");
    assert!(!seen.text.contains("lifted") && !seen.text.contains("Yesterday"), "{seen:?}");
    let mut answers = client("Ana Lúcia", "Lima");
    answers["client_other_names"] = json!([{ "family": "Formerly", "given": "Ana" }]);
    let active = ana.consent(&code, &answers, "Ana Lucia Lima").await.unwrap();
    assert!(active.text.contains("Fictitious Row") && !active.text.contains("Formerly"), "{active:?}");
    assert!(active.text.starts_with(&seen.text), "what the client saw is what was signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_represented_without_their_own_consent() {
    let world = World::start().await;
    let (obi, ana) = (world.person("Obi", "Adeyemi"), world.person("Ana Lúcia", "Lima"));
    let mut suspended = attorney();
    suspended["discipline"] = json!("am");
    suspended["discipline_detail"] = json!("An order of last year.");
    assert_eq!(reason(&obi.prepare(&suspended).await.unwrap_err()), "NOT_READY");
    let mut both = attorney();
    both["consent_disclosure"] = json!(true);
    assert_eq!(bad_fields(&obi.prepare(&both).await.unwrap_err()), ["consent_disclosure"]);
    let refused = world.person("Eve", "Other").prepare(&attorney()).await.unwrap_err();
    assert_eq!(reason(&refused), "NAME_DIFFERS");

    let prepared = obi.prepare(&attorney()).await.unwrap();
    let (name, code) = (prepared.representation.unwrap().name, prepared.client_code);
    let early = obi.begin_for("N-400", &name, "").await.unwrap_err();
    assert_eq!(reason(&early), "NOT_REPRESENTED");
    assert_eq!(reason(&ana.seen_with("00000-00000").await.unwrap_err()), "CODE_UNKNOWN");
    let seen = ana.seen_with(&code.to_lowercase()).await.unwrap();
    assert!(seen.text.contains("Imaginary Plaza") && seen.state == "prepared", "{seen:?}");
    let mut no = client("Ana Lúcia", "Lima");
    no["consent_disclosure"] = json!(false);
    assert_eq!(reason(&ana.consent(&code, &no, "Ana Lucia Lima").await.unwrap_err()), "NOT_READY");
    let own = obi.consent(&code, &client("Obi", "Adeyemi"), "Obi Adeyemi").await.unwrap_err();
    assert_eq!(reason(&own), "OWN_CLIENT");
    let other = ana.consent(&code, &client("Ana", "Souza"), "Ana Souza").await.unwrap_err();
    assert_eq!(reason(&other), "NAME_DIFFERS");

    let active = ana.consent(&code, &client("Ana Lúcia", "Lima"), "Ana Lucia Lima").await.unwrap();
    assert_eq!(active.state, "active");
    // A code opens once.
    let eve = world.person("Eve", "Other");
    let again = eve.consent(&code, &client("Eve", "Other"), "Eve Other").await.unwrap_err();
    assert_eq!(again.code(), Code::NotFound);
    assert_eq!((obi.represented().await.len(), ana.represented().await.len()), (1, 1));
    assert!(eve.represented().await.is_empty());
    world
        .expect_nothing_personal_in_the_clear(&["Imaginary Plaza", "Fictitious Row", "Adeyemi", &code])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_approves_and_signs_what_the_representative_prepared_and_sends() {
    let world = World::start().await;
    let (obi, ana, representation) = consented(&world).await;
    let outside = obi.begin_for("I-90", &representation, "").await.unwrap_err();
    assert_eq!(reason(&outside), "OUTSIDE_APPEARANCE");
    let not_hers = ana.begin_for("N-400", &representation, "").await.unwrap_err();
    assert_eq!(not_hers.code(), Code::PermissionDenied);
    let draft = obi.begin_for("N-400", &representation, "").await.unwrap();
    assert_eq!((draft.representation.as_str(), draft.review.as_str()), (representation.as_str(), "none"));
    let draft = draft.name;
    obi.make_ready(&draft).await;
    obi.quote(&draft).await.unwrap();
    let shown = ana.review(&draft).await.unwrap();
    let early = ana.sign(&draft, &shown.content_hash, "Ana Lucia Lima").await.unwrap_err();
    assert_eq!(reason(&early), "NOT_APPROVED");
    let early = ana.give_back(&draft, "Wait.").await.unwrap_err();
    assert_eq!(reason(&early), "REVIEW_NOT_ASKED");
    assert_eq!(obi.ask_review(&draft).await.unwrap().review, "asked");
    assert_eq!(bad_fields(&ana.give_back(&draft, " ").await.unwrap_err()), ["remark"]);
    assert_eq!(ana.give_back(&draft, "I was born in Olinda.").await.unwrap().review, "returned");
    assert_eq!(obi.get(&draft).await.unwrap().remark, "I was born in Olinda.");
    obi.answer(&draft, &json!({ "app_birth_city": "Olinda" })).await.unwrap();
    obi.quote(&draft).await.unwrap();
    obi.ask_review(&draft).await.unwrap();
    assert_eq!(ana.approve(&draft).await.unwrap().review, "approved");
    // A change ends the approval, and says whom that concerns.
    assert_eq!(obi.answer(&draft, &json!({ "app_weight": 141 })).await.unwrap().review, "none");
    let filing::Event::ApprovalVoided(voided) = world.last_event(&draft).await else { panic!() };
    assert_eq!(voided.account_id, ana.account.to_string());
    assert_eq!(voided.representative, obi.account.to_string());
    obi.quote(&draft).await.unwrap();
    obi.ask_review(&draft).await.unwrap();
    assert_eq!(ana.approve(&draft).await.unwrap().review, "approved");
    let shown = ana.review(&draft).await.unwrap();
    let not_his = obi.sign(&draft, &shown.content_hash, "Ana Lucia Lima").await.unwrap_err();
    assert_eq!(not_his.code(), Code::PermissionDenied);
    ana.sign_now(&draft).await;
    let payment = obi.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    let copy = obi.copy(&draft).await.unwrap();
    assert_eq!(copy, ana.copy(&draft).await.unwrap());
    let said = text(&copy.1);
    for word in ["Attorney", "Obi Adeyemi", "Client", "Ana Lucia Lima", "Form G-28", "Olinda"] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    let filing::Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!() };
    assert_eq!(submitted.account_id, ana.account.to_string());
    assert_eq!(submitted.representative, obi.account.to_string());
    assert_eq!(representation.replace("representations/", ""), submitted.representation_id);
    world.expect_nothing_personal_in_the_clear(&["Olinda"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_representative_who_prepared_it_signed_on_form_g_28_and_another_preparer_signs_too() {
    let world = World::start().await;
    let (obi, ana, representation) = consented(&world).await;
    let draft = obi.begin_for("N-400", &representation, "").await.unwrap().name;
    obi.make_ready(&draft).await;
    let prepared = json!({
        "used_preparer": true, "prep_name": "Obi Adeyemi", "prep_is_rep": true, "prep_scope": "extends",
        "prep_phone": "+1 212 555 0188"
    });
    let helper = obi.answer(&draft, &prepared).await.unwrap().helpers.remove(0);
    assert_eq!((helper.role.as_str(), helper.state.as_str()), ("preparer", "appearance"));
    assert_eq!(reason(&obi.ask_helper(&draft, "preparer").await.unwrap_err()), "HELPER_NOT_NAMED");
    let approved = async || {
        obi.quote(&draft).await.unwrap();
        obi.ask_review(&draft).await.unwrap();
        ana.approve(&draft).await.unwrap();
    };
    approved().await;
    ana.sign_now(&draft).await;
    let said = text(&ana.copy(&draft).await.unwrap().1);
    assert!(said.contains("on Form G-28, and prepared this filing"), "{said}");

    // Somebody else prepared it: an account of their own signs, whoever asked.
    let other = json!({ "prep_name": "Paul Plainly", "prep_is_rep": false, "prep_scope": null });
    assert_eq!(obi.answer(&draft, &other).await.unwrap().helpers[0].state, "unasked");
    approved().await;
    let hash = ana.review(&draft).await.unwrap().content_hash;
    let alone = ana.sign(&draft, &hash, "Ana Lucia Lima").await.unwrap_err();
    assert_eq!(reason(&alone), "HELPER_UNSIGNED");
    let (code, paul) = (obi.ask_helper(&draft, "preparer").await.unwrap().code, world.unproven_person());
    let spoke = paul.sign_as_helper(&code, &hash, "Paul Plainly", "Portuguese").await.unwrap_err();
    assert_eq!(reason(&spoke), "LANGUAGE_DIFFERS");
    assert_eq!(paul.read_as_helper(&code).await.unwrap().role, "preparer");
    paul.sign_as_helper(&code, &hash, "Paul Plainly", "").await.unwrap();
    ana.sign_now(&draft).await;
    let said = text(&ana.copy(&draft).await.unwrap().1);
    assert!(said.contains("Paul Plainly") && !said.contains("prepared this filing"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_acts_no_longer_sees_nothing() {
    let world = World::start().await;
    for ends in ["withdraw", "end"] {
        let (obi, ana, representation) = consented(&world).await;
        let draft = obi.begin_for("N-400", &representation, "").await.unwrap().name;
        assert_eq!((obi.list().await.len(), ana.list().await.len()), (1, 1));
        let extends = json!({ "used_preparer": true, "prep_is_rep": true, "prep_scope": "extends" });
        obi.answer(&draft, &extends).await.unwrap();
        let asks_for_g28 = |draft: pb::Filing| draft.findings.iter().any(|one| one.rule == "prep-needs-g28");
        assert!(!asks_for_g28(obi.get(&draft).await.unwrap()), "his appearance stands");
        if ends == "withdraw" {
            assert_eq!(ana.withdraw(&representation).await.unwrap_err().code(), Code::PermissionDenied);
            assert_eq!(obi.withdraw(&representation).await.unwrap().state, "withdrawn");
            assert_eq!(reason(&obi.withdraw(&representation).await.unwrap_err()), "NOT_REPRESENTED");
        } else {
            assert_eq!(obi.end(&representation).await.unwrap_err().code(), Code::PermissionDenied);
            assert_eq!(ana.end(&representation).await.unwrap().state, "ended");
        }
        assert_eq!(obi.get(&draft).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(
            obi.answer(&draft, &json!({ "app_birth_city": "Recife" })).await.unwrap_err().code(),
            Code::NotFound
        );
        assert_eq!(obi.copy(&draft).await.unwrap_err().code(), Code::NotFound);
        assert!(obi.list().await.is_empty());
        assert_eq!(
            reason(&obi.begin_for("N-400", &representation, "").await.unwrap_err()),
            "NOT_REPRESENTED"
        );
        // What was prepared is the client's, and stays; nobody stands for it now.
        let left = ana.get(&draft).await.unwrap();
        assert_eq!(left.state, "draft");
        assert!(asks_for_g28(left));
        // Who filed with a representative goes on alone.
        ana.make_ready(&draft).await;
        ana.answer(&draft, &json!({ "used_preparer": false })).await.unwrap();
        ana.quote(&draft).await.unwrap();
        ana.sign_now(&draft).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_student_is_asked_for_the_statement_of_supervision_and_does_not_appear_without_it() {
    let world = World::start().await;
    let obi = world.person("Obi", "Adeyemi");
    let mut student = attorney();
    student["rep_kind"] = json!("law_student_or_graduate");
    student["associated_with"] = json!("Nia Invented");
    let refused = obi.prepare(&student).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_READY");
    assert!(refused.message().contains("student_supervision"), "{refused:?}");
    assert!(obi.represented().await.is_empty());
}

/// Waits until so many sessions of the service's database wait for a lock.
async fn until_waiting(world: &World, sessions: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let wait = async {
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(world.pool()).await.unwrap() < sessions {
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("they wait for the end of the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_withdraws_while_a_package_goes_in_is_not_named_in_it() {
    let world = World::start().await;
    let (obi, ana, representation) = consented(&world).await;
    let (draft, payment) = sent_under(&obi, &ana, &representation).await;
    // The end of the log is held: he withdraws first, and the package is read while he still stands for it.
    let mut held = docket_database::begin(world.pool()).await.unwrap();
    sqlx::query("SELECT FROM log.head WHERE log = 'filing' FOR UPDATE").execute(&mut *held).await.unwrap();
    let withdrawing = {
        let (obi, representation) = (obi.clone(), representation.clone());
        tokio::spawn(async move { obi.withdraw(&representation).await })
    };
    until_waiting(&world, 1).await;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    until_waiting(&world, 2).await;
    held.rollback().await.unwrap();
    assert_eq!(withdrawing.await.unwrap().unwrap().state, "withdrawn");
    ana.until(&draft, "submitted").await;
    let filing::Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!() };
    assert_eq!((submitted.representation_id.as_str(), submitted.representative.as_str()), ("", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_of_two_people_goes_in_as_one_or_not_at_all() {
    let world = World::start().await;
    let (obi, ana, of_ana) = consented(&world).await;
    let rui = world.person("Ana Lúcia", "Lima");
    let code = obi.prepare(&attorney()).await.unwrap().client_code;
    let of_rui = rui.consent(&code, &client("Ana Lúcia", "Lima"), "Ana Lucia Lima").await.unwrap().name;
    let first = obi.begin_for("N-400", &of_ana, "").await.unwrap();
    let package = format!("packages/{}", first.package_id);
    let eve = world.person("Eve", "Other");
    assert_eq!(eve.begin_for("N-400", "", &package).await.unwrap_err().code(), Code::NotFound);
    let second = obi.begin_for("N-400", &of_rui, &package).await.unwrap();
    assert_eq!(second.package_id, first.package_id);
    assert_eq!(ana.get(&second.name).await.unwrap_err().code(), Code::NotFound);
    for (party, name) in [(&ana, &first.name), (&rui, &second.name)] {
        obi.make_ready(name).await;
        obi.quote(name).await.unwrap();
        obi.ask_review(name).await.unwrap();
        party.approve(name).await.unwrap();
    }
    ana.sign_now(&first.name).await;
    let half = obi.submit(&first.name).await.unwrap_err();
    assert_eq!(reason(&half), "PACKAGE_NOT_SIGNED");
    assert_eq!(ana.get(&first.name).await.unwrap().state, "signed", "nothing was sent");
    rui.sign_now(&second.name).await;
    let payment = obi.submit(&first.name).await.unwrap().payment;
    assert_eq!(payment, package.replace("packages/", "payments/"));
    for (party, name) in [(&ana, &first.name), (&rui, &second.name)] {
        assert_eq!(party.get(name).await.unwrap().state, "sent");
    }
    let late = obi.begin_for("N-400", &of_ana, &package).await.unwrap_err();
    assert_eq!(reason(&late), "PACKAGE_SENT");

    // Its payment is withdrawn: all of it is open again, also for what joins it, and what was approved stays so.
    world.payment(&payment, payment_withdrawn(&payment, &[&first.name, &second.name])).await;
    for (party, name) in [(&ana, &first.name), (&rui, &second.name)] {
        assert_eq!(party.until(name, "draft").await.review, "approved");
    }
    let joined = obi.begin_for("N-400", &of_ana, &package).await.unwrap().name;
    abandon(&obi, Uuid::now_v7(), &joined).await.unwrap();
    for (party, name) in [(&ana, &first.name), (&rui, &second.name)] {
        obi.quote(name).await.unwrap();
        party.sign_now(name).await;
    }
    assert_eq!(obi.submit(&second.name).await.unwrap().payment, payment);
    for (party, name) in [(&ana, &first.name), (&rui, &second.name)] {
        assert_eq!(party.get(name).await.unwrap().state, "sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_petitioner_says_of_the_beneficiary_goes_to_her_form_and_to_nobody_else() {
    let world = World::start().await;
    let obi = world.person("Obi", "Adeyemi");
    let mut family = attorney();
    family["matters"] = json!([{ "form": "I-130" }, { "form": "I-485" }]);
    let (mut parties, mut appearances) = (Vec::new(), Vec::new());
    for (given, name) in [("Rui", "Souza"), ("Ana Lúcia", "Lima"), ("Eve", "Stone")] {
        let party = world.person(given, name);
        let code = obi.prepare(&family).await.unwrap().client_code;
        let active = party.consent(&code, &client(given, name), &format!("{given} {name}")).await.unwrap();
        parties.push(party);
        appearances.push(active.name);
    }
    let petitioned = obi.begin_for("I-130", &appearances[0], "").await.unwrap();
    obi.answer(&petitioned.name, &petition()).await.unwrap();
    let package = format!("packages/{}", petitioned.package_id);
    let hers = obi.begin_for("I-485", &appearances[1], &package).await.unwrap();
    assert_eq!(answers(&hers)["app_dob"], "1990-01-31");
    let of_eve = obi.begin_for("I-485", &appearances[2], &package).await.unwrap();
    assert_eq!(answers(&of_eve), json!({}), "nothing was said of her");
    // What differs is told to who may see both.
    let corrected = obi.answer(&hers.name, &json!({ "app_dob": "1990-01-13" })).await.unwrap();
    let told = |filing: &pb::Filing| filing.findings.iter().any(|finding| finding.rule == "package-differs");
    assert!(told(&corrected));
    assert!(!told(&parties[1].get(&hers.name).await.unwrap()));
    assert!(!told(&obi.get(&petitioned.name).await.unwrap()), "her form says nothing of herself to his");
}
