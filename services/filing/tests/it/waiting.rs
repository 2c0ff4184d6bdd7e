//! What was sent and waits for its fee is held against its form once more before the fee is taken: time may have overtaken it.

use std::path::{Path, PathBuf};

use docket_kernel::deadline::office_date;
use docket_proto::events::filing::Event;
use docket_proto::filing::v1 as pb;
use docket_service::testing::with_token;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use tonic::Code;
use uuid::Uuid;

use crate::client::Client;
use crate::editions::copy;
use crate::files;
use crate::keep::{turn_to, written};
use crate::world::{GLANCE, PATIENCE, World, catalogue, fee_settled, payment_overtaken, reason};

const EARLIER: &str = "2025-01-20";
const PRESENT: &str = "2026-09-18";
const PAPERS: [&str; 6] =
    ["photos", "government_id", "birth_certificate", "inspection_proof", "category_proof", "i693"];

/// The catalogue in which the present edition of I-485 is taken from a day on, and the one before is refused.
fn turning_on(folder: &Path, first: Date) -> PathBuf {
    let to = folder.join("catalogue");
    copy(&catalogue(), &to);
    let changed = |file: &str, was: String, is: String| {
        let file = to.join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(&was), "{was}");
        std::fs::write(&file, text.replace(&was, &is)).unwrap();
    };
    let edition = format!("form.edition = \"{PRESENT}\"");
    let taken =
        format!("{edition}\nform.accepted_from = \"{first}\"\nform.edition_required_from = \"{first}\"");
    changed("i-485.toml", edition, taken);
    let refused = |day: &str| format!("rejected_from = \"{day}\"");
    changed("editions/i-485.toml", refused(PRESENT), refused(&first.to_string()));
    to
}

/// The catalogue in which a next edition of N-400 is taken from a day on, and the one before, of which it holds only what it asked,
/// is refused from another.
fn next_of_n400(folder: &Path, taken: Date, refused: Date) -> PathBuf {
    let to = folder.join("catalogue");
    copy(&catalogue(), &to);
    let present = docket_forms::Catalogue::embedded();
    let present = present.form("N-400").unwrap();
    let file = to.join("n-400.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let was = format!("form.edition = \"{}\"", present.edition);
    assert!(text.contains(&was), "{was}");
    let is = format!(
        "form.edition = \"2031-01-15\"\nform.accepted_from = \"{taken}\"\nform.edition_required_from = \"{refused}\""
    );
    let asked =
        r#"{ id = "shoe_size", section = "about", type = "int", required = "never", label = "Shoe size" }"#;
    let next = text.replace(&was, &is).replace("\nquestion = [\n", &format!("\nquestion = [\n  {asked},\n"));
    assert!(next.contains(asked));
    std::fs::write(&file, next).unwrap();
    for language in ["en", "es"] {
        std::fs::remove_file(to.join(language).join("n-400.toml")).unwrap();
    }
    let before = format!(
        r#"[[edition]]
date = "{}"
source = "made up for a test"
rejected_from = "{refused}"
change = [{{ do = "new", to = "shoe_size" }}]
[edition.question]
{}"#,
        present.edition,
        present.asked()
    );
    std::fs::write(to.join("editions/n-400.toml"), before).unwrap();
    to
}

pub(crate) fn today(world: &World) -> Date {
    office_date(Timestamp::from_microsecond(world.now_us()).unwrap())
}

/// Answers to Form I-485 of somebody born on a day who was paroled from Cuba three years ago. Nobody in it exists.
pub(crate) fn answers((given, born): (&str, Date), today: Date) -> Value {
    let ago = |years: i32| today.saturating_sub(years.years()).to_string();
    let here = json!({ "line1": "77 Pretend Avenue", "city": "Albany", "state": "NY", "postal_code": "12207", "country": "US" });
    let there = json!({ "line1": "Calle Inventada 5", "city": "Cienfuegos", "country": "CU" });
    let no = [
        "ssn_card_wanted",
        "section_245i",
        "applied_visa_abroad",
        "prior_i485",
        "in_proceedings",
        "arrests",
        "worked_without_permission",
        "violated_status",
        "removed_before",
        "misrepresentation",
        "false_citizen_claim",
        "unlawful_presence",
        "security_any",
        "public_charge_subject",
        "j_two_year",
        "accommodation_needed",
        "app_other_names_used",
        "used_interpreter",
        "used_preparer",
    ];
    let mut all = json!({
        "citizenship": "CU", "applicant_kind": "principal", "category": "cuban_adjustment", "affidavit_exempt": true,
        "affidavit_exempt_reason": "category_not_subject", "app_family_name": "Lima", "app_given_name": given,
        "app_dob": born.to_string(), "app_birth_city": "Cienfuegos", "app_birth_country": "CU", "app_sex": "female",
        "app_a_number": "A012345678", "app_physical_same": true, "app_physical_since": ago(3),
        "app_entry_date": ago(3), "app_entry_place": "Miami, Florida", "app_entry_manner": "inspected_paroled",
        "app_entry_class": "Parolee", "app_status_now": "Parolee", "app_marital_status": "single",
        "app_times_married": 0, "app_children_count": 0, "app_ethnicity": "hispanic_or_latino",
        "app_race": ["white"], "app_height": "5'5\"", "app_weight": 135, "app_eye_color": "brown",
        "app_hair_color": "black", "app_day_phone": "+1 212 555 0163", "reads_english": "i_read_it",
        "declares_true": true, "app_mailing": here,
        "app_residences": [
            { "from": ago(3), "current": true, "address": here },
            { "from": ago(9), "to": ago(3), "address": there },
        ],
        "app_employments": [{ "kind": "unemployed", "from": ago(6), "current": true }],
        "app_parents": [
            { "which": "mother", "family": "Ortega", "given": "Luz", "birth_country": "CU" },
            { "which": "father", "family": "Reyes", "given": "Abel", "birth_country": "CU" },
        ],
    });
    all.as_object_mut().unwrap().extend(no.map(|question| (question.to_owned(), json!(false))));
    all
}

/// Everything that a draft of I-485 needs.
pub(crate) async fn make_ready(ana: &Client, draft: &str, answers: &Value, seed: u32) {
    let filing = ana.answer(draft, answers).await.unwrap();
    assert!(filing.missing.is_empty(), "{:?}", filing.missing);
    for (paper, seed) in PAPERS.into_iter().zip(seed..) {
        ana.upload(draft, paper, "paper.png", &files::picture(seed)).await.unwrap();
    }
}

pub(crate) async fn sign_as(ana: &Client, draft: &str, capacity: &str) {
    ana.quote(draft).await.unwrap();
    let hash = ana.review(draft).await.unwrap().content_hash;
    assert_eq!(ana.sign_for(draft, &hash, "Ana Lima", capacity).await.unwrap().state, "signed");
}

fn reasons(overtaken: &pb::OvertakenFiling) -> Vec<&str> {
    overtaken.changes.iter().map(|change| change.reason.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_in_an_edition_that_is_refused_when_it_is_paid_is_overtaken_and_sent_anew_in_the_next()
{
    let (mut world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let first = today(&world) + 2.days();
    world.replace(turning_on(folder.path(), first)).await;
    let mut ana = world.person("Ana", "Lima");
    let draft = ana.start("I-485").await.unwrap();
    assert_eq!(draft.edition, EARLIER);
    let draft = draft.name;
    make_ready(&ana, &draft, &answers(("Ana", "1985-03-11".parse().unwrap()), today(&world)), 1).await;
    sign_as(&ana, &draft, "").await;
    let not_sent = world.overtaken(&[&draft]).await.unwrap_err();
    assert_eq!(not_sent.code(), Code::Unavailable, "{not_sent:?}");
    let payment = ana.submit(&draft).await.unwrap().payment;
    assert_eq!(world.overtaken(&[&draft]).await.unwrap(), [], "on its last day it goes in");

    turn_to(&world, &mut ana, first, 0).await;
    let overtaken = world.overtaken(&[&draft]).await.unwrap();
    assert_eq!((overtaken.len(), reasons(&overtaken[0])), (1, vec!["EDITION_REFUSED"]));
    assert!(overtaken[0].changes[0].message.contains(EARLIER), "{overtaken:?}");
    let who = (overtaken[0].filing.clone(), overtaken[0].account_id.clone(), overtaken[0].form.as_str());
    assert_eq!(who, (draft.clone(), ana.account.to_string(), "I-485"));
    // As of the day before it could still go in.
    let before = world.now_us() - 86_400_000_000;
    assert_eq!(world.overtaken_at(&[&draft], before).await.unwrap(), []);

    // It is a draft again, in the edition that is taken now, and whoever signed it is told; nothing is typed again.
    world.payment(&payment, payment_overtaken(&payment, &[&draft], &[&draft])).await;
    let again = ana.until(&draft, "draft").await;
    assert!(again.ready && again.edition == PRESENT && again.evidence.len() == PAPERS.len(), "{again:?}");
    assert!(again.findings.iter().any(|finding| finding.rule == "signature-overtaken"), "{again:?}");
    assert_eq!(written(&world, &draft, "filing.signature_voided.v1").await, 1);
    let refused = ana.submit(&draft).await.unwrap_err();
    assert!(reason(&refused) == "NOT_SIGNED" && refused.message().contains("reads otherwise"), "{refused:?}");
    sign_as(&ana, &draft, "").await;
    assert_eq!(ana.submit(&draft).await.unwrap().payment, payment);
    assert_eq!(world.overtaken(&[&draft]).await.unwrap(), []);
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    let Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!("it went in") };
    assert_eq!(submitted.edition, PRESENT);
}

/// The edition in which it was sent is one of which this node knows no more than until when it is taken.
#[tokio::test(flavor = "multi_thread")]
async fn of_an_edition_that_a_node_does_not_know_nothing_is_said_before_the_day_on_which_it_is_refused() {
    let (mut world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, _) = ana.sent().await;
    let (taken, refused) = (today(&world), today(&world) + 2.days());
    world.replace(next_of_n400(folder.path(), taken, refused)).await;
    let too_early = world.overtaken(&[&draft]).await.unwrap_err();
    assert_eq!(too_early.code(), Code::Unavailable, "{too_early:?}");
    world.advance(2 * 86_400);
    let overtaken = tokio::time::timeout(PATIENCE, async {
        // The service's clock follows within a moment.
        loop {
            match world.overtaken(&[&draft]).await {
                Ok(overtaken) => return overtaken,
                Err(early) => assert_eq!(early.code(), Code::Unavailable, "{early:?}"),
            }
            tokio::time::sleep(GLANCE).await;
        }
    });
    let overtaken = overtaken.await.expect("it is refused from its day on");
    assert_eq!(reasons(&overtaken[0])[0], "EDITION_REFUSED", "{overtaken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_who_turns_14_before_the_fee_is_paid_neither_pays_the_childs_fee_nor_is_signed_for() {
    let world = World::start().await;
    let mut ana = world.person("Ana", "Lima");
    let today = today(&world);
    let birthday = today + 2.days();
    let parents = ana.start("I-485").await.unwrap();
    make_ready(&ana, &parents.name, &answers(("Ana", "1985-03-11".parse().unwrap()), today), 1).await;
    let joined = pb::StartDraftRequest {
        request_id: Uuid::now_v7().to_string(),
        form: "I-485".into(),
        package: format!("packages/{}", parents.package_id),
        ..Default::default()
    };
    let childs = ana.begin(joined).await.unwrap().name;
    let mut of_child = answers(("Inés", birthday.saturating_sub(14.years())), today);
    of_child["filing_with_parent"] = json!(true);
    of_child["app_a_number"] = json!("A012345679");
    make_ready(&ana, &childs, &of_child, 20).await;
    let cents = ana.quote(&childs).await.unwrap().total.unwrap().cents;
    sign_as(&ana, &parents.name, "").await;
    sign_as(&ana, &childs, "parent").await;
    let payment = ana.submit(&childs).await.unwrap().payment;
    let both = [parents.name.as_str(), childs.as_str()];
    assert_eq!(world.overtaken(&both).await.unwrap(), []);

    turn_to(&world, &mut ana, birthday, 0).await;
    let overtaken = world.overtaken(&both).await.unwrap();
    assert_eq!((overtaken.len(), &overtaken[0].filing), (1, &childs), "the parent's stands");
    let found = reasons(&overtaken[0]);
    assert!(found.contains(&"SIGNS_SELF_FROM_14") && found.contains(&"FEE_OVERTAKEN"), "{overtaken:?}");
    let fee = overtaken[0].changes.iter().find(|change| change.reason == "FEE_OVERTAKEN").unwrap();
    assert_eq!(fee.message, "It cost $950.00 when it was sent, and costs $1,440.00 now.");
    assert_eq!(cents, 95_000);

    // Of the package only what was overtaken tells that its signature ended.
    world.payment(&payment, payment_overtaken(&payment, &both, &[&childs])).await;
    ana.until(&childs, "draft").await;
    ana.until(&parents.name, "draft").await;
    assert_eq!(written(&world, &childs, "filing.signature_voided.v1").await, 1);
    assert_eq!(written(&world, &parents.name, "filing.signature_voided.v1").await, 0);
    assert_eq!(ana.quote(&childs).await.unwrap().total.unwrap().cents, 144_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_package_can_go_in_is_said_to_payments_alone() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, _) = ana.sent().await;
    for (caller, code) in [("payments", None), ("notifications", Some(Code::PermissionDenied))] {
        let asked = world.package_service(caller).check_package(world.check(&[&draft], world.now_us())).await;
        assert_eq!(asked.err().map(|status| status.code()), code, "{caller}");
    }
    let by_a_person = with_token(world.check(&[&draft], world.now_us()), &ana.token);
    let refused = world.package_service_of_persons().check_package(by_a_person).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_in_and_is_paid_again_after_a_restore_of_payments_is_not_overtaken_and_goes_in_once() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let [(draft, payment), (other, of_other)] = [ana.sent().await, ana.sent().await];
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    assert_eq!(world.overtaken(&[&draft]).await.unwrap(), [], "nothing stands against its being paid");
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    world.accept(&ana, &other, &of_other).await;
    assert_eq!(world.overtaken(&[&other]).await.unwrap(), []);
    world.payment(&of_other, fee_settled(&of_other, &other, world.now_us())).await;
    let (last, of_last) = ana.sent().await;
    world.payment(&of_last, fee_settled(&of_last, &last, world.now_us())).await;
    ana.until(&last, "submitted").await;
    for filing in [&draft, &other] {
        assert_eq!(written(&world, filing, "filing.submitted.v1").await, 1);
    }
    let parked = sqlx::query_scalar("SELECT count(*) FROM log.parked").fetch_one(world.pool());
    assert_eq!(parked.await.unwrap_or(-1_i64), 0);
}
