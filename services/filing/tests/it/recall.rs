//! What was sent and not paid is a draft again once its payment is withdrawn: to be corrected, sent again, or given up.

use docket_kernel::deadline::office_date;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use uuid::Uuid;

use crate::keep::{ANNOUNCED, abandon, turn_to, until_erased, until_written, written};
use crate::world::{World, fee_settled, payment_withdrawn, reason};

const RECALLED: &str = "filing.recalled.v1";

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_seen_after_sending_is_corrected_and_the_filing_signed_and_sent_anew() {
    let world = World::start().await;
    let ana = world.person("Ana Lúcia", "Lima");
    let (draft, payment) = ana.sent().await;
    let weight = json!({ "app_weight": 142 });
    let sent = ana.answer(&draft, &weight).await.unwrap_err();
    assert_eq!(reason(&sent), "ALREADY_SUBMITTED");

    world.payment(&payment, payment_withdrawn(&payment, &[&draft])).await;
    let again = ana.until(&draft, "draft").await;
    assert!(again.ready && again.evidence.len() == 1, "{again:?}");
    // Neither the signature nor the fee of then stands, though nothing was changed yet.
    assert_eq!(reason(&ana.submit(&draft).await.unwrap_err()), "NOT_SIGNED");
    let hash = ana.review(&draft).await.unwrap().content_hash;
    assert_eq!(reason(&ana.sign(&draft, &hash, "Ana Lucia Lima").await.unwrap_err()), "FEE_NOT_SHOWN");

    ana.answer(&draft, &weight).await.unwrap();
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    assert_eq!(ana.submit(&draft).await.unwrap().payment, payment, "the package has one payment");
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    assert_eq!(written(&world, &draft, RECALLED).await, 1);

    // What went in is taken back by nobody, whatever is said of its payment.
    world.payment(&payment, payment_withdrawn(&payment, &[&draft])).await;
    let (other, of_other) = ana.sent().await;
    world.payment(&of_other, fee_settled(&of_other, &other, world.now_us())).await;
    ana.until(&other, "submitted").await;
    assert_eq!(ana.get(&draft).await.unwrap().state, "submitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_is_kept_for_thirty_days_from_then_and_can_be_given_up() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let sent_on = office_date(Timestamp::from_microsecond(world.now_us()).unwrap());
    let (draft, payment) = ana.sent().await;

    // While it waits for its fee no day ends it.
    turn_to(&world, &mut ana, sent_on + 40.days(), 12).await;
    assert_eq!(ana.get(&draft).await.unwrap().state, "sent");
    world.payment(&payment, payment_withdrawn(&payment, &[&draft])).await;
    let again = ana.until(&draft, "draft").await;
    assert_eq!(again.kept_until_date, (sent_on + 70.days()).to_string());
    assert_eq!(written(&world, &draft, ANNOUNCED).await, 0);
    turn_to(&world, &mut ana, sent_on + 56.days(), 9).await;
    until_written(&world, &draft, ANNOUNCED, 1).await;

    assert_eq!(abandon(&ana, Uuid::now_v7(), &draft).await.unwrap().state, "abandoned");
    until_erased(&world, &ana, &draft).await;
}
