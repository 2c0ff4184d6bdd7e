//! Plays a story from a file through the public APIs and tells it as it happens.
pub mod act;
pub mod evidence;
pub mod file;
pub mod help;
pub mod inquire;
pub mod invite;
pub mod money;
pub mod office;
pub mod officer;
pub mod outage;
pub mod party;
pub mod people;
pub mod player;
pub mod represent;
pub mod role;
pub mod see;
pub mod texts;
pub mod time;
pub mod vars;

pub use act::Act;
pub use party::appointment_kind;
pub use player::{Player, Told, list, play};
