//! Loopback ports: free ones, and whether one is free.

use std::net::TcpListener;

use crate::Error;
use crate::error::Doing;

/// A loopback port that is free now. Another process may take it before it is used: the server then fails to start.
///
/// # Errors
/// When no port is free.
pub fn free_port() -> Result<u16, Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).doing(|| "find a free port".to_owned())?;
    Ok(listener.local_addr().doing(|| "read the port".to_owned())?.port())
}

/// True when nobody listens on that loopback port.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
