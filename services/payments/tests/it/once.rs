//! Whatever goes wrong between us and the processor, it charges exactly once.

use crate::client::{Outcome, State, id, reason};
use crate::world::World;

const TROUBLES: [&str; 9] = [
    "pm_card_visa",
    "pm_sandbox_timeoutAfterCharge",
    "pm_sandbox_timeoutBeforeCharge",
    "pm_sandbox_timeoutAlways",
    "pm_sandbox_serverErrorOnce",
    "pm_sandbox_slow",
    "pm_sandbox_webhookFirst",
    "pm_sandbox_webhookTwice",
    "pm_sandbox_webhookLost",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_trouble_ends_in_one_charge() {
    let world = World::start().await;
    let ana = world.person();
    let mut packages = Vec::new();
    for method in TROUBLES {
        let package = world.package(&ana, "N-400").await;
        let request_id = id();
        let (outcome, _) = ana.pay_as(&request_id, &package.payment, method).await.unwrap();
        assert_ne!(outcome, Outcome::Declined, "{method}");
        // The same request once more, as a client does that heard nothing.
        let (outcome, _) = ana.pay_as(&request_id, &package.payment, method).await.unwrap();
        assert_ne!(outcome, Outcome::Declined, "{method}");
        packages.push(package);
    }
    let mut total = 0;
    for (package, method) in packages.iter().zip(TROUBLES) {
        let payment = world.until_state(&ana, &package.payment, State::Settled).await;
        assert_eq!(payment.card_brand, "visa", "{method}");
        let count = world.count(&package.payment).await;
        assert_eq!((count.charges, count.charged), (1, package.cents), "{method}");
        assert_eq!(world.events(&package.payment).await, ["opened", "attempted", "fee_settled"], "{method}");
        let again = ana.pay(&package.payment, "pm_card_visa").await.unwrap_err();
        assert_eq!(reason(&again), "ALREADY_PAID", "{method}");
        total += count.charged;
    }
    let balances = world.officer("finance").await.balances().await.unwrap();
    assert_eq!(balances, [("fees_received".into(), -total), ("processor_receivable".into(), total)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_without_an_answer_is_asked_for_again_by_the_next_process() {
    let never_asked = [("hangup", "pm_card_visa", 0), ("error", "pm_card_visa", 0)];
    let charged_without_a_word = ("works", "pm_sandbox_timeoutAfterCharge", 1);
    for (trouble, method, charges) in never_asked.into_iter().chain([charged_without_a_word]) {
        let mut world = World::start().await;
        world.no_webhooks().await;
        let ana = world.person();
        let package = world.package(&ana, "N-400").await;
        world.far.behave(trouble).await;
        let (outcome, payment) = ana.pay(&package.payment, method).await.unwrap();
        assert_eq!((outcome, payment.state()), (Outcome::Pending, State::Processing), "{trouble}");
        let second = ana.pay(&package.payment, "pm_card_mastercard").await.unwrap_err();
        assert_eq!(reason(&second), "PAYMENT_PROCESSING");
        assert_eq!(world.far.count(&package.payment).await.charges, charges);

        world.stop().await;
        world.far.behave("works").await;
        world.serve().await;
        let ana = world.again(&ana);
        let payment = world.until_state(&ana, &package.payment, State::Settled).await;
        assert_eq!(payment.card_brand, "visa");
        assert_eq!(world.far.count(&package.payment).await.charges, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_attempts_at_the_same_time_one_charges() {
    let world = World::start().await;
    let ana = world.person();
    for method in ["pm_card_visa", "pm_sandbox_slow", "pm_sandbox_timeoutAfterCharge"] {
        let package = world.package(&ana, "N-400").await;
        let name = &package.payment;
        let attempts = tokio::join!(ana.pay(name, method), ana.pay(name, method), ana.pay(name, method));
        let attempts = [attempts.0, attempts.1, attempts.2];
        assert_eq!(attempts.iter().filter(|attempt| attempt.is_ok()).count(), 1, "{method}: {attempts:?}");
        for refused in attempts.into_iter().filter_map(Result::err) {
            let reason = reason(&refused);
            // Who comes so late that the first has its answer hears that.
            assert!(["PAYMENT_PROCESSING", "ALREADY_PAID"].contains(&reason.as_str()), "{reason}");
        }
        world.until_state(&ana, name, State::Settled).await;
        assert_eq!(world.count(name).await.charges, 1, "{method}");
    }
}
