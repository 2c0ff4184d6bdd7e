//! Another processor is asked for money: what the one before took is its own matter still.

use docket_proto::payments::events::v1::{FeeSettled, RefundStarted};
use sqlx::Executor as _;

use crate::client::State;
use crate::far_side::{Count, FarSide};
use crate::owed::open;
use crate::world::World;

/// What an event of a payment says; it is the last of its kind.
async fn said<M: prost::Message + Default>(world: &World, payment: &str, kind: &str) -> M {
    let sql = "SELECT payload FROM log.event WHERE stream = $1 AND kind = $2 ORDER BY version DESC LIMIT 1";
    let stream = payment.replace("payments/", "payment-");
    let found = sqlx::query_scalar::<_, Vec<u8>>(sql).bind(stream).bind(kind).fetch_one(&world.own.pool);
    M::decode(found.await.unwrap().as_slice()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_processor_took_goes_back_there_though_another_one_is_asked_now() {
    let mut world = World::start().await;
    let ana = world.person();
    let before = world.package(&ana, "N-400").await;
    ana.pay(&before.payment, "pm_card_visa").await.unwrap();
    // As if from before its name was kept.
    world.own.pool.execute("UPDATE attempt SET processor = ''").await.unwrap();
    let other = FarSide::start_another().await;
    world.stop().await;
    let former = world.ask_another(&other);
    world.know_former(former);
    world.serve().await;
    other.tell(&world.webhook(), &world.ca_pem()).await;

    let ana = world.again(&ana);
    let now = world.package(&ana, "I-90").await;
    ana.pay(&now.payment, "pm_card_visa").await.unwrap();
    let by: FeeSettled = said(&world, &now.payment, "payment.fee_settled.v1").await;
    assert_eq!(by.processor, "another");
    for (package, far, not) in [(&before, &world.far, &other), (&now, &other, &world.far)] {
        world.reject(package.filing, true).await;
        world.until_state(&ana, &package.payment, State::Refunded).await;
        let cents = package.cents;
        let back = Count { charges: 1, charged: cents, refunds: 1, refunded: cents };
        assert_eq!(far.count(&package.payment).await, back);
        assert_eq!(not.count(&package.payment).await, Count::default());
    }
    let from: RefundStarted = said(&world, &now.payment, "payment.refund_started.v1").await;
    assert_eq!(from.processor, "another");
    // Each signs with a secret of its own, and is heard.
    for far in [&world.far, &other] {
        world.until(|| async { Ok(far.all_told().await) }, |told| *told).await;
    }
    assert_eq!(open(&world, "processor_not_configured").await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processor_that_took_money_and_is_not_configured_is_owed_to_be_until_it_is() {
    let mut world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    ana.pay(&package.payment, "pm_card_visa").await.unwrap();
    let other = FarSide::start_another().await;
    world.stop().await;
    let former = world.ask_another(&other);
    world.serve().await;
    // From the start, since its disputes are not heard; then for what is to be given back there.
    let seen = || async { Ok(open(&world, "processor_not_configured").await) };
    world.until(seen, |open| *open == (1, 0)).await;
    world.reject(package.filing, true).await;
    world.until(seen, |open| *open == (2, 0)).await;
    assert_eq!(open(&world, "refund").await, (1, 0), "it is owed still");
    assert_eq!(world.far.count(&package.payment).await.refunds, 0);
    let sql = "SELECT key FROM log.obligation WHERE kind = 'processor_not_configured' ORDER BY key";
    let keys: Vec<String> = sqlx::query_scalar(sql).fetch_all(&world.own.pool).await.unwrap();
    assert!(keys[0] == "card/disputes" && keys[1].starts_with("card/pi_"), "{keys:?}");
    assert_eq!(other.count(&package.payment).await, Count::default(), "no other one is asked in its place");

    world.stop().await;
    world.know_former(former);
    world.serve().await;
    world.bench.advance(3_700);
    world.until_state(&world.again(&ana), &package.payment, State::Refunded).await;
    assert_eq!(world.far.count(&package.payment).await.refunds, 1);
    let none = || async { Ok(open(&world, "processor_not_configured").await) };
    world.until(none, |open| *open == (0, 0)).await;

    // It is taken away once more, and that is told of once more.
    world.stop().await;
    let former = world.forget_former();
    world.serve().await;
    let seen = || async { Ok(open(&world, "processor_not_configured").await) };
    world.until(seen, |open| *open == (1, 0)).await;
    world.stop().await;
    world.know_former(former);
    world.serve().await;
    let none = || async { Ok(open(&world, "processor_not_configured").await) };
    world.until(none, |open| *open == (0, 0)).await;
    let keys: Vec<String> = sqlx::query_scalar(sql).fetch_all(&world.own.pool).await.unwrap();
    assert_eq!((keys[0].as_str(), keys[1].as_str(), keys.len()), ("card/disputes", "card/disputes/1", 3));
}
