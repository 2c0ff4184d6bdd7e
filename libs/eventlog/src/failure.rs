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
        let io = || sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        for passing in [io(), sqlx::Error::PoolTimedOut, sqlx::Error::Protocol("cut".to_owned())] {
            assert!(transient(&passing.into()));
        }
        for lasting in [Error::from(sqlx::Error::RowNotFound), sqlx::Error::PoolClosed.into(), Error::Erased]
        {
            assert!(!transient(&lasting), "{lasting:?}");
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
