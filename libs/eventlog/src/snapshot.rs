//! States of long streams, kept between loads. A cache: any row may be deleted at any time, and nothing else changes.

use sqlx::PgConnection;

use crate::aggregate::{Folded, fold};
use crate::log::Core;
use crate::{Aggregate, Error, StreamName, read};

/// Events read at a time: what a load holds in memory, however long the stream is.
const PAGE: u32 = 1_000;

/// How an aggregate's states are kept.
pub struct Snapshots<S> {
    /// Names the fold: `case`. Several folds of one stream have several names.
    pub fold: &'static str,
    /// Raised whenever `evolve` or the stored form changes: older snapshots are then not looked at.
    pub version: i32,
    /// A state is kept when so many events were folded since the last one.
    pub every: u64,
    /// The stored form. States hold sealed handles, never personal data in the clear, and so does this.
    pub freeze: fn(&S) -> Vec<u8>,
    /// Reads it back; none when it cannot be that.
    pub thaw: fn(&[u8]) -> Option<S>,
}

/// The state of a stream when the log ended at `up_to`; from a snapshot where there is one.
pub(crate) async fn state<A: Aggregate>(
    conn: &mut PgConnection,
    core: &Core,
    stream: &StreamName,
    up_to: u64,
) -> Result<Folded<A>, Error> {
    let mut folded = Folded { state: A::State::default(), version: 0 };
    if let Some(snapshots) = A::SNAPSHOTS.filter(|_| up_to == u64::MAX)
        && let Some(kept) = kept::<A>(conn, core, stream, &snapshots).await?
    {
        folded = kept;
    }
    loop {
        let page = read::stream(&mut *conn, core, stream, folded.version + 1, up_to, PAGE).await?;
        let Some(last) = page.last() else { return Ok(folded) };
        let (version, more) = (last.version, page.len() == PAGE as usize);
        folded = Folded { state: fold::<A>(folded.state, &page)?, version };
        if !more {
            return Ok(folded);
        }
    }
}

/// The snapshot, if it is of this very history.
async fn kept<A: Aggregate>(
    conn: &mut PgConnection,
    core: &Core,
    stream: &StreamName,
    snapshots: &Snapshots<A::State>,
) -> Result<Option<Folded<A>>, Error> {
    let row = sqlx::query!(
        "SELECT s.version, s.state FROM log.snapshot s
         JOIN log.event e ON e.log = s.log AND e.stream = s.stream AND e.version = s.version AND e.link = s.link
         WHERE s.log = $1 AND s.stream = $2 AND s.fold = $3 AND s.fold_version = $4",
        core.name,
        stream.as_str(),
        snapshots.fold,
        snapshots.version
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(|row| {
        let state = (snapshots.thaw)(&row.state)?;
        Some(Folded { state, version: row.version.unsigned_abs() })
    }))
}

/// Keeps a state if the last one kept is far behind it. A failure costs nothing but time later.
pub(crate) async fn keep<A: Aggregate>(
    conn: &mut PgConnection,
    core: &Core,
    stream: &StreamName,
    folded: &Folded<A>,
) {
    let Some(snapshots) = A::SNAPSHOTS.filter(|snapshots| folded.version >= snapshots.every) else { return };
    let kept = sqlx::query!(
        "INSERT INTO log.snapshot (log, stream, fold, fold_version, version, link, state)
         SELECT e.log, e.stream, $3, $4, e.version, e.link, $5
         FROM log.event e WHERE e.log = $1 AND e.stream = $2 AND e.version = $6
         ON CONFLICT (log, stream, fold, fold_version) DO UPDATE
         SET version = excluded.version, link = excluded.link, state = excluded.state
         WHERE log.snapshot.version + $7 <= excluded.version OR log.snapshot.version > excluded.version",
        core.name,
        stream.as_str(),
        snapshots.fold,
        snapshots.version,
        (snapshots.freeze)(&folded.state),
        folded.version.cast_signed(),
        snapshots.every.cast_signed()
    )
    .execute(conn)
    .await;
    if let Err(error) = kept {
        tracing::debug!(log = core.name, code = crate::failure::code(&error.into()), "no snapshot was kept");
    }
}
