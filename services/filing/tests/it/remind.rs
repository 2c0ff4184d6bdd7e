//! A client who was asked to look at what a representative prepared is reminded until they did; of the end of the draft both are told.

use docket_kernel::deadline::zone;
use docket_proto::events::filing::Event;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::keep::{ANNOUNCED, turn_to, until_written, written};
use crate::representation::consented;
use crate::world::{HOME_ZONE, World};

const REMINDED: &str = "filing.review_reminded.v1";

/// The day on which everybody of a world is, which for an hour of each night is not the office's.
fn today(world: &World) -> Date {
    zone(HOME_ZONE).unwrap().to_datetime(Timestamp::from_microsecond(world.now_us()).unwrap()).date()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_reminded_three_times_and_both_are_told_when_the_draft_will_end() {
    let world = World::start().await;
    let (obi, mut ana, representation) = consented(&world).await;
    let asked_on = today(&world);
    let draft = obi.begin_for("N-400", &representation, "").await.unwrap().name;
    obi.make_ready(&draft).await;
    obi.ask_review(&draft).await.unwrap();
    let kept_until = ana.get(&draft).await.unwrap().kept_until_date;

    assert_eq!(written(&world, &draft, REMINDED).await, 0);
    for (times, days) in [(1, 2), (2, 5), (3, 9)] {
        turn_to(&world, &mut ana, asked_on + i64::from(days).days(), 12).await;
        until_written(&world, &draft, REMINDED, times).await;
        let Event::FilingReviewReminded(told) = world.last_event(&draft).await else { panic!("no reminder") };
        assert_eq!((told.days, told.account_id), (days, ana.account.to_string()));
    }
    // To be reminded is no work: the draft ends when it would have ended, and both hear of it.
    let seen = ana.get(&draft).await.unwrap();
    assert_eq!((seen.kept_until_date, seen.review.as_str()), (kept_until, "asked"));
    turn_to(&world, &mut ana, asked_on + 16.days(), 12).await;
    until_written(&world, &draft, ANNOUNCED, 1).await;
    let Event::DraftExpiryAnnounced(told) = world.last_event(&draft).await else { panic!("it is told") };
    let both = (ana.account.to_string(), obi.account.to_string());
    assert_eq!((told.account_id, told.representative), both);
    assert_eq!(written(&world, &draft, REMINDED).await, 3, "three times and no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_reminded_who_looked_or_for_whom_nobody_stands_any_more() {
    let world = World::start().await;
    let (mut obi, mut ana, representation) = consented(&world).await;
    let asked_on = today(&world);
    let mut drafts = Vec::new();
    for _ in 0..3 {
        let draft = obi.begin_for("N-400", &representation, "").await.unwrap().name;
        obi.make_ready(&draft).await;
        obi.ask_review(&draft).await.unwrap();
        drafts.push(draft);
    }
    // One is approved, one given back, one waits.
    ana.approve(&drafts[0]).await.unwrap();
    ana.give_back(&drafts[1], "I was born in Olinda.").await.unwrap();
    turn_to(&world, &mut ana, asked_on + 2.days(), 12).await;
    until_written(&world, &drafts[2], REMINDED, 1).await;
    // Asked again, the days begin anew; without a representative nothing is asked any more.
    obi.token = world.token(obi.account);
    obi.ask_review(&drafts[1]).await.unwrap();
    turn_to(&world, &mut ana, asked_on + 4.days(), 12).await;
    until_written(&world, &drafts[1], REMINDED, 1).await;
    obi.token = world.token(obi.account);
    obi.withdraw(&representation).await.unwrap();
    turn_to(&world, &mut ana, asked_on + 12.days(), 12).await;
    // What is due by now was done once the draft's own timer, the last of them, was: at sixteen days it tells of the end.
    turn_to(&world, &mut ana, asked_on + 18.days(), 12).await;
    until_written(&world, &drafts[1], crate::keep::ANNOUNCED, 1).await;
    for (draft, times) in drafts.iter().zip([0, 1, 1]) {
        assert_eq!(written(&world, draft, REMINDED).await, times, "{draft}");
    }
}
