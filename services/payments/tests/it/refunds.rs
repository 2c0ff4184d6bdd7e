//! The fee of a rejected filing goes back once, and the ledger knows where everything is.

use docket_payments::store::ledger::imbalance;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::client::State;
use crate::far_side::Count;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_fee_of_a_rejected_filing_goes_back_once() {
    let mut world = World::start().await;
    let (ana, finance) = (world.person(), world.officer("finance").await);
    let package = world.package(&ana, "N-400").await;
    let kept = world.package(&ana, "I-90").await;
    let free = world.package(&ana, "AR-11").await;
    for paid in [&package, &kept] {
        ana.pay(&paid.payment, "pm_card_visa").await.unwrap();
    }

    world.far.behave("hangup").await;
    world.reject(package.filing, true).await;
    world.reject(kept.filing, false).await;
    world.reject(free.filing, true).await;
    world.until_caught_up(&world.cases).await;
    world.far.behave("works").await;
    world.until_state(&ana, &package.payment, State::Refunded).await;
    let (charges, cents) = (1, package.cents);
    let given_back = Count { charges, charged: cents, refunds: 1, refunded: cents };
    assert_eq!(world.count(&package.payment).await, given_back);
    let balances = [("fees_received".into(), -kept.cents), ("processor_receivable".into(), kept.cents)];
    assert_eq!(finance.balances().await.unwrap(), balances);

    // The whole log of cases comes once more, and intake says it a second time.
    world.stop().await;
    world.own.pool.execute("DELETE FROM log.consumer_checkpoint WHERE log = 'cases-0'").await.unwrap();
    world.serve().await;
    world.reject(package.filing, true).await;
    world.until_caught_up(&world.cases).await;
    let ana = world.again(&ana);
    let payment = ana.get(&package.payment).await.unwrap();
    assert_eq!(payment.state(), State::Refunded);
    assert_eq!(world.rows("SELECT count(*) FROM refund").await, 1);
    let events = world.events(&package.payment).await;
    assert_eq!(events, ["opened", "attempted", "fee_settled", "refund_started", "refund_issued"]);
    assert_eq!(world.count(&package.payment).await, given_back);
    assert_eq!(world.count(&kept.payment).await.refunds, 0);
    assert_eq!(world.count(&free.payment).await, Count::default());
    assert_eq!(world.rows("SELECT count(*) FROM log.parked").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_own_role_cannot_change_the_ledger() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    ana.pay(&package.payment, "pm_card_visa").await.unwrap();
    let mut app = PgConnection::connect(world.app_url()).await.unwrap();
    for statement in [
        "UPDATE posting SET amount_cents = 0",
        "DELETE FROM posting",
        "TRUNCATE posting",
        "ALTER TABLE posting DISABLE TRIGGER ALL",
        "DROP TRIGGER posting_append_only ON posting",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "SET session_replication_role = replica",
    ] {
        assert!(app.execute(statement).await.is_err(), "{statement}");
    }
    assert_eq!(imbalance(&world.own.pool).await.unwrap(), 0);
    assert_eq!(world.rows("SELECT count(*) FROM posting").await, 2);

    // What somebody adds by hand, without its other half, is told of.
    let half = "INSERT INTO posting SELECT event_id, 3, payment_id, ledger_account, -100, recorded_at_us FROM posting WHERE line = 1";
    world.own.pool.execute(half).await.unwrap();
    assert_eq!(imbalance(&world.own.pool).await.unwrap(), -100);
}
