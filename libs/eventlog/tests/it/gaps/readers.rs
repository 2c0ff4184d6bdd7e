//! Subscribers which read on while others write, and the judgement of what they saw.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::watch;
use tokio::time::sleep;
use uuid::Uuid;

use super::candidate::{Candidate, Seen, events_of, stream_of};
use super::writers::Fate;

/// Reads on from the last position it has seen, in pages of any size, until it has passed `end`.
pub(super) async fn follow<C: Candidate>(
    log: C,
    chance: u64,
    end: watch::Receiver<Option<u64>>,
) -> Vec<Seen> {
    let mut random = StdRng::seed_from_u64(chance);
    let mut seen: Vec<Seen> = Vec::new();
    loop {
        let last = seen.last().map_or(0, |event| event.position);
        if end.borrow().is_some_and(|end| last >= end) {
            return seen;
        }
        let next = log.read_after(last, random.random_range(1..=64)).await;
        if next.is_empty() {
            sleep(Duration::from_millis(2)).await;
        }
        seen.extend(next);
    }
}

/// What a subscriber saw.
pub(super) struct Followed {
    pub(super) seen: Vec<Seen>,
    /// The stream that it asked for; none for all.
    pub(super) only: Option<u128>,
}

/// What is wrong with a log; all zero when it is sound.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Faults {
    /// Events which a subscriber has passed without seeing them, summed over the subscribers.
    pub(super) skipped: usize,
    /// Events which a subscriber saw after one of a higher position.
    pub(super) out_of_order: usize,
    /// Events of another stream than a subscriber asked for.
    pub(super) strange: usize,
    /// Positions which nobody has.
    pub(super) holes: u64,
    /// Commands answered as done whose events are not there.
    pub(super) lost: usize,
    /// Commands answered as undone whose events are there.
    pub(super) ghosts: usize,
    /// Commands of which not all events are there, or more than all.
    pub(super) torn: usize,
}

/// Compares what is in the log at the end with what was read on the way and what the writers were told.
pub(super) fn judge(all: &[Seen], followed: &[Followed], fates: &HashMap<Uuid, Fate>) -> Faults {
    let mut by_command: HashMap<Uuid, usize> = HashMap::new();
    for event in all {
        *by_command.entry(event.command).or_default() += 1;
    }
    let mut faults = Faults::default();
    for Followed { seen, only } in followed {
        let positions: HashSet<u64> = seen.iter().map(|event| event.position).collect();
        let wanted = all.iter().filter(|event| only.is_none_or(|only| only == stream_of(event.command)));
        faults.skipped += wanted.filter(|event| !positions.contains(&event.position)).count();
        faults.strange +=
            seen.iter().filter(|e| only.is_some_and(|only| only != stream_of(e.command))).count();
        faults.out_of_order += seen.windows(2).filter(|pair| pair[0].position >= pair[1].position).count();
    }
    faults.holes = all.last().map_or(0, |last| last.position) - all.len() as u64;
    let said = |command: &Uuid| fates.get(command).copied().unwrap_or(Fate::Unknown);
    faults.lost =
        fates.iter().filter(|(c, fate)| **fate == Fate::Done && !by_command.contains_key(*c)).count();
    faults.ghosts = by_command.keys().filter(|command| said(command) == Fate::Undone).count();
    faults.torn = by_command.iter().filter(|(command, count)| **count != events_of(**command)).count();
    faults
}
