//! What was written stays readable: golden files of every event, and the laws which every fold of them obeys.

mod fold;
mod golden;
mod owner;
mod random;
mod vary;

pub use fold::Fold;
pub use golden::{FOLDER, Golden, add_missing, goldens, pool, unfilled};
pub use owner::owns;
pub use random::check;
