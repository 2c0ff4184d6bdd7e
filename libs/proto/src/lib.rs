//! Docket's messages and services, generated from `proto/`, the tables that follow from its options, and how files of them are read.
#![allow(clippy::all, clippy::pedantic, clippy::unwrap_used, reason = "generated code")]

mod generated {
    include!(concat!(env!("OUT_DIR"), "/docket.rs"));
}
pub use generated::docket::*;

pub mod export_file;
mod file_name;
mod upload_chunk;

/// Events by category: one enum each, with its kinds.
pub mod events {
    include!(concat!(env!("OUT_DIR"), "/events.rs"));
}

include!(concat!(env!("OUT_DIR"), "/personal.rs"));

/// How one method may be reached, as its `access` option says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodAccess {
    /// `/package.Service/Method`.
    pub path: &'static str,
    /// Anybody may call.
    pub open: bool,
    /// A person with an access token may call.
    pub person: bool,
    /// Another service may call, by its certificate.
    pub service: bool,
    /// Which services; none means all of ours.
    pub callers: &'static [&'static str],
    /// Asks for a second factor within the last ten minutes.
    pub step_up: bool,
    /// Answers with a stream.
    pub server_streaming: bool,
    /// Takes a stream.
    pub client_streaming: bool,
}

include!(concat!(env!("OUT_DIR"), "/access.rs"));

/// The encoded file descriptor set, for reflection and for tests that enumerate.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The access of a method by its path.
pub fn method_access(path: &str) -> Option<&'static MethodAccess> {
    METHODS.iter().find(|method| method.path == path)
}
