//! Identity through its ports, on a real PostgreSQL and nats-server, with the sandbox's mail and register.

mod proofing;
mod registration;
mod roles;
mod sessions;
mod sign_in;
mod world;
