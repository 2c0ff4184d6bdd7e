//! The filing service through its gRPC port, on a real PostgreSQL, NATS and the sandbox's scanner.

mod access;
mod answers;
mod client;
mod copies;
mod drafts;
mod evidence;
mod files;
mod filing;
mod moved;
mod peers;
mod representation;
mod response;
mod unsolicited;
mod uploads;
mod world;
