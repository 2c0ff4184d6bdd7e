//! What the processor has not done yet is an obligation: a refund that began, or whose money came back; an attempt whose outcome is
//! not known. So is money that fits nothing, and a processor that took money and is not configured. Whoever looks after the office sees it once its day has passed.
use crate::domain::payment::Payment;
use crate::processors::{Processors, called};
use docket_eventlog::{Error, EventLog, Obligation, Recorded};
use docket_proto::events::payment::Event;
use jiff::{SignedDuration, Timestamp};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// The kind of a refund, by its id; the person was told that the money goes back.
const REFUND: &str = "refund";
/// A processor takes a refund at once, or has a reason of its own.
const REFUND_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// The kind of an attempt, by its id; while it is open nothing else can be tried.
const OUTCOME: &str = "charge_outcome";
/// A bank answers for a debit within some working days.
const OUTCOME_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The kind of money that fits nothing, by payment and the processor's reference: `<payment>/<reference>`, and with how often it came back
/// where it did.
pub const UNEXPLAINED: &str = "money_unexplained";
/// Finance looks within a day.
const UNEXPLAINED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// The kind of a processor that something was asked of and that is not configured: `<processor>/<its reference>`, and with how often it was
/// configured again since where it was.
const NOT_CONFIGURED: &str = "processor_not_configured";
/// Whoever runs the system looks within a day.
const NOT_CONFIGURED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// A processor that something was asked of, and where it has this reference, is not configured.
///
/// # Errors
/// The log.
pub async fn not_configured(
    log: &EventLog,
    tx: &mut PgConnection,
    (processor, reference): (&str, &str),
    now: Timestamp,
) -> Result<(), Error> {
    let own = format!("{}/{reference}", called(processor));
    // It may have been configured and taken away again: an obligation is opened once for ever.
    let before = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM log.obligation
         WHERE log = $1 AND kind = $2 AND (key = $3 OR starts_with(key, $3 || '/')) AND closed_by IS NOT NULL"#,
        log.name(),
        NOT_CONFIGURED,
        &own
    )
    .fetch_one(&mut *tx)
    .await?;
    let key = if before == 0 { own } else { format!("{own}/{before}") };
    open(log, tx, NOT_CONFIGURED, key, now + NOT_CONFIGURED_WITHIN).await
}

/// Ends those of processors that are configured again.
///
/// # Errors
/// The log.
pub async fn configured(log: &EventLog, pool: &PgPool, processors: &Processors) -> Result<(), Error> {
    let head = log.head().await?.position;
    for owed in log.obligations().open_of(NOT_CONFIGURED, u32::MAX).await? {
        let name = owed.key.split_once('/').map_or("", |(name, _)| name);
        if processors.named(name).is_some() {
            let mut tx = docket_database::begin(pool).await?;
            close(log, &mut tx, NOT_CONFIGURED, &owed.key, head).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// Opens what events of a payment promise and closes what they end, in their transaction. Of a fee that is settled or made good
/// the event does not name the attempt: that is [`answered`].
///
/// # Errors
/// The log; an event that cannot be read.
pub async fn follow(
    log: &EventLog,
    tx: &mut PgConnection,
    events: &[Recorded],
    payment: &Payment,
) -> Result<(), Error> {
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
            Event::RefundIssued(issued) => {
                for key in keys_of(payment, &issued.refund_id) {
                    close(log, tx, REFUND, &key, at).await?;
                }
            }
            // One that was never done is owed since it began.
            Event::RefundFailed(failed) => {
                for key in keys_of(payment, &failed.refund_id).into_iter().filter(|_| failed.was_issued) {
                    open(log, tx, REFUND, key, recorded.recorded_at + REFUND_WITHIN).await?;
                }
            }
            Event::MoneyUnexplained(money) => {
                for key in unexplained_keys(recorded, payment, &money.reference) {
                    open(log, tx, UNEXPLAINED, key, recorded.recorded_at + UNEXPLAINED_WITHIN).await?;
                }
            }
            Event::MoneyExplained(money) => {
                for key in unexplained_keys(recorded, payment, &money.reference) {
                    close(log, tx, UNEXPLAINED, &key, at).await?;
                }
            }
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

/// The keys under which something is or was owed: its own, and once more each time that its money came back.
fn keys(own: &str, came_back: u32) -> Vec<String> {
    let again = (1..=came_back).map(|nth| format!("{own}/{nth}"));
    std::iter::once(own.to_owned()).chain(again).collect()
}

fn keys_of(payment: &Payment, refund_id: &str) -> Vec<String> {
    let known = payment.refunds.iter().find(|refund| refund.refund_id == refund_id);
    keys(refund_id, known.map_or(0, |refund| refund.came_back))
}

fn unexplained_keys(recorded: &Recorded, payment: &Payment, reference: &str) -> Vec<String> {
    let own = format!("{}/{reference}", recorded.stream.id().unwrap_or_default());
    keys(&own, payment.unexplained.get(reference).map_or(0, |money| money.came_back))
}

/// The payment and the processor's reference of such a key.
pub fn unexplained_of(key: &str) -> Option<(Uuid, &str)> {
    let (payment, rest) = key.split_once('/')?;
    let reference = rest.split_once('/').map_or(rest, |(reference, _times)| reference);
    Some((Uuid::try_parse(payment).ok()?, reference))
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

/// Refunds, each with how often its money came back, are under way no more because their money is gone another way, in the transaction of the events that say so.
///
/// # Errors
/// The log.
pub async fn dropped(
    log: &EventLog,
    tx: &mut PgConnection,
    refunds: &[(Uuid, u32)],
    events: &[Recorded],
) -> Result<(), Error> {
    let at = events.last().map_or(0, |recorded| recorded.position);
    for (refund, came_back) in refunds {
        for key in keys(&refund.to_string(), *came_back) {
            close(log, tx, REFUND, &key, at).await?;
        }
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
