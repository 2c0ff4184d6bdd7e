//! Places for what takes much memory or time: so many at once, and only some of them for one person, so that nobody's work holds
//! up everybody's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// The places. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    each: usize,
    /// Those of each account that has one, or waits for one.
    own: Arc<Mutex<HashMap<Uuid, Weak<Semaphore>>>>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Places {
    /// So many places, so many of them for one account.
    pub(super) fn new(all: usize, each: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), each, own: Arc::default() }
    }

    /// Waits for a place. First for one of the account's own: whoever has those waits for no other.
    pub(super) async fn wait(&self, account: Uuid) -> Taken {
        let own = self.own(account).acquire_owned().await.expect("it is never closed");
        let of_all = Arc::clone(&self.all).acquire_owned().await.expect("it is never closed");
        Taken { _own: own, _of_all: of_all }
    }

    /// A place, when there is one now.
    pub(super) fn take(&self, account: Uuid) -> Option<Taken> {
        let own = self.own(account).try_acquire_owned().ok()?;
        let of_all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Taken { _own: own, _of_all: of_all })
    }

    fn own(&self, account: Uuid) -> Arc<Semaphore> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.retain(|_, places| places.strong_count() > 0);
        own.get(&account).and_then(Weak::upgrade).unwrap_or_else(|| {
            let places = Arc::new(Semaphore::new(self.each));
            own.insert(account, Arc::downgrade(&places));
            places
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_only_some_of_the_places_and_nobody_more_than_there_are() {
        let places = Places::new(3, 2);
        let [ana, ben, eve] = [1, 2, 3].map(Uuid::from_u128);
        let first = places.take(ana).unwrap();
        let _second = places.take(ana).unwrap();
        assert!(places.take(ana).is_none(), "one is left, and it is for others");
        let _third = places.take(ben).unwrap();
        assert!(places.take(eve).is_none(), "all are taken");
        drop(first);
        assert!(places.take(eve).is_some());
        assert!(places.take(ana).is_some());
    }

    #[tokio::test]
    async fn whoever_waits_for_one_of_their_own_keeps_nobody_else_waiting() {
        let places = Places::new(2, 1);
        let (ana, ben) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let held = places.wait(ana).await;
        let again = tokio::spawn({
            let places = places.clone();
            async move { places.wait(ana).await }
        });
        tokio::task::yield_now().await;
        drop(places.wait(ben).await);
        assert!(!again.is_finished());
        drop(held);
        drop(again.await.unwrap());
    }
}
