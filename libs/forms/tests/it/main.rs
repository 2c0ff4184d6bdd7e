//! The catalogue against its worked examples, and the language against its laws.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test where it cannot go on")]

mod catalogue;
mod checklist;
mod coverage;
mod definition;
mod editions;
mod evaluation;
mod examples;
mod faults;
mod guide;
mod guidelines;
mod language;
mod last_day;
mod lenses;
mod module;
mod naive;
mod normalise;
mod released;
mod search;
mod shared;
mod spanish;
mod support;
mod visas;
mod walks;
mod weaving;
