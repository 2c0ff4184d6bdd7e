//! The `docket` program: launcher, story player and client, over the public APIs only.
pub mod address;
pub mod cli;
pub mod client;
pub mod clock;
pub mod commands;
pub mod failure;
pub mod output;
pub mod story;
pub mod texts;
pub mod up;
pub mod upload;
