//! The steps of a consumer: take messages in any order, close gaps, apply in lanes with the checkpoint.

use std::collections::VecDeque;

use crate::rules::Rule;
use crate::state::{STREAMS, State};
use crate::world::World;

/// A running session (`Consumer::session`), lost with its process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Session {
    /// The next position to hand out.
    next: u8,
    /// Up to where the lanes were told that nothing remains.
    passed: u8,
    lanes: [Lane; STREAMS],
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Lane {
    /// Where this consumer believes the checkpoint to be.
    at: u8,
    work: VecDeque<Work>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Work {
    /// An event, from the broker (then it is acknowledged afterwards) or from the log.
    Event { position: u8, from_broker: bool },
    /// Its effect is committed; only with [`Rule::CheckpointWithEffect`] broken.
    HalfDone { position: u8, from_broker: bool },
    /// To be acknowledged in its turn.
    Repeated(u8),
    /// Nothing of this lane remains up to here.
    Passed(u8),
}

/// A step of one consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// `checkpoint::load` at the start of `Consumer::session`.
    Open,
    /// The broker sends this sequence, for the first time or again (`Source::one`).
    Deliver(u8),
    /// `Order::catch_up`.
    CatchUp,
    /// `Order::pass`.
    Pass,
    /// What the lane does next (`Lane::run`), its transaction being one step, and the acknowledgement.
    Work { lane: usize, index: usize },
    /// Fault: the process ends after the commit and before the acknowledgement.
    WorkThenKilled { lane: usize },
    /// Fault: the process ends.
    Killed,
}

/// The steps a consumer can take now.
pub(crate) fn steps(world: &World, state: &State, consumer: usize) -> Vec<Step> {
    let Some(session) = &state.consumers[consumer] else {
        // Without a stream there is no session.
        return if state.broker.messages.is_empty() { vec![] } else { vec![Step::Open] };
    };
    let mut steps: Vec<Step> = (1..=state.broker.last())
        .filter(|sequence| {
            let first_time = *sequence == state.broker.delivered + 1;
            let again = state.broker.pending & (1 << sequence) != 0 && !session.holds(*sequence);
            first_time || again
        })
        .map(Step::Deliver)
        .collect();
    if world.keeps(Rule::CatchUp) && session.next <= state.broker.delivered {
        steps.push(Step::CatchUp);
    }
    if session.next - 1 > session.passed {
        steps.push(Step::Pass);
    }
    for (lane, Lane { work, .. }) in session.lanes.iter().enumerate() {
        let reach = if world.keeps(Rule::LaneInOrder) { 1 } else { work.len() };
        steps.extend((0..work.len().min(reach)).map(|index| Step::Work { lane, index }));
        if state.faults > 0 && matches!(work.front(), Some(Work::Event { from_broker: true, .. })) {
            steps.push(Step::WorkThenKilled { lane });
        }
    }
    if state.faults > 0 {
        steps.push(Step::Killed);
    }
    steps
}

/// Takes a step.
pub(crate) fn take(world: &World, state: &mut State, consumer: usize, step: Step) {
    let mut session = state.consumers[consumer].take();
    match (step, &mut session) {
        (Step::Open, _) => session = Some(Session::open(state)),
        (Step::Deliver(sequence), Some(session)) => session.deliver(world, state, sequence),
        (Step::CatchUp, Some(session)) => session.fill(state, state.broker.delivered),
        (Step::Pass, Some(session)) => session.pass(world, state),
        (Step::Work { lane, index }, Some(session)) => {
            if let Some(sequence) = session.lanes[lane].work(world, state, lane, index) {
                state.broker.acknowledge(sequence);
            }
        }
        (Step::WorkThenKilled { lane }, Some(running)) => {
            running.lanes[lane].work(world, state, lane, 0);
            session = None;
            state.faults -= 1;
        }
        (_, _) => {
            session = None;
            state.faults -= 1;
        }
    }
    state.consumers[consumer] = session;
}

impl Session {
    fn open(state: &State) -> Self {
        let checkpoints = state.database.checkpoints;
        let lanes = checkpoints.map(|at| Lane { at, work: VecDeque::new() });
        let next = checkpoints.iter().min().map_or(1, |least| least + 1);
        Self { next, passed: 0, lanes }
    }

    /// Whether the acknowledgement of this sequence is already due here.
    fn holds(&self, sequence: u8) -> bool {
        self.lanes.iter().flat_map(|lane| &lane.work).any(|work| match work {
            Work::Event { position, from_broker } | Work::HalfDone { position, from_broker } => {
                *from_broker && *position == sequence
            }
            Work::Repeated(position) => *position == sequence,
            Work::Passed(_) => false,
        })
    }

    fn deliver(&mut self, world: &World, state: &mut State, sequence: u8) {
        state.broker.delivered = state.broker.delivered.max(sequence);
        state.broker.pending |= 1 << sequence;
        let event = state.broker.messages[usize::from(sequence) - 1];
        let lane = usize::from(event.stream);
        if event.position < self.next && world.keeps(Rule::OldIgnored) {
            self.lanes[lane].work.push_back(Work::Repeated(sequence));
            return;
        }
        if world.keeps(Rule::GapsFilled) {
            self.fill(state, event.position - 1);
        }
        self.hand(lane, event.position, true);
    }

    /// Hands out what is missing up to `last` from the owner's log.
    fn fill(&mut self, state: &State, last: u8) {
        while self.next <= last {
            let Some(event) = state.database.at(self.next) else { return };
            self.hand(usize::from(event.stream), event.position, false);
        }
    }

    fn hand(&mut self, lane: usize, position: u8, from_broker: bool) {
        self.lanes[lane].work.push_back(Work::Event { position, from_broker });
        self.next = self.next.max(position + 1);
    }

    fn pass(&mut self, world: &World, state: &mut State) {
        self.passed = self.next - 1;
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            if world.keeps(Rule::PassInTurn) {
                lane.work.push_back(Work::Passed(self.passed));
            } else {
                lane.advance(world, state, number, self.passed);
            }
        }
    }
}

impl Lane {
    /// Works on one thing; gives the sequence to be acknowledged now.
    fn work(&mut self, world: &World, state: &mut State, number: usize, index: usize) -> Option<u8> {
        match self.work[index] {
            Work::Event { position, from_broker } => {
                if world.keeps(Rule::OldIgnored) && position <= self.at {
                    return self.done(index, from_broker.then_some(position));
                }
                self.once(world, state, number, index, position, from_broker)
            }
            Work::HalfDone { position, from_broker } => {
                self.advance(world, state, number, position);
                self.done(index, from_broker.then_some(position))
            }
            Work::Repeated(sequence) => self.done(index, Some(sequence)),
            Work::Passed(position) => {
                if position > self.at {
                    self.advance(world, state, number, position);
                }
                self.done(index, None)
            }
        }
    }

    /// `Lane::once`: checkpoint and effect in one transaction.
    fn once(
        &mut self,
        world: &World,
        state: &mut State,
        number: usize,
        index: usize,
        position: u8,
        from_broker: bool,
    ) -> Option<u8> {
        if !world.keeps(Rule::CheckpointWithEffect) {
            if state.database.checkpoints[number] == self.at {
                state.database.effects[number].push(position);
            }
            self.work[index] = Work::HalfDone { position, from_broker };
            return None;
        }
        if self.advance(world, state, number, position) {
            state.database.effects[number].push(position);
            return self.done(index, from_broker.then_some(position));
        }
        if position <= self.at {
            return self.done(index, from_broker.then_some(position));
        }
        // `ApplyError::Retry`: it stays, and is tried from the checkpoint found.
        None
    }

    /// `checkpoint::advance`: whether it moved from where we believed it to be; else we learn where it is.
    fn advance(&mut self, world: &World, state: &mut State, number: usize, to: u8) -> bool {
        let checkpoint = &mut state.database.checkpoints[number];
        if world.keeps(Rule::CompareAndSet) && *checkpoint != self.at {
            self.at = *checkpoint;
            return false;
        }
        *checkpoint = to;
        self.at = to;
        true
    }

    fn done(&mut self, index: usize, acknowledge: Option<u8>) -> Option<u8> {
        self.work.remove(index);
        acknowledge
    }
}
