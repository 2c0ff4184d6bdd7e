//! How much may wait for the appending task: so many appends, and so many bytes of them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// Bytes are counted in blocks: about what the smallest append takes in memory.
const BLOCK_BYTES: usize = 1024;

/// Bounds of what was accepted and is not answered yet; what is beyond them is refused at once
/// ([`Error::Overloaded`]), since waiting longer than a caller does helps nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Most appends.
    pub appends: usize,
    /// Most bytes of their events, to the KiB that each takes at least. An append larger than all of it goes when nothing
    /// else waits.
    pub bytes: usize,
}

impl Default for Queue {
    /// 4,096 appends of 64 MiB together: a few seconds of a busy log, and no more memory than a service can spare.
    fn default() -> Self {
        Self { appends: 4_096, bytes: 64 * 1024 * 1024 }
    }
}

/// The room left in a queue.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    appends: Arc<Semaphore>,
    blocks: Arc<Semaphore>,
    most_blocks: usize,
}

/// A place in the queue, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _append: OwnedSemaphorePermit,
    _blocks: OwnedSemaphorePermit,
}

impl Room {
    pub(crate) fn new(queue: Queue) -> Self {
        let most_blocks = (queue.bytes / BLOCK_BYTES).clamp(1, u32::MAX as usize).min(Semaphore::MAX_PERMITS);
        let appends = queue.appends.clamp(1, Semaphore::MAX_PERMITS);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { appends: semaphore(appends), blocks: semaphore(most_blocks), most_blocks }
    }

    /// A place for an append of so many bytes.
    ///
    /// # Errors
    /// [`Error::Overloaded`].
    pub(crate) fn take(&self, bytes: usize) -> Result<Place, Error> {
        let blocks = bytes.div_ceil(BLOCK_BYTES).clamp(1, self.most_blocks);
        let blocks = u32::try_from(blocks).expect("no more than most_blocks");
        let full = |_full| Error::Overloaded;
        Ok(Place {
            _append: Arc::clone(&self.appends).try_acquire_owned().map_err(full)?,
            _blocks: Arc::clone(&self.blocks).try_acquire_many_owned(blocks).map_err(full)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(appends: usize, kib: usize) -> Room {
        Room::new(Queue { appends, bytes: kib * 1024 })
    }

    fn full(room: &Room, bytes: usize) -> bool {
        matches!(room.take(bytes), Err(Error::Overloaded))
    }

    #[test]
    fn so_many_appends_wait_however_small_and_a_place_given_back_is_free() {
        let room = room(2, 100);
        let (one, _two) = (room.take(0).unwrap(), room.take(1).unwrap());
        assert!(full(&room, 0));
        drop(one);
        assert!(!full(&room, 0));
    }

    #[test]
    fn so_many_bytes_wait_and_who_is_refused_takes_nothing() {
        let room = room(3, 8);
        let _half = room.take(4 * 1024).unwrap();
        assert!(full(&room, 4 * 1024 + 1), "five blocks begun");
        let rest = room.take(4 * 1024).unwrap();
        assert!(full(&room, 1));
        drop(rest);
        // The refused ones gave back their places among the three.
        let _again = [room.take(1024).unwrap(), room.take(3 * 1024).unwrap()];
        assert!(full(&room, 0));
    }

    #[test]
    fn what_is_larger_than_all_goes_alone() {
        let room = room(9, 8);
        let alone = room.take(1024 * 1024).unwrap();
        assert!(full(&room, 0));
        drop(alone);
        let small = room.take(0).unwrap();
        assert!(full(&room, 1024 * 1024));
        drop(small);
        assert!(!full(&room, 1024 * 1024));
    }

    #[test]
    fn the_default_takes_sixteen_of_the_largest_appends() {
        let room = Room::new(Queue::default());
        let places: Vec<_> = std::iter::from_fn(|| room.take(4 * 1024 * 1024).ok()).collect();
        assert_eq!(places.len(), 16);
        drop(places);
        assert_eq!(std::iter::from_fn(|| room.take(0).ok()).collect::<Vec<_>>().len(), 4_096);
    }
}
