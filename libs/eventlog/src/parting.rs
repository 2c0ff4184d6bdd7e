//! Where a reader's history and the log's part: a log that is restored to an earlier point has other events at positions that
//! were read.

use docket_database::answered;
use uuid::Uuid;

use crate::{Error, EventLog};

/// The epoch which a reader of the log saw last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    number: u64,
    id: Uuid,
    from_position: u64,
}

/// Where a log ends, as a reader meets it.
#[derive(Debug, Clone, Copy)]
struct Met {
    end: u64,
    epoch: Seen,
    /// Where the first epoch begins that is not of the reader's history.
    parted_from: Option<u64>,
}

impl Met {
    /// The last position that a reader at `place`, who saw the epoch `seen`, can have in common with the log, where that is
    /// not all which was read. A log that does not know the epoch was restored to before it began, nobody knows how far.
    fn parted(&self, place: u64, seen: Option<Seen>) -> Option<u64> {
        let forgotten = seen.filter(|seen| seen.number > self.epoch.number).map(|seen| seen.from_position);
        let common = forgotten.into_iter().chain(self.parted_from).map(|from| from.saturating_sub(1)).min();
        let end = common.map_or(self.end, |common| common.min(self.end));
        (forgotten.is_some() || place > end).then_some(end)
    }
}

impl EventLog {
    /// Where the log ends, for a reader who has read up to `place`, and `seen` before this epoch or none; afterwards that
    /// of the log.
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::Restored`] when what was read is no longer the log's, and `seen` stays.
    pub(crate) async fn end_for(&self, place: u64, seen: &mut Option<Seen>) -> Result<u64, Error> {
        let met = self.meet(*seen).await?;
        if let Some(end) = met.parted(place, *seen) {
            return Err(Error::Restored { log: self.name(), place, end, epoch: met.epoch.number });
        }
        *seen = Some(met.epoch);
        Ok(met.end)
    }

    /// In one statement: a log is restored, raised and written to meanwhile.
    async fn meet(&self, seen: Option<Seen>) -> Result<Met, Error> {
        let row = sqlx::query!(
            r#"SELECT h.position, e.number AS "number!", e.id AS "id!", e.from_position AS "from_position!", (
                SELECT min(o.from_position) FROM log.epoch o
                WHERE o.log = h.log AND o.number >= $2 AND (o.number > $2 OR o.id <> $3)) AS parted_from
             FROM log.head h
             CROSS JOIN LATERAL (
                SELECT * FROM log.epoch WHERE log = h.log ORDER BY number DESC LIMIT 1) AS e
             WHERE h.log = $1"#,
            self.name(),
            // Who saw none yet has nothing to part from.
            seen.map_or(i64::MAX, |seen| seen.number.cast_signed()),
            seen.map_or(Uuid::nil(), |seen| seen.id)
        );
        let row = answered(row.fetch_optional(self.pool())).await?;
        let row = row.ok_or(Error::Malformed("a log without an epoch"))?;
        let (number, id, from_position) =
            (row.number.unsigned_abs(), row.id, row.from_position.unsigned_abs());
        Ok(Met {
            end: row.position.unsigned_abs(),
            epoch: Seen { number, id, from_position },
            parted_from: row.parted_from.map(i64::unsigned_abs),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(number: u64, from_position: u64) -> Seen {
        Seen { number, id: Uuid::from_u128(number.into()), from_position }
    }

    #[track_caller]
    fn check(met: &Met, place: u64, before: Option<Seen>, expected: Option<u64>) {
        assert_eq!(met.parted(place, before), expected);
    }

    #[test]
    fn a_reader_parts_from_a_log_that_has_no_longer_what_was_read() {
        let same = Met { end: 20, epoch: seen(1, 1), parted_from: None };
        for before in [None, Some(seen(1, 1))] {
            check(&same, 20, before, None);
            check(&same, 21, before, Some(20));
        }
        // Restored to 10, and written to since.
        let raised = Met { epoch: seen(2, 11), parted_from: Some(11), ..same };
        check(&raised, 10, Some(seen(1, 1)), None);
        check(&raised, 11, Some(seen(1, 1)), Some(10));
        // Further than the log goes by now.
        check(&Met { end: 10, ..raised }, 15, Some(seen(1, 1)), Some(10));
    }

    #[test]
    fn a_log_that_forgot_the_epoch_of_a_reader_may_part_anywhere() {
        let forgot = Met { end: 20, epoch: seen(1, 1), parted_from: None };
        check(&forgot, 5, Some(seen(2, 11)), Some(10));
        check(&Met { end: 7, ..forgot }, 5, Some(seen(2, 11)), Some(7));
    }
}
