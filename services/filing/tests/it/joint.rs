//! Two people sign one petition: the spouse, in an account of their own, the very text that the petitioner signs after them.

use docket_kernel::deadline::office_date;
use docket_proto::events::filing::Event;
use docket_proto::filing::v1 as pb;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tonic::{Code, Status};

use crate::client::Client;
use crate::copies::text;
use crate::files;
use crate::world::{World, bad_fields, fee_settled, payment_withdrawn, reason, story_answers};

/// Everything that the I-751 of Rui Souza with his wife asks, as the story answers it.
fn petition(now_us: i64) -> Value {
    let today = office_date(Timestamp::from_microsecond(now_us).unwrap());
    let values = [
        ("today-2y+30d", (today - 2.years() + 30.days()).to_string()),
        ("today+30d", (today + 30.days()).to_string()),
        ("today-3y", (today - 3.years()).to_string()),
        ("today-6y", (today - 6.years()).to_string()),
        ("applicant.family_name", "Souza".into()),
        ("applicant.given_name", "Rui".into()),
        ("applicant.birth_date", "1984-11-02".into()),
        ("applicant.a_number", "A212345678".into()),
        ("spouse.family_name", "Sample".into()),
        ("spouse.given_name", "Sólveig".into()),
    ];
    story_answers("i-751", values)
}

/// A joint petition that is ready, its fee shown.
async fn ready(world: &World, rui: &Client) -> String {
    let draft = rui.start("I-751").await.unwrap().name;
    rui.answer(&draft, &petition(world.now_us())).await.unwrap();
    for (kind, seed) in ["green_card", "bona_fide_marriage"].into_iter().zip(91..) {
        rui.upload(&draft, kind, "paper.png", &files::picture(seed)).await.unwrap();
    }
    let filing = rui.get(&draft).await.unwrap();
    assert!(filing.ready, "{:?} {:?} {:?}", filing.missing, filing.findings, filing.evidence_needs);
    rui.quote(&draft).await.unwrap();
    draft
}

impl Client {
    async fn ask_spouse(&self, draft: &str) -> Result<String, Status> {
        Ok(self.ask_helper(draft, "co_signer").await?.code)
    }

    /// The other signer as the filing shows them.
    async fn spouse(&self, draft: &str) -> Option<pb::Helper> {
        let helpers = self.get(draft).await.expect("the filing").helpers;
        helpers.into_iter().find(|helper| helper.role == "co_signer")
    }

    /// Reads the petition with a code and signs it as the spouse.
    async fn sign_with(&self, code: &str) -> Result<Vec<u8>, Status> {
        let read = self.read_as_helper(code).await?;
        self.sign_as_helper(code, &read.content_hash, "Solveig Sample", "").await?;
        Ok(read.content_hash)
    }
}

async fn refused(client: &Client, code: &str) -> [String; 2] {
    let signed = client.sign_as_helper(code, &[0; 32], "Sólveig Sample", "").await;
    [client.read_as_helper(code).await.unwrap_err(), signed.unwrap_err()].map(|status| reason(&status))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spouse_signs_what_the_petitioner_signs_after_them_and_the_copy_shows_both() {
    let world = World::start().await;
    let (rui, sol) = (world.person("Rui", "Souza"), world.person("Sólveig", "Sample"));
    let draft = rui.start("I-751").await.unwrap().name;
    assert_eq!(reason(&rui.ask_spouse(&draft).await.unwrap_err()), "HELPER_NOT_NAMED");
    rui.answer(&draft, &petition(world.now_us())).await.unwrap();
    assert_eq!(reason(&rui.ask_spouse(&draft).await.unwrap_err()), "NOT_READY");
    let typed = rui.answer(&draft, &json!({ "sp_signature": "Sólveig Sample" })).await.unwrap_err();
    assert_eq!(
        (reason(&typed), bad_fields(&typed)),
        ("ANSWERED_BY_CO_SIGNER".into(), vec!["sp_signature".into()])
    );

    let draft = ready(&world, &rui).await;
    let spouse = rui.spouse(&draft).await.unwrap();
    assert_eq!((&*spouse.state, &*spouse.signs_as, &*spouse.name), ("unasked", "spouse", "Sólveig Sample"));
    let shown = rui.review(&draft).await.unwrap();
    let both = "\nSigned together, each under penalty of perjury\n- Petitioner: Rui Souza\n- Spouse: Sólveig Sample\n";
    assert!(shown.text.contains(both) && !shown.text.contains("Spouse's signature"), "{}", shown.text);
    let alone = rui.sign(&draft, &shown.content_hash, "Rui Souza").await.unwrap_err();
    assert_eq!(reason(&alone), "CO_SIGNER_UNSIGNED");

    // Not the petitioner, and nobody for whom another name is proven: they do not even read it.
    let code = rui.ask_spouse(&draft).await.unwrap();
    assert_eq!(refused(&rui, &code).await, ["OWN_HELPER", "OWN_HELPER"]);
    let eve = world.person("Eve", "Other");
    assert_eq!(refused(&eve, &code).await, ["NOT_THE_CO_SIGNER", "NOT_THE_CO_SIGNER"]);
    let read = sol.read_as_helper(&code).await.unwrap();
    assert_eq!((&read.text, &read.content_hash), (&shown.text, &shown.content_hash), "both sign the same");
    assert_eq!((&*read.role, &*read.signs_as), ("co_signer", "spouse"));
    assert!(read.statement.contains("spouse named in this petition"));
    assert_eq!(sol.get(&draft).await.unwrap_err().code(), Code::NotFound);
    // With the text goes what is attached, and nothing but that.
    let file = &read.evidence[1].name;
    assert_eq!((sol.looks(&code, file).await.unwrap(), read.evidence.len()), (1, 2));
    let looked = rui.accesses(&draft).await.unwrap().remove(0);
    assert_eq!((&*looked.stands_as, &looked.account), ("co_signer", &format!("accounts/{}", sol.account)));
    assert_eq!(reason(&eve.looks(&code, file).await.unwrap_err()), "NOT_THE_CO_SIGNER");
    let other = rui.start("I-90").await.unwrap().name;
    let other = rui.upload(&other, "current_card", "card.png", &files::picture(95)).await.unwrap().name;
    for nothing in [sol.looks("", file).await, sol.looks(&code, &other).await] {
        assert_eq!(nothing.unwrap_err().code(), Code::NotFound);
    }
    let hash = &read.content_hash;
    let signing = async |hash: &[u8], name: &str, language: &str| {
        sol.sign_as_helper(&code, hash, name, language).await.map_err(|status| reason(&status))
    };
    assert_eq!(signing(&[0; 32], "Sólveig Sample", "").await.unwrap_err(), "CONTENT_CHANGED");
    assert_eq!(signing(hash, "Rui Souza", "").await.unwrap_err(), "NAME_DIFFERS");
    assert_eq!(signing(hash, "Sólveig Sample", "Portuguese").await.unwrap_err(), "LANGUAGE_DIFFERS");
    let plain = sol.without_step_up().sign_as_helper(&code, hash, "Sólveig Sample", "").await;
    assert_eq!(plain.unwrap_err().code(), Code::PermissionDenied, "without the second factor");
    signing(hash, "solveig SAMPLE", "").await.unwrap();
    assert_eq!(refused(&sol, &code).await, ["CODE_UNKNOWN", "CODE_UNKNOWN"], "used");
    assert_eq!(reason(&sol.looks(&code, file).await.unwrap_err()), "CODE_UNKNOWN");
    assert_eq!(reason(&rui.ask_spouse(&draft).await.unwrap_err()), "HELPER_SIGNED");

    assert_eq!(rui.sign(&draft, hash, "Rui Souza").await.unwrap().state, "signed");
    let said = text(&rui.copy(&draft).await.unwrap().1);
    for word in ["Petitioner", "Rui Souza", "Spouse", "solveig SAMPLE", "spouse named in this petition"] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert!(said.replace(' ', "").matches(&hex::encode(hash)).count() >= 2, "{said}");
    let payment = rui.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    rui.until(&draft, "submitted").await;
    let Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!("another event") };
    assert_eq!(submitted.facts.unwrap().signed_as, "self", "both names are proven");
    let spouse = rui.spouse(&draft).await.unwrap();
    assert_eq!((&*spouse.state, &*spouse.signs_as, &*spouse.name), ("signed", "spouse", "solveig SAMPLE"));
    world.expect_nothing_personal_in_the_clear(&["olveig", "ólveig", "SAMPLE", &code]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_asks_the_spouse_anew_and_a_recall_does_not() {
    let world = World::start().await;
    let (rui, sol) = (world.person("Rui", "Souza"), world.unproven_person());
    let draft = ready(&world, &rui).await;
    let signing = async |hash: &[u8]| rui.sign(&draft, hash, "Rui Souza").await.map_err(|no| reason(&no));
    let first = rui.ask_spouse(&draft).await.unwrap();
    let second = rui.ask_spouse(&draft).await.unwrap();
    assert_eq!(refused(&sol, &first).await, ["CODE_UNKNOWN", "CODE_UNKNOWN"], "asked anew");
    let hash = sol.sign_with(&second).await.unwrap();

    // Changed, and changed back: the text is the same, and nobody has signed it.
    rui.answer(&draft, &json!({ "app_weight": 166 })).await.unwrap();
    rui.answer(&draft, &json!({ "app_weight": 165 })).await.unwrap();
    assert_eq!(rui.review(&draft).await.unwrap().content_hash, hash);
    assert_eq!(rui.spouse(&draft).await.unwrap().state, "changed");
    rui.quote(&draft).await.unwrap();
    assert_eq!(signing(&hash).await.unwrap_err(), "CO_SIGNER_UNSIGNED");
    // A file is a change too, and ends a code that waits.
    let waits = rui.ask_spouse(&draft).await.unwrap();
    assert_eq!(rui.spouse(&draft).await.unwrap().state, "asked");
    rui.upload(&draft, "bona_fide_marriage", "more.png", &files::picture(93)).await.unwrap();
    assert_eq!(refused(&sol, &waits).await, ["CODE_UNKNOWN", "CODE_UNKNOWN"]);

    let code = rui.ask_spouse(&draft).await.unwrap();
    let hash = sol.sign_with(&code).await.unwrap();
    rui.quote(&draft).await.unwrap();
    signing(&hash).await.unwrap();
    let payment = rui.submit(&draft).await.unwrap().payment;
    world.payment(&payment, payment_withdrawn(&payment, &[&draft])).await;
    rui.until(&draft, "draft").await;
    rui.quote(&draft).await.unwrap();
    assert_eq!(rui.spouse(&draft).await.unwrap().state, "signed", "nothing was changed");
    signing(&hash).await.unwrap();
    assert!(text(&rui.copy(&draft).await.unwrap().1).contains("No name is proven for the account."));
    let payment = rui.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    rui.until(&draft, "submitted").await;
    let Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!("another event") };
    assert_eq!(submitted.facts.unwrap().signed_as, "self_other_name", "an officer looks");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_spouse_stays_with_a_petition_that_became_a_waiver() {
    let world = World::start().await;
    let (rui, sol) = (world.person("Rui", "Souza"), world.person("Sólveig", "Sample"));
    let draft = ready(&world, &rui).await;
    let used = rui.ask_spouse(&draft).await.unwrap();
    sol.sign_with(&used).await.unwrap();
    rui.answer(&draft, &json!({ "basis": "abused" })).await.unwrap();
    rui.upload(&draft, "abuse_proof", "paper.png", &files::picture(94)).await.unwrap();
    assert_eq!(refused(&sol, &used).await, ["CODE_UNKNOWN", "CODE_UNKNOWN"]);
    assert_eq!(rui.spouse(&draft).await, None);
    assert_eq!(reason(&rui.ask_spouse(&draft).await.unwrap_err()), "HELPER_NOT_NAMED");
    for status in [sol.get(&draft).await.unwrap_err(), sol.copy(&draft).await.unwrap_err()] {
        assert_eq!(status.code(), Code::NotFound);
    }
    assert!(sol.list().await.is_empty());
    let shown = rui.review(&draft).await.unwrap();
    assert!(!shown.text.contains("Signed together") && shown.helpers.is_empty(), "{}", shown.text);

    // Joint once more: neither the signature nor the code that waited is there again.
    rui.answer(&draft, &json!({ "basis": "joint" })).await.unwrap();
    let waits = rui.ask_spouse(&draft).await.unwrap();
    rui.answer(&draft, &json!({ "basis": "abused" })).await.unwrap();
    assert_eq!(refused(&sol, &waits).await, ["CODE_UNKNOWN", "CODE_UNKNOWN"]);
    rui.answer(&draft, &json!({ "basis": "joint" })).await.unwrap();
    assert_eq!(refused(&sol, &waits).await, ["CODE_UNKNOWN", "CODE_UNKNOWN"]);
    rui.quote(&draft).await.unwrap();
    let hash = rui.review(&draft).await.unwrap().content_hash;
    assert_eq!(reason(&rui.sign(&draft, &hash, "Rui Souza").await.unwrap_err()), "CO_SIGNER_UNSIGNED");

    // The petitioner signs the waiver alone, and the copy tells of nobody else.
    rui.answer(&draft, &json!({ "basis": "abused" })).await.unwrap();
    rui.quote(&draft).await.unwrap();
    let hash = rui.review(&draft).await.unwrap().content_hash;
    assert_eq!(rui.sign(&draft, &hash, "Rui Souza").await.unwrap().state, "signed");
    let said = text(&rui.copy(&draft).await.unwrap().1);
    assert!(!said.contains("spouse named in this petition") && !said.contains("Signed together"), "{said}");
    assert_eq!(rui.spouse(&draft).await, None);
}
