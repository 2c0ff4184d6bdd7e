//! Banks that answer later: by webhook, or when they are asked again.

use crate::client::{Outcome, State};
use crate::world::World;

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
