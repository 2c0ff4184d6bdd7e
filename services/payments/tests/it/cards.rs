//! Cards: refused in plain words, another one pays, and what is paid stays paid.

use crate::client::{Outcome, State, id, reason};
use crate::owed::open;
use crate::world::World;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_is_explained_and_another_one_pays() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    let declines = [
        ("pm_card_visa_chargeDeclined", "did not say why"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "not enough money"),
        ("pm_card_chargeDeclinedExpiredCard", "has expired"),
        ("pm_card_chargeDeclinedIncorrectCvc", "security code"),
        ("pm_card_chargeDeclinedLostCard", "does not allow this card"),
        ("pm_card_chargeDeclinedProcessingError", "in a few minutes"),
        ("pm_of_nobody", "does not know this card"),
    ];
    for (card, words) in declines {
        let (outcome, payment) = ana.pay(&package.payment, card).await.unwrap();
        assert_eq!((outcome, payment.state()), (Outcome::Declined, State::Open), "{card}");
        assert!(payment.last_refusal.contains(words), "{card}: {}", payment.last_refusal);
        assert!(payment.last_refusal.contains("Nothing was charged"), "{card}");
    }
    assert_eq!(world.count(&package.payment).await.charges, 0);

    let declined_id = id();
    ana.pay_as(&declined_id, &package.payment, "pm_card_visa_chargeDeclined").await.unwrap();
    let paid_id = id();
    let (outcome, payment) = ana.pay_as(&paid_id, &package.payment, "pm_card_mastercard").await.unwrap();
    assert_eq!((outcome, payment.state()), (Outcome::Paid, State::Settled));
    assert_eq!((payment.card_brand.as_str(), payment.card_last4.as_str()), ("mastercard", "4444"));
    assert_eq!(payment.last_refusal, "");

    // Repeated ids get their own first answer; a new one learns that it is paid.
    let repeated = ana.pay_as(&paid_id, &package.payment, "pm_card_mastercard").await.unwrap();
    assert_eq!(repeated.0, Outcome::Paid);
    let repeated = ana.pay_as(&declined_id, &package.payment, "pm_card_visa_chargeDeclined").await.unwrap();
    assert_eq!(repeated.0, Outcome::Declined);
    let other = ana.pay_as(&paid_id, &package.payment, "pm_card_visa").await.unwrap_err();
    assert_eq!((other.code(), reason(&other).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    let again = ana.pay(&package.payment, "pm_card_visa").await.unwrap_err();
    assert_eq!((again.code(), reason(&again).as_str()), (Code::FailedPrecondition, "ALREADY_PAID"));
    let count = world.count(&package.payment).await;
    assert_eq!((count.charges, count.charged), (1, package.cents));
    // The card's token is kept no longer than it is needed, and the last digits never in the clear.
    assert_eq!(world.rows("SELECT count(*) FROM attempt WHERE method_token <> ''").await, 0);
    // As field 8 of the settlement: tag, length, digits. The digits alone also stand in one id of some hundred.
    let clear = "SELECT count(*) FROM log.event WHERE position('\\x420434343434'::bytea IN payload) > 0";
    assert_eq!(world.rows(clear).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_payers_with_the_same_request_id_each_pay_their_own() {
    let world = World::start().await;
    let (ana, ben) = (world.person(), world.person());
    let (anas, bens) = (world.package(&ana, "N-400").await, world.package(&ben, "N-400").await);
    let request_id = id();
    assert_eq!(ana.pay_as(&request_id, &anas.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    assert_eq!(ben.pay_as(&request_id, &bens.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    for package in [anas, bens] {
        assert_eq!(world.count(&package.payment).await.charges, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_amount_than_asked_is_never_taken_for_the_fee() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    let (outcome, payment) = ana.pay(&package.payment, "pm_sandbox_amountDrift").await.unwrap();
    assert_eq!((outcome, payment.state()), (Outcome::Pending, State::Processing));
    let count = world.count(&package.payment).await;
    assert_eq!((count.charges, count.charged), (1, package.cents + 1));
    let events = ["opened", "attempted", "money_unexplained"];
    assert_eq!(world.events(&package.payment).await, events);
    let finance = world.officer("finance").await;
    let charged = package.cents + 1;
    let unexplained = [("processor_receivable".to_owned(), charged), ("unexplained".to_owned(), -charged)];
    assert_eq!(finance.balances().await.unwrap(), unexplained);
    assert_eq!(open(&world, "money_unexplained").await, (1, 0));
    let again = ana.pay(&package.payment, "pm_card_visa").await.unwrap_err();
    assert_eq!(reason(&again), "PAYMENT_PROCESSING");

    // Finance gives it back, and the fee can be paid.
    world.far.give_back(&package.payment, None).await;
    let payment = world.until_state(&ana, &package.payment, State::Open).await;
    assert!(payment.last_refusal.contains("all of it went back"), "{}", payment.last_refusal);
    assert_eq!(
        (open(&world, "money_unexplained").await, open(&world, "charge_outcome").await),
        ((0, 0), (0, 0))
    );
    assert_eq!(ana.pay(&package.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    let cents = package.cents;
    let balances: Vec<_> =
        finance.balances().await.unwrap().into_iter().filter(|(_, cents)| *cents != 0).collect();
    assert_eq!(balances, [("fees_received".into(), -cents), ("processor_receivable".into(), cents)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_whose_bank_asks_its_owner_is_declined_and_another_one_pays() {
    let world = World::start().await;
    let ana = world.person();
    let package = world.package(&ana, "N-400").await;
    for card in ["pm_card_authenticationRequired", "pm_sandbox_requiresAction"] {
        let (outcome, payment) = ana.pay(&package.payment, card).await.unwrap();
        assert_eq!((outcome, payment.state()), (Outcome::Declined, State::Open), "{card}");
        let words = payment.last_refusal;
        assert!(words.contains("asks you to confirm") && words.contains("Nothing was charged"), "{words}");
    }
    assert_eq!(ana.pay(&package.payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    assert_eq!(world.count(&package.payment).await.charges, 1);
}
