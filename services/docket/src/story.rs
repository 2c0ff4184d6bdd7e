//! Plays a story from a file through the public APIs and tells it as it happens.
mod act;
mod evidence;
mod file;
mod officer;
mod party;
pub mod people;
mod player;
mod see;
mod vars;

pub use party::appointment_kind;
pub use player::{Told, list, play};
