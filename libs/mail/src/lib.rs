//! The mail relay: how it is reached, and what its answers mean.

mod answer;
mod relay;

pub use answer::NotTaken;
pub use relay::{MailConfig, Relay};
