//! Carries events between services: the relay publishes a log, consumers apply it exactly once.
//!
//! The broker is disposable (one JetStream stream per log, its sequence is the log's position), so
//! nothing here trusts it: order is checked by position, gaps come from the log's owner, and what
//! was done is what the checkpoint in our own database says.
//!
//! Reading order: `broker`, `sessions`, `relay`, `subscriber`, then `consumer` with its parts, `feed`, `trace`.

mod broker;
mod consumer;
mod epochs;
mod error;
mod feed;
mod lock;
mod relay;
mod sessions;
mod subscriber;
mod trace;

pub use broker::{Broker, BrokerOptions, EPOCH, StreamStart};
pub use consumer::{
    Behind, Consumer, LANES, Parked, Patience, Redriven, Redriver, SeenBeyond, Skipped, accept_epoch, behind,
    parked, parked_of, seen_beyond, skip, skipped,
};
pub use epochs::{LogEpoch, log_epochs};
pub use error::Error;
pub use feed::{Feed, FeedClient, FeedHead};
pub use relay::{Compared, REFILL, Relay, compared};
pub use subscriber::{ApplyError, Subscriber};
pub use trace::{current_traceparent, link_or_continue, set_parent};

/// Cancelled when the process is asked to stop.
pub type Stop = tokio_util::sync::CancellationToken;
