//! The testkit on real servers, and its laws of folds on folds that break them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod evolution;
mod nats;
mod postgres;
