//! A model of append, relay and checkpoint: every interleaving of writers, relays and consumers with faults.
//!
//! Each action stands for one atomic step of the real code, which its comment names; what happens between
//! two steps of a process is everything the others can do. Reading order: `rules` (what the code holds to),
//! `state`, `writer`, `appender`, `relay`, `consumer` (the steps), `properties` (L2, L3, L4, L6, L7), `world` (the
//! model put together), `tests` (the rules hold everything; without any one of them something breaks).
//!
//! Three worlds are explored to the end: three writers with two relays; two processes whose appending tasks guess beside
//! a transaction, with a relay; and one writer with two relays and two consumers; each with one fault on a path (two
//! where `DOCKET_PROOF` is set). All seven at once are more states than a test can
//! visit: they are walked at random, with two faults on a path.
//!
//! Not in it: sealing, parking, epochs and restored logs, and time. The advisory locks of relays and
//! consumers are not in it either: they spare work, and nothing may depend on them, since a frozen owner
//! loses its lock and goes on.
#![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

mod appender;
mod consumer;
mod properties;
mod relay;
mod rules;
mod state;
mod tests;
mod world;
mod writer;
