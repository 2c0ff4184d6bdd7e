//! An account is erased while a payment of it is under way: what was charged is recorded all the same.

use docket_proto::log::v1::{ApproveErasureRequest, RequestErasureRequest};
use docket_service::testing::with_token;

use crate::client::{Client, Outcome, id};
use crate::world::World;

/// Two operators erase an account.
async fn erase(world: &World, person: &Client) {
    let (asks, approves) = (world.officer("operator").await, world.officer("operator").await);
    let mut subjects = world.subjects();
    let request = RequestErasureRequest {
        subject: format!("account:{}", person.account),
        reason: "asked".into(),
        legal_basis: "gdpr.17.1.a".into(),
    };
    let request = with_token(request, &world.again(&asks).token);
    let asked = subjects.request_erasure(request).await.unwrap().into_inner().request.unwrap();
    let approve = with_token(ApproveErasureRequest { request: asked.id }, &world.again(&approves).token);
    subjects.approve_erasure(approve).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digits_of_a_card_go_with_the_account_of_whoever_paid_with_it() {
    let world = World::start().await;
    let (ana, counsel) = (world.person(), world.person());
    let package = world.package(&ana, "N-400").await;
    let code = ana.invite(&id(), &package.payment).await.unwrap();
    let (outcome, _) = counsel.pay_with(&package.payment, "pm_card_visa", &code).await.unwrap();
    assert_eq!(outcome, Outcome::Paid);
    erase(&world, &ana).await;
    assert_eq!(counsel.get_with(&package.payment, &code).await.unwrap().card_last4, "4242");
    erase(&world, &counsel).await;
    let gone = || async { Ok(counsel.get_with(&package.payment, &code).await?.card_last4) };
    world.until(gone, String::is_empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_charged_after_an_erasure_settles_the_fee_without_the_digits_of_the_card() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    world.far.behave("hangup").await;
    let (outcome, _) = ana.pay(&package.payment, "pm_card_visa").await.unwrap();
    assert_eq!(outcome, Outcome::Pending);

    erase(&world, &ana).await;

    world.far.behave("works").await;
    let settled = ["opened", "attempted", "fee_settled"];
    world.until(|| async { Ok(world.events(&package.payment).await) }, |events| *events == settled).await;
    assert_eq!(world.far.count(&package.payment).await.charges, 1);
    let shown = world.until(|| ana.get(&package.payment), |_| true).await;
    assert_eq!((shown.card_brand.as_str(), shown.card_last4.as_str()), ("visa", ""));

    // What comes of it later goes its way too.
    world.reject(package.filing, true).await;
    let refunded = [&settled[..], &["refund_started", "refund_issued"]].concat();
    world.until(|| async { Ok(world.events(&package.payment).await) }, |events| *events == refunded).await;
    assert_eq!(world.rows("SELECT count(*) FROM log.parked").await, 0);
}
