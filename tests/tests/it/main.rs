//! The whole system from outside: the story, its trace, crashes in the middle of it, who may call what, who may depend on whom, who folds what.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod access;
mod architecture;
mod crash;
mod evolution;
mod reference;
mod story;
mod system;
mod trace;
