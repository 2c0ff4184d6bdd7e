//! A new edition of a form comes while drafts are open: their answers are carried over once, and nothing is lost without a word.

use std::path::{Path, PathBuf};

use docket_forms::Catalogue;
use docket_proto::events::filing::Event;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::draft_service_client::DraftServiceClient;
use docket_proto::filing::v1::evidence_service_client::EvidenceServiceClient;
use docket_proto::filing::v1::invitation_service_client::InvitationServiceClient;
use docket_service::testing::Running;
use jiff::ToSpan as _;
use serde_json::{Value, json};
use tonic::Code;

use crate::again::of_a_lost_card;
use crate::client::Client;
use crate::files;
use crate::keep::turn_to;
use crate::moved::settled;
use crate::waiting::today;
use crate::world::{World, catalogue, fee_settled, reason};

const EARLIER: &str = "2025-01-20";
pub(crate) const NEXT: &str = "2031-01-15";

impl Client {
    /// The same person at another node.
    pub(crate) fn at(&self, node: &Running) -> Self {
        let channel = node.channel();
        Self {
            drafts: DraftServiceClient::new(channel.clone()),
            evidence: EvidenceServiceClient::new(channel.clone()),
            invitations: InvitationServiceClient::new(channel),
            ..self.clone()
        }
    }
}

/// The catalogue with a next edition of I-90: one question has another id, one option and one question are gone, one is new.
pub(crate) fn next_catalogue(folder: &Path) -> PathBuf {
    catalogue_with_next(folder, NEXT)
}

/// The same, with the first day on which the next edition is taken.
fn catalogue_with_next(folder: &Path, accepted_from: &str) -> PathBuf {
    let to = folder.join("catalogue");
    copy(&catalogue(), &to);
    let earlier = Catalogue::embedded().form("I-90").unwrap().asked();
    let file = to.join("i-90.toml");
    let form = std::fs::read_to_string(&file).unwrap();
    let changes = [
        (
            format!("form.edition = \"{EARLIER}\""),
            format!("form.edition = \"{NEXT}\"\nform.accepted_from = \"{accepted_from}\""),
        ),
        (r#"id = "place_applied""#.to_owned(), r#"id = "place_of_application""#.to_owned()),
        (r#", "old_edition_card""#.to_owned(), String::new()),
        (
            r#"id = "entry_port", section = "residence", type = "text", required = "never""#.to_owned(),
            r#"id = "cards_before", section = "residence", type = "int", required = "always""#.to_owned(),
        ),
    ];
    let next = changes.iter().fold(form, |form, (was, is)| {
        assert!(form.contains(was), "{was}");
        form.replace(was, is)
    });
    std::fs::write(&file, next).unwrap();
    for language in ["en", "es"] {
        std::fs::remove_file(to.join(language).join("i-90.toml")).unwrap();
    }
    let lens = format!(
        r#"[[edition]]
date = "{EARLIER}"
source = "made up for a test"
change = [
  {{ do = "carry", from = "place_applied", to = "place_of_application" }},
  {{ do = "carry", from = "reason", ask = ["old_edition_card"] }},
  {{ do = "drop", from = "entry_port", reason = "Where you came in is no longer asked for." }},
  {{ do = "new", to = "cards_before" }},
]
[edition.question]
{earlier}"#
    );
    std::fs::write(to.join("editions/i-90.toml"), lens).unwrap();
    to
}

/// The catalogue with a next edition of I-90, taken from a day on, that names all questions about the applicant otherwise, and with the
/// one before as it was.
fn renamed_in_next(folder: &Path, accepted_from: &str) -> PathBuf {
    let to = folder.join("catalogue");
    copy(&catalogue(), &to);
    let edit = |file: &str, changes: &[(&str, &str)]| {
        let file = to.join(file);
        let text = std::fs::read_to_string(&file).unwrap();
        let edited = changes.iter().fold(text, |text, (was, is)| {
            assert!(text.contains(was), "{was}");
            text.replace(was, is)
        });
        std::fs::write(&file, edited).unwrap();
    };
    std::fs::create_dir(to.join("before")).unwrap();
    std::fs::copy(to.join("i-90.toml"), to.join("before/i-90.toml")).unwrap();
    let next = format!("form.edition = \"{NEXT}\"\nform.accepted_from = \"{accepted_from}\"");
    edit("i-90.toml", &[(&format!("form.edition = \"{EARLIER}\""), &next), ("app_", "own_")]);
    let part = |prefix| {
        format!("form = \"I-90\"\nperson = \"beneficiary\"\nfiles = true\nprefixes = [\"{prefix}\"]")
    };
    edit("_shared.toml", &[(&part("app_"), &part("own_"))]);
    for language in ["en", "es"] {
        std::fs::remove_file(to.join(language).join("i-90.toml")).unwrap();
    }
    let embedded = Catalogue::embedded();
    let form = embedded.form("I-90").unwrap();
    let renamed = form.questions.iter().filter_map(|question| question.id.strip_prefix("app_"));
    let carried =
        renamed.map(|name| format!("  {{ do = \"carry\", from = \"app_{name}\", to = \"own_{name}\" }},"));
    let changes = carried.collect::<Vec<_>>().join("\n");
    let earlier = format!(
        "[[edition]]\ndate = \"{EARLIER}\"\nsource = \"made up for a test\"\nchange = [\n{changes}\n]\n[edition.question]\n{}",
        form.asked()
    );
    std::fs::write(to.join("editions/i-90.toml"), earlier).unwrap();
    to
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn answers(filing: &pb::Filing) -> Value {
    serde_json::from_str(&filing.answers_json).unwrap()
}

fn attention(filing: &pb::Filing) -> Vec<(&str, &str, &str, &str)> {
    filing
        .attention
        .iter()
        .map(|one| (one.happened.as_str(), one.was.as_str(), one.field.as_str(), one.answer_json.as_str()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_a_draft_are_carried_over_and_what_does_not_come_over_is_told() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("I-90").await.unwrap();
    assert_eq!(draft.edition, EARLIER);
    let given = json!({ "reason": "old_edition_card", "place_applied": "Lima", "entry_port": "Miami", "mother_given": "Rosa" });
    let before = ana.answer(&draft.name, &given).await.unwrap();

    let next = world.node_with(next_catalogue(folder.path())).await;
    let there = ana.at(&next);
    let seen = there.get(&draft.name).await.unwrap();
    assert_eq!((seen.edition.as_str(), seen.etag), (NEXT, before.etag + 1));
    assert_eq!(answers(&seen), json!({ "mother_given": "Rosa", "place_of_application": "Lima" }));
    assert_eq!(
        attention(&seen),
        [
            ("option_gone", "reason", "reason", "\"old_edition_card\""),
            ("dropped", "entry_port", "", "\"Miami\""),
            ("new", "", "cards_before", "null"),
        ]
    );
    assert_eq!(seen.attention[1].message, "Where you came in is no longer asked for.");
    assert_eq!(there.get(&draft.name).await.unwrap().etag, seen.etag, "once");

    // Who wrote with what was seen before is told what changed under it; everything else goes in.
    let stale = there
        .answer_as(uuid::Uuid::now_v7(), &draft.name, &json!({ "reason": "mutilated" }), before.etag)
        .await;
    assert_eq!(reason(&stale.unwrap_err()), "ANSWERED_MEANWHILE");
    let answered = json!({ "reason": "mutilated", "cards_before": 2 });
    there.answer(&draft.name, &answered).await.unwrap();
    let seen = there.get(&draft.name).await.unwrap();
    assert_eq!(
        attention(&seen),
        [("dropped", "entry_port", "", "\"Miami\"")],
        "what is answered needs nothing more"
    );

    // A node that still has the earlier edition does not show it wrongly: it waits for its own turn.
    let early = ana.get(&draft.name).await.unwrap_err();
    assert_eq!(early.code(), Code::Unavailable, "{early:?}");
    let other = ana.start("N-400").await.unwrap().name;
    let listed: Vec<(String, String)> =
        ana.list().await.into_iter().map(|one| (one.name, one.edition)).collect();
    assert_eq!(listed.len(), 2, "it hides no other: {listed:?}");
    assert!(listed.contains(&(draft.name.clone(), NEXT.to_owned())), "{listed:?}");
    assert!(listed.iter().any(|(name, _)| *name == other), "{listed:?}");
    let not_here = |one: &pb::Filing| one.findings.iter().any(|finding| finding.rule == "filing-not-here");
    for one in ana.list().await {
        assert_eq!(not_here(&one), one.name == draft.name, "its line says so: {one:?}");
    }
    let in_spanish: Vec<_> = ana.list_in("es").await.into_iter().flat_map(|one| one.findings).collect();
    assert!(in_spanish[0].message.starts_with("Esta solicitud no se puede abrir"), "{in_spanish:?}");
    assert!(!there.list().await.iter().any(not_here), "the node with the next edition opens both");
    // Its files are the same in any edition: they are read, and offered for another.
    let file = there.upload(&draft.name, "current_card", "card.png", &files::picture(52)).await.unwrap();
    let second = ana.start("I-90").await.unwrap().name;
    let offered = ana.reusable(&second).await.unwrap();
    assert_eq!((offered.len(), offered[0].evidence.as_ref()), (1, Some(&file)));
    assert_eq!(ana.download(&file.name).await.unwrap().0, file);
    world.expect_nothing_personal_in_the_clear(&["Miami", "Rosa"]).await;
    next.stop().await.unwrap();
}

/// A node knows of an edition days before it is taken: until then drafts begin and stay in the one before, and then move on.
#[tokio::test(flavor = "multi_thread")]
async fn a_draft_moves_on_from_the_day_on_which_the_next_edition_is_taken() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    let today = zone.to_datetime(jiff::Timestamp::from_microsecond(world.now_us()).unwrap()).date();
    let (last, first) = (today.saturating_add(1.day()), today.saturating_add(2.days()));
    let to = catalogue_with_next(folder.path(), &first.to_string());
    std::fs::create_dir(to.join("before")).unwrap();
    std::fs::copy(catalogue().join("i-90.toml"), to.join("before/i-90.toml")).unwrap();
    let next = world.node_with(to).await;
    let there = world.person("Ana Lúcia", "Lima").at(&next);

    let draft = there.start("I-90").await.unwrap();
    assert_eq!(draft.edition, EARLIER);
    let given = json!({ "reason": "old_edition_card", "place_applied": "Lima" });
    let before = there.answer(&draft.name, &given).await.unwrap();
    assert_eq!((before.edition.as_str(), &answers(&before)), (EARLIER, &given));
    let shown = |forms: Vec<pb::FormSummary>| {
        let one = forms.into_iter().find(|form| form.form == "I-90").unwrap();
        (one.edition, one.accepted_from, one.accepted_until)
    };
    let taken = (EARLIER.to_owned(), EARLIER.to_owned(), last.to_string());
    assert_eq!(shown(world.forms_at(&next).await), taken);

    world.advance(2 * 86_400);
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let there = Client { token: world.token(there.account), ..there };
    let seen = there.get(&draft.name).await.unwrap();
    assert_eq!((seen.edition.as_str(), seen.etag), (NEXT, before.etag + 1));
    assert_eq!(answers(&seen), json!({ "place_of_application": "Lima" }));
    assert_eq!(there.start("I-90").await.unwrap().edition, NEXT);
    let taken = (NEXT.to_owned(), first.to_string(), String::new());
    assert_eq!(shown(world.forms_at(&next).await), taken);
    next.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn several_who_open_a_draft_at_once_take_it_over_once_and_its_files_stay() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("I-90").await.unwrap().name;
    ana.answer(&draft, &json!({ "reason": "mutilated", "place_applied": "Lima" })).await.unwrap();
    let file = ana.upload(&draft, "current_card", "card.png", &files::picture(51)).await.unwrap();

    // Several open it at the same moment: it is taken over once.
    let next = world.node_with(next_catalogue(folder.path())).await;
    let there = ana.at(&next);
    let all = futures::future::join_all((0..6).map(|_| there.get(&draft))).await;
    let etags: Vec<u64> = all.into_iter().map(|seen| seen.unwrap().etag).collect();
    assert!(etags.iter().all(|etag| *etag == etags[0]), "{etags:?}");
    let seen = there.get(&draft).await.unwrap();
    assert_eq!((seen.edition.as_str(), seen.evidence.len()), (NEXT, 1));
    assert_eq!(there.download(&file.name).await.unwrap().0, file);
    assert!(seen.missing.iter().any(|missing| missing.field == "cards_before"), "{:?}", seen.missing);
    next.stop().await.unwrap();
}

/// What was sent on the last day of an edition and paid for on the first of the next, in which every question has another name.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_case_is_told_is_read_in_the_edition_that_was_signed() {
    let (mut world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let first = today(&world) + 2.days();
    world.replace(renamed_in_next(folder.path(), &first.to_string())).await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("I-90").await.unwrap();
    assert_eq!(draft.edition, EARLIER);
    let draft = draft.name;
    ana.answer(&draft, &of_a_lost_card()).await.unwrap();
    ana.upload(&draft, "passport", "paper.png", &files::picture(53)).await.unwrap();
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let payment = ana.submit(&draft).await.unwrap().payment;

    turn_to(&world, &mut ana, first, 1).await;
    assert_eq!(ana.start("I-90").await.unwrap().edition, NEXT, "the next one is taken");
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    let Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!("it went in") };
    let age = submitted.facts.unwrap_or_default().age;
    assert_eq!((submitted.edition.as_str(), submitted.gives_address), (EARLIER, true));
    assert!(age >= 41, "born on 12 April 1985: {age}");
    settled(&world).await;
    assert!(world.postal_address(&ana).starts_with("4 Fictitious Row"), "{}", world.postal_address(&ana));
}
