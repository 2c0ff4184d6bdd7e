//! Failures of the database: which pass by themselves, and what may be said of them.

use std::borrow::Cow;

use crate::Error;

/// What may be logged of a failure: never the database's text, which may hold values.
pub(crate) fn code(error: &Error) -> String {
    let Error::Database(error) = error else { return error.to_string() };
    if let sqlx::Error::Io(error) = error.as_ref() {
        return error.kind().to_string();
    }
    sqlstate(error).unwrap_or_else(|| "driver".to_owned())
}

fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).map(Cow::into_owned)
}

/// Whether the same may succeed a little later: the database is restarting, or a transaction was in the way.
pub(crate) fn transient(error: &Error) -> bool {
    use sqlx::Error::{Io, PoolTimedOut, Protocol, Tls};
    let Error::Database(error) = error else { return false };
    // Connection lost, shutting down or starting, deadlock, serialization, out of room, idle too long.
    let passing = |code: &str| ["08", "57P", "40", "53", "25P03"].iter().any(|class| code.starts_with(class));
    matches!(error.as_ref(), Io(_) | Tls(_) | Protocol(_) | PoolTimedOut)
        || sqlstate(error).is_some_and(|code| passing(&code))
}
