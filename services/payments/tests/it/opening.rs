//! A package that is ready has one payment; where nothing is due it is settled at once.

use crate::client::{State, id};
use crate::far_side::Count;
use crate::world::{World, ready};
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn a_package_has_one_payment_with_what_was_quoted() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    let payment = ana.get(&package.payment).await.unwrap();
    assert_eq!(payment.state(), State::Open);
    assert_eq!(payment.amount.as_ref().unwrap().cents, package.cents);
    assert_eq!(payment.filing_ids, [package.filing.to_string()]);
    assert_eq!((payment.rows.len(), payment.rows[0].cents), (1, package.cents));
    assert_eq!(payment.name, format!("payments/{}", payment.package_id));

    // Sent again for another fee, with nothing between the two, as where a restore lost the withdrawal: that one is due. Said again by
    // another event it is nothing new.
    let quote = world.service("filing").quote(world.quote_request(ana.account, "I-90")).await.unwrap();
    let (stream, cents) = (Uuid::parse_str(&payment.package_id).unwrap(), quote.total.unwrap().cents);
    for _ in 0..2 {
        world.filing.append(stream, ready(ana.account, &quote.name, package.filing, cents)).await;
        world.until_caught_up(&world.filing).await;
        assert_eq!(world.events(&package.payment).await, ["opened", "opened"]);
    }
    assert_eq!(ana.get(&package.payment).await.unwrap().due.unwrap().cents, cents);
    assert_ne!(cents, package.cents);

    let other = world.package(&ana, "I-90").await;
    let first = ana.page(1, "").await.unwrap();
    assert_eq!(first.payments[0].name, other.payment, "newest first");
    let second = ana.page(1, &first.next_page_token).await.unwrap();
    assert_eq!(second.payments[0].name, package.payment);
    assert_eq!(second.next_page_token, "");
    assert!(ana.page(1, "####").await.is_err());
    assert!(world.person().page(0, "").await.unwrap().payments.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_free_package_is_settled_at_once_and_another_total_than_quoted_never() {
    let world = World::start().await;
    let ana = world.person();
    let free = world.package(&ana, "AR-11").await;
    let payment = ana.get(&free.payment).await.unwrap();
    assert_eq!((payment.state(), free.cents), (State::Settled, 0));
    assert_eq!(world.events(&free.payment).await, ["opened", "fee_settled"]);
    assert_eq!(world.far.count(&free.payment).await, Count::default());
    assert!(payment.settled_at_us > 0);

    let quote = world.service("filing").quote(world.quote_request(ana.account, "N-400")).await.unwrap();
    let cheaper = Uuid::now_v7();
    world.filing.append(cheaper, ready(ana.account, &quote.name, Uuid::now_v7(), 0)).await;
    let stolen = Uuid::now_v7();
    let total = quote.total.unwrap().cents;
    world.filing.append(stolen, ready(Uuid::now_v7(), &quote.name, Uuid::now_v7(), total)).await;
    let unquoted = Uuid::now_v7();
    world.filing.append(unquoted, ready(ana.account, &id(), Uuid::now_v7(), 0)).await;
    world.until_caught_up(&world.filing).await;
    assert_eq!(world.rows("SELECT count(*) FROM log.parked").await, 3);
    for package in [cheaper, stolen, unquoted] {
        assert!(world.events(&format!("payments/{package}")).await.is_empty());
    }
}
