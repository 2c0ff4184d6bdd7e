//! What was written stays readable: golden files, versions of events, and what the contract may not lose.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod breaking;
#[path = "../../build/events.rs"]
mod generator;
mod goldens;
mod versions;

/// The messages of `tests/evolution`, where generated code looks for them.
mod sample {
    pub(crate) mod events {
        pub(crate) mod v1 {
            include!(concat!(env!("OUT_DIR"), "/sample/docket.sample.events.v1.rs"));
        }
    }
}
