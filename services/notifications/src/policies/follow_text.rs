//! When the carrier has a text, then it is asked what became of it, until it says so or a day has passed. Several in a row that did not
//! arrive end the texts to their number.

use docket_database::{WORK, answered, within};
use docket_proto::events::delivery::Event;
use docket_proto::notifications::events::v1 as pb;
use docket_service::{Again, Base, Rounds, Stop};

use super::end_texts::{End, EndTexts, failed as not_done};
use super::settle::{append, failed};
use crate::LOOK;
use crate::carrier::{Carrier, Standing};
use crate::store::delivery::Delivery;
use crate::store::text::{self, Sent};

/// Pauses between two looks, in seconds; after the last one nobody asks any more.
const PAUSES_S: [i64; 7] = [10, 60, 300, 1_800, 3_600, 14_400, 86_400];

/// Follows texts one after the other.
pub(crate) struct FollowTexts {
    pub(crate) base: Base,
    pub(crate) carrier: Carrier,
    pub(crate) ending: EndTexts,
}

impl FollowTexts {
    /// Asks until `stop`.
    pub(crate) async fn run(self, stop: Stop) -> anyhow::Result<()> {
        let mut rounds = Rounds::every(LOOK, "what became of texts cannot be asked").bounded_inside();
        while rounds.go_on(&stop).await {
            rounds.turn(self.next()).await;
        }
        Ok(())
    }

    async fn next(&self) -> anyhow::Result<Again> {
        let taken = answered(text::look(&self.base.pool, self.base.clock.now(), &PAUSES_S)).await?;
        let Some(sent) = taken else { return Ok(Again::Later) };
        let last = usize::try_from(sent.looks).unwrap_or_default() > PAUSES_S.len();
        match self.carrier.standing(&sent.carrier_id).await {
            Ok(Standing::UnderWay) if !last => {}
            Ok(standing) => within(WORK, self.settle(&sent, standing)).await?,
            Err(_) if last => within(WORK, self.settle(&sent, Standing::UnderWay)).await?,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::debug!(delivery.id = %sent.delivery_id, error, "the carrier does not say what became of a text");
            }
        }
        Ok(Again::AtOnce)
    }

    /// Says what became of a text, once.
    async fn settle(&self, sent: &Sent, standing: Standing) -> anyhow::Result<()> {
        let Some(delivery) = text::delivery(&self.base.pool, sent.delivery_id).await? else { return Ok(()) };
        let undelivered = failed(&self.base, &delivery, "undelivered").await?;
        let mut tx = docket_database::begin(&self.base.pool).await?;
        if !text::looked(&mut tx, sent.delivery_id).await? {
            return Ok(());
        }
        let said = (POLICY, delivery.again.unsigned_abs() + 1);
        let last = match standing {
            Standing::Delivered => {
                text::arrived(&mut tx, delivery.account_id).await?;
                let event = confirmed(&delivery, &sent.carrier_id);
                append(&self.base, &mut tx, said, &delivery, &event).await?.last
            }
            Standing::Failed => {
                text::undelivered(&mut tx, sent.delivery_id, "undelivered").await?;
                let appended = append(&self.base, &mut tx, said, &delivery, &undelivered).await?;
                let ended = self.ending.after(&mut tx, &delivery, End::NotArrived).await.map_err(not_done)?;
                ended.unwrap_or(appended.last)
            }
            Standing::UnderWay => return Ok(tx.commit().await?),
        };
        tx.commit().await?;
        let state = if standing == Standing::Delivered { "delivered" } else { "undelivered" };
        metrics::counter!("docket_text_settled", "state" => state).increment(1);
        self.ending.committed(last);
        Ok(())
    }
}

/// The name of it, in its events.
const POLICY: &str = "follow_text";

fn confirmed(delivery: &Delivery, carrier_id: &str) -> Event {
    pb::DeliveryConfirmed {
        account_id: delivery.account_id.to_string(),
        channel: delivery.channel.clone(),
        carrier_id: carrier_id.to_owned(),
    }
    .into()
}
