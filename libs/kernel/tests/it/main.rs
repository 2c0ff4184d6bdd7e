//! The kernel against its worked examples and the laws it promises.

mod calendar;
mod deadlines;
mod identifiers;
mod receipts;
