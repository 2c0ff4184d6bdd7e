//! Somebody else pays: with a code of the payer, this payment and no other, and no fee twice.

use crate::client::{Outcome, State, id, reason};
use crate::far_side::Count;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_code_opens_one_payment_and_shows_no_card() {
    let world = World::start().await;
    let (ana, counsel, eve) = (world.person(), world.person(), world.person());
    let (package, other) = (world.package(&ana, "N-400").await, world.package(&ana, "I-90").await);
    let asked = id();
    let code = ana.invite(&asked, &package.payment).await.unwrap();
    assert_eq!(ana.invite(&asked, &package.payment).await.unwrap(), code, "a repeat gives the same code");

    let seen = counsel.get_with(&package.payment, &code).await.unwrap();
    assert_eq!((seen.state(), seen.due.unwrap().cents), (State::Open, package.cents));
    for wrong in ["", "0", &code.to_uppercase()] {
        assert_eq!(reason(&counsel.get_with(&package.payment, wrong).await.unwrap_err()), "NOT_FOUND");
    }
    assert_eq!(reason(&counsel.get_with(&other.payment, &code).await.unwrap_err()), "NOT_FOUND");
    assert_eq!(reason(&counsel.invite(&id(), &package.payment).await.unwrap_err()), "NOT_FOUND");

    // Both pay: one is charged.
    let mine = ana.pay(&package.payment, "pm_sandbox_timeoutAfterCharge").await.unwrap();
    assert_ne!(mine.0, Outcome::Declined);
    let theirs = counsel.pay_with(&package.payment, "pm_card_mastercard", &code).await.unwrap_err();
    assert!(["PAYMENT_PROCESSING", "ALREADY_PAID"].contains(&reason(&theirs).as_str()), "{theirs:?}");
    let paid = world.until_state(&ana, &package.payment, State::Settled).await;
    assert_eq!(paid.card_last4, "4242");
    let seen = counsel.get_with(&package.payment, &code).await.unwrap();
    assert_eq!((seen.card_brand.as_str(), seen.card_last4.as_str()), ("", ""));
    assert_eq!(world.count(&package.payment).await.charges, 1);
    assert_eq!(reason(&ana.invite(&id(), &package.payment).await.unwrap_err()), "ALREADY_PAID");

    // The other way round, and after 14 days a code opens nothing.
    let code = ana.invite(&id(), &other.payment).await.unwrap();
    let (outcome, shown) = counsel.pay_with(&other.payment, "pm_card_visa", &code).await.unwrap();
    assert_eq!(
        (outcome, shown.card_brand.as_str(), shown.card_last4.as_str()),
        (Outcome::Paid, "visa", "4242")
    );
    // The card is counsel's: neither the payer nor anybody else with the code sees it.
    let listed = ana.page(0, "").await.unwrap().payments;
    let listed = listed.into_iter().find(|payment| payment.name == other.payment).unwrap();
    for seen in [listed, ana.get(&other.payment).await.unwrap()] {
        assert_eq!((seen.card_brand.as_str(), seen.card_last4.as_str()), ("", ""));
    }
    let seen = eve.get_with(&other.payment, &code).await.unwrap();
    assert_eq!((seen.card_brand.as_str(), seen.card_last4.as_str()), ("", ""));
    assert_eq!(reason(&ana.pay(&other.payment, "pm_card_visa").await.unwrap_err()), "ALREADY_PAID");
    let one = Count { charges: 1, charged: other.cents, ..Count::default() };
    assert_eq!(world.count(&other.payment).await, one);
    assert!(eve.get_with(&other.payment, &code).await.is_ok());
    world.bench.advance(14 * 86_400);
    let eve = world.again(&eve);
    let asked =
        || async { Ok(eve.get_with(&other.payment, &code).await.map_err(|status| reason(&status)).err()) };
    world.until(asked, |refused| refused.as_deref() == Some("NOT_FOUND")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_pays_with_the_request_id_of_another_is_told_so_and_the_payment_stays_open() {
    let world = World::start().await;
    let (ana, counsel) = (world.person(), world.person());
    let package = world.package(&ana, "N-400").await;
    let payment = &package.payment;
    let code = ana.invite(&id(), payment).await.unwrap();
    let same = id();
    let declined = "pm_card_visa_chargeDeclined";
    assert_eq!(ana.pay_as(&same, payment, declined).await.unwrap().0, Outcome::Declined);
    let reused = counsel.pay_with_as(&same, payment, "pm_card_visa", &code).await.unwrap_err();
    assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
    assert_eq!(world.events(payment).await, ["opened", "payer_invited", "attempted", "fee_refused"]);
    assert_eq!(ana.get(payment).await.unwrap().state(), State::Open);
    assert_eq!(
        ana.pay_as(&same, payment, declined).await.unwrap().0,
        Outcome::Declined,
        "a repeat of their own"
    );
    assert_eq!(counsel.pay_with(payment, "pm_card_visa", &code).await.unwrap().0, Outcome::Paid);
    assert_eq!(world.count(payment).await.charges, 1);
}
