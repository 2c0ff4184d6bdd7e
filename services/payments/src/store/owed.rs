//! What the processor has not done yet is an obligation: a refund that began, an attempt whose outcome is not known. Whoever looks
//! after the office sees it once its day has passed.
use docket_eventlog::{Error, EventLog, Obligation, Recorded};
use docket_proto::events::payment::Event;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

/// The kind of a refund, by its id; the person was told that the money goes back.
const REFUND: &str = "refund";
/// A processor takes a refund at once, or has a reason of its own.
const REFUND_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// The kind of an attempt, by its id; while it is open nothing else can be tried.
const OUTCOME: &str = "charge_outcome";
/// A bank answers for a debit within some working days.
const OUTCOME_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Opens what events of a payment promise and closes what they end, in their transaction. Of a fee that is settled or made good
/// the event does not name the attempt: that is [`answered`].
///
/// # Errors
/// The log; an event that cannot be read.
pub async fn follow(log: &EventLog, tx: &mut PgConnection, events: &[Recorded]) -> Result<(), Error> {
    for recorded in events {
        let at = recorded.position;
        match recorded.decode()? {
            Event::PaymentAttempted(attempted) => {
                open(log, tx, OUTCOME, attempted.attempt_id, recorded.recorded_at + OUTCOME_WITHIN).await?;
            }
            Event::FeeRefused(refused) => close(log, tx, OUTCOME, &refused.attempt_id, at).await?,
            Event::RefundStarted(started) => {
                open(log, tx, REFUND, started.refund_id, recorded.recorded_at + REFUND_WITHIN).await?;
            }
            Event::RefundIssued(issued) => close(log, tx, REFUND, &issued.refund_id, at).await?,
            Event::PaymentOpened(_)
            | Event::PaymentWithdrawn(_)
            | Event::FeeSettled(_)
            | Event::PayerInvited(_)
            | Event::PaymentDisputed(_)
            | Event::DisputeWon(_)
            | Event::PaymentReturned(_)
            | Event::PaymentMadeGood(_)
            | Event::FeeCancelled(_) => {}
        }
    }
    Ok(())
}

/// The processor answered for an attempt, in the transaction of the events that say so.
///
/// # Errors
/// The log.
pub async fn answered(
    log: &EventLog,
    tx: &mut PgConnection,
    attempt: Uuid,
    events: &[Recorded],
) -> Result<(), Error> {
    let at = events.last().map_or(0, |recorded| recorded.position);
    close(log, tx, OUTCOME, &attempt.to_string(), at).await
}

/// Refunds are under way no more because their money is gone another way, in the transaction of the events that say so.
///
/// # Errors
/// The log.
pub async fn dropped(
    log: &EventLog,
    tx: &mut PgConnection,
    refunds: &[Uuid],
    events: &[Recorded],
) -> Result<(), Error> {
    let at = events.last().map_or(0, |recorded| recorded.position);
    for refund in refunds {
        close(log, tx, REFUND, &refund.to_string(), at).await?;
    }
    Ok(())
}

async fn open(
    log: &EventLog,
    tx: &mut PgConnection,
    kind: &str,
    key: String,
    due_at: Timestamp,
) -> Result<(), Error> {
    let obligation = Obligation { kind: kind.to_owned(), key, owner: "payments".to_owned(), due_at };
    log.obligations().open_in(tx, &obligation).await
}

async fn close(log: &EventLog, tx: &mut PgConnection, kind: &str, key: &str, at: u64) -> Result<(), Error> {
    log.obligations().close_in(tx, kind, key, at).await.map(drop)
}
