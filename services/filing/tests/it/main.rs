//! The filing service through its gRPC port, on a real PostgreSQL, NATS and the sandbox's scanner.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test where it cannot go on")]

mod access;
mod again;
mod answers;
mod appointed;
mod bucket;
mod clamd;
mod client;
mod copies;
mod corpus;
mod drafts;
mod editions;
mod evidence;
mod files;
mod filing;
mod held;
mod helpers;
mod keep;
mod load;
mod moved;
mod papers;
mod peers;
mod process;
mod recall;
mod remind;
mod representation;
mod response;
mod reuse;
mod scrub;
mod shared;
mod shelf;
mod tus;
mod unsolicited;
mod uploads;
mod views;
mod world;
