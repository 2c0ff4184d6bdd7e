//! The notifications service through its gRPC port, on a real PostgreSQL, NATS, a log of cases and a mail server.

mod alerts;
mod crash;
mod events;
mod messages;
mod notices;
mod peers;
mod world;
