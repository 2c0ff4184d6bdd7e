//! Whom a mail about a notice does not reach, through the ports: heard of by NATS, shown, looked for, and not denied for it before.

use docket_proto::case_status::v1 as pb;
use docket_proto::case_status::v1::request_evidence_request::Item;
use docket_proto::notifications::events::v1::{DeliveryFailed, DeliveryHandedOver};
use jiff::SignedDuration;
use tonic::Status;
use uuid::Uuid;

use crate::people::{Someone, command, reason};
use crate::world::World;

const NOTE: &str = "Nobody answers the phone; a letter went to the address of record.";

/// A case with a served request for evidence of 30 days.
struct Asked {
    filing: Uuid,
    name: String,
    request: Uuid,
    notice: Uuid,
    ana: Someone,
    sam: Someone,
}

async fn asked(world: &World) -> Asked {
    let (ana, sam) = (world.person(&[]).await, world.person(&[("supervisor", "NBC")]).await);
    let filing = world.submit(&ana, 40).await;
    let name = format!("cases/{filing}");
    world.until(|| ana.case(&name, 0), |case| case.version == 3).await;
    command!(sam, assign_case, AssignCaseRequest { name: name.clone() }).unwrap();
    command!(sam, start_review, StartReviewRequest { name: name.clone() }).unwrap();
    let items = vec![Item { code: "tax_transcripts".into(), reason: "missing".into() }];
    let asked = command!(
        sam,
        request_evidence,
        RequestEvidenceRequest { name: name.clone(), kind: "rfe".into(), items: items, days: 30 }
    );
    let request = asked.unwrap().request.trim_start_matches("requests/").parse().unwrap();
    let notice = world.notice(filing, "rfe", Some(request)).await;
    world.until(|| ana.lines(&name, 0), told("request_served")).await;
    Asked { filing, name, request, notice, ana, sam }
}

impl Asked {
    /// The mail about the notice came back.
    fn bounced(&self) -> DeliveryFailed {
        DeliveryFailed {
            account_id: self.ana.account.to_string(),
            channel: "email".into(),
            reason: "bounced".into(),
            alert: "request_open".into(),
            case_id: self.filing.to_string(),
            notice_id: self.notice.to_string(),
            notice_kind: "rfe".into(),
            ..DeliveryFailed::default()
        }
    }
}

fn told(kind: &'static str) -> impl Fn(&Vec<String>) -> bool {
    move |lines| lines.iter().any(|line| line == kind)
}

/// What is owed, by its kind.
async fn owed(world: &World) -> Result<Vec<String>, Status> {
    let sql = "SELECT kind FROM log.obligation WHERE closed_by IS NULL ORDER BY kind";
    let kinds = sqlx::query_scalar(sql).fetch_all(&world.cases.pool).await;
    kinds.map_err(|error| Status::internal(error.to_string()))
}

/// The searches that the case shows to somebody: who is looked for, how it stands, and until when.
fn searches(case: &pb::Case) -> Vec<(String, String, String)> {
    let shown = |search: &pb::AddresseeSearch| {
        let due = search.deadline.as_ref().map(|deadline| deadline.due_date.clone()).unwrap_or_default();
        (search.addressee.clone(), search.state.clone(), due)
    };
    case.searches.iter().map(shown).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_our_mail_does_not_reach_is_looked_for_before_the_case_is_denied_as_abandoned() {
    let world = World::start().await;
    let case = asked(&world).await;
    let Asked { name, ana, sam, .. } = &case;
    let due = ana.case(name, 0).await.unwrap().deadline;
    world.happens_to_mail(case.bounced()).await;
    world.until(|| ana.lines(name, 0), told("addressee_not_reached")).await;
    world.until(|| owed(&world), |kinds| kinds == &["find_addressee"]).await;
    // The service stands: the day is what it was, and the party does not see who looks for it.
    let shown = ana.case(name, 0).await.unwrap();
    assert_eq!((shown.deadline, shown.title_id.as_str(), shown.searches.len()), (due, "17", 0));
    let of_party = |state: &str| vec![("party".to_owned(), state.to_owned(), "2026-12-02".to_owned())];
    assert_eq!(searches(&sam.case(name, 0).await.unwrap()), of_party("open"));
    let message = pb::ListWorklistRequest::default();
    let items = sam.status.clone().list_worklist(sam.ask(message)).await.unwrap().into_inner().items;
    assert_eq!((items.len(), items[0].answer.as_str()), (1, "find_addressee"));
    // The same mail once more is no second search.
    world.happens_to_mail(case.bounced()).await;

    world.clock.advance(SignedDuration::from_hours(24 * 40));
    world.until(|| ana.case(name, 0), |case| case.title_id == "19").await;
    let recommendation = "deny".to_owned();
    command!(
        sam,
        recommend_decision,
        RecommendDecisionRequest { name: name.clone(), recommendation: recommendation }
    )
    .unwrap();
    let kim = world.stepped_up(&world.person(&[("supervisor", "NBC")]).await);
    let deny = async || {
        let (decision, reasons) = ("deny".to_owned(), "No answer came.".to_owned());
        let ground_codes = vec!["abandoned".to_owned()];
        command!(
            kim,
            decide_case,
            DecideCaseRequest {
                name: name.clone(),
                decision: decision,
                ground_codes: ground_codes,
                reasons: reasons
            }
        )
    };
    assert_eq!(reason(&deny().await.unwrap_err()), "ADDRESSEE_NOT_SOUGHT");
    let seek = async |who: &Someone, tried: &[&str]| {
        let tried = tried.iter().map(|way| (*way).to_owned()).collect();
        let (name, notice) = (name.clone(), format!("notices/{}", case.notice));
        command!(
            who,
            record_addressee_sought,
            RecordAddresseeSoughtRequest { name: name, notice: notice, tried: tried, note: NOTE.into() }
        )
    };
    assert_eq!(reason(&seek(ana, &["phone"]).await.unwrap_err()), "NOT_YOUR_ACT");
    seek(sam, &["account", "phone", "letter"]).await.unwrap();
    assert_eq!(reason(&seek(sam, &["phone"]).await.unwrap_err()), "SEARCH_NOT_OPEN");
    world.until(|| owed(&world), Vec::is_empty).await;
    let sql = "SELECT count(*) FROM log.event WHERE position(convert_to($1, 'UTF8') IN payload || sealed || metadata) > 0";
    let readable: i64 =
        sqlx::query_scalar(sql).bind("Nobody answers").fetch_one(&world.cases.pool).await.unwrap();
    assert_eq!(readable, 0, "what the officer wrote is sealed");
    // The officers of the case read it, and nobody else does.
    let notes = async |who: &Someone| {
        let message = pb::ListSearchesRequest { name: name.clone() };
        who.office.clone().list_searches(who.ask(message)).await.map(|answer| answer.into_inner().searches)
    };
    let found = &notes(sam).await.unwrap()[0];
    assert_eq!((found.note.as_str(), found.state.as_str()), (NOTE, "sought"));
    assert_eq!(found.officer, format!("accounts/{}", sam.account));
    assert_eq!(reason(&notes(ana).await.unwrap_err()), "NOT_YOUR_ACT");
    let version = deny().await.unwrap().case.unwrap().version;
    let decided = sam.case(name, version).await.unwrap();
    assert_eq!((decided.stage.as_str(), searches(&decided)), ("decided", of_party("sought")));
    let lines = ana.lines(name, 0).await.unwrap();
    assert_eq!(lines.iter().filter(|line| line.starts_with("addressee_")).count(), 2, "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_turns_up_is_looked_for_no_more() {
    let world = World::start().await;
    let (opens, answers, mailed) = (asked(&world).await, asked(&world).await, asked(&world).await);
    let of_all = [&opens, &answers, &mailed];
    for case in of_all {
        world.happens_to_mail(case.bounced()).await;
    }
    world.until(|| owed(&world), |kinds| kinds.len() == 3).await;
    world.open_notice(opens.filing, opens.notice, &opens.ana).await;
    world.respond(answers.filing, answers.request).await;
    let taken = DeliveryHandedOver {
        account_id: mailed.ana.account.to_string(),
        case_id: mailed.filing.to_string(),
        notice_id: mailed.notice.to_string(),
        ..DeliveryHandedOver::default()
    };
    world.happens_to_mail(taken).await;
    world.until(|| owed(&world), Vec::is_empty).await;
    for case in of_all {
        world.until(|| case.ana.lines(&case.name, 0), told("addressee_search_ended")).await;
        assert!(world.parked("notifications").await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_tells_of_no_notice_or_came_too_late_makes_nobody_look() {
    let world = World::start().await;
    let case = asked(&world).await;
    let old = DeliveryFailed { channel: "email".into(), reason: "bounced".into(), ..Default::default() };
    world.happens_to_mail(old).await;
    world.happens_to_mail(DeliveryFailed { notice_id: String::new(), ..case.bounced() }).await;
    world.happens_to_mail(DeliveryFailed { opened: true, ..case.bounced() }).await;
    world.happens_to_mail(DeliveryFailed { reason: "acts_no_longer".into(), ..case.bounced() }).await;
    let stranger = Uuid::new_v4().to_string();
    world.happens_to_mail(DeliveryFailed { account_id: stranger, ..case.bounced() }).await;
    // Of another notice that follows, somebody is looked for: what came before was read by then, or is told below.
    let receipt = world.notice(case.filing, "receipt", None).await.to_string();
    world.happens_to_mail(DeliveryFailed { notice_id: receipt.clone(), ..case.bounced() }).await;
    world.until(|| owed(&world), |kinds| kinds == &["find_addressee"]).await;
    world.read_notifications().await;
    let looked_for = "SELECT count(*) FROM log.event WHERE kind = 'case.addressee_not_reached.v1'";
    let looked_for: i64 = sqlx::query_scalar(looked_for).fetch_one(&world.cases.pool).await.unwrap();
    assert_eq!(looked_for, 1);
    let shown = world.until(|| case.sam.case(&case.name, 0), |case| !case.searches.is_empty()).await;
    assert_eq!(shown.searches[0].notice, format!("notices/{receipt}"));
    assert!(world.parked("notifications").await.unwrap().is_empty());
}
