//! The case: its log with the commands on it, and the status projection that people read.

pub mod domain;
pub mod texts;
