//! Where a relay goes on: what the stream holds, and whether that is the log's own history.

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::Stream;
use docket_eventlog::{EventLog, Recorded};

use super::Relay;
use crate::broker::{Broker, stream_epoch};
use crate::epochs::{Relation, relation};
use crate::lock::Lock;
use crate::{EPOCH, Error, LogEpoch, StreamStart, log_epochs};

/// What stands between the log and its readers.
enum Found {
    /// The log's history up to `last`.
    Ours { last: u64, epoch: u64 },
    /// Nothing: made new or wiped.
    Missing(StreamStart),
    /// The history of an epoch before the log was restored.
    Older { start: StreamStart, reason: String },
    /// Nothing yet, in a stream that was made before the log was first opened: it does not name the log's epoch.
    Unnamed(StreamStart),
    /// What the log should hold and does not.
    Strange(String),
}

impl Relay {
    /// The last position the stream holds, and the number of the log's epoch. A missing stream is made; an empty one that
    /// does not name its epoch is made again; one of an older epoch is replaced, which is loud.
    ///
    /// # Errors
    /// [`Error::Halted`] when the stream tells another history than the log.
    pub(super) async fn resume(&self, lock: &Lock) -> Result<(u64, u64), Error> {
        let found = match self.look().await? {
            // Somebody who was frozen may have looked with half of it from before: only two looks make a halt.
            Found::Strange(_) | Found::Older { .. } | Found::Unnamed(_) => {
                lock.check().await?;
                self.look().await?
            }
            found @ (Found::Ours { .. } | Found::Missing(_)) => found,
        };
        match found {
            Found::Ours { last, epoch } => {
                self.holds(last);
                Ok((last, epoch))
            }
            Found::Missing(start) => self.begin(&start).await,
            Found::Unnamed(start) => {
                tracing::info!(log = self.log.name(), "the stream is older than the log; it is made again");
                self.broker.delete_stream(self.log.name()).await?;
                self.begin(&start).await
            }
            Found::Older { start, reason } => {
                tracing::error!(
                    log = self.log.name(),
                    epoch = start.epoch.number,
                    reason,
                    "the log was restored to an earlier point: its stream is replaced"
                );
                metrics::counter!("docket_relay_streams_replaced_total", "log" => self.log.name())
                    .increment(1);
                self.broker.delete_stream(self.log.name()).await?;
                self.begin(&start).await
            }
            Found::Strange(reason) => Err(Error::Halted(reason)),
        }
    }

    /// Makes the stream, and starts the session again from what it then holds.
    async fn begin(&self, start: &StreamStart) -> Result<(u64, u64), Error> {
        self.broker.ensure_stream(self.log.name(), start).await?;
        match self.look().await? {
            Found::Ours { last, epoch } => {
                self.holds(last);
                Ok((last, epoch))
            }
            Found::Missing(_) | Found::Older { .. } | Found::Unnamed(_) | Found::Strange(_) => {
                Err(Error::Again("the stream changed while it was made"))
            }
        }
    }

    /// Compares the stream with the log. First the stream, then the log, which only grows: so what is read of the
    /// stream is never ahead of what is read of the log.
    async fn look(&self) -> Result<Found, Error> {
        let stream = self.broker.stream(self.log.name()).await?;
        let epochs = log_epochs(self.log.pool(), self.log.name()).await?;
        let head = self.log.head().await?.position;
        let start = StreamStart::new(&epochs, head, self.refill);
        let Some(stream) = stream else { return Ok(Found::Missing(start)) };
        let info = stream.cached_info();
        let last = info.state.last_sequence;
        let epoch = start.epoch.number;
        let theirs = stream_epoch(info).unwrap_or_else(|| LogEpoch::known_as(epoch, None));
        match relation(&theirs, &epochs) {
            Relation::Same => {}
            // Nobody raised an epoch: a log begun anew, or the wrong database.
            Relation::Parted { .. } if epoch == 1 => {
                return Ok(Found::Strange("the stream was filled from another log of this name".to_owned()));
            }
            Relation::Parted { common } => {
                let reason = format!(
                    "the stream is of epoch {} and ends at {last}, the log of epoch {epoch} has {common} in common with it",
                    theirs.number
                );
                return Ok(Found::Older { start, reason });
            }
            Relation::Unknown => {
                return Ok(Found::Strange(format!(
                    "the stream is of epoch {}, the log of epoch {epoch}: raise the log's epoch if it was restored",
                    theirs.number
                )));
            }
        }
        if info.state.messages > 0 {
            return self.compare_last(&stream, last, head, start).await;
        }
        Ok(if last > head {
            Found::Strange(ahead(last, head))
        } else if theirs.id.is_nil() && !start.epoch.id.is_nil() {
            Found::Unnamed(start)
        } else {
            Found::Ours { last, epoch }
        })
    }

    /// The stream's last message must be the log's event at that position.
    async fn compare_last(
        &self,
        stream: &Stream,
        position: u64,
        head: u64,
        start: StreamStart,
    ) -> Result<Found, Error> {
        let message = stream.direct_get(position).await.map_err(Error::broker)?;
        let epoch = start.epoch.number;
        if is_ours(&self.log, &message, position).await? {
            return Ok(Found::Ours { last: position, epoch });
        }
        let of: Option<u64> = message.headers.get(EPOCH).and_then(|epoch| epoch.as_str().parse().ok());
        if of.is_some_and(|of| of < epoch) {
            // Published by a relay that was frozen while the log was restored, and fitted by chance.
            let reason = format!("the message at {position} is of an older epoch");
            return Ok(Found::Older { start, reason });
        }
        Ok(Found::Strange(if position > head {
            ahead(position, head)
        } else {
            format!(
                "the stream holds another event than the log at {position}: was the log restored without a new epoch?"
            )
        }))
    }
}

/// Whether a message is the log's event at that position. Its link says so, not its id: a command that is repeated after
/// its first outcome was lost gives its events the same ids, and yet they may differ.
async fn is_ours(log: &EventLog, message: &StreamMessage, position: u64) -> Result<bool, Error> {
    let Ok(theirs) = Recorded::from_stored(&message.payload) else { return Ok(false) };
    let ours = log.read(position - 1, 1).await?;
    Ok(ours.first().is_some_and(|ours| (ours.event_id, ours.link) == (theirs.event_id, theirs.link)))
}

/// How a log and its stream stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// There is no stream, or it holds no position that the log has.
    Nothing,
    /// One goes on from the other's end.
    OneHistory,
    /// They tell one history up to this position, and part before either ends: events were written since the log was restored.
    PartedAfter(u64),
}

/// Compares a log with its stream, which tells what others saw of it.
///
/// # Errors
/// [`Error::Broker`]; the log's.
pub async fn compared(log: &EventLog, broker: &Broker) -> Result<Compared, Error> {
    let Some(stream) = broker.stream(log.name()).await? else { return Ok(Compared::Nothing) };
    let state = stream.cached_info().state.clone();
    let end = state.last_sequence.min(log.head().await?.position);
    if state.messages == 0 || end < state.first_sequence {
        return Ok(Compared::Nothing);
    }
    let same = async |position: u64| {
        let message = stream.direct_get(position).await.map_err(Error::broker)?;
        is_ours(log, &message, position).await
    };
    if same(end).await? {
        return Ok(Compared::OneHistory);
    }
    let (mut common, mut parted) = (state.first_sequence - 1, end);
    while parted - common > 1 {
        let middle = common.midpoint(parted);
        if same(middle).await? { common = middle } else { parted = middle }
    }
    Ok(Compared::PartedAfter(common))
}

fn ahead(last: u64, head: u64) -> String {
    format!("the stream ends at {last}, the log at {head}: the log was restored without a new epoch")
}
