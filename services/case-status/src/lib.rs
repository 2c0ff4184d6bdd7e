//! The case: its log with the commands on it (`command`), and the status projection that people read (`status`).
//!
//! Reading order: `domain` (pure rules), `relation` (who stands how to a case), `command`, `status`, `texts`.

mod aggregate;
pub mod command;
pub mod domain;
mod relation;
pub mod status;
pub mod texts;
