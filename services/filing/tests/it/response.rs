//! A request of the office: served, answered once, also late.

use docket_proto::filing::v1 as pb;
use tonic::Code;
use uuid::Uuid;

use crate::copies::text;
use crate::files;
use crate::world::{
    World, case_assigned, denial_intended, evidence_requested, examination_continued, reason,
    reopened_on_own_motion, request_cancelled, request_served, revocation_intended, termination_intended,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_answered_once_when_it_is_served() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, _) = ana.sent().await;
    let request = Uuid::now_v7();
    // The deadline is over already: what comes late is taken, and the case marks it.
    world.ask(&draft, request, &["tax_transcripts", "court_records"], world.now_us() - 1).await;
    let opened = ana.until_response(request).await;
    assert_eq!(opened.items, ["tax_transcripts", "court_records"]);
    assert_eq!((opened.request_kind.as_str(), opened.received_at_us), ("n14", 0));
    let name = opened.name;

    let foreign = ana.upload(&name, "passport", "a.png", &files::picture(5)).await.unwrap_err();
    assert_eq!(reason(&foreign), "ITEM_NOT_ASKED");
    assert_eq!(reason(&ana.respond(&name, true).await.unwrap_err()), "NOTHING_ATTACHED");
    let evidence = ana.upload(&name, "tax_transcripts", "taxes.png", &files::picture(5)).await.unwrap();
    assert!(ana.download(&evidence.name).await.unwrap().1 == files::picture(5));
    let partial = ana.respond(&name, false).await.unwrap_err();
    assert_eq!(reason(&partial), "INCOMPLETE");
    assert!(partial.message().contains("court_records"));

    let header = pb::UploadHeader {
        request_id: Uuid::now_v7().to_string(),
        parent: name.clone(),
        kind: "court_records".into(),
        file_name: "wrong.png".into(),
        foreign_language: true,
    };
    let wrong = ana.upload_with(header, &files::picture(7)).await.unwrap();
    assert!(wrong.foreign_language && !evidence.foreign_language);
    let listed = ana.until_response(request).await.evidence;
    assert_eq!(listed, [evidence.clone(), wrong.clone()], "whoever reads the answer sees it too");
    assert!(ana.download(&wrong.name).await.unwrap().0.foreign_language);
    let wrong = wrong.name;
    ana.remove(&wrong).await.unwrap();
    assert_eq!(ana.download(&wrong).await.unwrap_err().code(), Code::NotFound, "it was taken off");
    assert_eq!(ana.remove(&wrong).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(reason(&ana.respond(&name, false).await.unwrap_err()), "INCOMPLETE");

    let command = Uuid::now_v7();
    let sent = ana.respond_as(command, &name, true).await.unwrap();
    assert_eq!(reason(&ana.remove(&evidence.name).await.unwrap_err()), "ALREADY_SUBMITTED");
    assert!(sent.received_at_us > 0);
    assert_eq!(ana.respond_as(command, &name, true).await.unwrap(), sent);
    assert_eq!(reason(&ana.respond(&name, true).await.unwrap_err()), "ALREADY_SUBMITTED");

    let eve = world.person("Eve", "Other");
    assert_eq!(eve.respond(&name, true).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(eve.remove(&evidence.name).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(eve.download(&evidence.name).await.unwrap_err().code(), Code::NotFound);
    assert!(eve.responses().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_ends_with_the_case_takes_no_answer_any_more() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, _) = ana.sent().await;
    let (served, waiting) = (Uuid::now_v7(), Uuid::now_v7());
    world.ask(&draft, served, &["tax_transcripts"], world.now_us() + 1_000_000).await;
    let name = ana.until_response(served).await.name;
    let evidence = ana.upload(&name, "tax_transcripts", "taxes.png", &files::picture(5)).await.unwrap();

    world.case(&draft, request_cancelled(served)).await;
    ana.until_response_is(served, |response| response.closed_cause == "withdrawn").await;
    assert_eq!(reason(&ana.respond(&name, true).await.unwrap_err()), "REQUEST_ENDED");
    let more = ana.upload(&name, "tax_transcripts", "more.png", &files::picture(6)).await.unwrap_err();
    assert_eq!(reason(&more), "REQUEST_ENDED");
    assert!(ana.download(&evidence.name).await.unwrap().1 == files::picture(5), "what was attached is kept");

    // A request that ends before it is served never opens a way to answer, though its notice is posted late.
    for event in [
        examination_continued(waiting, &["court_records"]),
        request_cancelled(waiting),
        request_served(waiting, world.now_us() + 1_000_000),
    ] {
        world.case(&draft, event).await;
    }
    let last = Uuid::now_v7();
    world.ask(&draft, last, &["x"], world.now_us() + 1_000_000).await;
    ana.until_response(last).await;
    assert!(ana.responses().await.iter().all(|one| one.name != format!("responses/{waiting}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_of_intent_to_deny_is_answered_by_a_rebuttal_and_what_it_asks_for() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, _) = ana.sent().await;
    let request = Uuid::now_v7();
    world.case(&draft, denial_intended(request, &["tax_transcripts"])).await;
    world.case(&draft, request_served(request, world.now_us() + 3_600_000_000)).await;
    let opened = ana.until_response(request).await;
    assert_eq!((opened.request_kind.as_str(), opened.items.len()), ("noid", 1));
    assert_eq!(opened.optional_items, ["rebuttal"]);
    let name = opened.name;

    let foreign = ana.upload(&name, "passport", "a.png", &files::picture(5)).await.unwrap_err();
    assert_eq!(reason(&foreign), "ITEM_NOT_ASKED");
    ana.upload(&name, "rebuttal", "letter.png", &files::picture(5)).await.unwrap();
    assert_eq!(reason(&ana.respond(&name, false).await.unwrap_err()), "INCOMPLETE");
    ana.upload(&name, "tax_transcripts", "taxes.png", &files::picture(6)).await.unwrap();
    let sent = ana.respond(&name, false).await.unwrap();
    assert_eq!(sent.evidence.len(), 2);
    assert_eq!(reason(&ana.respond(&name, false).await.unwrap_err()), "ALREADY_SUBMITTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_office_asks_by_it_is_answered() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, _) = ana.sent().await;
    let ids: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
    let asked = [
        ("rfe", evidence_requested(ids[0], &["tax_transcripts"])),
        ("n14", examination_continued(ids[1], &["tax_transcripts"])),
        ("noid", denial_intended(ids[2], &[])),
        ("noir", revocation_intended(ids[3])),
        ("noit", termination_intended(ids[4])),
        ("own_motion", reopened_on_own_motion(ids[5])),
    ];
    for ((kind, asked), request) in asked.into_iter().zip(ids) {
        world.case(&draft, asked).await;
        world.case(&draft, request_served(request, world.now_us() + 3_600_000_000)).await;
        let opened = ana.until_response(request).await;
        assert_eq!(opened.request_kind, kind);
        let item = if opened.items.is_empty() { "rebuttal" } else { "tax_transcripts" };
        ana.upload(&opened.name, item, "letter.png", &files::picture(5)).await.unwrap();
        assert_eq!(ana.respond(&opened.name, false).await.unwrap().evidence.len(), 1, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_provided_is_said_sealed_sent_with_the_answer_and_read_by_who_decides() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, _) = ana.sent().await;
    let (officer, other) =
        (world.officer("adjudicator", "NBC").await, world.officer("adjudicator", "NBC").await);
    world.case(&draft, case_assigned(officer.account)).await;
    let request = Uuid::now_v7();
    world.ask(&draft, request, &["tax_transcripts", "court_records"], world.now_us() + 3_600_000_000).await;
    let name = ana.until_response(request).await.name;
    let words = "The court's archive burned in 1998; its clerk wrote so to me on 3 May.";

    assert_eq!(
        reason(&ana.explain_item(&name, "court_records", "It burned.").await.unwrap_err()),
        "EXPLANATION_LENGTH"
    );
    assert_eq!(reason(&ana.explain_item(&name, "passport", words).await.unwrap_err()), "ITEM_NOT_ASKED");
    let eve = world.person("Eve", "Other");
    assert_eq!(eve.explain_item(&name, "court_records", words).await.unwrap_err().code(), Code::NotFound);
    let said = ana.explain_item(&name, "court_records", words).await.unwrap();
    assert_eq!(
        (
            said.explanations.len(),
            said.explanations[0].kind.as_str(),
            said.explanations[0].explanation.as_str()
        ),
        (1, "court_records", words)
    );
    let kept = "SELECT payload || sealed FROM log.event WHERE kind = 'response.item_explained.v1'";
    let kept: Vec<Vec<u8>> = sqlx::query_scalar(kept).fetch_all(world.pool()).await.unwrap();
    let readable = |event: &Vec<u8>| event.windows(7).any(|part| part == b"archive");
    assert!(kept.len() == 1 && !kept.iter().any(readable), "it is sealed");

    // A file ends it; taken off, the item is open again.
    let evidence = ana.upload(&name, "court_records", "court.png", &files::picture(6)).await.unwrap();
    assert!(ana.until_response(request).await.explanations.is_empty());
    assert_eq!(
        reason(&ana.explain_item(&name, "court_records", words).await.unwrap_err()),
        "EVIDENCE_ATTACHED"
    );
    ana.remove(&evidence.name).await.unwrap();
    ana.explain_item(&name, "court_records", words).await.unwrap();
    let back = ana.explain_item(&name, "court_records", "").await.unwrap();
    assert!(back.explanations.is_empty(), "taken back");
    ana.explain_item(&name, "court_records", words).await.unwrap();

    // The other item is still open: that is confirmed, or answered.
    assert_eq!(reason(&ana.respond(&name, false).await.unwrap_err()), "INCOMPLETE");
    ana.upload(&name, "tax_transcripts", "taxes.png", &files::picture(5)).await.unwrap();
    assert_eq!(reason(&ana.copy(&name).await.unwrap_err()), "NOT_SUBMITTED");
    officer.until(&draft, "sent").await;
    assert!(officer.case_responses(&draft).await.unwrap().is_empty(), "what is not sent is nobody else's");
    let sent = ana.respond(&name, false).await.unwrap();
    assert_eq!((sent.explanations.len(), sent.evidence.len()), (1, 1));
    assert_eq!(reason(&ana.explain_item(&name, "court_records", "").await.unwrap_err()), "ALREADY_SUBMITTED");

    for reader in [&ana, &officer] {
        let read = reader.case_responses(&draft).await.unwrap();
        assert_eq!((read.len(), read[0].explanations[0].explanation.as_str()), (1, words));
        assert_eq!(read[0].evidence[0].kind, "tax_transcripts");
        assert!(!reader.download(&read[0].evidence[0].name).await.unwrap().1.is_empty());
    }
    // On paper too, the same each time, for whoever may read it.
    let (header, pdf) = ana.copy(&name).await.unwrap();
    assert_eq!((header.filing.as_str(), header.size), (name.as_str(), pdf.len() as u64));
    let printed = text(&pdf);
    for said in ["Request for evidence", "burned in 1998", "taxes.png", "in time", "SHA-256"] {
        assert!(printed.contains(said), "{said:?} is not in {printed}");
    }
    assert_eq!(officer.copy(&name).await.unwrap().1, pdf);
    assert_eq!(eve.copy(&name).await.unwrap_err().code(), Code::NotFound);
    for stranger in [&eve, &other] {
        assert_eq!(stranger.case_responses(&draft).await.unwrap_err().code(), Code::NotFound);
    }
}
