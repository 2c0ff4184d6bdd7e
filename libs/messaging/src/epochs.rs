//! The epochs of a log as its readers see them, and where an old history and the present one part.

use sqlx::PgPool;
use uuid::Uuid;

/// One epoch of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEpoch {
    /// 1, 2, 3 …
    pub number: u64,
    /// The first position written in it.
    pub from_position: u64,
    /// Its id; nil where it is not known. A log that is restored twice may give the same number twice.
    pub id: Uuid,
}

/// How the history somebody followed stands to the log's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It is the log's present one.
    Same,
    /// The log was restored since: both have the positions up to `common`, and nothing after it.
    Parted { common: u64 },
    /// The log does not know the epoch yet: it was restored, and its epoch not raised.
    Unknown,
}

impl LogEpoch {
    /// An epoch of which only number and id are known.
    pub(crate) fn known_as(number: u64, id: Option<Uuid>) -> Self {
        Self { number, from_position: 1, id: id.unwrap_or_default() }
    }

    /// Whether both are the same epoch, as far as can be told.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.number == other.number && (self.id == other.id || self.id.is_nil() || other.id.is_nil())
    }
}

/// How a history whose last epoch was `seen` stands to a log of these epochs (in order).
pub(crate) fn relation(seen: &LogEpoch, epochs: &[LogEpoch]) -> Relation {
    if epochs.last().is_none_or(|last| last.number < seen.number) {
        return Relation::Unknown;
    }
    let since = epochs.iter().filter(|epoch| epoch.number >= seen.number && !epoch.is(seen));
    match since.map(|epoch| epoch.from_position).min() {
        Some(from) => Relation::Parted { common: from.saturating_sub(1) },
        None => Relation::Same,
    }
}

impl From<docket_eventlog::Epoch> for LogEpoch {
    fn from(epoch: docket_eventlog::Epoch) -> Self {
        Self { number: epoch.number, from_position: epoch.from_position, id: epoch.id }
    }
}

/// All epochs of a log in its own database, in order; none before it was opened for the first time.
///
/// # Errors
/// The log's.
pub async fn log_epochs(pool: &PgPool, log: &str) -> Result<Vec<LogEpoch>, docket_eventlog::Error> {
    Ok(docket_eventlog::epochs(pool, log).await?.into_iter().map(Into::into).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(number: u64, from_position: u64, id: u128) -> LogEpoch {
        LogEpoch { number, from_position, id: Uuid::from_u128(id) }
    }

    #[track_caller]
    fn check(seen: &LogEpoch, epochs: &[LogEpoch], expected: Relation) {
        assert_eq!(relation(seen, epochs), expected);
    }

    #[test]
    fn histories_part_where_the_first_epoch_after_the_one_seen_begins() {
        let first = epoch(1, 1, 1);
        check(&first, std::slice::from_ref(&first), Relation::Same);
        check(&first, &[first.clone(), epoch(2, 101, 2)], Relation::Parted { common: 100 });
        // Restored twice, the second time further back.
        let twice = [first.clone(), epoch(2, 101, 2), epoch(3, 81, 3)];
        check(&first, &twice, Relation::Parted { common: 80 });
        check(&twice[1], &twice, Relation::Parted { common: 80 });
        check(&twice[2], &twice, Relation::Same);
    }

    #[test]
    fn an_epoch_of_the_same_number_and_another_id_is_another() {
        // The second restore took the row of the first raise away with it.
        let again = [epoch(1, 1, 1), epoch(2, 81, 9)];
        check(&epoch(2, 101, 2), &again, Relation::Parted { common: 80 });
        check(&LogEpoch::known_as(2, None), &again, Relation::Same);
    }

    #[test]
    fn an_epoch_the_log_has_not_reached_is_unknown() {
        check(&epoch(2, 101, 2), &[epoch(1, 1, 1)], Relation::Unknown);
        check(&epoch(1, 1, 1), &[], Relation::Unknown);
    }

    #[test]
    fn a_log_begun_anew_has_nothing_in_common() {
        check(&epoch(1, 1, 1), &[epoch(1, 1, 5)], Relation::Parted { common: 0 });
    }
}
