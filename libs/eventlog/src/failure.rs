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
    let Error::Database(error) = error else { return false };
    passes(error)
}

/// Whether the database is away rather than saying no: what passes, and what ends with this process or with the
/// standby it is connected to, which only reads.
pub(crate) fn away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{PoolClosed, WorkerCrashed};
    passes(error)
        || matches!(error, PoolClosed | WorkerCrashed)
        || sqlstate(error).is_some_and(|code| code == "25006")
}

fn passes(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, PoolTimedOut, Protocol, Tls};
    // Connection lost, shutting down or starting, deadlock, serialization, out of room, idle too long.
    let passing = |code: &str| ["08", "57P", "40", "53", "25P03"].iter().any(|class| code.starts_with(class));
    matches!(error, Io(_) | Tls(_) | Protocol(_) | PoolTimedOut)
        || sqlstate(error).is_some_and(|code| passing(&code))
}

#[cfg(test)]
mod tests {
    use std::error::Error as StdError;
    use std::fmt;

    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// What a database answers, with a text that nobody may see.
    #[derive(Debug)]
    struct Answer(&'static str);

    impl fmt::Display for Answer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Key (name)=(Ana) exists")
        }
    }

    impl StdError for Answer {}

    impl DatabaseError for Answer {
        fn message(&self) -> &'static str {
            "Key (name)=(Ana) exists"
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    fn answer(code: &'static str) -> Error {
        sqlx::Error::Database(Box::new(Answer(code))).into()
    }

    #[test]
    fn what_passes_by_itself_is_tried_again_and_what_does_not_is_not() {
        // Lost, shutting down, starting, deadlock, serialization, disk full, too many sessions, idle too long.
        for passing in ["08006", "57P01", "57P03", "40P01", "40001", "53100", "53300", "25P03"] {
            assert!(transient(&answer(passing)), "{passing}");
        }
        // Constraint, data, statement, cancelled by somebody, a transaction already failed, no such database, no access.
        for lasting in ["23505", "22021", "42P01", "57014", "25P02", "3D000", "28000", "55000", "XX000"] {
            assert!(!transient(&answer(lasting)), "{lasting}");
        }
        // Also a database that does not answer (`docket_database::answered`).
        let io = |kind: std::io::ErrorKind| sqlx::Error::Io(kind.into());
        let (cut, silent) = (io(std::io::ErrorKind::ConnectionReset), io(std::io::ErrorKind::TimedOut));
        for passing in [cut, silent, sqlx::Error::PoolTimedOut, sqlx::Error::Protocol("cut".to_owned())] {
            assert!(transient(&passing.into()));
        }
        for lasting in [Error::from(sqlx::Error::RowNotFound), sqlx::Error::PoolClosed.into(), Error::Erased]
        {
            assert!(!transient(&lasting), "{lasting:?}");
        }
    }

    #[test]
    fn away_is_what_cannot_be_reached_and_not_what_says_no() {
        let closed = [sqlx::Error::PoolClosed, sqlx::Error::WorkerCrashed].map(Error::from);
        let kek = docket_vault::Error::KekAway("it does not answer".to_owned());
        let busy = [Error::Overloaded, Error::OutcomeUnknown, Error::Closed, kek.into()];
        let gone = ["08006", "57P01", "53300", "25006"].map(answer);
        for away in closed.into_iter().chain(busy).chain(gone) {
            assert!(away.is_away(), "{away:?}");
        }
        let vault = docket_vault::Error::Altered;
        let no = ["23505", "42P01", "25P02", "XX000"].map(answer);
        for no in no.into_iter().chain([Error::Erased, Error::Malformed("x"), vault.into()]) {
            assert!(!no.is_away(), "{no:?}");
        }
    }

    #[test]
    fn the_text_of_the_database_is_never_told() {
        assert_eq!(code(&answer("23505")), "23505");
        assert_eq!(code(&sqlx::Error::Io(std::io::ErrorKind::BrokenPipe.into()).into()), "broken pipe");
        assert_eq!(code(&sqlx::Error::RowNotFound.into()), "driver");
        assert_eq!(code(&Error::Overloaded), "too many appends are waiting");
    }
}
