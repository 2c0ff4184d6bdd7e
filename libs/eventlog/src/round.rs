//! One round of appends, decided in memory: who wins, and which positions, versions and links their events get.
//!
//! Pure: the state of the log comes in, what is to be written comes out. Whether that state still holds when
//! it is written is for `commit` and `guess` to see to.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use crate::chain::{Linked, NO_LINK, link_of};
use crate::prepare::{Prepared, PreparedEvent};
use crate::slots::{Closed, Slot};
use crate::{Error, Expected, FORMAT, Mark, Recorded, request};

/// What became of one append.
#[derive(Debug)]
pub(crate) enum Outcome {
    Written(Written),
    /// Done before, at these positions.
    Repeated {
        first: u64,
        last: u64,
    },
    Lost(Error),
}

/// The places of an append's events, in the order in which they were named.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) places: Vec<Place>,
}

/// Where one event stands; its position follows from its place in the append.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) version: u64,
    pub(crate) link: [u8; 32],
}

/// The end of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamHead {
    pub(crate) version: u64,
    pub(crate) link: [u8; 32],
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) touched: bool,
}

/// A command done before.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// A command done in this round; `append` is its place in the group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewCommand {
    pub(crate) append: usize,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// The state of the log as the group meets it, and as it leaves it.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) log: &'static str,
    /// How many groups were committed before: says whether this state still holds.
    pub(crate) commits: i64,
    pub(crate) position: u64,
    pub(crate) recorded_at: Timestamp,
    /// Slots whose new streams are born in another log.
    pub(crate) closed: Closed,
    /// The heads of the streams which the group names; a stream without one does not exist.
    pub(crate) streams: HashMap<String, StreamHead>,
    pub(crate) known: HashMap<(String, Uuid), Done>,
    /// Commands done in this round.
    pub(crate) commands: Vec<NewCommand>,
}

impl Round {
    /// Decides the whole group, in the order of arrival.
    pub(crate) fn decide_all(&mut self, group: &[&Prepared]) -> Vec<Outcome> {
        group.iter().enumerate().map(|(place, append)| self.decide(group, place, append)).collect()
    }

    fn decide(&mut self, group: &[&Prepared], place: usize, append: &Prepared) -> Outcome {
        if let Some((fingerprint, first, last)) = self.done(group, append) {
            return match request::difference(fingerprint, &append.fingerprint) {
                None => Outcome::Repeated { first, last },
                Some(difference) => Outcome::Lost(Error::CommandReused { difference }),
            };
        }
        if let Some(conflict) = self.conflict(append) {
            return Outcome::Lost(conflict);
        }
        let first = self.position + 1;
        let places = self.write(append);
        let last = self.position;
        self.commands.push(NewCommand { append: place, first, last });
        Outcome::Written(Written { first, last, places })
    }

    /// The first doing of this command, before this round or in it.
    fn done<'a>(&'a self, group: &[&'a Prepared], append: &Prepared) -> Option<(&'a [u8], u64, u64)> {
        if !self.known.is_empty()
            && let Some(done) = self.known.get(&(append.actor.clone(), append.command_id))
        {
            return Some((&done.fingerprint, done.first, done.last));
        }
        let earlier = self.commands.iter().find(|command| {
            let earlier = group[command.append];
            earlier.command_id == append.command_id && earlier.actor == append.actor
        })?;
        Some((&group[earlier.append].fingerprint, earlier.first, earlier.last))
    }

    fn conflict(&self, append: &Prepared) -> Option<Error> {
        append.streams.iter().find_map(|stream| {
            let head = self.streams.get(stream.stream.as_str());
            if head.is_none() && self.closed.has(Slot::of(&stream.stream)) {
                return Some(Error::SlotMoving { stream: stream.stream.clone() });
            }
            let current = head.map_or(0, |head| head.version);
            let (expected, holds) = match stream.expected {
                Expected::Version(expected) => (expected, expected == current),
                Expected::After(Mark { version, link }) => {
                    (version, head.is_some_and(|head| (head.version, head.link) == (version, link)))
                }
                Expected::Any => return None,
            };
            (!holds).then(|| Error::Conflict { stream: stream.stream.clone(), expected, current })
        })
    }

    /// Gives positions, versions and links.
    fn write(&mut self, append: &Prepared) -> Vec<Place> {
        let mut places = Vec::with_capacity(append.events());
        for stream in append.streams.iter().filter(|stream| !stream.events.is_empty()) {
            let name = stream.stream.as_str();
            if !self.streams.contains_key(name) {
                let first = self.position + 1;
                let fresh = StreamHead { version: 0, link: NO_LINK, first, last: 0, touched: true };
                self.streams.insert(name.to_owned(), fresh);
            }
            let head = self.streams.get_mut(name).expect("just made when it was not there");
            head.touched = true;
            for event in &stream.events {
                self.position += 1;
                head.version += 1;
                head.last = self.position;
                head.link = link_of(&Linked {
                    previous: &head.link,
                    log: self.log,
                    stream: name,
                    version: head.version,
                    kind: &event.kind,
                    event_id: event.event_id.as_bytes(),
                    recorded_at_us: self.recorded_at.as_microsecond(),
                    metadata: &append.metadata_bytes,
                    payload: &event.payload,
                    sealed: &event.sealed,
                });
                places.push(Place { version: head.version, link: head.link });
            }
        }
        places
    }
}

/// The events of a written append as they are stored.
pub(crate) fn recorded(append: Prepared, written: &Written, at: Timestamp, epoch: u64) -> Vec<Recorded> {
    let Prepared { log, metadata, metadata_bytes, streams, .. } = append;
    let mut recorded = Vec::with_capacity(written.places.len());
    let mut places = written.places.iter().zip(written.first..);
    for stream in streams {
        for event in stream.events {
            let (place, position) = places.next().expect("one place for each event");
            let PreparedEvent { event_id, kind, payload, sealed } = event;
            recorded.push(Recorded {
                log: log.to_owned(),
                position,
                stream: stream.stream.clone(),
                version: place.version,
                event_id,
                kind,
                recorded_at: at,
                metadata: metadata.clone(),
                metadata_bytes: metadata_bytes.clone(),
                payload,
                sealed,
                link: place.link,
                format: FORMAT,
                epoch,
            });
        }
    }
    recorded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Expected::{Any, Version};
    use crate::samples::{at, prepared, round};

    fn written(outcome: &Outcome) -> &Written {
        let Outcome::Written(written) = outcome else { panic!("{outcome:?}") };
        written
    }

    fn versions(outcome: &Outcome) -> Vec<u64> {
        written(outcome).places.iter().map(|place| place.version).collect()
    }

    #[test]
    fn events_get_the_next_positions_versions_and_links() {
        let (one, two) = (
            prepared(1, &[("case-a", Version(0), 2), ("case-b", Any, 1)]),
            prepared(2, &[("case-a", Version(2), 1)]),
        );
        let mut round = round();
        let outcomes = round.decide_all(&[&one, &two]);
        assert_eq!((written(&outcomes[0]).first, written(&outcomes[0]).last), (11, 13));
        assert_eq!((written(&outcomes[1]).first, written(&outcomes[1]).last), (14, 14));
        assert_eq!([versions(&outcomes[0]), versions(&outcomes[1])], [vec![1, 2, 1], vec![3]]);
        let head = &round.streams["case-a"];
        assert_eq!((head.version, head.first, head.last, head.touched), (3, 11, 14, true));
        let head = &round.streams["case-b"];
        assert_eq!((head.version, head.first, head.last), (1, 13, 13));
        assert_eq!(round.position, 14);

        // Stored as decided, each event follows the one before it in its stream.
        let first = recorded(one, written(&outcomes[0]), at(), 1);
        let second = recorded(two, written(&outcomes[1]), at(), 1);
        let all: Vec<&Recorded> = first.iter().chain(&second).collect();
        assert_eq!(all.iter().map(|event| event.position).collect::<Vec<_>>(), [11, 12, 13, 14]);
        assert!(all[0].follows(&NO_LINK) && all[1].follows(&all[0].link) && all[2].follows(&NO_LINK));
        assert!(all[3].follows(&all[1].link));
        assert_eq!(
            (all[0].payload.as_ref(), all[1].payload.as_ref()),
            (&b"payload 0"[..], &b"payload 1"[..])
        );
        assert_eq!((all[3].epoch, all[3].recorded_at, all[3].version), (1, at(), 3));
    }

    #[test]
    fn a_conflict_says_what_the_version_is_and_costs_the_others_nothing() {
        let appends = [
            prepared(1, &[("case-a", Version(0), 1)]),
            prepared(2, &[("case-a", Version(0), 1)]),
            prepared(3, &[("case-b", Any, 1), ("case-a", Version(7), 1)]),
            prepared(4, &[("case-a", Version(1), 1)]),
        ];
        let mut round = round();
        let outcomes = round.decide_all(&appends.iter().collect::<Vec<_>>());
        assert_eq!([versions(&outcomes[0]), versions(&outcomes[3])], [[1], [2]]);
        for (outcome, wanted) in [(&outcomes[1], 0), (&outcomes[2], 7)] {
            let Outcome::Lost(Error::Conflict { stream, expected, current }) = outcome else {
                panic!("{outcome:?}")
            };
            assert_eq!((stream.as_str(), *expected, *current), ("case-a", wanted, 1));
        }
        assert!(!round.streams.contains_key("case-b"), "all or nothing");
        assert_eq!(round.commands.iter().map(|command| command.append).collect::<Vec<_>>(), [0, 3]);
    }

    #[test]
    fn a_command_is_done_once_whether_before_this_round_or_in_it() {
        let again = prepared(1, &[("case-a", Version(0), 1)]);
        let mut round = round();
        let outcomes = round.decide_all(&[&again, &again]);
        assert_eq!(versions(&outcomes[0]), [1]);
        assert!(matches!(outcomes[1], Outcome::Repeated { first: 11, last: 11 }), "{:?}", outcomes[1]);

        let other = Prepared { fingerprint: prepared(2, &[]).fingerprint, ..again.clone() };
        let mut round = crate::samples::round();
        let done = Done { fingerprint: again.fingerprint.clone(), first: 5, last: 6 };
        round.known.insert((again.actor.clone(), again.command_id), done);
        let outcomes = round.decide_all(&[&again, &other]);
        assert!(matches!(outcomes[0], Outcome::Repeated { first: 5, last: 6 }), "{:?}", outcomes[0]);
        assert!(matches!(outcomes[1], Outcome::Lost(Error::CommandReused { .. })), "{:?}", outcomes[1]);
        assert_eq!((round.position, round.commands.len()), (10, 0), "nothing is to be written");

        // The same id of another actor is another command.
        let stranger = Prepared { actor: "machine:timer".to_owned(), ..again.clone() };
        let mut round = crate::samples::round();
        let outcomes = round.decide_all(&[&again, &stranger]);
        assert!(matches!(outcomes[1], Outcome::Lost(Error::Conflict { .. })), "{:?}", outcomes[1]);
    }

    #[test]
    fn a_command_without_events_checks_its_version_and_is_remembered() {
        let check = prepared(1, &[("case-a", Version(0), 0)]);
        let mut round = round();
        let outcomes = round.decide_all(&[&check]);
        assert_eq!((written(&outcomes[0]).first, written(&outcomes[0]).last), (11, 10));
        assert_eq!((round.commands.len(), round.streams.len()), (1, 0));
        let wrong = prepared(2, &[("case-a", Version(1), 0)]);
        let outcomes = crate::samples::round().decide_all(&[&wrong]);
        assert!(matches!(outcomes[0], Outcome::Lost(Error::Conflict { .. })), "{:?}", outcomes[0]);
    }

    #[test]
    fn a_new_stream_is_not_born_in_a_closed_slot() {
        let append = prepared(1, &[("case-a", Any, 1)]);
        let mut round = round();
        round.closed = Closed::default().set(Slot::of(&append.streams[0].stream), true);
        assert!(matches!(round.decide_all(&[&append])[0], Outcome::Lost(Error::SlotMoving { .. })));
        // One that lives there already goes on.
        let head = StreamHead { version: 4, link: [1; 32], first: 1, last: 9, touched: false };
        round.streams.insert("case-a".to_owned(), head);
        assert_eq!(versions(&round.decide_all(&[&append])[0]), [5]);
        assert!(round.streams["case-a"].touched);
    }
}
