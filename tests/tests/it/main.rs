//! The whole system from outside: the story, its trace, crashes in the middle of it, who may call what, who may depend on whom, who folds what, clients in other languages.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod access;
mod architecture;
mod clients;
mod crash;
mod evolution;
mod reasons;
mod reference;
mod rust_source;
mod story;
mod system;
mod trace;
