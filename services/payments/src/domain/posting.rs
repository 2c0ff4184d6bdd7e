//! What an event moves between the ledger's accounts: double entry, so that their sum stays zero.
use super::payment::Payment;
use docket_proto::events::payment::Event;
use docket_proto::payments::events::v1::FeePart;

/// What the processor owes us.
const PROCESSOR_RECEIVABLE: &str = "processor_receivable";
/// Fees received.
const FEES_RECEIVED: &str = "fees_received";
/// What the processor holds because of disputes.
const DISPUTED: &str = "disputed";
/// Fees that were not honoured and are owed again.
const FEES_OWED: &str = "fees_owed";
/// Money that came or went and that nobody has explained yet.
const UNEXPLAINED: &str = "unexplained";
/// What the office lost: a bank took what had been given back.
const LOSSES: &str = "losses";

/// An amount that moves: credit the first account, debit the second.
pub type Moved = (&'static str, &'static str, i64);

/// What an event moves, with the payment as it stands after it. A late charge for a fee that is owed no more is no payment of what is owed.
pub fn postings(event: &Event, payment: &Payment) -> Vec<Moved> {
    let moved = match event {
        Event::PaymentOpened(_)
        | Event::PaymentWithdrawn(_)
        | Event::PaymentAttempted(_)
        | Event::FeeRefused(_)
        | Event::RefundStarted(_)
        | Event::PayerInvited(_) => vec![],
        Event::FeeSettled(settled) => vec![(FEES_RECEIVED, PROCESSOR_RECEIVABLE, settled.amount_cents)],
        Event::RefundIssued(issued) => vec![(PROCESSOR_RECEIVABLE, FEES_RECEIVED, issued.amount_cents)],
        Event::RefundFailed(failed) => {
            let came_back = if failed.was_issued { failed.amount_cents } else { 0 };
            vec![(FEES_RECEIVED, PROCESSOR_RECEIVABLE, came_back)]
        }
        Event::PaymentDisputed(disputed) => vec![(PROCESSOR_RECEIVABLE, DISPUTED, disputed.amount_cents)],
        Event::DisputeWon(won) => vec![(DISPUTED, PROCESSOR_RECEIVABLE, won.amount_cents)],
        Event::PaymentReturned(returned) => vec![(DISPUTED, FEES_OWED, returned.amount_cents)],
        Event::PaymentMadeGood(made_good) => {
            let cancelled =
                |share: &&FeePart| payment.part(&share.filing_id).is_some_and(|part| part.cancelled);
            let late = made_good.parts.iter().filter(cancelled).map(|share| share.amount_cents).sum();
            vec![
                (FEES_OWED, PROCESSOR_RECEIVABLE, made_good.amount_cents - late),
                (FEES_RECEIVED, PROCESSOR_RECEIVABLE, late),
            ]
        }
        Event::FeeCancelled(cancelled) => vec![(FEES_OWED, FEES_RECEIVED, cancelled.amount_cents)],
        Event::MoneyUnexplained(money) => vec![either(UNEXPLAINED, PROCESSOR_RECEIVABLE, money.amount_cents)],
        Event::MoneyExplained(money) => match money.how.as_str() {
            // The other of the two takes it out of the account.
            "offset" => vec![],
            "lost" => vec![either(LOSSES, UNEXPLAINED, money.amount_cents)],
            _ => vec![either(PROCESSOR_RECEIVABLE, UNEXPLAINED, money.amount_cents)],
        },
    };
    moved.into_iter().filter(|(_, _, cents)| *cents > 0).collect()
}

/// An amount that moves back when it is less than zero.
fn either(from: &'static str, to: &'static str, cents: i64) -> Moved {
    if cents < 0 { (to, from, cents.saturating_neg()) } else { (from, to, cents) }
}
