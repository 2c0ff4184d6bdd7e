//! A server as the services build it, on a real PostgreSQL and a real nats-server.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod auth;
mod bench;
mod bucket;
mod config;
mod epochs;
mod going_on;
mod keys;
mod life;
mod log_admin;
mod objects;
mod schema;
mod strangers;
mod token;
