//! What the processor does not do is not forgotten: a refund or an attempt stays an obligation until it ends, and is seen when its
//! day has passed.

use crate::client::{Outcome, State};
use crate::far_side::Count;
use crate::world::World;

/// The open obligations of a kind, and how many of them should have ended by now.
pub(crate) async fn open(world: &World, kind: &str) -> (i64, i64) {
    let sql = "SELECT count(*), count(*) FILTER (WHERE due_at_us <= $2) FROM log.obligation
               WHERE log = 'payments' AND owner = 'payments' AND kind = $1 AND closed_by IS NULL";
    let now_us = world.bench.now().as_microsecond();
    sqlx::query_as(sql).bind(kind).bind(now_us).fetch_one(&world.own.pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_the_processor_refuses_is_owed_until_it_takes_it() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    ana.pay(&package.payment, "pm_card_visa").await.unwrap();
    assert_eq!((open(&world, "charge_outcome").await, open(&world, "refund").await), ((0, 0), (0, 0)));

    world.far.behave("error").await;
    let in_vain = world.processor_calls("no").await;
    world.reject(package.filing, true).await;
    world.until_caught_up(&world.cases).await;
    let tried = "SELECT coalesce(max(tries), 0)::bigint FROM refund WHERE NOT issued";
    world.until(|| async { Ok(world.rows(tried).await) }, |tries| *tries > 0).await;
    assert_eq!(open(&world, "refund").await, (1, 0));
    assert!(world.processor_calls("no").await > in_vain, "nobody would see that the processor is away");
    // Ever longer pauses: a day later it was not asked some thousand times, and its day has passed.
    world.bench.advance(25 * 3_600);
    world.until(|| async { Ok(world.rows(tried).await) }, |tries| *tries > 1).await;
    let pause = "SELECT max(next_try_at_us) FROM refund";
    let left = world.rows(pause).await - world.bench.now().as_microsecond();
    assert!(left > 5_500_000, "{left}");
    assert_eq!(open(&world, "refund").await, (1, 1));

    world.far.behave("works").await;
    world.bench.advance(3_700);
    let ana = world.again(&ana);
    world.until(|| async { Ok(open(&world, "refund").await) }, |open| *open == (0, 0)).await;
    assert_eq!(ana.get(&package.payment).await.unwrap().state(), State::Refunded);
    let cents = package.cents;
    let given_back = Count { charges: 1, charged: cents, refunds: 1, refunded: cents };
    assert_eq!(world.far.count(&package.payment).await, given_back);
    assert!(world.processor_calls("yes").await >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_without_an_outcome_is_owed_one_and_a_refund_of_money_that_is_lost_is_owed_no_more() {
    let world = World::start().await;
    let ana = world.person();
    let (declined, package) = (world.package(&ana, "I-90").await, world.package(&ana, "N-400").await);
    let (outcome, _) = ana.pay(&declined.payment, "pm_card_visa_chargeDeclined").await.unwrap();
    assert_eq!((outcome, open(&world, "charge_outcome").await), (Outcome::Declined, (0, 0)));
    ana.pay(&package.payment, "pm_us_bank_account").await.unwrap();
    assert_eq!(open(&world, "charge_outcome").await, (1, 0));
    world.far.bank_says("succeeded").await;
    world.until(|| async { Ok(open(&world, "charge_outcome").await) }, |open| *open == (0, 0)).await;

    // The bank takes the debit back before the processor gives it back.
    world.far.behave("error").await;
    world.reject(package.filing, true).await;
    world.until(|| async { Ok(open(&world, "refund").await) }, |open| *open == (1, 0)).await;
    world.far.dispute(&package.payment).await;
    world.far.behave("works").await;
    world.until_state(&ana, &package.payment, State::Cancelled).await;
    assert_eq!(open(&world, "refund").await, (0, 0));
}
