//! Banks that answer later: by webhook, or when they are asked again.

use crate::client::{Outcome, State};
use crate::slow_list::SlowList;
use crate::world::{Package, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_answers_later_is_asked_again() {
    let mut world = World::start().await;
    let ana = world.person();
    let told = world.package(&ana, "N-400").await;
    let (outcome, payment) = ana.pay(&told.payment, "pm_us_bank_account").await.unwrap();
    assert_eq!((outcome, payment.state()), (Outcome::Pending, State::Processing));
    world.far.bank_says("succeeded").await;
    world.until_state(&ana, &told.payment, State::Settled).await;

    world.no_webhooks().await;
    let asked = world.package(&ana, "N-400").await;
    ana.pay(&asked.payment, "pm_us_bank_account").await.unwrap();
    world.far.bank_says("failed").await;
    let payment = world.until_state(&ana, &asked.payment, State::Open).await;
    assert!(payment.last_refusal.contains("not enough money"), "{}", payment.last_refusal);
    ana.pay(&asked.payment, "pm_us_bank_account").await.unwrap();
    world.far.bank_says("succeeded").await;
    world.until_state(&ana, &asked.payment, State::Settled).await;
    for package in [told, asked] {
        assert_eq!(world.far.count(&package.payment).await.charges, 1);
    }
}

/// The look for what is due goes unanswered once: it is given up, and the next one finds it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_asked_for_though_the_database_once_did_not_answer() {
    let mut world = World::start().await;
    world.no_webhooks().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    assert_eq!(ana.pay(&package.payment, "pm_us_bank_account").await.unwrap().0, Outcome::Pending);
    let line = world.over_a_line("WHERE attempt_id IN (SELECT attempt_id FROM attempt").await;
    world.until(|| async { Ok(line.fell_silent()) }, |silent| *silent).await;
    world.far.bank_says("succeeded").await;
    world.until_state(&world.again(&ana), &package.payment, State::Settled).await;
    assert_eq!(world.far.count(&package.payment).await.charges, 1);
}

/// Lets more than a day pass, in which the processor forgets its keys, and waits until it was asked again.
async fn a_day_later(world: &World, package: &Package) {
    let tries = "SELECT max(tries)::bigint FROM attempt";
    let before = world.rows(tries).await;
    world.bench.advance(25 * 3_600);
    world.far.forget_keys().await;
    world.until(|| async { Ok(world.rows(tries).await) }, |tries| *tries > before).await;
    assert!(world.far.asked(&package.payment).await <= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debit_that_takes_more_than_a_day_is_one_debit() {
    let mut world = World::start().await;
    world.no_webhooks().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    assert_eq!(ana.pay(&package.payment, "pm_us_bank_account").await.unwrap().0, Outcome::Pending);
    for _ in 0..3 {
        a_day_later(&world, &package).await;
    }
    world.far.bank_says("succeeded").await;
    world.bench.advance(3_600);
    world.until_state(&world.again(&ana), &package.payment, State::Settled).await;
    assert_eq!(world.far.count(&package.payment).await.charges, 1);
    assert_eq!(world.far.asked(&package.payment).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_charged_without_a_word_is_found_when_its_key_is_gone() {
    let mut world = World::start().await;
    world.no_webhooks().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    assert_eq!(ana.pay(&package.payment, "pm_sandbox_timeoutAlways").await.unwrap().0, Outcome::Pending);
    a_day_later(&world, &package).await;
    let payment = world.until_state(&world.again(&ana), &package.payment, State::Settled).await;
    assert_eq!(payment.last_refusal, "");
    assert_eq!(world.far.count(&package.payment).await.charges, 1);
    assert_eq!(world.far.asked(&package.payment).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_came_to_the_processor_is_over_after_a_day_and_not_before() {
    let mut world = World::start().await;
    world.no_webhooks().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    world.far.behave("hangup").await;
    // A method that may be used once is unknown when it is asked for again: that says nothing of the first time.
    assert_eq!(ana.pay(&package.payment, "pm_of_nobody").await.unwrap().0, Outcome::Pending);
    world.far.behave("works").await;
    let asked = "SELECT max(asked)::bigint FROM attempt";
    world.until(|| async { Ok(world.rows(asked).await) }, |asked| *asked > 1).await;
    assert_eq!(ana.get(&package.payment).await.unwrap().state(), State::Processing);

    world.bench.advance(21 * 3_600);
    let tries = "SELECT max(tries)::bigint FROM attempt";
    let before = world.rows(tries).await;
    world.until(|| async { Ok(world.rows(tries).await) }, |tries| *tries > before).await;
    let ana = world.again(&ana);
    assert_eq!(ana.get(&package.payment).await.unwrap().state(), State::Processing);

    a_day_later(&world, &package).await;
    let ana = world.again(&ana);
    let payment = world.until_state(&ana, &package.payment, State::Open).await;
    assert!(payment.last_refusal.contains("never came"), "{}", payment.last_refusal);
    assert_eq!(ana.pay(&package.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    assert_eq!(world.far.count(&package.payment).await.charges, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_whole_list_is_looked_through_for_one_attempt_the_others_are_asked_for() {
    let mut world = World::start().await;
    world.no_webhooks().await;
    let way = SlowList::before(world.far.url()).await;
    let ana = world.person();
    for form in ["N-400", "I-90"] {
        let paid = world.package(&ana, form).await;
        assert_eq!(ana.pay(&paid.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    }
    let (lost, other) = (world.package(&ana, "N-400").await, world.package(&ana, "I-90").await);
    world.far.behave("hangup").await;
    // A method that is unknown is taken for one that may be used once, and says nothing of the first time.
    assert_eq!(ana.pay(&lost.payment, "pm_of_nobody").await.unwrap().0, Outcome::Pending);
    world.far.behave("works").await;
    world.stop().await;
    world.ask_at(way.url());
    world.serve().await;
    // What was charged is read at the start, a page for each.
    world.until(|| async { Ok((way.asked(), way.waiting())) }, |pages| *pages == (2, 0)).await;
    let ana = world.again(&ana);
    assert_eq!(ana.pay(&other.payment, "pm_us_bank_account").await.unwrap().0, Outcome::Pending);

    way.hold(true);
    world.bench.advance(25 * 3_600);
    world.until(|| async { Ok(way.waiting()) }, |waiting| *waiting == 1).await;
    let before = way.asked();
    world.far.bank_says("succeeded").await;
    world.bench.advance(3_600);
    let ana = world.again(&ana);
    world.until_state(&ana, &other.payment, State::Settled).await;
    assert_eq!((way.waiting(), way.asked()), (1, before), "it is waited for still, by one");
    assert_eq!(ana.get(&lost.payment).await.unwrap().state(), State::Processing);

    way.hold(false);
    let payment = world.until_state(&ana, &lost.payment, State::Open).await;
    assert!(payment.last_refusal.contains("never came"), "{}", payment.last_refusal);
    assert!(way.asked() >= before + 2, "page by page");
}
