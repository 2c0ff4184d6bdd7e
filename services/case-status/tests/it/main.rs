//! Both services on real PostgreSQL and NATS, spoken to over their gRPC ports; other services' logs are real logs,
//! published by the real relay.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has nothing better to do")]

mod access;
mod card;
mod clocks;
mod corrections;
mod deadline;
mod holds;
mod inquiries;
mod intake;
mod linked;
mod office;
mod people;
mod projection;
mod rebuild;
mod reminders;
mod sight;
mod story;
mod threads;
mod unreached;
mod world;
