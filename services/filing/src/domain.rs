//! What happens to a filing, its package, its representation and the responses in its case: pure `decide` and `evolve`.
//!
//! No clock, no database, no plaintext: instants, ids, hashes and the outcome of the form's rules come in with
//! the command, and answers are never part of a state (they stay sealed in the events).

pub mod at_hand;
pub mod attached;
pub mod filing;
pub mod keep;
pub mod name;
pub mod package;
pub mod practitioner;
pub mod remind;
pub mod representation;
pub mod response;
pub mod taken_off;

#[cfg(test)]
mod editors_tests;
#[cfg(test)]
mod filing_tests;
#[cfg(test)]
mod helper_tests;
#[cfg(test)]
mod invitation_tests;
#[cfg(test)]
mod laws_tests;
#[cfg(test)]
mod overtaken_tests;
#[cfg(test)]
mod response_tests;

pub use attached::Attached;

/// The ids of an event or a record, which were written by this service: a text that is no id gives none.
fn id(text: &str) -> uuid::Uuid {
    uuid::Uuid::try_parse(text).unwrap_or_default()
}
