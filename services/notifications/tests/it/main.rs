//! The notifications service through its gRPC port, on a real PostgreSQL, NATS, a log of cases and a mail server.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test where it cannot go on")]
#![expect(clippy::unnecessary_wraps, reason = "messages hold their parts as options")]

mod alerts;
mod crash;
mod events;
mod messages;
mod notices;
mod peers;
mod reminders;
mod texts;
mod world;
