//! The log on a real PostgreSQL: order, conflicts, repetition, force, tampering, erasure, lost commits.

mod append;
mod chain;
mod checkpoints;
mod concurrency;
mod outcome;
mod proxy;
mod rows;
mod sealing;
mod store;
mod tampering;
mod world;
