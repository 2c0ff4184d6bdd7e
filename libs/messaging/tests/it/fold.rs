//! A view whose rows cannot come out right by chance: a hash over each stream's events, in order.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use async_trait::async_trait;
use docket_eventlog::{EventLog, Recorded, StreamName};
use docket_messaging::{ApplyError, Subscriber};
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgPool, Row as _};

/// A lost, repeated, foreign or misplaced event changes all that follows.
fn step(chain: &[u8], event: &Recorded) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(chain);
    hash.update(event.position.to_be_bytes());
    hash.update(event.event_id.as_bytes());
    hash.finalize().to_vec()
}

/// Keeps the view; streams can be made to fail.
#[derive(Default)]
pub(crate) struct Folding {
    poisoned: Mutex<HashSet<String>>,
}

impl Folding {
    pub(crate) fn poison(&self, stream: &StreamName) {
        self.poisoned.lock().unwrap().insert(stream.to_string());
    }

    pub(crate) fn heal(&self) {
        self.poisoned.lock().unwrap().clear();
    }
}

#[async_trait]
impl Subscriber for Folding {
    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    fn rows_only(&self) -> bool {
        true
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let before = sqlx::query("SELECT chain FROM folded WHERE stream = $1")
            .bind(event.stream.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let before: Vec<u8> = before.map_or_else(Vec::new, |row| row.get("chain"));
        sqlx::query(
            "INSERT INTO folded (stream, events, chain) VALUES ($1, 1, $2)
             ON CONFLICT (stream) DO UPDATE SET events = folded.events + 1, chain = excluded.chain",
        )
        .bind(event.stream.as_str())
        .bind(step(&before, event))
        .execute(tx)
        .await?;
        if self.poisoned.lock().unwrap().contains(event.stream.as_str()) {
            return Err(ApplyError::Park("poisoned for the test".to_owned()));
        }
        Ok(())
    }
}

/// The hash of some rows of the view.
fn hash_of(rows: impl IntoIterator<Item = (String, u64, Vec<u8>)>) -> (usize, Vec<u8>) {
    let (mut hash, mut streams) = (Sha256::new(), 0);
    for (stream, events, chain) in rows {
        streams += 1;
        hash.update(stream.as_bytes());
        hash.update(events.to_be_bytes());
        hash.update(chain);
    }
    (streams, hash.finalize().to_vec())
}

/// Streams and hash of the view.
pub(crate) async fn of_rows(pool: &PgPool) -> (usize, Vec<u8>) {
    let rows = sqlx::query("SELECT stream, events, chain FROM folded ORDER BY stream COLLATE \"C\"")
        .fetch_all(pool)
        .await
        .unwrap();
    hash_of(rows.into_iter().map(|row| {
        (row.get("stream"), row.get::<i64, _>("events").unsigned_abs(), row.get::<Vec<u8>, _>("chain"))
    }))
}

/// Streams and hash of the view as the log makes it, without the streams that are `left_out`.
pub(crate) async fn of_log(log: &EventLog, left_out: &[StreamName]) -> (usize, Vec<u8>) {
    let (mut view, mut after) = (BTreeMap::<String, (u64, Vec<u8>)>::new(), 0);
    loop {
        let events = log.read(after, 1_000).await.unwrap();
        let Some(last) = events.last() else { break };
        after = last.position;
        for event in events.iter().filter(|event| !left_out.contains(&event.stream)) {
            let (count, chain) = view.entry(event.stream.to_string()).or_default();
            *count += 1;
            *chain = step(chain, event);
        }
    }
    hash_of(view.into_iter().map(|(stream, (count, chain))| (stream, count, chain)))
}
