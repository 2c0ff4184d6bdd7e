//! A charge that nobody expects is not swallowed: it is in the log, in the ledger, and owed an explanation until it went back.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Outcome, State};
use crate::owed::open;
use crate::webhooks::told;
use crate::world::{Package, World};

const KIND: &str = "money_unexplained";

async fn the_attempt(world: &World) -> Uuid {
    sqlx::query_scalar("SELECT attempt_id FROM attempt").fetch_one(&world.own.pool).await.unwrap()
}

/// An intent as the processor tells of it.
fn intent(id: &str, package: &Package, attempt: Uuid) -> Value {
    let payment = package.payment.replace("payments/", "");
    json!({
        "object": "payment_intent", "id": id, "status": "succeeded", "amount_received": package.cents,
        "metadata": { "payment": payment, "attempt": attempt },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_of_an_attempt_that_was_refused_is_not_swallowed() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    world.far.behave("hangup").await;
    assert_eq!(ana.pay(&package.payment, "pm_card_visa").await.unwrap().0, Outcome::Pending);
    let attempt = the_attempt(&world).await;
    told(&world, "payment_intent.payment_failed", &intent("pi_late", &package, attempt)).await;
    assert_eq!(ana.get(&package.payment).await.unwrap().state(), State::Open);
    for _ in 0..2 {
        told(&world, "payment_intent.succeeded", &intent("pi_late", &package, attempt)).await;
    }
    let events = ["opened", "attempted", "fee_refused", "money_unexplained"];
    assert_eq!(world.events(&package.payment).await, events);
    assert_eq!(open(&world, KIND).await, (1, 0));
    let balances = world.officer("finance").await.balances().await.unwrap();
    let unexplained =
        [("processor_receivable".into(), package.cents), ("unexplained".into(), -package.cents)];
    assert_eq!(balances, unexplained);

    // Nobody looks for a day: it is overdue.
    world.bench.advance(25 * 3_600);
    assert_eq!(open(&world, KIND).await, (1, 1));
    world.until_state(&world.again(&ana), &package.payment, State::Open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_charge_of_an_attempt_is_not_taken_for_the_first() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    assert_eq!(ana.pay(&package.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    let attempt = the_attempt(&world).await;
    told(&world, "payment_intent.succeeded", &intent("pi_second", &package, attempt)).await;
    let events = ["opened", "attempted", "fee_settled", "money_unexplained"];
    assert_eq!(world.events(&package.payment).await, events);
    assert_eq!(open(&world, KIND).await, (1, 0));
    assert_eq!(ana.get(&package.payment).await.unwrap().state(), State::Settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_of_which_the_log_knows_nothing_is_told_of_and_found_at_the_start() {
    let mut world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    // By a webhook, as of an attempt that a restore lost.
    let mut lost = intent("pi_lost", &package, Uuid::now_v7());
    told(&world, "payment_intent.succeeded", &lost).await;
    assert_eq!(world.events(&package.payment).await, ["opened", "money_unexplained"]);
    // One that is no payment's has a stream of its own.
    lost["id"] = json!("pi_nobodys");
    lost["metadata"] = json!({});
    told(&world, "payment_intent.succeeded", &lost).await;
    assert_eq!(open(&world, KIND).await, (2, 0));

    // Never told: whoever reads the list finds it; what is known, it leaves alone.
    let paid = world.package(&ana, "I-90").await;
    assert_eq!(ana.pay(&paid.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    world.stop().await;
    let other = world.far.charge(&package.payment, "", package.cents).await;
    world.serve().await;
    world.until(|| async { Ok(open(&world, KIND).await) }, |open| *open == (3, 0)).await;
    assert_eq!(world.events(&paid.payment).await, ["opened", "attempted", "fee_settled"]);

    // It went back, and nobody owes an explanation any more.
    world.far.give_back(&package.payment, None).await;
    world.until(|| async { Ok(open(&world, KIND).await) }, |open| *open == (2, 0)).await;
    let explained = "SELECT count(*) FROM log.obligation WHERE kind = 'money_unexplained' AND closed_by IS NOT NULL AND key LIKE '%' || $1";
    let closed: i64 = sqlx::query_scalar(explained).bind(&other).fetch_one(&world.own.pool).await.unwrap();
    assert_eq!(closed, 1);
    let events = ["opened", "money_unexplained", "money_unexplained", "money_explained"];
    assert_eq!(world.events(&package.payment).await, events);
    assert_eq!(world.again(&ana).pay(&package.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
}

/// How many are owed an explanation, once they are so many.
async fn until_open(world: &World, many: i64) {
    world.until(|| async { Ok(open(world, KIND).await) }, |open| *open == (many, 0)).await;
}

async fn balances(world: &World) -> Vec<(String, i64)> {
    let balances = world.officer("finance").await.balances().await.unwrap();
    balances.into_iter().filter(|(_, cents)| *cents != 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unexpected_charge_is_explained_when_its_refund_is_done_and_not_when_it_was_ordered() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    world.far.charge_by("pm_sandbox_refundPending", &package.payment, "", package.cents).await;
    until_open(&world, 1).await;
    world.far.give_back(&package.payment, None).await;
    assert_eq!(world.count(&package.payment).await.refunds, 1);
    assert_eq!(world.events(&package.payment).await, ["opened", "money_unexplained"]);
    world.far.end_refund("failed").await;
    assert_eq!(world.count(&package.payment).await.charges, 1, "all was told");
    assert_eq!(open(&world, KIND).await, (1, 0));

    world.far.give_back(&package.payment, None).await;
    world.far.end_refund("succeeded").await;
    until_open(&world, 0).await;
    assert_eq!(world.events(&package.payment).await, ["opened", "money_unexplained", "money_explained"]);
    assert_eq!(balances(&world).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unexpected_charge_whose_refund_comes_back_is_unexplained_anew() {
    let mut world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    world.far.charge_by("pm_sandbox_refundFailsLater", &package.payment, "", package.cents).await;
    until_open(&world, 1).await;
    let mut events = vec!["opened", "money_unexplained"];
    for webhooks in [true, false] {
        world.far.give_back(&package.payment, None).await;
        until_open(&world, 0).await;
        assert_eq!(balances(&world).await, []);
        world.refund_fails(webhooks).await;
        until_open(&world, 1).await;
        events.extend(["money_explained", "money_unexplained"]);
        assert_eq!(world.events(&package.payment).await, events);
        let cents = package.cents;
        assert_eq!(
            balances(&world).await,
            [("processor_receivable".into(), cents), ("unexplained".into(), -cents)]
        );
    }
}
