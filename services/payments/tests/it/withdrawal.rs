//! A payment is taken back before anything was paid, and a fee that changed since it was shown is not charged.

use docket_forms::Catalogue;
use docket_proto::events::package::Event;
use docket_proto::filing::events::v1::{PackageFilerSteppedBack, PackageLeftUnpaid};
use docket_proto::payments::v1::CreateQuoteRequest;
use docket_proto::types::v1::FeeRow;
use uuid::Uuid;

use crate::client::{Client, Outcome, State, id, reason};
use crate::far_side::Count;
use crate::world::{Package, World, ready};

/// Filing asks for the fee of a package once more: quoted by this request, for this filing.
async fn send_again(world: &World, payer: &Client, package: &Package, request: CreateQuoteRequest) -> i64 {
    let quote = world.service("filing").quote(request).await.unwrap();
    let cents = quote.total.unwrap().cents;
    let stream = Uuid::parse_str(&package.payment.replace("payments/", "")).unwrap();
    world.filing.append(stream, ready(payer.account, &quote.name, package.filing, cents)).await;
    world.until_state(payer, &package.payment, State::Open).await;
    cents
}

/// A quote of one row of the fee table as it was asked for on a day.
fn request_on(world: &World, payer: &Client, (form, row): (&str, &str), day: &str) -> CreateQuoteRequest {
    let mut request = world.quote_request(payer.account, form);
    let catalogue = Catalogue::embedded();
    let found = catalogue.form(form).unwrap().fees.iter().find(|fee| fee.id == row).unwrap();
    let row = FeeRow { row: row.to_owned(), cents: found.cents, ..request.rows.remove(0) };
    CreateQuoteRequest { rows: vec![row], filing_date: day.to_owned(), ..request }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_withdrawn_by_its_payer_and_opened_anew_for_what_is_due_then() {
    let world = World::start().await;
    let (ana, counsel) = (world.person(), world.person());
    let package = world.package(&ana, "N-400").await;
    let payment = &package.payment;
    let code = ana.invite(&id(), payment).await.unwrap();
    assert_eq!(ana.pay(payment, "pm_card_visa_chargeDeclined").await.unwrap().0, Outcome::Declined);
    assert_eq!(reason(&counsel.withdraw(&id(), payment).await.unwrap_err()), "NOT_FOUND");
    assert!(counsel.get_with(payment, &code).await.is_ok(), "a code opens it, and does not take it back");

    let asked = id();
    let withdrawn = ana.withdraw(&asked, payment).await.unwrap();
    assert_eq!((withdrawn.state(), withdrawn.due.unwrap().cents), (State::Withdrawn, 0));
    assert_eq!(withdrawn.filing_ids, [package.filing.to_string()]);
    assert_eq!((withdrawn.amount.unwrap().cents, withdrawn.last_refusal.as_str()), (package.cents, ""));
    for repeated in [asked, id()] {
        assert_eq!(ana.withdraw(&repeated, payment).await.unwrap().state(), State::Withdrawn);
    }
    assert_eq!(
        world.events(payment).await,
        ["opened", "payer_invited", "attempted", "fee_refused", "withdrawn"]
    );
    assert_eq!(ana.page(0, "").await.unwrap().payments[0].state(), State::Withdrawn);
    assert_eq!(reason(&ana.pay(payment, "pm_card_visa").await.unwrap_err()), "PAYMENT_WITHDRAWN");
    assert_eq!(reason(&ana.invite(&id(), payment).await.unwrap_err()), "PAYMENT_WITHDRAWN");
    assert_eq!(reason(&counsel.pay_with(payment, "pm_card_visa", &code).await.unwrap_err()), "NOT_FOUND");
    assert_eq!(world.count(payment).await, Count::default());

    // Sent again, by somebody else of the package this time and for another fee.
    let ben = world.person();
    let cents = send_again(&world, &ben, &package, world.quote_request(ben.account, "I-90")).await;
    assert_ne!(cents, package.cents);
    assert_eq!(reason(&ana.get(payment).await.unwrap_err()), "NOT_FOUND");
    assert!(ana.page(0, "").await.unwrap().payments.is_empty());
    assert_eq!(ben.page(0, "").await.unwrap().payments.len(), 1);
    assert_eq!(ben.pay(payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    assert_eq!(world.count(payment).await, Count { charges: 1, charged: cents, ..Count::default() });
    assert_eq!(reason(&ben.withdraw(&id(), payment).await.unwrap_err()), "ALREADY_PAID");
    world.reject(package.filing, true).await;
    world.until_state(&ben, payment, State::Refunded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_answer_yet_is_not_withdrawn() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    let (outcome, _) = ana.pay(&package.payment, "pm_us_bank_account").await.unwrap();
    assert_eq!(outcome, Outcome::Pending);
    assert_eq!(reason(&ana.withdraw(&id(), &package.payment).await.unwrap_err()), "PAYMENT_PROCESSING");
    world.far.bank_says("failed").await;
    world.until_state(&ana, &package.payment, State::Open).await;
    assert_eq!(ana.withdraw(&id(), &package.payment).await.unwrap().state(), State::Withdrawn);
    assert_eq!(world.count(&package.payment).await.charges, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_paid_is_withdrawn_unless_an_attempt_has_no_answer_or_it_was_paid() {
    let world = World::start().await;
    let ana = world.person();
    let left = async |package: &Package| {
        let stream = Uuid::parse_str(&package.payment.replace("payments/", "")).unwrap();
        let left = PackageLeftUnpaid { waited_until_date: "2026-11-23".into() };
        world.filing.append(stream, Event::from(left)).await;
        world.until_caught_up(&world.filing).await;
        ana.get(&package.payment).await.unwrap().state()
    };
    let (unpaid, paid) = (world.package(&ana, "N-400").await, world.package(&ana, "N-400").await);
    assert_eq!(ana.pay(&paid.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    assert_eq!(left(&paid).await, State::Settled);
    assert_eq!(ana.pay(&unpaid.payment, "pm_us_bank_account").await.unwrap().0, Outcome::Pending);
    assert_eq!(left(&unpaid).await, State::Processing, "whatever the bank says comes first");
    world.far.bank_says("failed").await;
    world.until_state(&ana, &unpaid.payment, State::Open).await;
    assert_eq!(left(&unpaid).await, State::Withdrawn);
    assert_eq!(left(&unpaid).await, State::Withdrawn, "once is enough");
    let withdrawn = "SELECT count(*) FROM log.event WHERE kind = 'payment.withdrawn.v1'";
    assert_eq!(world.rows(withdrawn).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_stepped_back_from_is_withdrawn_while_nothing_is_paid() {
    let world = World::start().await;
    let ana = world.person();
    let (package, paid) = (world.package(&ana, "N-400").await, world.package(&ana, "N-400").await);
    ana.pay(&paid.payment, "pm_card_visa").await.unwrap();
    for (package, then) in [(&package, State::Withdrawn), (&paid, State::Settled)] {
        let stream = Uuid::parse_str(&package.payment.replace("payments/", "")).unwrap();
        world.filing.append(stream, Event::from(PackageFilerSteppedBack::default())).await;
        world.until_caught_up(&world.filing).await;
        assert_eq!(ana.get(&package.payment).await.unwrap().state(), then);
    }
    let withdrawn = "SELECT count(*) FROM log.event WHERE kind = 'payment.withdrawn.v1'";
    assert_eq!(world.rows(withdrawn).await, 1);
    // In a package that is not sent there is nothing to withdraw.
    world.filing.append(Uuid::now_v7(), Event::from(PackageFilerSteppedBack::default())).await;
    world.until_caught_up(&world.filing).await;
    assert_eq!(world.rows(withdrawn).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_of_an_earlier_day_is_not_charged_once_the_fees_changed() {
    let world = World::start().await;
    let (ana, counsel) = (world.person(), world.person());
    let package = world.package(&ana, "N-400").await;
    let payment = &package.payment;
    ana.withdraw(&id(), payment).await.unwrap();
    // The first permit of an applicant for asylum cost less to the end of 2025.
    let before = request_on(&world, &ana, ("I-765", "hr1-asylum-initial-2025"), "2025-12-31");
    send_again(&world, &ana, &package, before).await;
    let code = ana.invite(&id(), payment).await.unwrap();
    let refused = ana.pay(payment, "pm_card_visa").await.unwrap_err();
    assert_eq!(reason(&refused), "FEE_CHANGED");
    assert!(refused.message().contains("I-765"), "{refused}");
    let refused = counsel.pay_with(payment, "pm_card_visa", &code).await.unwrap_err();
    assert_eq!(reason(&refused), "FEE_CHANGED");
    assert_eq!(world.count(payment).await, Count::default());
    assert_eq!(world.rows("SELECT count(*) FROM attempt").await, 0);

    // The way out: taken back, shown as it is today, sent again. Of this row the amount is published without an end.
    ana.withdraw(&id(), payment).await.unwrap();
    let today = world.quote_request(ana.account, "I-765").filing_date;
    let now = request_on(&world, &ana, ("I-765", "online"), &today);
    let cents = send_again(&world, &ana, &package, now).await;
    assert_eq!(ana.pay(payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    assert_eq!(world.count(payment).await, Count { charges: 1, charged: cents, ..Count::default() });
}
