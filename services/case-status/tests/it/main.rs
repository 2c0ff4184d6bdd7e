//! Both services on real PostgreSQL and NATS, spoken to over their gRPC ports; other services' logs are real logs,
//! published by the real relay.

mod access;
mod deadline;
mod intake;
mod people;
mod projection;
mod story;
mod world;
