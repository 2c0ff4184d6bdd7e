//! Relay and consumer on a real PostgreSQL and a real nats-server.

mod bench;
mod consumer;
mod park;
mod relay;
