//! Loopback ports: free ones, and whether one is free.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::TcpListener;

use crate::Error;
use crate::error::Doing;

/// Below the ports that systems hand to outgoing connections (from 32768 on Linux, 49152 on macOS): those come and go
/// between the choice of a port and its use.
const RANGE: std::ops::Range<u64> = 15_000..32_000;
const TRIES: u32 = 200;

/// A loopback port that is free now. Another process may take it before it is used: the server then fails to start.
///
/// # Errors
/// When no port is free.
pub fn free_port() -> Result<u16, Error> {
    for _ in 0..TRIES {
        // Every new state is keyed by chance.
        let chance = RandomState::new().build_hasher().finish();
        let port = RANGE.start + chance % (RANGE.end - RANGE.start);
        let port = u16::try_from(port).expect("the range is one of ports");
        if is_free(port) {
            return Ok(port);
        }
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).doing(|| "find a free port".to_owned())?;
    Ok(listener.local_addr().doing(|| "read the port".to_owned())?.port())
}

/// True when nobody listens on that loopback port.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
