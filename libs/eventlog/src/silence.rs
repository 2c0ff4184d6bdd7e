//! A database that dies without a word: what it does not answer in time fails as if the connection were lost.
//!
//! A host without power sends nothing more, not even the end of its connections, and the driver asks for no sign of life:
//! whoever waits for such an answer would wait until the process is started again. What is waited for no longer is
//! dropped with its connection and never cancelled: where the host lives after all, it ends there as it would have
//! (L1), and only our side does not know how.

use std::io;
use std::time::Duration;

use tokio::time::timeout;

/// How long one answer is waited for. A second more than whoever is frozen with the head in hand keeps it (`commit`), so
/// that those behind are not given up before the database has ended it.
const SILENT: Duration = Duration::from_secs(16);

/// The answer, or a failure which passes, like that of a cut line.
pub(crate) async fn answered<T, E: From<sqlx::Error>>(
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    within(SILENT, asked).await
}

async fn within<T, E: From<sqlx::Error>>(
    limit: Duration,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let late = |_elapsed| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()).into());
    timeout(limit, asked).await.unwrap_or_else(late)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::Error;
    use crate::failure::{code, transient};

    #[tokio::test]
    async fn what_is_not_answered_is_a_failure_that_passes() {
        let late = within(Duration::from_millis(1), pending::<Result<(), Error>>()).await.unwrap_err();
        assert!(transient(&late), "{late:?}");
        assert_eq!(code(&late), "timed out");
    }

    #[tokio::test]
    async fn an_answer_is_given_on_as_it_is() {
        assert_eq!(answered(ready(Ok::<_, Error>(7))).await.unwrap(), 7);
        assert!(matches!(answered(ready(Err::<(), _>(Error::Erased))).await, Err(Error::Erased)));
    }
}
