//! From the fold to what callers see.
use crate::domain::decline;
use crate::domain::payment::Payment;
use docket_eventlog::{EventLog, Opened, Recorded};
use docket_proto::payments::events::v1::{FeeQuoted, FeeSettled, PaymentMadeGood};
use docket_proto::payments::v1 as pb;
use docket_proto::types::v1::Money;
use docket_service::ApiError;
use prost::Message;
use uuid::Uuid;

fn usd(cents: i64) -> Money {
    Money { currency: "USD".to_owned(), cents }
}

/// A quote.
pub(super) fn quote(id: Uuid, quoted: Option<FeeQuoted>) -> Option<pb::Quote> {
    let quoted = quoted?;
    Some(pb::Quote {
        name: format!("quotes/{id}"),
        rows: quoted.rows,
        total: Some(usd(quoted.total_cents)),
        valid_until_us: quoted.valid_until_us,
    })
}

/// A payment.
pub(super) fn payment(id: Uuid, state: &Payment, quoted: Vec<FeeQuoted>) -> pb::Payment {
    let opened = state.last_opened().cloned().unwrap_or_default();
    let nothing_left = state.kept_cents() == 0 && state.due_cents() == 0;
    let all_issued = !state.refunds.is_empty() && state.refunds.iter().all(|refund| refund.issued);
    let refunded = nothing_left && all_issued;
    let shown = match (&state.settled, &state.pending) {
        _ if state.withdrawn.is_some() => pb::payment::State::Withdrawn,
        (Some(_), _) if refunded => pb::payment::State::Refunded,
        _ if state.cancelled() => pb::payment::State::Cancelled,
        (_, Some(_)) => pb::payment::State::Processing,
        (Some(_), None) if state.owed_cents() > 0 => pb::payment::State::Returned,
        (Some(_), None) if state.held_cents() > 0 => pb::payment::State::Disputed,
        (Some(_), None) => pb::payment::State::Settled,
        (None, None) => pb::payment::State::Open,
    };
    let settled = state.settled.clone().unwrap_or_default();
    pb::Payment {
        name: format!("payments/{id}"),
        state: shown.into(),
        amount: Some(usd(opened.amount_cents)),
        package_id: opened.package_id,
        rows: quoted.into_iter().flat_map(|quoted| quoted.rows).collect(),
        last_refusal: state.last_refusal.as_deref().map(decline::plainly).unwrap_or_default().to_owned(),
        card_brand: settled.card_brand,
        card_last4: String::new(),
        settled_at_us: settled.authorised_at_us,
        filing_ids: opened.filing_ids,
        due: Some(usd(state.due_cents())),
        refunded: Some(usd(state.refunded_cents())),
    }
}

/// Whether an event says that a card was charged.
fn charged(event: &Recorded) -> bool {
    matches!(event.kind.as_str(), "payment.fee_settled.v1" | "payment.made_good.v1")
}

/// The account that paid last: the attempt before the charge was its own.
pub(super) fn paid_by(events: &[Recorded]) -> Option<Uuid> {
    let charged = events.iter().rposition(charged)?;
    let attempted = events[..charged].iter().rfind(|event| event.kind == "payment.attempted.v1")?;
    attempted.metadata.actor.account_id()
}

/// The last four digits from the event that settled it or made it good last, opened; empty before, and after an erasure.
pub(super) async fn last4(log: &EventLog, events: &[Recorded]) -> Result<String, ApiError> {
    let Some(event) = events.iter().rfind(|event| charged(event)) else { return Ok(String::new()) };
    let Opened::Plain(bytes) = log.open_payload(event).await? else { return Ok(String::new()) };
    Ok(match event.kind.as_str() {
        "payment.made_good.v1" => {
            PaymentMadeGood::decode(bytes.as_slice()).map(|made_good| made_good.card_last4)
        }
        _ => FeeSettled::decode(bytes.as_slice()).map(|settled| settled.card_last4),
    }
    .unwrap_or_default())
}
