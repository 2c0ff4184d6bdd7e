//! Drafts are kept for thirty days after the last work on them, told of three times, and deleted; or given up.

use docket_kernel::deadline::{OFFICE_ZONE, office_date, zone};
use docket_proto::events::filing::Event;
use docket_proto::filing::v1 as pb;
use docket_service::testing::with_token;
use jiff::ToSpan as _;
use jiff::civil::{Date, time};
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::client::Client;
use crate::files;
use crate::unscanned::until_known;
use crate::world::{GLANCE, PATIENCE, World, reason};

/// Brings the clock to a time of day in the office's zone, and gives the person a token that holds then.
pub(crate) async fn turn_to(world: &World, person: &mut Client, day: Date, hour: i8) {
    let zone = zone(OFFICE_ZONE).unwrap();
    let instant = zone.to_timestamp(day.to_datetime(time(hour, 0, 0, 0))).unwrap();
    world.advance(instant.as_second() - world.now_us() / 1_000_000 + 60);
    person.token = world.token(person.account);
    until_known(person).await;
}

/// How often a kind of event was written of a filing.
pub(crate) async fn written(world: &World, filing: &str, kind: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM log.event WHERE stream = $1 AND kind = $2")
        .bind(filing.replace("filings/", "filing-"))
        .bind(kind)
        .fetch_one(world.pool())
        .await
        .unwrap()
}

pub(crate) async fn until_written(world: &World, filing: &str, kind: &str, times: i64) {
    let there = timeout(PATIENCE, async {
        while written(world, filing, kind).await != times {
            sleep(GLANCE).await;
        }
    });
    there.await.unwrap_or_else(|_| panic!("{kind} is not there {times} times"));
}

pub(crate) const ANNOUNCED: &str = "filing.draft_expiry_announced.v1";
const EXPIRED: &str = "filing.draft_expired.v1";

pub(crate) async fn until_erased(world: &World, ana: &Client, draft: &str) -> pb::Filing {
    let over = timeout(PATIENCE, async {
        loop {
            let filing = ana.get(draft).await.unwrap();
            if filing.erased && world.objects() == 0 {
                return filing;
            }
            sleep(GLANCE).await;
        }
    });
    over.await.expect("its content is erased")
}

/// Waits until nothing of a draft that has ended can be read any more.
pub(crate) async fn until_content_erased(ana: &Client, draft: &str) {
    let over = timeout(PATIENCE, async {
        while !ana.get(draft).await.unwrap().erased {
            sleep(GLANCE).await;
        }
    });
    over.await.expect("its content is erased");
}

pub(crate) async fn abandon(ana: &Client, request_id: Uuid, draft: &str) -> Result<pb::Filing, Status> {
    let message = pb::AbandonDraftRequest { request_id: request_id.to_string(), name: draft.to_owned() };
    let answer = ana.drafts.clone().abandon_draft(with_token(message, &ana.token)).await?;
    Ok(answer.into_inner().filing.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_told_of_three_times_and_deleted_after_its_last_day() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let begun_on = office_date(jiff::Timestamp::from_microsecond(world.now_us()).unwrap());
    let begun = ana.start("N-400").await.unwrap();
    assert_eq!(begun.kept_until_date, (begun_on + 30.days()).to_string());
    let draft = begun.name;

    // Work a week later moves the last day.
    turn_to(&world, &mut ana, begun_on + 7.days(), 12).await;
    ana.upload(&draft, "green_card", "card.png", &files::picture(41)).await.unwrap();
    let last_day = begun_on + 37.days();
    assert_eq!(ana.get(&draft).await.unwrap().kept_until_date, last_day.to_string());
    turn_to(&world, &mut ana, last_day - 14.days(), 8).await;
    assert_eq!(written(&world, &draft, ANNOUNCED).await, 0);
    for (times, days) in [(1, 14), (2, 7), (3, 1)] {
        turn_to(&world, &mut ana, last_day - days.days(), 9).await;
        until_written(&world, &draft, ANNOUNCED, times).await;
        let Event::DraftExpiryAnnounced(told) = world.last_event(&draft).await else {
            panic!("no announcement")
        };
        assert_eq!((i64::from(told.days), told.kept_until_date), (days, last_day.to_string()));
        assert_eq!((told.account_id, told.representative), (ana.account.to_string(), String::new()));
    }
    // To be told is no work.
    assert_eq!(ana.get(&draft).await.unwrap().kept_until_date, last_day.to_string());
    turn_to(&world, &mut ana, last_day, 23).await;
    assert_eq!((ana.get(&draft).await.unwrap().state.as_str(), world.objects()), ("draft", 1));

    turn_to(&world, &mut ana, last_day + 1.day(), 0).await;
    until_written(&world, &draft, EXPIRED, 1).await;
    let gone = until_erased(&world, &ana, &draft).await;
    assert_eq!((gone.state.as_str(), gone.kept_until_date.as_str()), ("expired", ""));
    assert!(gone.evidence.iter().all(|file| file.file_name.is_empty()) && gone.answers_json.is_empty());
    let late = ana.answer(&draft, &serde_json::json!({ "basis": "lpr_5_years" })).await.unwrap_err();
    assert_eq!(reason(&late), "DRAFT_GONE");
    assert_eq!(ana.list().await.len(), 1, "that it was is not hidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_on_a_package_keeps_all_of_it_and_a_hold_keeps_what_is_held() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let begun_on = office_date(jiff::Timestamp::from_microsecond(world.now_us()).unwrap());
    let first = ana.start("N-400").await.unwrap();
    let beside = ana.begin_with(Uuid::now_v7(), "I-90", &first).await.unwrap().name;
    let held = ana.start("I-765").await.unwrap().name;
    ana.answer(&held, &serde_json::json!({ "app_family_name": "Lima" })).await.unwrap();
    world.hold(&held).await;

    // The last work on one of the two is a fortnight later.
    turn_to(&world, &mut ana, begun_on + 14.days(), 12).await;
    ana.upload(&beside, "current_card", "card.png", &files::picture(42)).await.unwrap();
    turn_to(&world, &mut ana, begun_on + 31.days(), 12).await;
    // Once both were told, what was due before them would have been as well.
    until_written(&world, &first.name, ANNOUNCED, 1).await;
    until_written(&world, &beside, ANNOUNCED, 1).await;
    assert_eq!(written(&world, &held, ANNOUNCED).await, 0);
    for days in [7, 1] {
        turn_to(&world, &mut ana, begun_on + 44.days() - days.days(), 9).await;
        until_written(&world, &first.name, ANNOUNCED, if days == 7 { 2 } else { 3 }).await;
        until_written(&world, &beside, ANNOUNCED, if days == 7 { 2 } else { 3 }).await;
    }
    turn_to(&world, &mut ana, begun_on + 45.days(), 0).await;
    until_written(&world, &first.name, EXPIRED, 1).await;
    until_written(&world, &beside, EXPIRED, 1).await;
    until_erased(&world, &ana, &beside).await;
    let kept = ana.get(&held).await.unwrap();
    assert_eq!(
        (kept.state.as_str(), kept.erased, written(&world, &held, ANNOUNCED).await),
        ("draft", false, 0)
    );

    // Released it is told once, for a day, and goes.
    world.release(&held).await;
    turn_to(&world, &mut ana, begun_on + 47.days(), 12).await;
    until_written(&world, &held, ANNOUNCED, 1).await;
    turn_to(&world, &mut ana, begun_on + 49.days(), 0).await;
    until_written(&world, &held, EXPIRED, 1).await;
    until_erased(&world, &ana, &held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_work_beside_it_keeps_is_told_of_anew_before_it_goes() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let begun_on = office_date(jiff::Timestamp::from_microsecond(world.now_us()).unwrap());
    let first = ana.start("N-400").await.unwrap();
    let beside = ana.begin_with(Uuid::now_v7(), "I-90", &first).await.unwrap().name;
    turn_to(&world, &mut ana, begun_on + 29.days(), 9).await;
    until_written(&world, &first.name, ANNOUNCED, 1).await;
    until_written(&world, &beside, ANNOUNCED, 1).await;

    // On the last day somebody works on the other one, and the day after gives it up.
    turn_to(&world, &mut ana, begun_on + 30.days(), 12).await;
    ana.answer(&beside, &serde_json::json!({ "app_family_name": "Lima" })).await.unwrap();
    let kept_until = (begun_on + 60.days()).to_string();
    assert_eq!(ana.get(&first.name).await.unwrap().kept_until_date, kept_until);
    for listed in ana.list().await {
        assert_eq!(listed.kept_until_date, kept_until, "{}", listed.name);
    }
    turn_to(&world, &mut ana, begun_on + 31.days(), 12).await;
    abandon(&ana, Uuid::now_v7(), &beside).await.unwrap();
    let last_day = begun_on + 61.days();
    assert_eq!(ana.get(&first.name).await.unwrap().kept_until_date, last_day.to_string());
    for (times, days) in [(2, 14), (3, 7), (4, 1)] {
        turn_to(&world, &mut ana, last_day - days.days(), 9).await;
        until_written(&world, &first.name, ANNOUNCED, times).await;
        assert_eq!(written(&world, &first.name, EXPIRED).await, 0);
    }
    turn_to(&world, &mut ana, last_day + 1.day(), 0).await;
    until_written(&world, &first.name, EXPIRED, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_a_draft_up_has_it_erased_at_once_and_the_rest_of_the_package_goes_in() {
    given_up_is_erased(World::start().await).await;
}

/// The same, wherever the files lie.
pub(crate) async fn given_up_is_erased(world: World) {
    let ana = world.person("Ana Lúcia", "Lima");
    let kept = ana.start("N-400").await.unwrap();
    let package = format!("packages/{}", kept.package_id);
    let request_id = Uuid::now_v7().to_string();
    let unwanted = pb::StartDraftRequest { request_id, form: "I-90".into(), package, ..Default::default() };
    let unwanted = ana.begin(unwanted).await.unwrap().name;
    ana.upload(&unwanted, "current_card", "card.png", &files::picture(43)).await.unwrap();
    let eve = world.person("Eve", "Stone");
    assert_eq!(abandon(&eve, Uuid::now_v7(), &unwanted).await.unwrap_err().code(), Code::NotFound);

    let command = Uuid::now_v7();
    assert_eq!(abandon(&ana, command, &unwanted).await.unwrap().state, "abandoned");
    assert_eq!(abandon(&ana, command, &unwanted).await.unwrap().state, "abandoned");
    assert_eq!(reason(&abandon(&ana, Uuid::now_v7(), &unwanted).await.unwrap_err()), "DRAFT_GONE");
    until_erased(&world, &ana, &unwanted).await;
    assert_eq!(written(&world, &unwanted, "filing.draft_abandoned.v1").await, 1);

    ana.make_ready(&kept.name).await;
    ana.quote(&kept.name).await.unwrap();
    ana.sign_now(&kept.name).await;
    ana.submit(&kept.name).await.unwrap();
    let sent = abandon(&ana, Uuid::now_v7(), &kept.name).await.unwrap_err();
    assert_eq!(reason(&sent), "ALREADY_SUBMITTED");
}
