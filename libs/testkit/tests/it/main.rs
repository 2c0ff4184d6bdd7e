//! The testkit on real servers.

mod nats;
mod postgres;
