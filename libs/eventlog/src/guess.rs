//! The appending task's usual way: it remembers where the log ended, decides on that, and writes in one statement
//! which does nothing if the log has moved since.
//!
//! One round trip and one flush a group, as long as nobody else writes to this log. What the task does not
//! remember is looked up first; whoever is overtaken looks again, and then takes the head's lock (`commit`).

use std::collections::HashMap;

use sqlx::PgConnection;

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
        core: &Core,
        group: &[&'a Prepared],
    ) -> Result<Option<(Round, Vec<&'a str>)>, Error> {
        let Some(end) = self.end else { return Ok(None) };
        let mut round = end.begin(core)?;
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
) -> Result<Guess, Error> {
    if let Some((mut round, absent)) = memory.recall(core, group)? {
        let outcomes = round.decide_all(group);
        // A refusal counts only against what the database says now.
        if !round.commands.is_empty() && settle(conn, core, memory, group, &outcomes, &round, &absent).await?
        {
            return Ok(Guess::Right(outcomes, round));
        }
    }
    memory.forget();
    let mut round = look(conn, core, group).await?;
    let outcomes = round.decide_all(group);
    if round.commands.is_empty() || settle(conn, core, memory, group, &outcomes, &round, &[]).await? {
        return Ok(Guess::Right(outcomes, round));
    }
    Ok(Guess::Overtaken)
}

async fn settle(
    conn: &mut PgConnection,
    core: &Core,
    memory: &mut Memory,
    group: &[&Prepared],
    outcomes: &[Outcome],
    round: &Round,
    absent: &[&str],
) -> Result<bool, Error> {
    // Whatever becomes of the statement, what was remembered no longer holds; a success is kept by the caller.
    memory.end = None;
    write(conn, core, &Rows::of(group, outcomes, round), round, absent).await
}
