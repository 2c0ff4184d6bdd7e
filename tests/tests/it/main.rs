//! The whole system from outside: the story, its trace, crashes in the middle of it, what stands in the books afterwards and what must not, who may call what, who may depend on whom, who folds what, clients in other languages.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod access;
mod account;
mod architecture;
mod books;
mod clients;
mod crash;
mod drills;
mod endings;
mod evolution;
mod going_on;
mod invariants;
mod lifecycle;
mod new_form;
mod policies;
mod random;
mod reasons;
mod reference;
mod rust_source;
mod scan;
mod story;
mod system;
mod terminal;
mod trace;
