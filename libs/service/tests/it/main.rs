//! A server as the services build it, on a real PostgreSQL and a real nats-server.

mod auth;
mod bench;
mod config;
mod life;
mod objects;
