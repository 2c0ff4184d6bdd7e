//! The catalogue against its worked examples, and the language against its laws.

mod catalogue;
mod evaluation;
mod examples;
mod faults;
mod language;
mod normalise;
mod support;
