//! Identity through its ports, on a real PostgreSQL and nats-server, with the sandbox's mail and register.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test has nothing better to do than to panic")]

mod address;
mod calls;
mod email_change;
mod erased;
mod erasure;
mod proofing;
mod registration;
mod release;
mod repetition;
mod roles;
mod sessions;
mod sign_in;
mod world;
