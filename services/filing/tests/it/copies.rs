//! The copy of what was signed: for whom it is, what it says, and that it stays what it is.

use docket_proto::events::filing;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::download_copy_response::Part;
use docket_service::testing::with_token;
use futures::future::Either;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::client::{Client, header_and_bytes};
use crate::editions::next_catalogue;
use crate::files;
use crate::keep::abandon;
use crate::world::{GLANCE, PATIENCE, World, case_assigned, reason};

impl Client {
    /// The copy of a filing: what it is, and its PDF.
    pub(crate) async fn copy(&self, name: &str) -> Result<(pb::Copy, Vec<u8>), Status> {
        self.copy_or_draft(name, false).await
    }

    /// The same, with `draft` also of what is not signed.
    pub(crate) async fn copy_or_draft(&self, name: &str, draft: bool) -> Result<(pb::Copy, Vec<u8>), Status> {
        let request = pb::DownloadCopyRequest { name: name.into(), draft };
        let parts = self.drafts.clone().download_copy(with_token(request, &self.token)).await?.into_inner();
        header_and_bytes(parts, |message| match message.part.expect("a part") {
            Part::Copy(copy) => Either::Left(copy),
            Part::Chunk(chunk) => Either::Right(chunk),
        })
        .await
    }
}

/// The text of a PDF, with blanks and line ends as single blanks.
pub(crate) fn text(pdf: &[u8]) -> String {
    let document = lopdf::Document::load_mem(pdf).expect("a PDF");
    let pages: Vec<u32> = document.get_pages().keys().copied().collect();
    let text = document.extract_text(&pages).expect("its text");
    text.replace('\u{200b}', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_says_what_was_signed_with_its_hashes_and_stays_so() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    assert_eq!(reason(&ana.copy(&draft).await.unwrap_err()), "NOT_SIGNED");
    ana.make_ready(&draft).await;
    ana.quote(&draft).await.unwrap();
    let review = ana.review(&draft).await.unwrap();
    ana.sign_now(&draft).await;

    let (header, signed) = ana.copy(&draft).await.unwrap();
    assert_eq!((header.filing.as_str(), header.size), (draft.as_str(), signed.len() as u64));
    assert_eq!(header.content_hash, review.content_hash);
    assert_eq!(ana.copy(&draft).await.unwrap(), (header, signed.clone()), "asked again, it is the same");
    let said = text(&signed);
    let commitment = review.text.split("commitment ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    for word in [
        "N-400, Application for Naturalization",
        "Given name (first name) Ana Lúcia",
        "April 12, 1985",
        "Recife",
        "Brazil",
        "Hudson Clinic",
        "12 Main St",
        "140 lb",
        "I read it",
        "card.png",
        "ana lucia lima",
        &review.declaration,
        &hex::encode(&review.content_hash),
        commitment,
        &draft,
    ] {
        let there = said.to_lowercase().contains(&word.to_lowercase());
        assert!(there, "{word:?} is not in {said}");
    }

    // A change voids the signature, and with it the copy.
    ana.answer(&draft, &json!({ "app_weight": 141 })).await.unwrap();
    assert_eq!(reason(&ana.copy(&draft).await.unwrap_err()), "NOT_SIGNED");
    ana.answer(&draft, &json!({ "app_weight": 140 })).await.unwrap();
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let payment = ana.submit(&draft).await.unwrap().payment;
    world.accept(&ana, &draft, &payment).await;
    let (_, accepted) = ana.copy(&draft).await.unwrap();
    assert!(text(&accepted).contains("DKT1234567897"));

    // Years later, with other filings and other papers there: the same bytes.
    world.advance(3 * 365 * 86_400);
    let ana = Client { token: world.token(ana.account), ..ana };
    let follows = async {
        // The service's clock follows within a moment: until then the token is of a time to come.
        while ana.get(&draft).await.is_err() {
            sleep(GLANCE).await;
        }
    };
    timeout(PATIENCE, follows).await.expect("the clock follows");
    let other = ana.start("I-90").await.unwrap().name;
    ana.answer(&other, &json!({ "app_birth_city": "Olinda" })).await.unwrap();
    ana.upload(&draft, "other", "later.png", &files::picture(12)).await.unwrap();
    assert_eq!(ana.copy(&draft).await.unwrap().1, accepted);
    world.expect_nothing_personal_in_the_clear(&["Recife", "Hudson Clinic", "12 Main St", "card.png"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_printed_as_it_stands_with_what_is_missing_and_a_signed_one_as_it_was_signed() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    let (header, printed) = ana.copy_or_draft(&draft, true).await.unwrap();
    assert_eq!((header.draft, header.signed_at_us, header.size), (true, 0, printed.len() as u64));
    let said = text(&printed);
    for word in ["Draft of N-400", "Nothing was filed.", "Answer: Date of birth"] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }

    ana.make_ready(&draft).await;
    ana.quote(&draft).await.unwrap();
    let review = ana.review(&draft).await.unwrap();
    let (header, printed) = ana.copy_or_draft(&draft, true).await.unwrap();
    assert_eq!((header.draft, &header.content_hash), (true, &review.content_hash), "what would be signed");
    let said = text(&printed);
    for word in ["Nothing is missing", "April 12, 1985", "card.png", &hex::encode(&review.content_hash)] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    let eve = world.person("Eve", "Other");
    assert_eq!(eve.copy_or_draft(&draft, true).await.unwrap_err().code(), Code::NotFound);

    ana.sign_now(&draft).await;
    let signed = ana.copy_or_draft(&draft, true).await.unwrap();
    assert!(!signed.0.draft && signed == ana.copy(&draft).await.unwrap());
    ana.answer(&draft, &json!({ "app_weight": 141 })).await.unwrap();
    assert!(text(&ana.copy_or_draft(&draft, true).await.unwrap().1).contains("141 lb"));
    // What is missing of a waiver is said in the words of its own form.
    let card = ana.start("I-90").await.unwrap().name;
    let benefit = json!({ "basis": ["means_tested_benefit"], "benefit_name": "SNAP" });
    ana.ask_fee_waiver(&card, &benefit.to_string()).await.unwrap();
    let said = text(&ana.copy_or_draft(&card, true).await.unwrap().1);
    assert!(said.contains("Answer: Who receives it (you, spouse, or child in the household)"), "{said}");
    let given_up = ana.start("N-400").await.unwrap().name;
    abandon(&ana, Uuid::now_v7(), &given_up).await.unwrap();
    assert_eq!(reason(&ana.copy_or_draft(&given_up, true).await.unwrap_err()), "NOT_SIGNED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_for_the_filer_and_the_assigned_officer() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, _) = ana.sent().await;
    let eve = world.person("Eve", "Other");
    for name in [draft.clone(), format!("filings/{}", Uuid::now_v7())] {
        assert_eq!(eve.copy(&name).await.unwrap_err().code(), Code::NotFound);
    }
    assert_eq!(eve.copy("copies/1").await.unwrap_err().code(), Code::InvalidArgument);
    let officer = world.officer("adjudicator", "NBC").await;
    assert_eq!(officer.copy(&draft).await.unwrap_err().code(), Code::NotFound);
    world.case(&draft, case_assigned(officer.account)).await;
    officer.until(&draft, "sent").await;
    assert_eq!(officer.copy(&draft).await.unwrap(), ana.copy(&draft).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_in_any_script_and_at_any_length_is_in_the_copy() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    ana.make_ready(&draft).await;
    let long = "Зимой 1998 года архив в Ресифи сгорел. ".repeat(30);
    let more = json!([
        { "question": "Name at birth", "text": "Олена Шевченко, Γιώργος, 王小明" },
        { "question": "Birth record", "text": long }
    ]);
    ana.answer(&draft, &json!({ "app_birth_city": "Київ", "additional_info": more })).await.unwrap();
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let said = text(&ana.copy(&draft).await.unwrap().1);
    // Lines may end anywhere within the numbers.
    let whole = said.replace(' ', "");
    for word in ["Київ", "ОленаШевченко,Γιώργος,[U+738B][U+5C0F][U+660E]", "SeeAddendum1.", "Addendum1"]
    {
        assert!(whole.contains(word), "{word:?} is not in {said}");
    }
    assert_eq!(said.matches("архив в Ресифи сгорел.").count(), 30);
}

/// More than goes into an event: 30 explanations of nearly 8,000 letters.
pub(crate) fn at_length() -> Value {
    let words = "The archive at Canary Hill burned. ".repeat(228);
    let item = |n| json!({ "question": format!("Birth record {n}"), "text": words });
    json!({ "additional_info": (1..=30).map(item).collect::<Vec<_>>() })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_larger_than_an_event_is_kept_beside_it_and_outlives_the_catalogue() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    ana.make_ready(&draft).await;
    ana.answer(&draft, &at_length()).await.unwrap();
    ana.quote(&draft).await.unwrap();
    assert_eq!(reason(&ana.sign(&draft, &[0; 32], "Ana Lucia Lima").await.unwrap_err()), "CONTENT_CHANGED");
    assert_eq!(world.objects(), 1, "nothing is left of what was refused");
    ana.sign_now(&draft).await;
    let filing::Event::FilingSigned(signed) = world.last_event(&draft).await else { panic!() };
    assert!(!signed.sheet_key.is_empty() && world.objects() == 2);

    // With another catalogue it cannot be made again, and is there all the same.
    let next = world.node_with(next_catalogue(folder.path())).await;
    let (header, copy) = ana.at(&next).copy(&draft).await.unwrap();
    assert_eq!(header.content_hash, signed.content_mac);
    assert!(text(&copy).contains("The archive at Canary Hill burned."));

    // A store that loses it says so where nothing else is left, and nowhere before.
    world.shelf.lose(&signed.sheet_key);
    assert_eq!(reason(&ana.at(&next).copy(&draft).await.unwrap_err()), "SIGNED_TEXT_NOT_KEPT");
    world.expect_nothing_personal_in_the_clear(&["Canary Hill"]).await;
}
