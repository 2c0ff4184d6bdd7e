//! What was sent and nobody pays: whoever is to pay is reminded three times, and after the last day its payment is to be withdrawn.

use docket_kernel::deadline::office_date;
use docket_proto::events::package::Event as PackageEvent;
use docket_proto::events::payment;
use docket_proto::payments::events::v1::{PaymentOpened, PaymentWithdrawn};
use jiff::{Timestamp, ToSpan as _};

use crate::keep::{turn_to, until_written, written};
use crate::world::{World, fee_settled};

const REMINDED: &str = "package.payer_reminded.v1";
const LEFT: &str = "package.left_unpaid.v1";

/// The payment of what was sent is open.
async fn open(world: &World, payment: &str, filing: &str) {
    let opened = PaymentOpened {
        package_id: payment.replace("payments/", ""),
        filing_ids: vec![filing.replace("filings/", "")],
        ..PaymentOpened::default()
    };
    world.payment(payment, opened.into()).await;
}

fn withdrawn(payment: &str, filing: &str, waited_until_date: String) -> payment::Event {
    PaymentWithdrawn {
        package_id: payment.replace("payments/", ""),
        filing_ids: vec![filing.replace("filings/", "")],
        waited_until_date,
        ..PaymentWithdrawn::default()
    }
    .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_to_pay_is_reminded_three_times_before_what_was_sent_is_a_draft_again() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let sent_on = office_date(Timestamp::from_microsecond(world.now_us()).unwrap());
    let (draft, payment) = ana.sent().await;
    open(&world, &payment, &draft).await;
    let (package, last_day) = (payment.replace("payments/", "package-"), sent_on + 30.days());

    turn_to(&world, &mut ana, last_day - 14.days(), 8).await;
    assert_eq!(written(&world, &package, REMINDED).await, 0);
    for (times, days) in [(1, 14_u32), (2, 7), (3, 1)] {
        turn_to(&world, &mut ana, last_day - i64::from(days).days(), 9).await;
        until_written(&world, &package, REMINDED, times).await;
        let PackageEvent::PackagePayerReminded(told) = world.last_of_package(&package).await else {
            panic!("no reminder")
        };
        let told = (told.days, told.account_id, told.waits_until_date);
        assert_eq!(told, (days, ana.account.to_string(), last_day.to_string()));
    }
    turn_to(&world, &mut ana, last_day, 23).await;
    assert_eq!(
        (written(&world, &package, LEFT).await, ana.get(&draft).await.unwrap().state.as_str()),
        (0, "sent")
    );

    // Nobody paid: payments is asked to end it, and once more on the next day while it does not.
    turn_to(&world, &mut ana, last_day + 1.day(), 0).await;
    until_written(&world, &package, LEFT, 1).await;
    turn_to(&world, &mut ana, last_day + 2.days(), 1).await;
    until_written(&world, &package, LEFT, 2).await;
    let PackageEvent::PackageLeftUnpaid(left) = world.last_of_package(&package).await else {
        panic!("it was left")
    };
    assert_eq!(left.waited_until_date, last_day.to_string());
    world.payment(&payment, withdrawn(&payment, &draft, left.waited_until_date)).await;
    let again = ana.until(&draft, "draft").await;
    assert_eq!(again.kept_until_date, (last_day + 32.days()).to_string(), "kept as any other draft");
    let docket_proto::events::filing::Event::FilingRecalled(recalled) = world.last_event(&draft).await else {
        panic!("it was recalled")
    };
    assert_eq!(
        (recalled.account_id, recalled.waited_until_date),
        (ana.account.to_string(), last_day.to_string())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_reminded_of_what_was_paid_or_taken_back_and_who_sends_it_again_has_thirty_days_anew() {
    let world = World::start().await;
    let mut ana = world.person("Ana Lúcia", "Lima");
    let sent_on = office_date(Timestamp::from_microsecond(world.now_us()).unwrap());
    let (paid, of_paid) = ana.sent().await;
    open(&world, &of_paid, &paid).await;
    world.payment(&of_paid, fee_settled(&of_paid, &paid, world.now_us())).await;
    ana.until(&paid, "submitted").await;
    let (draft, payment) = ana.sent().await;
    open(&world, &payment, &draft).await;
    turn_to(&world, &mut ana, sent_on + 10.days(), 12).await;
    world.payment(&payment, withdrawn(&payment, &draft, String::new())).await;
    ana.until(&draft, "draft").await;
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    ana.submit(&draft).await.unwrap();
    open(&world, &payment, &draft).await;

    turn_to(&world, &mut ana, sent_on + 26.days(), 9).await;
    let (package, of_paid) =
        (payment.replace("payments/", "package-"), of_paid.replace("payments/", "package-"));
    until_written(&world, &package, REMINDED, 1).await;
    let PackageEvent::PackagePayerReminded(told) = world.last_of_package(&package).await else {
        panic!("no reminder")
    };
    assert_eq!((told.days, told.waits_until_date), (14, (sent_on + 40.days()).to_string()));
    assert_eq!(written(&world, &of_paid, REMINDED).await, 0);
}
