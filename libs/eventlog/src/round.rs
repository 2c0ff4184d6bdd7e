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
use crate::{Error, Expected, FORMAT, Recorded, request};

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
            match stream.expected {
                Expected::Version(expected) if expected != current => {
                    Some(Error::Conflict { stream: stream.stream.clone(), expected, current })
                }
                Expected::Version(_) | Expected::Any => None,
            }
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
