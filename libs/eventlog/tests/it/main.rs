//! The log on a real PostgreSQL: order, conflicts, repetition, force, tampering, erasure, lost commits.

#![expect(clippy::unwrap_used, reason = "a test has nothing better to do than to stop")]

mod append;
mod bounds;
mod cancelled;
mod chain;
mod checkpoints;
mod concurrency;
mod contract;
mod cuts;
mod doubt;
mod durable;
mod gaps;
mod logs;
mod meters;
mod outcome;
mod outside;
mod overtaken;
mod proxy;
mod queue;
mod reading;
mod restore;
mod rows;
mod sealing;
mod set_back;
mod silence;
mod store;
mod tampering;
mod verify;
mod world;
