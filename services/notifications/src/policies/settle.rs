//! What became of a delivery, in the log: one event beside its row, in one transaction.

use docket_eventlog::{Appended, Context, Error, Expected, StreamAppend, StreamName, Subjects};
use docket_kernel::{Actor, EventEnum as _, derived_id};
use docket_messaging::current_traceparent;
use docket_proto::events::delivery::Event;
use docket_proto::notifications::events::v1 as pb;
use docket_service::Base;
use sqlx::PgConnection;

use crate::store::delivery::{self, Delivery};
use crate::store::notice;

/// Settles a delivery that is queued; none where it no longer is.
///
/// # Errors
/// Those of the log.
pub(super) async fn settle(
    base: &Base,
    tx: &mut PgConnection,
    policy: &str,
    delivery: &Delivery,
    event: &Event,
) -> anyhow::Result<Option<Appended>> {
    let (state, reason) = match event {
        Event::DeliveryHandedOver(_) | Event::DeliveryConfirmed(_) => ("handed_over", ""),
        Event::DeliveryFailed(failed) => ("failed", failed.reason.as_str()),
    };
    if !delivery::settle(&mut *tx, delivery.delivery_id, (state, reason), base.clock.now()).await? {
        return Ok(None);
    }
    let said = delivery.again.unsigned_abs();
    let appended = append(base, tx, (policy, said), delivery, event).await?;
    metrics::counter!("docket_delivery_settled", "state" => state).increment(1);
    Ok(Some(appended))
}

/// Writes what became of a delivery, of which so many things were said before.
///
/// # Errors
/// Those of the log.
pub(super) async fn append(
    base: &Base,
    tx: &mut PgConnection,
    (policy, said): (&str, u32),
    delivery: &Delivery,
    event: &Event,
) -> Result<Appended, Error> {
    let context = Context {
        command_id: derived_id("settle_delivery", delivery.delivery_id, said),
        correlation_id: delivery.correlation_id,
        causation_id: Some(delivery.about_event),
        actor: Actor::machine(policy),
        on_behalf_of: None,
        auth_level: 0,
        traceparent: current_traceparent(),
        request: Vec::new(),
    };
    let stream = StreamName::of(Event::CATEGORY, delivery.delivery_id);
    // Each time it was queued before, it failed once.
    let version = Expected::Version(u64::from(said));
    let events = std::slice::from_ref(event);
    let append = context.append(&base.log, vec![StreamAppend::of(stream, version, Subjects::NONE, events)]);
    base.log.append_in(tx, append).await
}

/// It was handed over; to a carrier under its id, which a mail has not.
pub(super) fn handed_over(delivery: &Delivery, carrier_id: &str) -> Event {
    pb::DeliveryHandedOver {
        account_id: account(delivery),
        channel: delivery.channel.clone(),
        alert: delivery.alert.clone(),
        about_event: delivery.about_event.to_string(),
        case_id: case(delivery, None),
        notice_id: notice_id(delivery),
        carrier_id: carrier_id.to_owned(),
    }
    .into()
}

/// It does not arrive: who follows the log hears whom it did not reach, and of what it told.
///
/// # Errors
/// The database.
pub(super) async fn failed(base: &Base, delivery: &Delivery, reason: &str) -> anyhow::Result<Event> {
    let told_of = match delivery.notice_id {
        Some(id) => notice::find(&base.pool, id, delivery.account_id).await?,
        None => None,
    };
    let told_of = told_of.as_ref();
    let failed = pb::DeliveryFailed {
        account_id: account(delivery),
        channel: delivery.channel.clone(),
        reason: reason.to_owned(),
        alert: delivery.alert.clone(),
        about_event: delivery.about_event.to_string(),
        case_id: case(delivery, told_of),
        notice_id: notice_id(delivery),
        notice_kind: told_of.map(|row| row.notice_kind.clone()).unwrap_or_default(),
        opened: told_of.is_some_and(|row| row.opened),
    };
    Ok(failed.into())
}

/// The case that a mail is about; an invitation is about none.
fn case(delivery: &Delivery, told_of: Option<&notice::Row>) -> String {
    let case = told_of.map(|row| row.case_id).or(delivery.case_id);
    case.filter(|_| !delivery::is_invitation(&delivery.alert)).map(|id| id.to_string()).unwrap_or_default()
}

fn notice_id(delivery: &Delivery) -> String {
    delivery.notice_id.map(|id| id.to_string()).unwrap_or_default()
}

/// The account it went to; an invitation goes to none.
fn account(delivery: &Delivery) -> String {
    if delivery.account_id.is_nil() { String::new() } else { delivery.account_id.to_string() }
}
