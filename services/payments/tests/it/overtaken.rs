//! What can go in no more as it was sent is not paid for: nothing is charged, and its payment is withdrawn.

use docket_proto::payments::events::v1::{FeeSettled, PaymentWithdrawn};
use tonic::Code;
use uuid::Uuid;

use crate::client::{Outcome, State, id, reason};
use crate::far_side::Count;
use crate::packages::last;
use crate::world::{World, all_ready};

const CHANGED: [&str; 2] = ["The edition of 2025-01-20 of form N-400 is no longer taken.", "It costs more."];

#[tokio::test(flavor = "multi_thread")]
async fn what_was_overtaken_is_not_charged_and_is_paid_for_once_it_was_sent_anew() {
    let world = World::start().await;
    let (ana, ben, counsel) = (world.person(), world.person(), world.person());
    let (payment, filings) = world.basket(&ana, &[(&ana, "N-400", false), (&ben, "I-90", false)]).await;
    let [anas, bens] = [0, 1].map(|nth| Uuid::parse_str(&filings[nth].filing_id).unwrap());
    let code = ana.invite(&id(), &payment).await.unwrap();
    world.office.overtake(anas, ana.account, "N-400", &CHANGED);
    world.office.overtake(bens, ben.account, "I-90", &["A secret of Ben."]);

    // Whoever pays for others learns that something changed, and not what.
    let refused = counsel.pay_with(&payment, "pm_card_visa", &code).await.unwrap_err();
    assert_eq!(reason(&refused), "PACKAGE_OVERTAKEN");
    assert!(refused.message().contains("N-400, I-90") && !refused.message().contains("2025"), "{refused}");
    let events = ["opened", "payer_invited", "withdrawn"];
    assert_eq!(world.events(&payment).await, events);
    let withdrawn: PaymentWithdrawn = last(&world, &payment, "payment.withdrawn.v1").await;
    assert_eq!(withdrawn.overtaken_filing_ids, [anas.to_string(), bens.to_string()]);
    assert_eq!(withdrawn.filing_ids, withdrawn.overtaken_filing_ids);
    assert_eq!(ana.get(&payment).await.unwrap().state(), State::Withdrawn);
    assert_eq!(reason(&ana.pay(&payment, "pm_card_visa").await.unwrap_err()), "PAYMENT_WITHDRAWN");

    // Sent anew, and overtaken once more: the payer is told all of what is theirs, and nothing of Ben's.
    let package = Uuid::parse_str(&payment.replace("payments/", "")).unwrap();
    let send = async || {
        world.filing.append(package, all_ready(ana.account, &filings)).await;
        world.until_state(&ana, &payment, State::Open).await;
    };
    send().await;
    let refused = ana.pay(&payment, "pm_card_visa").await.unwrap_err();
    assert_eq!(reason(&refused), "PACKAGE_OVERTAKEN");
    let said = refused.message();
    assert!(CHANGED.iter().all(|words| said.contains(words)) && !said.contains("secret"), "{refused}");
    assert_eq!(world.rows("SELECT count(*) FROM attempt").await, 0);
    assert_eq!(world.count(&payment).await, Count::default());

    // Put right and sent again it is paid, and counts as received at the instant as of which it was looked at.
    world.office.put_right();
    send().await;
    let request = id();
    assert_eq!(ana.pay_as(&request, &payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    let asked = world.office.asked().unwrap();
    assert_eq!(asked.filings, [anas, bens].map(|id| format!("filings/{id}")));
    let settled: FeeSettled = last(&world, &payment, "payment.fee_settled.v1").await;
    assert_eq!(settled.authorised_at_us, asked.at_us);
    // What is repeated was begun at its instant, whatever came later.
    world.office.away(true);
    assert_eq!(ana.pay_as(&request, &payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    assert_eq!(world.far.count(&payment).await.charges, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_filing_does_not_answer_nothing_is_charged_and_nothing_is_withdrawn() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    world.office.away(true);
    let refused = ana.pay(&package.payment, "pm_card_visa").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    assert_eq!(world.events(&package.payment).await, ["opened"]);
    assert_eq!(world.count(&package.payment).await, Count::default());

    world.office.away(false);
    assert_eq!(ana.pay(&package.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    // A fee that is owed again was paid on its day: filing is asked of it no more.
    let dispute = world.far.dispute(&package.payment).await;
    world.until_state(&ana, &package.payment, State::Disputed).await;
    world.far.end_dispute(&dispute, "lost").await;
    world.until_state(&ana, &package.payment, State::Returned).await;
    world.office.away(true);
    assert_eq!(ana.pay(&package.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    assert_eq!(world.far.count(&package.payment).await.charges, 2);
}
