//! One payment for a package of several filings, also of several accounts: each filing's part is its own.

use docket_proto::payments::events::v1::{FeeSettled, PaymentReturned};
use prost::Message;
use uuid::Uuid;

use crate::client::{Client, Outcome, State, id};
use crate::far_side::Count;
use crate::world::{World, all_ready};

/// The payload of a payment's last event of a kind.
pub(crate) async fn last<M: Message + Default>(world: &World, payment: &str, kind: &str) -> M {
    let sql = "SELECT payload FROM log.event WHERE stream = $1 AND kind = $2 ORDER BY version DESC LIMIT 1";
    let stream = payment.replace("payments/", "payment-");
    let query = sqlx::query_scalar(sql).bind(stream).bind(kind);
    let payload: Vec<u8> = query.fetch_one(&world.own.pool).await.unwrap();
    M::decode(payload.as_slice()).unwrap()
}

fn filing(text: &str) -> Uuid {
    Uuid::parse_str(text).unwrap()
}

async fn balances(world: &World) -> Vec<(String, i64)> {
    let balances = world.officer("finance").await.balances().await.unwrap();
    assert_eq!(balances.iter().map(|(_, cents)| cents).sum::<i64>(), 0);
    balances.into_iter().filter(|(_, cents)| *cents != 0).collect()
}

/// Pays by a bank debit that is carried out.
async fn debit(world: &World, payer: &Client, payment: &str) {
    assert_eq!(payer.pay(payment, "pm_us_bank_account").await.unwrap().0, Outcome::Pending);
    world.far.bank_says("succeeded").await;
    world.until_state(payer, payment, State::Settled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_filings_of_two_accounts_a_rejected_one_gets_its_part_back() {
    let world = World::start().await;
    let (ana, ben) = (world.person(), world.person());
    let (payment, filings) =
        world.basket(&ana, &[(&ana, "N-400", false), (&ben, "I-90", false), (&ben, "N-400", false)]).await;
    let total: i64 = filings.iter().map(|filing| filing.total_cents).sum();
    let ids: Vec<&str> = filings.iter().map(|filing| filing.filing_id.as_str()).collect();

    let shown = ana.get(&payment).await.unwrap();
    assert_eq!((shown.state(), shown.due.unwrap().cents), (State::Open, total));
    let rows: Vec<_> = shown.rows.iter().map(|row| (row.form.as_str(), row.cents)).collect();
    let costs: Vec<_> =
        ["N-400", "I-90", "N-400"].into_iter().zip(filings.iter().map(|filing| filing.total_cents)).collect();
    assert_eq!(rows, costs);
    assert!(ben.get(&payment).await.is_err(), "whoever does not pay does not see what others pay");
    assert_eq!(ana.pay(&payment, "pm_card_visa").await.unwrap().0, Outcome::Paid);
    let settled: FeeSettled = last(&world, &payment, "payment.fee_settled.v1").await;
    assert_eq!(settled.filing_ids, ids);
    assert_eq!(settled.amount_cents, total);

    for _ in 0..2 {
        world.reject(filing(ids[1]), true).await;
    }
    world.until_caught_up(&world.cases).await;
    let mine = filings[1].total_cents;
    let shown =
        world.until(|| ana.get(&payment), |payment| payment.refunded.as_ref().unwrap().cents > 0).await;
    assert_eq!(
        (shown.state(), shown.refunded.unwrap().cents, shown.due.unwrap().cents),
        (State::Settled, mine, 0)
    );
    let counted = Count { charges: 1, charged: total, refunds: 1, refunded: mine };
    assert_eq!(world.count(&payment).await, counted);
    let kept = total - mine;
    assert_eq!(
        balances(&world).await,
        [("fees_received".into(), -kept), ("processor_receivable".into(), kept)]
    );

    // The others end too: then all of it went back, and no part twice.
    world.reject(filing(ids[0]), true).await;
    world.void(filing(ids[2]), "signature").await;
    world.until_state(&ana, &payment, State::Refunded).await;
    let counted = Count { charges: 1, charged: total, refunds: 3, refunded: total };
    assert_eq!(world.count(&payment).await, counted);
    assert_eq!(balances(&world).await, []);
    assert_eq!(world.rows("SELECT count(*) FROM log.parked").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_honoured_is_owed_part_by_part() {
    let world = World::start().await;
    let ana = world.person();
    let (payment, filings) =
        world.basket(&ana, &[(&ana, "N-400", false), (&ana, "I-90", true), (&ana, "I-90", false)]).await;
    let (first, last_one) = (filings[0].total_cents, filings[2].total_cents);
    assert_eq!(filings[1].total_cents, 0, "a waiver is asked for");
    debit(&world, &ana, &payment).await;
    world.far.dispute(&payment).await;
    let returned = world.until_state(&ana, &payment, State::Returned).await;
    assert_eq!(returned.due.unwrap().cents, first + last_one);
    let said: PaymentReturned = last(&world, &payment, "payment.returned.v1").await;
    let parts: Vec<_> = said.parts.iter().map(|part| (part.filing_id.as_str(), part.amount_cents)).collect();
    assert_eq!(parts, [(filings[0].filing_id.as_str(), first), (filings[2].filing_id.as_str(), last_one)]);
    assert_eq!(said.filing_ids.len(), 2, "the one that cost nothing owes nothing");

    // It is paid again while the acceptance of one is taken back: that part goes back, the other is made good.
    ana.pay(&payment, "pm_us_bank_account").await.unwrap();
    world.void(filing(&filings[2].filing_id), "payment").await;
    world.until_caught_up(&world.cases).await;
    world.far.bank_says("succeeded").await;
    let shown =
        world.until(|| ana.get(&payment), |payment| payment.refunded.as_ref().unwrap().cents > 0).await;
    assert_eq!((shown.state(), shown.due.unwrap().cents), (State::Settled, 0));
    let charged = 2 * (first + last_one);
    let counted = Count { charges: 2, charged, refunds: 1, refunded: last_one };
    assert_eq!(world.count(&payment).await, counted);
    assert_eq!(
        balances(&world).await,
        [("fees_received".into(), -first), ("processor_receivable".into(), first)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_costs_nothing_is_settled_at_once_and_one_that_does_not_add_up_never() {
    let world = World::start().await;
    let (ana, ben) = (world.person(), world.person());
    let (free, filings) = world.basket(&ana, &[(&ana, "AR-11", false), (&ben, "I-90", true)]).await;
    assert_eq!(ana.get(&free).await.unwrap().state(), State::Settled);
    let settled: FeeSettled = last(&world, &free, "payment.fee_settled.v1").await;
    assert_eq!((settled.filing_ids.len(), settled.amount_cents), (2, 0));
    world.reject(filing(&filings[1].filing_id), true).await;
    world.until_caught_up(&world.cases).await;
    assert_eq!(world.far.count(&free).await, Count::default());

    let (_, right) = world.basket(&ana, &[(&ana, "N-400", false), (&ben, "I-90", false)]).await;
    let cheaper = {
        let mut filings = right.clone();
        filings[1].total_cents -= 1;
        all_ready(ana.account, &filings)
    };
    let of_another = {
        let mut filings = right.clone();
        filings[1].account_id = ana.account.to_string();
        all_ready(ana.account, &filings)
    };
    let twice = all_ready(ana.account, &[right[0].clone(), right[0].clone()]);
    let unquoted = {
        let mut filings = right.clone();
        filings[1].quote_id = id();
        all_ready(ana.account, &filings)
    };
    let broken = [cheaper, of_another, twice, unquoted].map(|event| (Uuid::now_v7(), event));
    for (package, event) in broken.clone() {
        world.filing.append(package, event).await;
    }
    world.until_caught_up(&world.filing).await;
    assert_eq!(world.rows("SELECT count(*) FROM log.parked").await, 4);
    for (package, _) in broken {
        assert!(world.events(&format!("payments/{package}")).await.is_empty());
    }
}
