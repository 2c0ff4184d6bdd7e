//! The clock: a deadline passes once, when it ends, and nothing is decided by it.

use docket_proto::case_status::v1::request_evidence_request::Item;
use docket_proto::payments::events::v1::{PaymentMadeGood, PaymentReturned};
use jiff::SignedDuration;
use tonic::Code;
use uuid::Uuid;

use crate::people::{Someone, command, reason};
use crate::world::World;

/// A case in which a request is open, and its party.
pub(crate) struct Asked {
    pub(crate) filing: Uuid,
    pub(crate) name: String,
    pub(crate) request: Uuid,
    pub(crate) ana: Someone,
}

/// A case under review by a supervisor, who is the last of what is given.
async fn in_review(world: &World) -> (Uuid, String, Someone, Someone) {
    let (ana, sam) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let filing = world.submit(&ana, 40).await;
    let name = format!("cases/{filing}");
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    command!(sam, assign_case, AssignCaseRequest { name: name.clone() }).unwrap();
    command!(sam, start_review, StartReviewRequest { name: name.clone() }).unwrap();
    (filing, name, ana, sam)
}

/// A request for evidence of 30 days, with its notice.
async fn ask(world: &World, filing: Uuid, name: &str, sam: &Someone) -> Uuid {
    let items = vec![Item { code: "tax_transcripts".into(), reason: "missing".into() }];
    let request = command!(
        sam,
        request_evidence,
        RequestEvidenceRequest { name: name.to_owned(), kind: "rfe".into(), items: items, days: 30 }
    );
    let request = request.unwrap().request.trim_start_matches("requests/").parse().unwrap();
    world.notice(filing, "rfe", Some(request)).await;
    request
}

/// A case with a served request for evidence of 30 days.
pub(crate) async fn asked(world: &World) -> Asked {
    let (filing, name, ana, sam) = in_review(world).await;
    let request = ask(world, filing, &name, &sam).await;
    world.until(|| ana.lines(&name, 0), |lines| lines.contains(&"request_served".to_owned())).await;
    Asked { filing, name, request, ana }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_passes_when_the_clock_reaches_it_and_a_late_answer_is_kept() {
    let world = World::start().await;
    let Asked { filing, name, request, ana } = asked(&world).await;
    let before = world.clock_now();
    world.clock.advance(SignedDuration::from_hours(24 * 32));
    let case = world.until(|| ana.case(&name, 0), |case| case.title_id == "19").await;
    assert_eq!(case.stage, "in_review");
    world.respond(filing, request).await;
    let lines =
        world.until(|| ana.lines(&name, 0), |lines| lines.last().unwrap() == "response_recorded").await;
    assert_eq!(lines.iter().filter(|line| *line == "deadline_passed").count(), 1);
    // As of the instant before, nothing of it had happened.
    assert_eq!(ana.lines(&name, before.as_microsecond()).await.unwrap().last().unwrap(), "request_served");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_to_an_earlier_request_is_kept_while_a_later_one_waits() {
    let world = World::start().await;
    let (filing, name, ana, sam) = in_review(&world).await;
    let first = ask(&world, filing, &name, &sam).await;
    world.clock.advance(SignedDuration::from_hours(24 * 40));
    world.until(|| ana.case(&name, 0), |case| case.title_id == "19").await;
    let second = ask(&world, filing, &name, &sam).await;
    world.until(|| ana.case(&name, 0), |case| case.title_id == "17").await;
    world.respond(filing, first).await;
    world.until(|| ana.lines(&name, 0), |lines| lines.last().unwrap() == "response_recorded").await;
    let case = ana.case(&name, 0).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.request), ("17", format!("requests/{second}")));
    assert!(world.parked("filing").await.unwrap().is_empty());
    // The later one is answered all the same.
    world.respond(filing, second).await;
    world.until(|| ana.case(&name, 0), |case| case.title_id == "20").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_request_does_not_pass() {
    let world = World::start().await;
    let Asked { filing, name, request, ana } = asked(&world).await;
    world.respond(filing, request).await;
    world.until(|| ana.case(&name, 0), |case| case.title_id == "20").await;
    world.clock.advance(SignedDuration::from_hours(24 * 40));
    // Another notice goes through after the clock was turned: by then the timer had its chance.
    world.no_timers_left().await;
    assert!(!ana.lines(&name, 0).await.unwrap().contains(&"deadline_passed".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_a_file_that_is_being_checked_is_in_time_and_its_verdict_is_told() {
    let world = World::start().await;
    let Asked { filing, name, request, ana } = asked(&world).await;
    let (clean, hostile) = (Uuid::now_v7(), Uuid::now_v7());
    world.respond_unscanned(filing, request, &[clean, hostile]).await;
    world.until(|| ana.case(&name, 0), |case| case.title_id == "20").await;
    world.scanned(filing, request, (Uuid::now_v7(), "infected"), false).await;
    world.scanned(filing, request, (clean, "clean"), true).await;
    world.scanned(filing, request, (hostile, "infected"), true).await;
    let scans = |lines: &Vec<String>| lines.iter().filter(|line| *line == "response_file_scanned").count();
    let lines = world.until(|| ana.lines(&name, 0), |lines| scans(lines) == 2).await;
    assert!(!lines.contains(&"deadline_passed".to_owned()), "{lines:?}");
    assert_eq!(ana.case(&name, 0).await.unwrap().title_id, "20", "the answer stays received");
}

/// What filing received before the end stands in its log: the clock waits until that is read.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_time_that_is_heard_of_after_the_deadline_is_in_time() {
    let world = World::start().await;
    let Asked { filing, name, request, ana } = asked(&world).await;
    // A fee whose day ends after the request's: when that was told, the clock had come by the request.
    world.clock.advance(SignedDuration::from_hours(24 * 20));
    world.return_payment(&[(filing, 71_000)]).await;
    let told = |kind: &'static str| move |lines: &Vec<String>| lines.iter().any(|line| line == kind);
    world.until(|| ana.lines(&name, 0), told("payment_return_recorded")).await;
    let away = world.keep_from_reading("filing").await;
    world.respond(filing, request).await;
    world.clock.advance(SignedDuration::from_hours(24 * 40));
    let lines = world.until(|| ana.lines(&name, 0), told("fee_deadline_passed")).await;
    assert!(!told("deadline_passed")(&lines), "{lines:?}");
    away.rollback().await.unwrap();
    let lines = world.until(|| ana.lines(&name, 0), told("response_recorded")).await;
    world.no_timers_left().await;
    assert!(!told("deadline_passed")(&lines), "{lines:?}");
    assert_eq!(ana.lines(&name, 0).await.unwrap(), lines);
}

/// Who made a fee good in time does not lose the case because payments' log is not read yet.
#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_is_not_taken_back_before_it_is_known_that_the_fee_was_not_made_good() {
    let world = World::start().await;
    let (ana, sam) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    let (paid, unpaid) = (world.submit_paid(&ana, first).await, world.submit_paid(&ana, second).await);
    let told = |kind: &'static str| move |lines: &Vec<String>| lines.iter().any(|line| line == kind);
    for (payment, filing) in [(first, paid), (second, unpaid)] {
        let name = format!("cases/{filing}");
        world.until(|| ana.case(&name, 0), |case| case.stage == "accepted").await;
        let filing_ids = vec![filing.to_string()];
        let returned = PaymentReturned { filing_ids, amount_cents: 71_000, ..PaymentReturned::default() };
        world.happens_to_payment(payment, returned).await;
        world.until(|| ana.lines(&name, 0), told("payment_return_recorded")).await;
    }
    let away = world.keep_from_reading("payments").await;
    let filing_ids = vec![paid.to_string()];
    let made_good = PaymentMadeGood { filing_ids, amount_cents: 71_000, ..PaymentMadeGood::default() };
    world.happens_to_payment(first, made_good).await;
    world.clock.advance(SignedDuration::from_hours(24 * 40));
    let sam = world.stepped_up(&sam);
    let void = async |filing: Uuid| {
        let (name, cause) = (format!("cases/{filing}"), "payment".to_owned());
        command!(sam, void_acceptance, VoidAcceptanceRequest { name: name, cause: cause })
    };
    assert_eq!(void(paid).await.unwrap_err().code(), Code::Unavailable);
    away.rollback().await.unwrap();
    let name = format!("cases/{paid}");
    let lines = world.until(|| ana.lines(&name, 0), told("fee_made_good_recorded")).await;
    assert!(!told("fee_deadline_passed")(&lines), "{lines:?}");
    assert_eq!(reason(&void(paid).await.unwrap_err()), "FEE_NOT_OWED");
    // And who did not, does.
    let name = format!("cases/{unpaid}");
    world.until(|| ana.lines(&name, 0), told("fee_deadline_passed")).await;
    void(unpaid).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_that_is_intended_is_told_with_its_grounds_and_answered_like_a_request() {
    let world = World::start().await;
    let (filing, name, ana, sam) = in_review(&world).await;
    let grounds = "The record does not show five years of residence.";
    let silent = command!(sam, intend_denial, IntendDenialRequest { name: name.clone() }).unwrap_err();
    assert_eq!(silent.code(), Code::InvalidArgument);
    let asked = command!(
        sam,
        intend_denial,
        IntendDenialRequest {
            name: name.clone(),
            grounds: grounds.into(),
            derogatory_information: "A lease of 2024 names an address abroad.".into(),
        }
    )
    .unwrap();
    assert_eq!(asked.deadline.unwrap().derivation, "2026-11-24 + 30d = 2026-12-24 Thu");
    let version = asked.case.unwrap().version;
    let case = ana.case(&name, version).await.unwrap();
    assert_eq!((case.title_id.as_str(), case.request.as_str()), ("18", asked.request.as_str()));
    let second =
        command!(sam, intend_denial, IntendDenialRequest { name: name.clone(), grounds: "x".into() });
    assert_eq!(reason(&second.unwrap_err()), "REQUEST_OPEN");

    // The notice prints the words; no other service gets them, and none gets what is for the office.
    let kind = "case.denial_intended.v1";
    let words = world.words("notifications", &name, kind).await.unwrap();
    assert_eq!(words.words, grounds);
    assert_eq!(words.derogatory_information, "A lease of 2024 names an address abroad.");
    assert_eq!(world.words("filing", &name, kind).await.unwrap_err().code(), Code::PermissionDenied);
    let assigned = world.words("notifications", &name, "case.assigned.v1").await.unwrap_err();
    assert_eq!(assigned.code(), Code::NotFound);

    let request = asked.request.trim_start_matches("requests/").parse().unwrap();
    world.notice(filing, "noid", Some(request)).await;
    world.until(|| ana.lines(&name, 0), |lines| lines.contains(&"request_served".to_owned())).await;
    world.respond(filing, request).await;
    let case = world.until(|| ana.case(&name, 0), |case| case.title_id == "20").await;
    assert_eq!((case.stage.as_str(), case.request.as_str()), ("in_review", ""));
}
