//! The testkit on real servers.
#![allow(clippy::unwrap_used, reason = "a helper of tests may panic as a test may")]

mod nats;
mod postgres;
