//! A file that was taken off: its sealed object goes a week later, unless somebody signed with it, or a hold is in force.

use uuid::Uuid;

use crate::client::Client;
use crate::files;
use crate::unscanned::until_known;
use crate::world::{GLANCE, World};

const WEEK_S: i64 = 7 * 86_400;
const DAY_US: i64 = 86_400_000_000;

/// Timers that are set for files that were taken off.
const WAITING: &str = "SELECT count(*) FROM log.timer WHERE kind = 'file_removed'";

async fn waiting(world: &World) -> i64 {
    sqlx::query_scalar(WAITING).fetch_one(world.pool()).await.expect("the timers are counted")
}

async fn begun(world: &World) -> (Client, String) {
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    (ana, draft)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_taken_off_lies_there_for_a_week_and_no_longer() {
    let world = World::start().await;
    let (ana, draft) = begun(&world).await;
    let card = ana.upload(&draft, "green_card", "card.png", &files::picture(1)).await.unwrap();
    let other = ana.upload(&draft, "green_card", "back.png", &files::picture(2)).await.unwrap();
    let request = Uuid::now_v7();
    let (sent, _) = ana.sent().await;
    world.ask(&sent, request, &["tax_transcripts"], world.now_us() + 60 * DAY_US).await;
    let response = ana.until_response(request).await.name;
    let taxes = ana.upload(&response, "tax_transcripts", "taxes.png", &files::picture(3)).await.unwrap();
    let before = world.objects();
    ana.remove(&card.name).await.unwrap();
    ana.remove(&taxes.name).await.unwrap();
    assert_eq!((waiting(&world).await, world.objects()), (2, before), "it is a week's time");

    world.advance(WEEK_S - 3_600);
    tokio::time::sleep(4 * GLANCE).await;
    assert_eq!((waiting(&world).await, world.objects()), (2, before));
    world.advance(2 * 3_600);
    world.until_objects(before - 2).await;
    world.until_none(WAITING).await;
    let ana = Client { token: world.token(ana.account), ..ana };
    until_known(&ana).await;
    assert!(ana.download(&other.name).await.unwrap().1 == files::picture(2), "the other is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_with_stays_and_so_does_what_serves_another_or_is_held() {
    let world = World::start().await;
    let (ana, draft) = begun(&world).await;
    ana.make_ready(&draft).await;
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let signed = ana.get(&draft).await.unwrap().evidence;
    // One object serves both; one of the two is taken off.
    let bytes = files::picture(4);
    let one = ana.upload(&draft, "marriage_certificate", "one.png", &bytes).await.unwrap();
    let both = world.objects();
    let two = ana.reuse(Uuid::now_v7(), &draft, "divorce_decree", &one.name).await.unwrap();
    assert_eq!(world.objects(), both, "one object");
    for file in signed.iter().chain([&one]) {
        ana.remove(&file.name).await.unwrap();
    }
    world.advance(WEEK_S + 60);
    world.until_none(WAITING).await;
    assert_eq!(world.objects(), both, "nothing is gone");

    let ana = Client { token: world.token(ana.account), ..ana };
    until_known(&ana).await;
    ana.remove(&two.name).await.unwrap();
    world.hold(&draft).await;
    world.advance(WEEK_S + 60);
    tokio::time::sleep(4 * GLANCE).await;
    assert_eq!((waiting(&world).await, world.objects()), (1, both), "it is held");
    world.release(&draft).await;
    world.advance(86_400 + 60);
    world.until_objects(both - 1).await;
}
