//! Erasures that identity ordered: carried out by every service that holds keys, and answered with its certificate.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use docket_database::{WORK, answered, within};
use docket_eventlog::Recorded;
use docket_kernel::{DecodeError, EventEnum as _};
use docket_messaging::{ApplyError, FeedClient, Stop, Subscriber};
use docket_proto::events::subject::Event;
use docket_proto::identity::events::v1::SubjectErased;
use docket_proto::identity::v1 as pb;
use docket_proto::identity::v1::erasure_service_client::ErasureServiceClient;
use docket_vault::{Certificate, ErasureOrder, Error as VaultError, Vault};
use jiff::Timestamp;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{Base, Rounds, outgoing};

/// How often it is looked for orders that could not be answered: identity was away, or a hold is in force.
const LOOK: Duration = Duration::from_secs(10);

/// The log in which erasures are ordered.
pub(crate) const IDENTITY: &str = "identity";
/// Events of it read in one go.
const PAGE: u64 = 1_000;

/// Whether a service has keys whose destruction identity orders. Identity destroys its own before it gives the order.
pub(crate) fn answered_by(base: &Base) -> bool {
    base.name != IDENTITY && base.config.keys_database.is_some()
}

/// Writes orders down in the transaction of the checkpoint.
pub(crate) struct Erasures {
    pub(crate) come: Arc<Notify>,
}

#[async_trait]
impl Subscriber for Erasures {
    fn categories(&self) -> &'static [&'static str] {
        &["subject"]
    }

    fn rows_only(&self) -> bool {
        true
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let Some((request, order)) = ordered_by(event)? else { return Ok(()) };
        sqlx::query!(
            "INSERT INTO access.erasure (request, subject, reason, legal_basis, asked_by, asked_at_us, approved_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            request,
            order.subject,
            order.reason,
            order.legal_basis,
            order.asked_by,
            order.asked_at_us,
            order.approved_by
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn after_commit(&self, _event: &Recorded) {
        self.come.notify_one();
    }
}

/// What identity ordered with an event; none where it is of something else.
fn ordered_by(event: &Recorded) -> Result<Option<(Uuid, SubjectErased)>, DecodeError> {
    let (Some(request), Event::SubjectErased(order)) = (event.stream.id(), event.decode::<Event>()?) else {
        return Ok(None);
    };
    Ok(Some((request, order)))
}

/// Carries orders out and answers them, until the stop. What cannot be done now is tried again.
pub(crate) async fn run(base: Base, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(LOOK, "erasures wait").bounded_inside().woken_by(Arc::clone(&base.erased));
    while rounds.go_on(&stop).await {
        rounds.turn(answer_all(&base)).await;
    }
    Ok(())
}

async fn answer_all(base: &Base) -> anyhow::Result<()> {
    for (request, order) in answered(orders(&base.pool)).await? {
        // One that cannot be done keeps no other waiting: each is a person's.
        if let Err(error) = within(WORK, carry_out(base, order)).await {
            tracing::warn!(%request, error = format!("{error:#}"), "an ordered erasure waits");
        }
    }
    Ok(())
}

async fn carry_out(base: &Base, order: anyhow::Result<ErasureOrder>) -> anyhow::Result<()> {
    let order = order?;
    match base.vault.carry_out(&order).await {
        Ok(certificate) => answer(base, &order, certificate).await,
        Err(VaultError::Held { subject, reasons, .. }) => {
            let reasons = reasons.join(", ");
            tracing::warn!(%subject, request = %order.request, reasons, "an ordered erasure waits for a legal hold");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// The order is done with once identity has recorded the answer.
async fn answer(base: &Base, order: &ErasureOrder, certificate: Certificate) -> anyhow::Result<()> {
    let certificate = pb::Certificate {
        service: base.name.to_owned(),
        statement: certificate.statement,
        key_id: certificate.key_id,
        signature: certificate.signature.to_vec(),
    };
    let answer =
        pb::AnswerErasureRequest { request: order.request.to_string(), certificate: Some(certificate) };
    ErasureServiceClient::new(base.channel("identity")).answer_erasure(outgoing(answer)).await?;
    sqlx::query!("DELETE FROM access.erasure WHERE request = $1", order.request).execute(&base.pool).await?;
    tracing::info!(subject = %order.subject, request = %order.request, "an ordered erasure was carried out");
    Ok(())
}

/// What was ordered, by the request's id; a row that cannot be read is told as such.
async fn orders(pool: &PgPool) -> anyhow::Result<Vec<(Uuid, anyhow::Result<ErasureOrder>)>> {
    let rows = sqlx::query!(
        "SELECT request, subject, reason, legal_basis, asked_by, asked_at_us, approved_by
         FROM access.erasure ORDER BY request"
    )
    .fetch_all(pool)
    .await?;
    let ordered = rows.into_iter().map(|row| {
        let order = SubjectErased {
            subject: row.subject,
            reason: row.reason,
            legal_basis: row.legal_basis,
            asked_by: row.asked_by,
            asked_at_us: row.asked_at_us,
            approved_by: row.approved_by,
            ..SubjectErased::default()
        };
        (row.request, order_of(row.request, order))
    });
    Ok(ordered.collect())
}

fn order_of(request: Uuid, order: SubjectErased) -> anyhow::Result<ErasureOrder> {
    Ok(ErasureOrder {
        request,
        subject: order.subject.parse()?,
        reason: order.reason.parse()?,
        legal_basis: order.legal_basis.parse()?,
        asked_by: order.asked_by,
        asked_at: Timestamp::from_microsecond(order.asked_at_us)?,
        approved_by: order.approved_by,
    })
}

/// Destroys again whatever identity ever ordered to destroy and a restored backup of the keys brought back. Identity has the answer
/// of the first time.
///
/// # Errors
/// Identity or the keys away, or an order that cannot be read; it may be begun again.
pub(crate) async fn erase_again(vault: &Vault, feed: &FeedClient) -> anyhow::Result<String> {
    let end = feed.head(IDENTITY).await?.position;
    let (mut after, mut orders, mut again, mut kept) = (0, 0, 0, Vec::new());
    while after < end {
        let events = feed.read(IDENTITY, after, PAGE).await?;
        let Some(last) = events.last() else { break };
        after = last.position;
        for event in events.iter().filter(|event| event.stream.category() == Event::CATEGORY) {
            let Some((request, order)) = ordered_by(event)? else { continue };
            let order = order_of(request, order)?;
            orders += 1;
            let erased = vault.certificate(&order.subject).await?.is_some();
            match vault.carry_out(&order).await {
                Ok(_certificate) => again += u64::from(!erased),
                Err(VaultError::Held { subject, .. }) => kept.push(subject.to_string()),
                Err(error) => return Err(error).context(order.subject.to_string()),
            }
        }
    }
    let kept = if kept.is_empty() { "none".to_owned() } else { kept.join(", ") };
    Ok(format!(
        "{orders} erasures ordered by identity, {again} keys destroyed again; under a legal hold: {kept}"
    ))
}
