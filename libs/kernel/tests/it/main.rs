//! The kernel against its worked examples and the laws it promises.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test where it cannot go on")]

mod calendar;
mod deadlines;
mod identifiers;
mod receipts;
