//! Whoever helped signs for it: with a code, in an account of their own, the very text that the filer signs.

use docket_kernel::deadline::office_date;
use docket_proto::filing::v1 as pb;
use docket_service::testing::with_token;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::client::Client;
use crate::copies::text;
use crate::files;
use crate::world::{World, bad_fields, fee_settled, reason, story_answers};

impl Client {
    /// Asks a helper to sign.
    pub(crate) async fn ask_helper(&self, name: &str, role: &str) -> Result<pb::AskHelperResponse, Status> {
        self.ask_helper_as(Uuid::now_v7(), name, role).await
    }

    /// Asks one of several co-signers to sign, by mail where there is an address.
    pub(crate) async fn ask_member(
        &self,
        name: &str,
        person: u32,
        mail_to: &str,
    ) -> Result<pb::AskHelperResponse, Status> {
        let request = pb::AskHelperRequest {
            request_id: Uuid::now_v7().to_string(),
            name: name.into(),
            role: "co_signer".into(),
            person,
            mail_to: mail_to.into(),
            ..Default::default()
        };
        Ok(self.helpers.clone().ask_helper(with_token(request, &self.token)).await?.into_inner())
    }

    /// Takes back that one of several was asked.
    pub(crate) async fn withdraw_member(&self, name: &str, person: u32) -> Result<pb::Filing, Status> {
        let request = pb::WithdrawHelperRequest {
            request_id: Uuid::now_v7().to_string(),
            name: name.into(),
            role: "co_signer".into(),
            person,
            ..Default::default()
        };
        let answer = self.helpers.clone().withdraw_helper(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().filing.unwrap())
    }

    async fn ask_helper_as(
        &self,
        request_id: Uuid,
        name: &str,
        role: &str,
    ) -> Result<pb::AskHelperResponse, Status> {
        let request_id = request_id.to_string();
        let (name, role) = (name.into(), role.into());
        let request = pb::AskHelperRequest { request_id, name, role, ..Default::default() };
        Ok(self.helpers.clone().ask_helper(with_token(request, &self.token)).await?.into_inner())
    }

    /// What a helper reads.
    pub(crate) async fn read_as_helper(&self, code: &str) -> Result<pb::ReviewAsHelperResponse, Status> {
        let request = pb::ReviewAsHelperRequest { code: code.into() };
        Ok(self.helpers.clone().review_as_helper(with_token(request, &self.token)).await?.into_inner())
    }

    /// Signs as a helper what has this hash.
    pub(crate) async fn sign_as_helper(
        &self,
        code: &str,
        content_hash: &[u8],
        typed_name: &str,
        spoken_language: &str,
    ) -> Result<pb::SignAsHelperResponse, Status> {
        let signature = (code, content_hash, typed_name, spoken_language);
        self.sign_as_helper_as(Uuid::now_v7(), signature).await
    }

    async fn sign_as_helper_as(
        &self,
        request_id: Uuid,
        (code, content_hash, typed_name, spoken_language): (&str, &[u8], &str, &str),
    ) -> Result<pb::SignAsHelperResponse, Status> {
        let request = pb::SignAsHelperRequest {
            request_id: request_id.to_string(),
            code: code.into(),
            content_hash: content_hash.to_vec(),
            typed_name: typed_name.into(),
            spoken_language: spoken_language.into(),
        };
        Ok(self.helpers.clone().sign_as_helper(with_token(request, &self.token)).await?.into_inner())
    }

    /// The state of the only helper.
    async fn helper(&self, name: &str) -> pb::Helper {
        let mut helpers = self.get(name).await.expect("the filing").helpers;
        assert_eq!(helpers.len(), 1, "{helpers:?}");
        helpers.remove(0)
    }
}

/// Everything that the I-130 of an invented petitioner asks, as the stories answer it, with an interpreter.
fn petition(now_us: i64) -> Value {
    let today = office_date(Timestamp::from_microsecond(now_us).unwrap());
    let years = (1..10).map(|years| (format!("today-{years}y"), (today - years.years()).to_string()));
    let people = [
        ("petitioner.family_name", "Souza"),
        ("petitioner.given_name", "Rui"),
        ("petitioner.birth_date", "1984-11-02"),
        ("applicant.family_name", "Lima"),
        ("applicant.given_name", "Ana Lúcia"),
        ("applicant.birth_date", "1990-01-31"),
        ("applicant.a_number", "A212345678"),
    ];
    let people = people.map(|(of, value)| (of.to_owned(), value.to_owned()));
    let mut answers = story_answers("i-130-spouse", years.chain(people));
    let interpreted = json!({
        "used_interpreter": true, "interp_name": "Inês Inventada", "interp_language": "Portuguese",
        "interp_phone": "+1 212 555 0144", "reads_english": "interpreter_read_it"
    });
    answers.as_object_mut().unwrap().extend(interpreted.as_object().unwrap().clone());
    answers
}

async fn papers(party: &Client, draft: &str) {
    let kinds =
        ["petitioner_status", "marriage_certificate", "bona_fide_marriage", "passport_photos", "i130a"];
    for (kind, seed) in kinds.into_iter().zip(81..) {
        party.upload(draft, kind, "paper.png", &files::picture(seed)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interpreter_signs_in_an_account_of_their_own_before_the_petitioner_does() {
    let world = World::start().await;
    let (rui, ines) = (world.person("Rui", "Souza"), world.person("Inês", "Inventada"));
    let draft = rui.start("I-130").await.unwrap().name;
    let asking = async |role: &str| rui.ask_helper(&draft, role).await.map_err(|status| reason(&status));
    assert_eq!(asking("friend").await.unwrap_err(), "HELPER_ROLE_UNKNOWN");
    assert_eq!(asking("interpreter").await.unwrap_err(), "HELPER_NOT_NAMED");
    rui.answer(&draft, &petition(world.now_us())).await.unwrap();
    assert_eq!(rui.helper(&draft).await.state, "unasked");
    let typed = rui.answer(&draft, &json!({ "interp_signature": "Inês Inventada" })).await.unwrap_err();
    assert_eq!(
        (reason(&typed), bad_fields(&typed)),
        ("ANSWERED_BY_HELPER".into(), vec!["interp_signature".into()])
    );

    let command = Uuid::now_v7();
    let first = rui.ask_helper_as(command, &draft, "interpreter").await.unwrap();
    assert_eq!(rui.ask_helper_as(command, &draft, "interpreter").await.unwrap().code, first.code, "a repeat");
    assert_eq!(reason(&ines.read_as_helper(&first.code).await.unwrap_err()), "NOT_READY");
    papers(&rui, &draft).await;
    let filing = rui.get(&draft).await.unwrap();
    assert!(filing.ready && !filing.shown.contains(&"interp_signature".to_owned()), "{filing:?}");
    assert_eq!(filing.helpers[0].state, "asked");
    rui.quote(&draft).await.unwrap();
    let shown = rui.review(&draft).await.unwrap();
    let alone = rui.sign(&draft, &shown.content_hash, "Rui Souza").await.unwrap_err();
    assert_eq!(reason(&alone), "HELPER_UNSIGNED");

    // The code shows the text to somebody with an account, and nothing else; the petitioner is nobody's own interpreter.
    assert_eq!(reason(&ines.read_as_helper("00000-00000").await.unwrap_err()), "CODE_UNKNOWN");
    assert_eq!(reason(&rui.read_as_helper(&first.code).await.unwrap_err()), "OWN_HELPER");
    let read = ines.read_as_helper(&first.code.to_lowercase()).await.unwrap();
    assert_eq!((&read.text, &read.content_hash), (&shown.text, &shown.content_hash));
    assert!(read.text.contains("Interpreter's name: Inês Inventada"));
    assert!(!read.text.contains("Interpreter certifies"), "their signature is no part of what they sign");
    assert!(
        read.statement.contains("fluent in English") && read.role == "interpreter" && read.form == "I-130"
    );
    assert!(read.evidence.is_empty(), "{:?}", read.evidence);
    let looks = ines.looks(&first.code, &filing.evidence[0].name).await.unwrap_err();
    assert_eq!(looks.code(), Code::PermissionDenied, "the code is for the text alone");
    assert_eq!(ines.get(&draft).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(ines.ask_helper(&draft, "interpreter").await.unwrap_err().code(), Code::NotFound);

    // Asked anew, the code before is dead.
    let code = asking("interpreter").await.unwrap().code;
    let signing = async |code: &str, hash: &[u8], name: &str, language: &str| {
        ines.sign_as_helper(code, hash, name, language).await.map_err(|status| reason(&status))
    };
    let hash = &read.content_hash;
    for (code, hash, name, language, why) in [
        (first.code.as_str(), hash.as_slice(), "Inês Inventada", "Portuguese", "CODE_UNKNOWN"),
        (&code, &[0; 32], "Inês Inventada", "Portuguese", "CONTENT_CHANGED"),
        (&code, hash, "Rui Souza", "Portuguese", "NAME_DIFFERS"),
        (&code, hash, "Inês Inventada", "Spanish", "LANGUAGE_DIFFERS"),
        (&code, hash, "Inês Inventada", "", "LANGUAGE_DIFFERS"),
    ] {
        assert_eq!(signing(code, hash, name, language).await.unwrap_err(), why);
    }
    let plain = ines.without_step_up().sign_as_helper(&code, hash, "Ines Inventada", "Portuguese").await;
    assert_eq!(plain.unwrap_err().code(), Code::PermissionDenied);
    let command = Uuid::now_v7();
    let signature = (code.as_str(), hash.as_slice(), "ines INVENTADA", "portuguese");
    let signed = ines.sign_as_helper_as(command, signature).await.unwrap();
    assert_eq!(ines.sign_as_helper_as(command, signature).await.unwrap(), signed, "a repeat");
    assert_eq!(reason(&ines.read_as_helper(&code).await.unwrap_err()), "CODE_UNKNOWN");
    assert_eq!(asking("interpreter").await.unwrap_err(), "HELPER_SIGNED");
    let helper = rui.helper(&draft).await;
    assert_eq!((helper.state.as_str(), helper.name.as_str()), ("signed", "ines INVENTADA"));
    assert_eq!(rui.review(&draft).await.unwrap().helpers, [helper]);
    world
        .expect_nothing_personal_in_the_clear(&["nventada", "NVENTADA", "ortuguese", &first.code, &code])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_asks_the_interpreter_anew_and_the_copy_shows_who_signed_what() {
    let world = World::start().await;
    let (rui, ines) = (world.person("Rui", "Souza"), world.person("Ines", "Proven"));
    let draft = rui.start("I-130").await.unwrap().name;
    rui.answer(&draft, &petition(world.now_us())).await.unwrap();
    papers(&rui, &draft).await;
    let interpret = async || {
        let code = rui.ask_helper(&draft, "interpreter").await.unwrap().code;
        let read = ines.read_as_helper(&code).await.unwrap();
        ines.sign_as_helper(&code, &read.content_hash, "Inês Inventada", "Portuguese").await.unwrap();
        read.content_hash
    };
    interpret().await;
    assert_eq!(rui.answer(&draft, &json!({ "pet_weight": 181 })).await.unwrap().helpers[0].state, "changed");
    rui.quote(&draft).await.unwrap();
    let hash = rui.review(&draft).await.unwrap().content_hash;
    let signing = async |hash: &[u8]| rui.sign(&draft, hash, "Rui Souza").await.map_err(|no| reason(&no));
    assert_eq!(signing(&hash).await.unwrap_err(), "HELPER_UNSIGNED");
    assert_eq!(interpret().await, hash, "what both sign is the same");
    assert_eq!(signing(&hash).await.unwrap().state, "signed");

    // A code that was never used opens nothing any more, and nobody is asked for what is signed.
    assert_eq!(reason(&rui.ask_helper(&draft, "interpreter").await.unwrap_err()), "HELPER_SIGNED");
    let (_, copy) = rui.copy(&draft).await.unwrap();
    let said = text(&copy);
    for word in ["Interpreter", "Inês Inventada", "Language: Portuguese", "fluent in English", "Ines Proven"]
    {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert!(said.replace(' ', "").matches(&hex::encode(&hash)).count() >= 2, "{said}");
    let payment = rui.submit(&draft).await.unwrap().payment;
    assert_eq!(reason(&rui.ask_helper(&draft, "interpreter").await.unwrap_err()), "ALREADY_SUBMITTED");
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    rui.until(&draft, "submitted").await;
    assert_eq!(rui.helper(&draft).await.state, "signed");
}
