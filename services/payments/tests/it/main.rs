//! The payments service through its gRPC port and its HTTPS face, on real PostgreSQL and NATS, with the sandbox as the
//! card processor. Other services' logs are real logs, published by real relays; money is counted at the processor.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has nothing better to do")]

mod access;
mod bank;
mod cards;
mod client;
mod disputes;
mod erased;
mod far_side;
mod invitations;
mod logs;
mod office;
mod once;
mod opening;
mod overtaken;
mod owed;
mod packages;
mod processors;
mod quotes;
mod refunds;
mod slow_list;
mod unexpected;
mod webhooks;
mod withdrawal;
mod world;
