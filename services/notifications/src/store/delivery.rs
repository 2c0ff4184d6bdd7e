//! The ledger of deliveries: one row for each event, account and channel, written before sending, settled after.

use docket_eventlog::Recorded;
use docket_kernel::{EventEnum as _, derived_id};
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::domain::NoticeEvent;

/// The channel of mail.
pub(crate) const EMAIL: &str = "email";

/// Why a mail did not arrive that came back from its address for good.
pub(crate) const BOUNCED: &str = "bounced";

/// The alert that asks somebody to sign a form, with a code; it goes to an address and to no account.
pub(crate) const INVITATION: &str = "asked_to_sign";

/// The same that asks somebody to file a form in a package.
pub(crate) const INVITATION_TO_FILE: &str = "asked_to_file";

/// Whether an alert is one of these two.
pub(crate) fn is_invitation(alert: &str) -> bool {
    alert == INVITATION || alert == INVITATION_TO_FILE
}

/// The alert that tells a client of the representative's withdrawal.
pub(crate) const WITHDREW: &str = "representative_withdrew";
/// The alert that tells whoever paid for somebody else that what was to go back to them did not arrive.
pub(crate) const PAYERS_REFUND_FAILED: &str = "payers_refund_failed";

/// An alert to be sent.
#[expect(clippy::struct_field_names, reason = "fields are named as the columns are")]
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Delivery {
    /// Its id: also that of the mail, so that a second copy can be told.
    pub(crate) delivery_id: Uuid,
    /// The event it tells of.
    pub(crate) about_event: Uuid,
    /// The conversation of that event.
    pub(crate) correlation_id: Uuid,
    /// To whom; nobody's for an invitation.
    pub(crate) account_id: Uuid,
    /// The case it is about; none for those from before it was kept. Of an invitation the filing or the package, which is no case yet.
    pub(crate) case_id: Option<Uuid>,
    /// The notice it tells of; none for what is no notice, and for those from before it was kept.
    pub(crate) notice_id: Option<Uuid>,
    /// By which way.
    pub(crate) channel: String,
    /// Kind of alert.
    pub(crate) alert: String,
    /// How often it was tried, this time included.
    pub(crate) attempts: i32,
    /// The trace of that event, W3C `traceparent`.
    pub(crate) traceparent: String,
    /// When it was queued, µs since the epoch: nothing changes it before it is settled.
    pub(crate) changed_at_us: i64,
    /// How often it was queued again after it had failed.
    pub(crate) again: i32,
}

/// A line of the ledger as people see it.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// By which way.
    pub(crate) channel: String,
    /// Kind of alert.
    pub(crate) alert: String,
    /// `queued`, `handed_over`, `failed`; `to_text` of a text that is queued.
    pub(crate) state: String,
    /// Last change, µs since the epoch.
    pub(crate) changed_at_us: i64,
}

/// Queues a mail that tells `account` of an event about `case`; once for each.
pub(crate) async fn queue_mail(
    tx: &mut PgConnection,
    event: &Recorded,
    (case, account): (Uuid, Uuid),
    alert: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    let id = derived_id(&format!("alert:{account}:{EMAIL}"), event.event_id, 0);
    queue(tx, (id, event), (Some(case), account), alert, now).await
}

/// Queues a mail that tells `account` of a draft, once for each occasion: what is filed together ends together, and of
/// all of it one mail tells.
pub(crate) async fn queue_about_draft(
    tx: &mut PgConnection,
    event: &Recorded,
    account: Uuid,
    (alert, occasion): (&str, &str),
    now: Timestamp,
) -> sqlx::Result<()> {
    let id = derived_id(&format!("alert:{alert}:{occasion}:{EMAIL}"), account, 0);
    queue(tx, (id, event), (None, account), alert, now).await
}

/// Queues the mail that asks somebody to sign a filing, or to file a form in a package; to which address, filing knows.
pub(crate) async fn queue_invitation(
    tx: &mut PgConnection,
    event: &Recorded,
    (alert, asks): (&str, Uuid),
    now: Timestamp,
) -> sqlx::Result<()> {
    let id = derived_id(&format!("alert:{alert}:{EMAIL}"), event.event_id, 0);
    queue(tx, (id, event), (Some(asks), Uuid::nil()), alert, now).await
}

/// Queues the mail that tells a client of the representative's withdrawal: one, in however many cases it was, whether the notice
/// of one comes first or what filing says, and where there is no case.
pub(crate) async fn queue_withdrawal(
    tx: &mut PgConnection,
    event: &Recorded,
    (client, representation): (Uuid, Uuid),
    now: Timestamp,
) -> sqlx::Result<()> {
    let occasion = representation.to_string();
    queue_about_draft(tx, event, client, (WITHDREW, &occasion), now).await
}

/// Queues a mail under its id; one that is queued, or another of the same event for the same account, is enough.
async fn queue(
    tx: &mut PgConnection,
    (id, event): (Uuid, &Recorded),
    (case, account): (Option<Uuid>, Uuid),
    alert: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    let notice = event.stream.id().filter(|_| event.stream.category() == NoticeEvent::CATEGORY);
    sqlx::query!(
        "INSERT INTO delivery (delivery_id, about_event, correlation_id, account_id, channel, alert, state,
             next_at_us, changed_at_us, traceparent, case_id, notice_id)
         VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        id,
        event.event_id,
        event.metadata.correlation_id,
        account,
        EMAIL,
        alert,
        now.as_microsecond(),
        event.metadata.traceparent,
        case as Option<Uuid>,
        notice as Option<Uuid>
    )
    .execute(tx)
    .await
    .map(drop)
}

/// Takes the delivery that has been due longest, and sets the instant of its next try before it is sent: whoever
/// crashes with it is followed by another, at the pace of the tries.
pub(crate) async fn take(pool: &PgPool, now: Timestamp, pauses_s: &[i64]) -> sqlx::Result<Option<Delivery>> {
    let in_micros: Vec<i64> = pauses_s.iter().map(|seconds| seconds * 1_000_000).collect();
    sqlx::query_as!(
        Delivery,
        "UPDATE delivery SET attempts = attempts + 1,
             next_at_us = $1 + ($2::bigint[])[least(attempts + 1, cardinality($2::bigint[]))]
         WHERE delivery_id = (
             SELECT delivery_id FROM delivery WHERE state = 'queued' AND channel = 'email' AND next_at_us <= $1
             ORDER BY next_at_us, delivery_id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING delivery_id, about_event, correlation_id, account_id, case_id, notice_id, channel, alert, attempts,
             traceparent, changed_at_us, again",
        now.as_microsecond(),
        &in_micros
    )
    .fetch_optional(pool)
    .await
}

/// Gives the try back which was none, and sets the next one.
pub(crate) async fn put_off(pool: &PgPool, delivery: Uuid, next_at: Timestamp) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE delivery SET attempts = attempts - 1, next_at_us = $2 WHERE delivery_id = $1
             AND state IN ('queued', 'to_text')",
        delivery,
        next_at.as_microsecond()
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Settles a delivery, in the transaction of the event that says so; whether it was open. `reason` is why it did not arrive, else
/// empty.
pub(crate) async fn settle(
    tx: &mut PgConnection,
    delivery: Uuid,
    (state, reason): (&str, &str),
    now: Timestamp,
) -> sqlx::Result<bool> {
    let settled = sqlx::query!(
        "UPDATE delivery SET state = $2, changed_at_us = $3, reason = $4 WHERE delivery_id = $1
             AND state IN ('queued', 'to_text')",
        delivery,
        state,
        now.as_microsecond(),
        reason
    )
    .execute(tx)
    .await?;
    Ok(settled.rows_affected() == 1)
}

/// When the last mail to the address of `account` came back, µs since the epoch; none when the last one was taken, or none was sent.
pub(crate) async fn returned(pool: &PgPool, account: Uuid) -> sqlx::Result<Option<i64>> {
    let last = sqlx::query!(
        "SELECT changed_at_us, reason FROM delivery
         WHERE account_id = $1 AND channel = 'email' AND (state = 'handed_over' OR reason = 'bounced')
         ORDER BY changed_at_us DESC, delivery_id DESC LIMIT 1",
        account
    )
    .fetch_optional(pool)
    .await?;
    Ok(last.filter(|last| last.reason == BOUNCED).map(|last| last.changed_at_us))
}

/// The account has another address. What waits for the one before is tried again at once; what did not arrive there and tells of a notice
/// that was not opened since is queued once more; and of the rest nothing is told of the new address.
pub(crate) async fn follow_address(tx: &mut PgConnection, account: Uuid, now: Timestamp) -> sqlx::Result<()> {
    let now_us = now.as_microsecond();
    // One try is left counted, since it may be under way and be given back.
    sqlx::query!(
        "UPDATE delivery SET next_at_us = $2, attempts = least(attempts, 1)
         WHERE account_id = $1 AND state = 'queued' AND channel = 'email'",
        account,
        now_us
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE delivery SET state = 'queued', reason = '', attempts = 0, again = again + 1, changed_at_us = $2, next_at_us = $2
         FROM notice WHERE notice.notice_id = delivery.notice_id AND notice.account_id = delivery.account_id AND NOT notice.opened
             AND delivery.account_id = $1 AND channel = 'email' AND state = 'failed' AND reason NOT IN ('acts_no_longer', 'no_contact')",
        account,
        now_us
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE delivery SET reason = 'left_address' WHERE account_id = $1 AND state = 'failed' AND reason = 'bounced'",
        account
    )
    .execute(tx)
    .await
    .map(drop)
}

/// Since when the oldest that is queued waits, µs since the epoch.
pub(crate) async fn oldest(pool: &PgPool) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar!(
        "SELECT min(changed_at_us) FROM delivery WHERE state = 'queued' AND channel = 'email'"
    )
    .fetch_one(pool)
    .await
}

/// What was sent to `account`, the last change first; but no codes: whoever asks for one to the phone of somebody else would learn what
/// became of it there.
pub(crate) async fn list(pool: &PgPool, account: Uuid, limit: u32) -> sqlx::Result<Vec<Line>> {
    sqlx::query_as!(
        Line,
        "SELECT channel, alert, state, changed_at_us FROM delivery WHERE account_id = $1 AND alert <> 'text_code'
         ORDER BY changed_at_us DESC, delivery_id DESC LIMIT $2",
        account,
        i64::from(limit)
    )
    .fetch_all(pool)
    .await
}
