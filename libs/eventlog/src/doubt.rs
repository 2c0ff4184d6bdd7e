//! A commit that was not answered: what it may have written, and how that is found out for good.
//!
//! What was sent may be done, lost, or still on its way to the database. So before anybody is told anything the door is
//! closed on it: the head's count of commits is raised, on which each of our statements insists (`write`), and under
//! the head's lock, so that a transaction which held it has ended. What is there then is all that ever will be.

use sqlx::postgres::{PgDatabaseError, PgSeverity};
use sqlx::{Connection as _, PgConnection};

use crate::commit::lock;
use crate::log::Core;
use crate::look::look;
use crate::prepare::Prepared;
use crate::round::{Done, Outcome, Written};
use crate::{Appended, Error, Recorded, read};

/// Why an attempt to write a group did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing was written, for sure.
    Before(Error),
    /// The commit was sent and not answered.
    AtCommit(Error, Doubt),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Before(error)
    }
}

impl Failure {
    /// Of a statement that commits, or of the commit itself: only what the database refused was surely not done.
    pub(crate) fn of_commit(error: Error, outcomes: Vec<Outcome>) -> Self {
        if let Error::Database(cause) = &error
            && !refused(cause)
        {
            return Self::AtCommit(error, Doubt(outcomes));
        }
        Self::Before(error)
    }
}

/// An answer of the database that leaves its session as it was; what ends the session may come after the commit.
fn refused(cause: &sqlx::Error) -> bool {
    cause
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
        .is_some_and(|error| error.severity() == PgSeverity::Error)
}

/// What was decided of each append of a group whose commit was not answered.
#[derive(Debug)]
pub(crate) struct Doubt(Vec<Outcome>);

impl Doubt {
    /// Whether the append at this place of the group may have been written.
    pub(crate) fn of(&self, place: usize) -> bool {
        matches!(self.0.get(place), Some(Outcome::Written(_)))
    }

    /// Closes the door on what was sent, and gives the appends of the group it has written after all, as stored. Of the
    /// others nothing was written by it and nothing will be.
    pub(crate) async fn ask(
        &self,
        conn: &mut PgConnection,
        core: &Core,
        group: &[&Prepared],
    ) -> Result<Vec<Option<Appended>>, Error> {
        let mut tx = conn.begin().await?;
        lock(&mut tx, core).await?;
        sqlx::query_scalar!(
            "UPDATE log.head SET commits = commits + 1 WHERE log = $1 RETURNING position",
            core.name
        )
        .fetch_one(&mut *tx)
        .await?;
        let round = look(&mut tx, core, group).await?;
        tx.commit().await?;
        let mut found = Vec::with_capacity(group.len());
        for (append, outcome) in group.iter().zip(&self.0) {
            let done = round.known.get(&(append.actor.clone(), append.command_id));
            found.push(match (outcome, done) {
                (Outcome::Written(written), Some(done)) if may_be(append, written, done) => {
                    let (first, last) = (written.first, written.last);
                    let events = read::range(conn, core, first, last).await?;
                    is(written, &events).then_some(Appended { first, last, events, repeated: false })
                }
                (Outcome::Written(_) | Outcome::Repeated { .. } | Outcome::Lost(_), _) => None,
            });
        }
        Ok(found)
    }
}

fn may_be(append: &Prepared, written: &Written, done: &Done) -> bool {
    (done.first, done.last) == (written.first, written.last) && done.fingerprint == append.fingerprint
}

/// Whether these events are those that were to be written; another replica that was asked the same may have been quicker,
/// and its links differ. Without events neither can be told from the other, and need not be.
fn is(written: &Written, events: &[Recorded]) -> bool {
    events.iter().map(|event| event.link).eq(written.places.iter().map(|place| place.link))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::round::Place;
    use crate::samples::{prepared, recorded};

    fn written(links: &[u8]) -> Written {
        let places = links.iter().map(|link| Place { version: 7, link: [*link; 32] });
        Written { first: 11, last: 10 + links.len() as u64, places: places.collect() }
    }

    #[test]
    fn only_the_very_events_that_were_sent_are_taken_for_them() {
        let stored = |link: u8| Recorded { link: [link; 32], ..recorded() };
        assert!(is(&written(&[1, 2]), &[stored(1), stored(2)]));
        assert!(!is(&written(&[1, 2]), &[stored(1), stored(3)]));
        assert!(!is(&written(&[1, 2]), &[stored(1)]));
        assert!(!is(&written(&[]), &[stored(1)]));
        assert!(is(&written(&[]), &[]));
    }

    #[test]
    fn a_command_done_elsewhere_or_with_another_request_is_not_what_was_sent() {
        let (append, written) = (prepared(1, &[]), written(&[1, 2]));
        let done = |first, last, fingerprint: &[u8]| Done { fingerprint: fingerprint.to_vec(), first, last };
        assert!(may_be(&append, &written, &done(11, 12, &append.fingerprint)));
        assert!(!may_be(&append, &written, &done(10, 12, &append.fingerprint)));
        assert!(!may_be(&append, &written, &done(11, 13, &append.fingerprint)));
        assert!(!may_be(&append, &written, &done(11, 12, b"other")));
    }

    #[test]
    fn what_the_database_did_not_say_is_in_doubt_and_the_rest_is_not() {
        let at_commit = |error: Error| matches!(Failure::of_commit(error, Vec::new()), Failure::AtCommit(..));
        assert!(at_commit(sqlx::Error::Protocol("the line was cut".to_owned()).into()));
        assert!(at_commit(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()).into()));
        assert!(!at_commit(Error::Malformed("never sent")));
        let doubt = Doubt(vec![Outcome::Written(written(&[1])), Outcome::Repeated { first: 1, last: 1 }]);
        assert_eq!([0, 1, 2].map(|place| doubt.of(place)), [true, false, false]);
    }
}
