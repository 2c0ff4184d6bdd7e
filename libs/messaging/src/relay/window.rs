//! What was published and not acknowledged yet: bounded, and awaited in order.

use std::sync::atomic::{AtomicU64, Ordering};

use async_nats::jetstream::context::PublishAckFuture;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesOrdered;

use crate::Error;

/// Publications under way at a time.
const IN_FLIGHT: usize = 512;

/// The publications under way.
pub(super) struct Window<'a> {
    acks: FuturesOrdered<BoxFuture<'static, Result<u64, Error>>>,
    published: &'a AtomicU64,
}

impl<'a> Window<'a> {
    pub(super) fn new(published: &'a AtomicU64) -> Self {
        Self { acks: FuturesOrdered::new(), published }
    }

    /// Adds a publication.
    pub(super) fn sent(&mut self, position: u64, ack: PublishAckFuture) {
        self.acks.push_back(Box::pin(async move {
            // Refused with "wrong last sequence" when another relay was there, or the broker lost its last writes:
            // the next session looks what the stream holds.
            let ack = ack.await.map_err(Error::broker)?;
            if ack.sequence == position {
                Ok(position)
            } else {
                Err(Error::Halted(format!("position {position} became sequence {}", ack.sequence)))
            }
        }));
    }

    /// Takes the oldest acknowledgement; none when nothing is under way.
    pub(super) async fn next(&mut self) -> Option<Result<(), Error>> {
        let acknowledged = self.acks.next().await?;
        Some(acknowledged.map(|position| self.published.store(position, Ordering::Relaxed)))
    }

    /// Waits until one more may be sent.
    pub(super) async fn room(&mut self) -> Result<(), Error> {
        while self.acks.len() >= IN_FLIGHT {
            if let Some(acknowledged) = self.next().await {
                acknowledged?;
            }
        }
        Ok(())
    }

    /// Waits until the broker has them all.
    pub(super) async fn drain(&mut self) -> Result<(), Error> {
        while let Some(acknowledged) = self.next().await {
            acknowledged?;
        }
        Ok(())
    }
}
