//! The model put together: who there is, what can happen, what came of it.

use stateright::{Model, Property};

use crate::appender::Memory;
use crate::rules::Rule;
use crate::state::{Broker, Database, Orphan, State};
use crate::writer::{Command, Writer};
use crate::{consumer, properties, relay, writer};

/// What is explored.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// One writer for each.
    pub(crate) commands: Vec<Command>,
    pub(crate) relays: usize,
    pub(crate) consumers: usize,
    /// How many faults may happen on one path.
    pub(crate) faults: u8,
    /// The rule that is not kept.
    pub(crate) broken: Option<Rule>,
}

impl World {
    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }

    /// How many processes have an appending task.
    fn processes(&self) -> usize {
        self.commands.iter().filter_map(|command| command.process).max().map_or(0, |last| last + 1)
    }

    pub(crate) fn command(&self, id: u8) -> Command {
        self.commands[usize::from(id)]
    }
}

/// One step of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Writer(usize, writer::Step),
    /// What was sent to the database on a cut connection arrives, or never does.
    EndOrphan {
        arrives: bool,
    },
    Relay(usize, relay::Step),
    Consumer(usize, consumer::Step),
    /// A publication of a relay that was cut off arrives, or never does.
    EndPublication {
        arrives: bool,
    },
    /// Fault: the broker stops and comes back with older files.
    LoseTail {
        keep: u8,
        consumer_too: bool,
    },
}

impl Action {
    pub(crate) fn is_fault(&self) -> bool {
        match self {
            Self::Writer(_, step) => step.is_fault(),
            Self::Relay(_, step) => matches!(step, relay::Step::Killed | relay::Step::PublishCut),
            Self::Consumer(_, step) => {
                matches!(step, consumer::Step::Killed | consumer::Step::WorkThenKilled { .. })
            }
            Self::LoseTail { .. } => true,
            Self::EndOrphan { .. } | Self::EndPublication { .. } => false,
        }
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            database: Database::default(),
            broker: Broker::default(),
            writers: self.commands.iter().map(|_| Writer::new()).collect(),
            orphan: None,
            memories: vec![Memory::default(); self.processes()],
            relays: vec![relay::Relay::Fresh; self.relays],
            consumers: vec![None; self.consumers],
            faults: self.faults,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for writer in 0..self.commands.len() {
            let steps = writer::steps(self, state, writer);
            actions.extend(steps.into_iter().map(|step| Action::Writer(writer, step)));
        }
        if let Some(orphan) = &state.orphan {
            // A statement waits for whoever holds the head.
            let arrives = matches!(orphan, Orphan::Transaction(..)) || !state.head_is_locked();
            actions.extend(arrives.then_some(Action::EndOrphan { arrives }));
            actions.push(Action::EndOrphan { arrives: false });
        }
        if state.broker.on_its_way.is_some() {
            actions.extend([true, false].map(|arrives| Action::EndPublication { arrives }));
        }
        for relay in 0..self.relays {
            let steps = relay::steps(self, state, relay);
            actions.extend(steps.into_iter().map(|step| Action::Relay(relay, step)));
        }
        for consumer in 0..self.consumers {
            let steps = consumer::steps(self, state, consumer);
            actions.extend(steps.into_iter().map(|step| Action::Consumer(consumer, step)));
        }
        if state.faults > 0 {
            let kept = (0..state.broker.last()).flat_map(|keep| [(keep, true), (keep, false)]);
            actions.extend(kept.map(|(keep, consumer_too)| Action::LoseTail { keep, consumer_too }));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Writer(writer, step) => writer::take(self, &mut state, writer, step),
            Action::EndOrphan { arrives } => writer::end_orphan(self, &mut state, arrives),
            Action::EndPublication { arrives } => relay::end_publication(self, &mut state, arrives),
            Action::Relay(relay, step) => relay::take(self, &mut state, relay, step),
            Action::Consumer(consumer, step) => consumer::take(self, &mut state, consumer, step),
            Action::LoseTail { keep, consumer_too } => {
                state.broker.lose_tail(keep, consumer_too);
                state.faults -= 1;
            }
        }
        // Relays are alike, and so are consumers: who of them is who makes no other state.
        state.relays.sort_unstable();
        state.consumers.sort_unstable();
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
