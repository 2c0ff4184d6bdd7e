//! Relay and consumer on a real PostgreSQL and a real nats-server.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod bench;
mod canary;
mod capture;
mod consumer;
mod edges;
mod epochs;
mod faults;
mod fold;
mod overlap;
mod park;
mod patience;
mod process;
mod redelivery;
mod relay;
mod scan;
