//! Texts: where they go, the codes that prove that, their part of the ledger of deliveries, and the replies.

use docket_eventlog::Recorded;
use docket_kernel::{EventEnum as _, derived_id};
use jiff::Timestamp;
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::delivery::Delivery;
use crate::domain::NoticeEvent;

/// The channel of texts.
pub(crate) const SMS: &str = "sms";
/// The state of a text that waits. It is not that of a mail, since a replica from before there were texts mails whatever is queued.
pub(crate) const TO_TEXT: &str = "to_text";
/// How often a code may be typed.
pub(crate) const TRIES: i32 = 5;
/// The alert that brings the code to a number.
pub(crate) const CODE: &str = "text_code";
/// Those that answer a reply: texts ended, they begin again, who we are.
pub(crate) const ANSWERS: [&str; 3] = ["text_stopped", "text_started", "text_help"];

/// Whether an alert is one that somebody waits for with the phone in the hand: it goes at any hour, and counts for no day.
pub(crate) fn is_waited_for(alert: &str) -> bool {
    alert == CODE || ANSWERS.contains(&alert)
}

/// Whether an answer to a reply says what is so, where texts of the account go to its number now or do not.
pub(crate) fn says_what_is_so(answer: &str, is_on: bool) -> bool {
    let [stopped, started, _who_we_are] = ANSWERS;
    answer != if is_on { stopped } else { started }
}

/// Texts go to a number from now on.
pub(crate) async fn turn_on(
    tx: &mut PgConnection,
    account: Uuid,
    (number, key): (Uuid, &[u8]),
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO text_line (account_id, number_id, number_key, state) VALUES ($1, $2, $3, 'on')
         ON CONFLICT (account_id) DO UPDATE
         SET number_id = excluded.number_id, number_key = excluded.number_key, state = 'on', failures = 0",
    )
    .bind(account)
    .bind(number)
    .bind(key)
    .execute(tx)
    .await
    .map(drop)
}

/// A reply ended them, or begins them again.
pub(crate) async fn set_state(tx: &mut PgConnection, account: Uuid, state: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE text_line SET state = $2, failures = 0 WHERE account_id = $1")
        .bind(account)
        .bind(state)
        .execute(tx)
        .await
        .map(drop)
}

/// No texts go there any more, and no reply can begin them again. The codes are counted on: whoever takes a number away and gives it once
/// more waits for the next one as others do.
pub(crate) async fn turn_off(tx: &mut PgConnection, account: Uuid) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM text_line WHERE account_id = $1").bind(account).execute(tx).await.map(drop)
}

/// An account was erased: nothing here leads to its numbers.
pub(crate) async fn forget(tx: &mut PgConnection, account: Uuid) -> sqlx::Result<()> {
    turn_off(tx, account).await?;
    sqlx::query("DELETE FROM text_code WHERE account_id = $1").bind(account).execute(tx).await.map(drop)
}

/// To which number texts of an account go: none where they are off, where somebody said from that number that they want none, which may be
/// while its code is confirmed, or where a case of the person is protected (8 USC 1367), or may be.
pub(crate) async fn line_of(pool: &PgPool, account: Uuid, case: Option<Uuid>) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar(
        "SELECT number_id FROM text_line WHERE account_id = $1 AND state = 'on'
         AND NOT EXISTS (SELECT FROM text_refused WHERE text_refused.number_key = text_line.number_key)
         AND NOT EXISTS (SELECT FROM matter WHERE protected IS NOT FALSE AND (matter.account_id = $1 OR case_id = $2))",
    )
    .bind(account)
    .bind(case)
    .fetch_optional(pool)
    .await
}

/// Whether a case of the person is protected, or may be.
pub(crate) async fn is_protected(pool: &PgPool, account: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM matter WHERE protected IS NOT FALSE AND account_id = $1)")
        .bind(account)
        .fetch_one(pool)
        .await
}

/// Somebody said from a number that they want no texts there, for whatever account; asked for again, that is since the first time.
pub(crate) async fn refuse(tx: &mut PgConnection, key: &[u8], now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO text_refused (number_key, since_us) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(key)
        .bind(now.as_microsecond())
        .execute(tx)
        .await
        .map(drop)
}

/// They want them again.
pub(crate) async fn refuse_no_more(tx: &mut PgConnection, key: &[u8]) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM text_refused WHERE number_key = $1").bind(key).execute(tx).await.map(drop)
}

/// Whether somebody said from a number that they want no texts there.
pub(crate) async fn is_refused(executor: impl PgExecutor<'_>, key: &[u8]) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM text_refused WHERE number_key = $1)")
        .bind(key)
        .fetch_one(executor)
        .await
}

/// The accounts whose texts go, or went, to a number, by its keyed hash: a family may share a phone.
pub(crate) async fn accounts_of(tx: &mut PgConnection, key: &[u8]) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "SELECT account_id FROM text_line WHERE number_key = $1 ORDER BY account_id FOR UPDATE",
    )
    .bind(key)
    .fetch_all(tx)
    .await
}

/// One more text did not arrive; how many in a row that makes. None where texts are off already.
pub(crate) async fn did_not_arrive(tx: &mut PgConnection, account: Uuid) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "UPDATE text_line SET failures = failures + 1 WHERE account_id = $1 AND state = 'on' RETURNING failures",
    )
    .bind(account)
    .fetch_optional(tx)
    .await
}

/// A text arrived.
pub(crate) async fn arrived(tx: &mut PgConnection, account: Uuid) -> sqlx::Result<()> {
    sqlx::query("UPDATE text_line SET failures = 0 WHERE account_id = $1 AND failures > 0")
        .bind(account)
        .execute(tx)
        .await
        .map(drop)
}

/// A number that waits for its code.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Code {
    /// The keyed hash of the number.
    pub(crate) number_key: Vec<u8>,
    /// How often a code was typed.
    pub(crate) tries: i32,
}

/// How many codes went out since an instant, µs since the epoch, and when the last one did.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub(crate) struct Asked {
    /// For the account.
    pub(crate) by_account: i64,
    /// To the number, whoever asked.
    pub(crate) to_number: i64,
    /// When the last one of either went out, µs since the epoch; none when none did.
    pub(crate) last_us: Option<i64>,
}

/// The codes since an instant, µs since the epoch.
pub(crate) async fn asked_since(
    tx: &mut PgConnection,
    (account, key): (Uuid, &[u8]),
    since_us: i64,
) -> sqlx::Result<Asked> {
    sqlx::query_as(
        "SELECT count(*) FILTER (WHERE account_id = $1) AS by_account, count(*) FILTER (WHERE number_key = $2) AS to_number,
             max(asked_at_us) AS last_us
         FROM text_code WHERE (account_id = $1 OR number_key = $2) AND asked_at_us > $3",
    )
    .bind(account)
    .bind(key)
    .bind(since_us)
    .fetch_one(tx)
    .await
}

/// A code goes to a number; what was asked before an instant is forgotten.
pub(crate) async fn ask(
    tx: &mut PgConnection,
    (number, event): (Uuid, &Recorded),
    (account, key): (Uuid, &[u8]),
    (now_us, forget_before_us): (i64, i64),
) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM text_code WHERE asked_at_us < $1")
        .bind(forget_before_us)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO text_code (number_id, account_id, number_key, event_id, asked_at_us) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(number)
    .bind(account)
    .bind(key)
    .bind(event.event_id)
    .bind(now_us)
    .execute(tx)
    .await
    .map(drop)
}

/// The number to which a text with a code goes, by the event that it tells of, and whether somebody said from it that they want none.
pub(crate) async fn number_given_by(pool: &PgPool, event: Uuid) -> sqlx::Result<Option<(Uuid, bool)>> {
    sqlx::query_as(
        "SELECT number_id, EXISTS (SELECT FROM text_refused WHERE text_refused.number_key = text_code.number_key)
         FROM text_code WHERE event_id = $1",
    )
    .bind(event)
    .fetch_optional(pool)
    .await
}

/// The number to which texts of an account go or went until a reply ended them, and whether they go there.
pub(crate) async fn number_of(pool: &PgPool, account: Uuid) -> sqlx::Result<Option<(Uuid, bool)>> {
    sqlx::query_as(
        "SELECT number_id, state = 'on'
             AND NOT EXISTS (SELECT FROM text_refused WHERE text_refused.number_key = text_line.number_key)
         FROM text_line WHERE account_id = $1",
    )
    .bind(account)
    .fetch_optional(pool)
    .await
}

/// The code of a number.
pub(crate) async fn code(pool: &PgPool, number: Uuid) -> sqlx::Result<Option<Code>> {
    sqlx::query_as("SELECT number_key, tries FROM text_code WHERE number_id = $1")
        .bind(number)
        .fetch_optional(pool)
        .await
}

/// Counts a try of it before it is looked at; whether there was one left.
pub(crate) async fn charge(pool: &PgPool, number: Uuid) -> sqlx::Result<bool> {
    let charged = sqlx::query("UPDATE text_code SET tries = tries + 1 WHERE number_id = $1 AND tries < $2")
        .bind(number)
        .bind(TRIES)
        .execute(pool)
        .await?;
    Ok(charged.rows_affected() == 1)
}

/// Queues a text that tells `account` of an event about `case`, where texts are on; once for each.
pub(crate) async fn queue(
    tx: &mut PgConnection,
    event: &Recorded,
    (case, account): (Uuid, Uuid),
    alert: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    let notice = event.stream.id().filter(|_| event.stream.category() == NoticeEvent::CATEGORY);
    sqlx::query(
        "INSERT INTO delivery (delivery_id, about_event, correlation_id, account_id, channel, alert, state,
             next_at_us, changed_at_us, traceparent, case_id, notice_id)
         SELECT $1, $2, $3, account_id, 'sms', $5, $10, $6, $6, $7, $8, $9 FROM text_line
         WHERE account_id = $4 AND state = 'on'
         AND NOT EXISTS (SELECT FROM text_refused WHERE text_refused.number_key = text_line.number_key)
         AND NOT EXISTS (
             SELECT FROM matter WHERE protected IS NOT FALSE AND (matter.account_id = $4 OR case_id = $8))
         ON CONFLICT DO NOTHING",
    )
    .bind(derived_id(&format!("alert:{account}:{SMS}"), event.event_id, 0))
    .bind(event.event_id)
    .bind(event.metadata.correlation_id)
    .bind(account)
    .bind(alert)
    .bind(now.as_microsecond())
    .bind(&event.metadata.traceparent)
    .bind(case)
    .bind(notice)
    .bind(TO_TEXT)
    .execute(tx)
    .await
    .map(drop)
}

/// What a text answers that somebody waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    /// The event, or what stands for a question that is none.
    pub(crate) about: Uuid,
    /// The conversation.
    pub(crate) correlation_id: Uuid,
    /// Its trace, W3C `traceparent`.
    pub(crate) traceparent: &'a str,
}

impl<'a> Answered<'a> {
    /// An event.
    pub(crate) fn event(event: &'a Recorded) -> Self {
        let metadata = &event.metadata;
        Self {
            about: event.event_id,
            correlation_id: metadata.correlation_id,
            traceparent: &metadata.traceparent,
        }
    }
}

/// Queues a text that somebody waits for; once for each.
pub(crate) async fn queue_answer(
    tx: &mut PgConnection,
    to: Answered<'_>,
    account: Uuid,
    alert: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO delivery (delivery_id, about_event, correlation_id, account_id, channel, alert, state,
             next_at_us, changed_at_us, traceparent)
         VALUES ($1, $2, $3, $4, 'sms', $5, $8, $6, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(derived_id(&format!("alert:{account}:{SMS}"), to.about, 0))
    .bind(to.about)
    .bind(to.correlation_id)
    .bind(account)
    .bind(alert)
    .bind(now.as_microsecond())
    .bind(to.traceparent)
    .bind(TO_TEXT)
    .execute(tx)
    .await
    .map(drop)
}

/// Takes the text that has been due longest, and sets the instant of its next try before it is sent.
pub(crate) async fn take(pool: &PgPool, now: Timestamp, pauses_s: &[i64]) -> sqlx::Result<Option<Delivery>> {
    let in_micros: Vec<i64> = pauses_s.iter().map(|seconds| seconds * 1_000_000).collect();
    sqlx::query_as(
        "UPDATE delivery SET attempts = attempts + 1,
             next_at_us = $1 + ($2::bigint[])[least(attempts + 1, cardinality($2::bigint[]))]
         WHERE delivery_id = (
             SELECT delivery_id FROM delivery WHERE state = 'to_text' AND next_at_us <= $1
             ORDER BY next_at_us, delivery_id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING delivery_id, about_event, correlation_id, account_id, case_id, notice_id, channel, alert, attempts,
             traceparent, changed_at_us, again",
    )
    .bind(now.as_microsecond())
    .bind(in_micros)
    .fetch_optional(pool)
    .await
}

/// How many alerts about a case were handed to the carrier for an account since an instant, µs since the epoch.
pub(crate) async fn sent_since(
    pool: &PgPool,
    account: Uuid,
    case: Option<Uuid>,
    since_us: i64,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "SELECT count(*) FROM delivery WHERE account_id = $1 AND channel = 'sms' AND state <> 'to_text'
             AND case_id IS NOT DISTINCT FROM $2 AND changed_at_us >= $3 AND reason IN ('', 'undelivered') AND NOT alert = ANY ($4)",
    )
    .bind(account)
    .bind(case)
    .bind(since_us)
    .bind([&ANSWERS[..], &[CODE]].concat())
    .fetch_one(pool)
    .await
}

/// The carrier has it; it is asked what becomes of it from an instant on, µs since the epoch.
pub(crate) async fn has_carrier(
    tx: &mut PgConnection,
    delivery: Uuid,
    carrier_id: &str,
    next_look_us: i64,
) -> sqlx::Result<()> {
    sqlx::query("INSERT INTO text_sent (delivery_id, carrier_id, next_look_us) VALUES ($1, $2, $3)")
        .bind(delivery)
        .bind(carrier_id)
        .bind(next_look_us)
        .execute(tx)
        .await
        .map(drop)
}

/// A text of which the carrier is asked what became of it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Sent {
    /// Its delivery.
    pub(crate) delivery_id: Uuid,
    /// The carrier's id.
    pub(crate) carrier_id: String,
    /// How often it was asked, this time included.
    pub(crate) looks: i32,
}

/// Takes the one that has been due longest, and sets when the carrier is asked again.
pub(crate) async fn look(pool: &PgPool, now: Timestamp, pauses_s: &[i64]) -> sqlx::Result<Option<Sent>> {
    let in_micros: Vec<i64> = pauses_s.iter().map(|seconds| seconds * 1_000_000).collect();
    sqlx::query_as(
        "UPDATE text_sent SET looks = looks + 1,
             next_look_us = $1 + ($2::bigint[])[least(looks + 1, cardinality($2::bigint[]))]
         WHERE delivery_id = (
             SELECT delivery_id FROM text_sent WHERE next_look_us <= $1
             ORDER BY next_look_us, delivery_id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING delivery_id, carrier_id, looks",
    )
    .bind(now.as_microsecond())
    .bind(in_micros)
    .fetch_optional(pool)
    .await
}

/// What became of it is known, or will never be; whether it was waited for.
pub(crate) async fn looked(tx: &mut PgConnection, delivery: Uuid) -> sqlx::Result<bool> {
    let gone = sqlx::query("DELETE FROM text_sent WHERE delivery_id = $1").bind(delivery).execute(tx).await?;
    Ok(gone.rows_affected() == 1)
}

/// The delivery of a text.
pub(crate) async fn delivery(pool: &PgPool, delivery: Uuid) -> sqlx::Result<Option<Delivery>> {
    sqlx::query_as(
        "SELECT delivery_id, about_event, correlation_id, account_id, case_id, notice_id, channel, alert, attempts,
             traceparent, changed_at_us, again
         FROM delivery WHERE delivery_id = $1",
    )
    .bind(delivery)
    .fetch_optional(pool)
    .await
}

/// It did not arrive after all.
pub(crate) async fn undelivered(tx: &mut PgConnection, delivery: Uuid, reason: &str) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE delivery SET state = 'failed', reason = $2 WHERE delivery_id = $1 AND state = 'handed_over'",
    )
    .bind(delivery)
    .bind(reason)
    .execute(tx)
    .await
    .map(drop)
}

/// A reply is heard; whether for the first time.
pub(crate) async fn hear(tx: &mut PgConnection, carrier_id: &str, now: Timestamp) -> sqlx::Result<bool> {
    let heard = sqlx::query(
        "INSERT INTO text_reply (carrier_id, heard_at_us) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )
    .bind(carrier_id)
    .bind(now.as_microsecond())
    .execute(tx)
    .await?;
    Ok(heard.rows_affected() == 1)
}

/// Which of these replies were not heard yet.
pub(crate) async fn unheard(pool: &PgPool, carrier_ids: &[String]) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT id FROM unnest($1::text[]) AS given (id) WHERE NOT EXISTS (SELECT FROM text_reply WHERE carrier_id = id)",
    )
    .bind(carrier_ids)
    .fetch_all(pool)
    .await
}

/// Forgets the replies that were heard before an instant.
pub(crate) async fn forget_replies(pool: &PgPool, before: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM text_reply WHERE heard_at_us < $1")
        .bind(before.as_microsecond())
        .execute(pool)
        .await
        .map(drop)
}
