//! Money that is taken back: a bank debit that returns, a charge that is disputed, and what is owed after it.

use crate::client::{Client, Outcome, State, reason};
use crate::far_side::Count;
use crate::world::{Package, World};

async fn balances(world: &World) -> Vec<(String, i64)> {
    let balances = world.officer("finance").await.balances().await.unwrap();
    assert_eq!(balances.iter().map(|(_, cents)| cents).sum::<i64>(), 0);
    balances.into_iter().filter(|(_, cents)| *cents != 0).collect()
}

fn ledger<const N: usize>(rows: [(&str, i64); N]) -> Vec<(String, i64)> {
    rows.into_iter().map(|(account, cents)| (account.to_owned(), cents)).collect()
}

/// A package paid by a bank debit that was carried out.
async fn debited(world: &World, payer: &Client) -> Package {
    let package = world.package(payer, "N-400").await;
    let (outcome, _) = payer.pay(&package.payment, "pm_us_bank_account").await.unwrap();
    assert_eq!(outcome, Outcome::Pending);
    world.far.bank_says("succeeded").await;
    world.until_state(payer, &package.payment, State::Settled).await;
    package
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debit_that_comes_back_is_owed_again_and_made_good_once() {
    let world = World::start().await;
    let ana = world.person();
    let package = debited(&world, &ana).await;
    world.far.dispute(&package.payment).await;
    let returned = world.until_state(&ana, &package.payment, State::Returned).await;
    assert_eq!(returned.due.unwrap().cents, package.cents);
    assert_eq!(
        balances(&world).await,
        ledger([("fees_owed", package.cents), ("fees_received", -package.cents)])
    );

    // Whatever is said again, in whatever order, changes nothing.
    world.far.tell_again().await;
    let events = ["opened", "attempted", "fee_settled", "disputed", "returned"];
    assert_eq!(world.events(&package.payment).await, events);

    let (outcome, payment) = ana.pay(&package.payment, "pm_card_visa").await.unwrap();
    assert_eq!((outcome, payment.state()), (Outcome::Paid, State::Settled));
    assert_eq!((payment.due.unwrap().cents, payment.card_last4.as_str()), (0, "4242"));
    assert_eq!(reason(&ana.pay(&package.payment, "pm_card_visa").await.unwrap_err()), "ALREADY_PAID");
    world.far.tell_again().await;
    let events = [&events[..], &["attempted", "made_good"]].concat();
    assert_eq!(world.events(&package.payment).await, events);
    let rows = [("fees_received", -package.cents), ("processor_receivable", package.cents)];
    assert_eq!(balances(&world).await, ledger(rows));
    assert_eq!(world.count(&package.payment).await.charges, 2);

    // What was made good may come back as well.
    let again = world.far.dispute(&package.payment).await;
    world.until_state(&ana, &package.payment, State::Disputed).await;
    world.far.end_dispute(&again, "lost").await;
    world.until_state(&ana, &package.payment, State::Returned).await;
    assert_eq!(world.rows("SELECT count(*) FROM log.parked").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_that_is_won_leaves_the_fee_paid() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    ana.pay(&package.payment, "pm_card_visa").await.unwrap();
    let dispute = world.far.dispute(&package.payment).await;
    let held = world.until_state(&ana, &package.payment, State::Disputed).await;
    assert_eq!(held.due.unwrap().cents, 0, "nothing is owed while it is open");
    assert_eq!(
        balances(&world).await,
        ledger([("disputed", package.cents), ("fees_received", -package.cents)])
    );
    world.far.end_dispute(&dispute, "won").await;
    world.until_state(&ana, &package.payment, State::Settled).await;
    let rows = [("fees_received", -package.cents), ("processor_receivable", package.cents)];
    assert_eq!(balances(&world).await, ledger(rows));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_is_found_though_no_webhook_ever_came() {
    let mut world = World::start().await;
    let ana = world.person();
    let package = debited(&world, &ana).await;
    world.no_webhooks().await;
    world.far.dispute(&package.payment).await;
    world.until_state(&ana, &package.payment, State::Returned).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_ends_with_the_filing_and_a_charge_that_comes_too_late_goes_back() {
    let world = World::start().await;
    let ana = world.person();
    let (unpaid, late) = (debited(&world, &ana).await, debited(&world, &ana).await);
    for package in [&unpaid, &late] {
        world.far.dispute(&package.payment).await;
        world.until_state(&ana, &package.payment, State::Returned).await;
    }
    // The second one is being paid while the office takes the acceptance back.
    ana.pay(&late.payment, "pm_us_bank_account").await.unwrap();
    for package in [&unpaid, &late] {
        world.void(package.filing, "payment").await;
    }
    world.until_caught_up(&world.cases).await;
    let cancelled = world.until_state(&ana, &unpaid.payment, State::Cancelled).await;
    assert_eq!(cancelled.due.unwrap().cents, 0);
    assert_eq!(reason(&ana.pay(&unpaid.payment, "pm_card_visa").await.unwrap_err()), "FEE_CANCELLED");
    world.far.bank_says("succeeded").await;
    world.until_state(&ana, &late.payment, State::Refunded).await;
    let counted = Count { charges: 2, charged: 2 * late.cents, refunds: 1, refunded: late.cents };
    assert_eq!(world.count(&late.payment).await, counted);
    assert_eq!(balances(&world).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_whose_acceptance_was_voided_for_the_signature_goes_back_once() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    ana.pay(&package.payment, "pm_card_visa").await.unwrap();
    world.void(package.filing, "signature").await;
    world.void(package.filing, "signature").await;
    world.until_state(&ana, &package.payment, State::Refunded).await;
    world.until_caught_up(&world.cases).await;
    assert_eq!(world.count(&package.payment).await.refunds, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_of_a_rejected_filing_is_not_owed_again_when_the_bank_takes_it_back() {
    let world = World::start().await;
    let ana = world.person();
    let (payment, filings) = world.basket(&ana, &[(&ana, "I-90", false), (&ana, "N-400", false)]).await;
    assert_eq!(ana.pay(&payment, "pm_us_bank_account").await.unwrap().0, Outcome::Pending);
    world.far.bank_says("succeeded").await;
    world.until_state(&ana, &payment, State::Settled).await;
    world.reject(filings[0].filing_id.parse().unwrap(), false).await;
    world.until_caught_up(&world.cases).await;
    assert_eq!(ana.get(&payment).await.unwrap().state(), State::Settled, "it is kept");

    world.far.dispute(&payment).await;
    let returned = world.until_state(&ana, &payment, State::Returned).await;
    let (kept, due) = (filings[0].total_cents, filings[1].total_cents);
    assert_eq!(returned.due.unwrap().cents, due);
    assert_eq!(balances(&world).await, ledger([("fees_owed", due), ("fees_received", -due)]));
    assert_eq!(ana.pay(&payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    assert_eq!(world.count(&payment).await.charged, kept + due + due);
}
