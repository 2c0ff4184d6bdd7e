//! The appending task's usual way: it remembers where the log ended, decides on that, and writes in one statement
//! which does nothing if the log has moved since.
//!
//! One round trip and one flush a group, as long as nobody else writes to this log. What the task does not
//! remember is looked up first; whoever is overtaken looks again, and then takes the head's lock (`commit`).

use std::collections::HashMap;

use docket_database::answered;
use jiff::Timestamp;
use sqlx::PgConnection;

use crate::doubt::Failure;
use crate::log::Core;
use crate::look::{End, look};
use crate::prepare::Prepared;
use crate::round::{Outcome, Round, StreamHead};
use crate::write::{Rows, write};
use crate::{Error, Expected};

/// Streams remembered at most; then all are forgotten and looked up again.
const REMEMBERED: usize = 65_536;

/// Where the log ended when this task last wrote or looked.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    end: Option<End>,
    streams: HashMap<String, StreamHead>,
}

impl Memory {
    /// Nothing is known any more: somebody else wrote, or it is not known who did.
    pub(crate) fn forget(&mut self) {
        self.end = None;
        self.streams.clear();
    }

    /// Remembers the end of a round that was committed, or that had nothing to write.
    pub(crate) fn keep(&mut self, round: Round) {
        let end = End {
            // Writing counts as one.
            commits: round.commits + i64::from(!round.commands.is_empty()),
            position: round.position.cast_signed(),
            recorded_at_us: round.recorded_at.as_microsecond(),
            closed: round.closed,
        };
        self.end = Some(end);
        if self.streams.len() + round.streams.len() > REMEMBERED {
            self.streams.clear();
        }
        self.streams.extend(
            round.streams.into_iter().map(|(name, head)| (name, StreamHead { touched: false, ..head })),
        );
    }

    /// A round from memory, with the streams that are taken to be new; none when it does not suffice.
    fn recall<'a>(
        &self,
        log: &'static str,
        now: Timestamp,
        group: &[&'a Prepared],
    ) -> Result<Option<(Round, Vec<&'a str>)>, Error> {
        let Some(end) = self.end else { return Ok(None) };
        let mut round = end.begin(log, now)?;
        let mut absent = Vec::new();
        for stream in group.iter().flat_map(|append| &append.streams) {
            let name = stream.stream.as_str();
            match self.streams.get(name) {
                Some(head) => {
                    if !round.streams.contains_key(name) {
                        round.streams.insert(name.to_owned(), head.clone());
                    }
                }
                None if stream.expected == Expected::Version(0) => absent.push(name),
                None if absent.contains(&name) => {}
                None => return Ok(None),
            }
        }
        Ok(Some((round, absent)))
    }
}

/// What came of a guess.
pub(crate) enum Guess {
    /// Everything is decided, and written where something was to be.
    Right(Vec<Outcome>, Round),
    /// Others write too: take the lock.
    Overtaken,
}

/// Decides and writes the group without a lock; nothing is written when it is overtaken.
pub(crate) async fn append_group(
    conn: &mut PgConnection,
    core: &Core,
    memory: &mut Memory,
    group: &[&Prepared],
) -> Result<Guess, Failure> {
    if let Some((mut round, absent)) = memory.recall(core.name, core.clock.now(), group)? {
        let outcomes = round.decide_all(group);
        // A refusal counts only against what the database says now: what is refused may have been done before.
        let refused = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Lost(_)));
        if !round.commands.is_empty() && !refused {
            match settle(conn, core, memory, group, outcomes, round, &absent).await? {
                Guess::Overtaken => {}
                right @ Guess::Right(..) => return Ok(right),
            }
        }
    }
    memory.forget();
    let mut round = answered(look(conn, core, group)).await?;
    let outcomes = round.decide_all(group);
    if round.commands.is_empty() {
        return Ok(Guess::Right(outcomes, round));
    }
    settle(conn, core, memory, group, outcomes, round, &[]).await
}

/// Writes what was decided. Only from here on anything can have been written: what fails before is surely not done.
async fn settle(
    conn: &mut PgConnection,
    core: &Core,
    memory: &mut Memory,
    group: &[&Prepared],
    outcomes: Vec<Outcome>,
    round: Round,
    absent: &[&str],
) -> Result<Guess, Failure> {
    // Whatever becomes of the statement, what was remembered no longer holds; a success is kept by the caller.
    memory.end = None;
    match answered(write(conn, core, &Rows::of(group, &outcomes, &round), &round, absent)).await {
        Ok(true) => Ok(Guess::Right(outcomes, round)),
        Ok(false) => Ok(Guess::Overtaken),
        Err(error) => Err(Failure::of_commit(error, outcomes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expected::{Any, Version};
    use crate::round::NewCommand;
    use crate::samples::{at, prepared, round};

    fn head(version: u64) -> StreamHead {
        StreamHead { version, link: [1; 32], first: 1, last: 10, touched: true }
    }

    /// What is remembered after a round in which `case-a` was written.
    fn memory() -> Memory {
        let mut ended = round();
        ended.streams.insert("case-a".to_owned(), head(3));
        ended.commands.push(NewCommand { append: 0, first: 10, last: 10 });
        let mut memory = Memory::default();
        memory.keep(ended);
        memory
    }

    fn names(round: &Round) -> Vec<&str> {
        round.streams.keys().map(String::as_str).collect()
    }

    #[test]
    fn a_round_goes_on_where_the_last_one_ended() {
        let (memory, append) = (memory(), prepared(1, &[("case-a", Version(3), 1)]));
        let (round, absent) = memory.recall("cases-0", at(), &[&append]).unwrap().unwrap();
        assert_eq!((round.commits, round.position, round.recorded_at), (5, 10, at()));
        assert_eq!((round.log, absent.len()), ("cases-0", 0));
        assert_eq!(round.streams["case-a"], StreamHead { touched: false, ..head(3) });
    }

    #[test]
    fn a_round_without_a_command_is_no_commit() {
        let mut memory = Memory::default();
        memory.keep(round());
        let (round, _) = memory.recall("cases-0", at(), &[]).unwrap().unwrap();
        assert_eq!(round.commits, 4);
    }

    #[test]
    fn what_is_not_remembered_is_looked_up_unless_it_should_be_new() {
        let memory = memory();
        let recall = |streams: &[(&str, Expected, usize)]| {
            let append = prepared(1, streams);
            let recalled = memory.recall("cases-0", at(), &[&append]).unwrap();
            recalled.map(|(round, absent)| {
                let absent: Vec<String> = absent.into_iter().map(str::to_owned).collect();
                (names(&round).len(), absent)
            })
        };
        assert_eq!(recall(&[("case-b", Version(2), 1)]), None, "of which nothing is known");
        assert_eq!(recall(&[("case-b", Any, 1)]), None);
        assert_eq!(recall(&[("case-b", Version(0), 1)]), Some((0, vec!["case-b".to_owned()])));
        assert_eq!(
            recall(&[("case-a", Any, 1), ("case-b", Version(0), 1)]),
            Some((1, vec!["case-b".to_owned()]))
        );
        // An append that makes a stream, and another that goes on with it.
        let (one, two) =
            (prepared(1, &[("case-b", Version(0), 1)]), prepared(2, &[("case-b", Version(1), 1)]));
        let (_, absent) = memory.recall("cases-0", at(), &[&one, &two]).unwrap().unwrap();
        assert_eq!(absent, ["case-b"]);
        assert!(memory.recall("cases-0", at(), &[&two, &one]).unwrap().is_none());
    }

    #[test]
    fn nothing_is_recalled_after_forgetting() {
        let mut memory = memory();
        memory.forget();
        assert!(memory.recall("cases-0", at(), &[]).unwrap().is_none());
        memory.keep(round());
        let append = prepared(1, &[("case-a", Version(3), 1)]);
        assert!(memory.recall("cases-0", at(), &[&append]).unwrap().is_none(), "the streams are gone too");
    }

    #[test]
    fn no_more_than_so_many_streams_are_remembered() {
        let mut memory = Memory::default();
        let with = |from: usize, count: usize| {
            let mut ended = round();
            ended.streams.extend((from..from + count).map(|n| (format!("case-{n}"), head(1))));
            ended
        };
        memory.keep(with(0, REMEMBERED - 1));
        memory.keep(with(REMEMBERED, 1));
        assert_eq!(memory.streams.len(), REMEMBERED, "just as many as fit");
        memory.keep(with(REMEMBERED + 1, 1));
        assert_eq!(memory.streams.len(), 1, "then all others are forgotten");
    }
}
