//! The fee of a rejected filing goes back once, and the ledger knows where everything is.

use docket_payments::store::ledger::imbalance;
use docket_proto::payments::v1 as pb;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::client::{Client, State};
use crate::far_side::Count;
use crate::owed::open;
use crate::world::{Package, World};

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
async fn refunds_that_are_under_way_stay_so_though_the_log_of_cases_is_read_once_more() {
    let mut world = World::start().await;
    let ana = world.person();
    let (payment, filings) = world.basket(&ana, &[(&ana, "N-400", false), (&ana, "I-90", false)]).await;
    ana.pay(&payment, "pm_sandbox_refundPending").await.unwrap();
    for filing in &filings {
        world.reject(filing.filing_id.parse().unwrap(), true).await;
    }
    let asked = || async { Ok(world.far.count(&payment).await.refunds) };
    world.until(asked, |refunds| *refunds == 2).await;
    assert_eq!(open(&world, "refund").await, (2, 0));

    // When the first filing was rejected, nothing of the second one was on its way back.
    world.stop().await;
    world.own.pool.execute("DELETE FROM log.consumer_checkpoint WHERE log = 'cases-0'").await.unwrap();
    let rows = "SELECT sum(tries)::bigint FROM refund";
    let tries = world.rows(rows).await;
    world.serve().await;
    world.until_caught_up(&world.cases).await;
    assert_eq!(open(&world, "refund").await, (2, 0));
    assert!(world.rows(rows).await >= tries, "the rows are those that there were");
    world.far.end_refund("succeeded").await;
    world.until(|| async { Ok(open(&world, "refund").await) }, |open| *open == (1, 0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_law_keeps_of_the_fee_of_a_rejected_filing_stays_and_the_rest_goes_back() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    ana.pay(&package.payment, "pm_card_visa").await.unwrap();
    world.reject_keeping(package.filing, 10_000).await;
    world.until_caught_up(&world.cases).await;
    let issued = |payment: &pb::Payment| payment.refunded.as_ref().is_some_and(|back| back.cents > 0);
    let payment = world.until(|| ana.get(&package.payment), issued).await;
    assert_eq!((payment.state(), payment.due.unwrap().cents), (State::Settled, 0));
    let back = Count { charges: 1, charged: package.cents, refunds: 1, refunded: package.cents - 10_000 };
    assert_eq!(world.count(&package.payment).await, back);
    let kept = [("fees_received".into(), -10_000), ("processor_receivable".into(), 10_000)];
    assert_eq!(balances(&world).await, kept);
}

/// A package that was paid with a method and is rejected.
async fn rejected(world: &World, payer: &Client, method: &str) -> Package {
    let package = world.package(payer, "N-400").await;
    payer.pay(&package.payment, method).await.unwrap();
    world.reject(package.filing, true).await;
    package
}

async fn balances(world: &World) -> Vec<(String, i64)> {
    let balances = world.officer("finance").await.balances().await.unwrap();
    balances.into_iter().filter(|(_, cents)| *cents != 0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_done_when_the_processor_has_done_it_and_not_when_it_took_the_order() {
    let mut world = World::start().await;
    let ana = world.person();
    let started = ["opened", "attempted", "fee_settled", "refund_started"];
    for webhooks in [true, false] {
        if !webhooks {
            world.no_webhooks().await;
        }
        let package = rejected(&world, &world.again(&ana), "pm_sandbox_refundPending").await;
        world
            .until(|| async { Ok(world.far.count(&package.payment).await) }, |count| count.refunds == 1)
            .await;
        let tries = "SELECT max(tries)::bigint FROM refund WHERE NOT issued";
        world.bench.advance(60);
        world.until(|| async { Ok(world.rows(tries).await) }, |tries| *tries > 1).await;
        assert_eq!(world.events(&package.payment).await, started);
        assert_eq!(open(&world, "refund").await, (1, 0));
        world.far.end_refund("succeeded").await;
        if !webhooks {
            world.bench.advance(3_700);
        }
        world.until_state(&world.again(&ana), &package.payment, State::Refunded).await;
        assert_eq!(world.events(&package.payment).await, [&started[..], &["refund_issued"]].concat());
        assert_eq!(open(&world, "refund").await, (0, 0));
        assert_eq!(world.far.count(&package.payment).await.refunds, 1);
    }
    assert_eq!(balances(&world).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_whose_money_comes_back_is_owed_again() {
    let mut world = World::start().await;
    let ana = world.person();
    for webhooks in [true, false] {
        let package = rejected(&world, &world.again(&ana), "pm_sandbox_refundFailsLater").await;
        world.until_state(&world.again(&ana), &package.payment, State::Refunded).await;
        assert_eq!((balances(&world).await, open(&world, "refund").await), (vec![], (0, 0)));
        world.refund_fails(webhooks).await;
        world.until(|| async { Ok(open(&world, "refund").await) }, |open| *open == (1, 0)).await;
        let done = ["opened", "attempted", "fee_settled", "refund_started", "refund_issued"];
        let events = [&done[..], &["refund_failed"]].concat();
        assert_eq!(world.events(&package.payment).await, events);
        let cents = package.cents;
        let owed = [("fees_received".to_owned(), -cents), ("processor_receivable".to_owned(), cents)];
        assert_eq!(balances(&world).await, owed);
        assert_ne!(world.again(&ana).get(&package.payment).await.unwrap().state(), State::Refunded);

        // It is not asked for again by itself; finance gives it back another time, as the same refund.
        let refund: uuid::Uuid = sqlx::query_scalar("SELECT refund_id FROM refund WHERE NOT issued")
            .fetch_one(&world.own.pool)
            .await
            .unwrap();
        world.far.give_back(&package.payment, Some(&refund.to_string())).await;
        world.bench.advance(3_700);
        world.until_state(&world.again(&ana), &package.payment, State::Refunded).await;
        assert_eq!((balances(&world).await, open(&world, "refund").await), (vec![], (0, 0)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_was_taken_without_a_word_is_not_asked_for_again_when_its_key_is_gone() {
    let world = World::start().await;
    let ana = world.person();
    let (payment, filings) = world.basket(&ana, &[(&ana, "N-400", false), (&ana, "I-90", false)]).await;
    ana.pay(&payment, "pm_card_visa").await.unwrap();
    world.reject(filings[1].filing_id.parse().unwrap(), true).await;
    world.until_caught_up(&world.cases).await;
    world.until(|| ana.get(&payment), |payment| payment.refunded.as_ref().unwrap().cents > 0).await;
    // As if its answer had not come, and a day had passed.
    world.far.forget_keys().await;
    let events = world.events(&payment).await;
    let again = "UPDATE refund SET issued = false, next_try_at_us = 0";
    world.own.pool.execute(again).await.unwrap();
    let tries = "SELECT max(tries)::bigint FROM refund";
    let before = world.rows(tries).await;
    for asked in 1..3 {
        world.until(|| async { Ok(world.rows(tries).await) }, |tries| *tries >= before + asked).await;
        world.bench.advance(3_700);
    }
    assert_eq!(world.far.count(&payment).await.refunds, 1);
    assert_eq!(world.events(&payment).await, events);
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
