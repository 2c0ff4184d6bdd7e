//! The bytes of uploads that are under way: in sealed parts, each on disk before it is acknowledged.
//!
//! A part is an object of its own, and its row moves the upload's offset by compare-and-set on turn and offset: so two
//! senders cannot mix, and what a kill leaves behind is a whole number of parts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use docket_database::{WORK, answered, within};
use docket_kernel::Refusal;
use docket_service::{ApiError, Base, Rounds, Stop};
use docket_vault::Subject;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::store::uploads::{self, Part, Upload};

/// An upload is taken away so long after its last byte, in microseconds: seven days.
const KEPT_US: i64 = 7 * 86_400 * 1_000_000;
/// Bytes of a part: what every sender may hold in memory, and sends again after a kill.
const PART: usize = 1024 * 1024;
/// Parts grow to this while there is room and the line is quick: most photographs are one then, and stay where they are.
const LONGEST_PART: usize = 4 * PART;
/// Memory for that, shared by all senders of a node: so many times [`PART`].
const ROOM: usize = 64;
/// Bytes are not held longer than this for the sake of a longer part.
const QUICK: Duration = Duration::from_secs(5);
/// How often it is looked for those whose time is over.
const LOOK: Duration = Duration::from_secs(5);
/// So many are taken away at a look.
const BATCH: i64 = 100;

/// Memory for parts longer than the least. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM)))
    }
}

/// Who sends, and how far the upload is.
pub(crate) struct Sender {
    base: Base,
    room: Room,
    subject: Subject,
    upload: Uuid,
    turn: i64,
    at: i64,
    size: i64,
    held: Vec<u8>,
    /// When the first of the bytes held came.
    since: Instant,
    /// The room taken, beside what every sender has.
    taken: Vec<OwnedSemaphorePermit>,
}

impl Sender {
    /// A sender at an offset, whose bytes are sealed for `subject`.
    ///
    /// # Errors
    /// `CONTINUED_ELSEWHERE`, `OFFSET_DIFFERS`.
    pub(crate) fn at(
        (base, room): (&Base, &Room),
        subject: Subject,
        upload: &Upload,
        (turn, offset): (u64, u64),
    ) -> Result<Self, Refusal> {
        if turn != upload.turn.unsigned_abs() {
            return Err(continued_elsewhere());
        }
        if offset != upload.received.unsigned_abs() {
            return Err(Refusal::state(
                "OFFSET_DIFFERS",
                format!("{} bytes are here; the next one goes there.", upload.received),
            )
            .way_out("Send from the offset that is said here on.")
            .field("offset")
            .fact("offset", upload.received.to_string()));
        }
        Ok(Self {
            base: base.clone(),
            room: room.clone(),
            subject,
            upload: upload.upload_id,
            turn: upload.turn,
            at: upload.received,
            size: upload.size,
            held: Vec::new(),
            since: Instant::now(),
            taken: Vec::new(),
        })
    }

    /// Takes bytes; whole parts go to disk.
    ///
    /// # Errors
    /// `MORE_THAN_ANNOUNCED`, `CONTINUED_ELSEWHERE`; a store that does not answer.
    pub(crate) async fn push(&mut self, mut bytes: &[u8]) -> Result<(), ApiError> {
        let held = (self.held.len() + bytes.len()) as u64;
        if self.at.unsigned_abs() + held > self.size.unsigned_abs() {
            return Err(Refusal::invalid(
                "chunk",
                "MORE_THAN_ANNOUNCED",
                format!("{} bytes were announced, and these are more.", self.size),
            )
            .way_out("Begin an upload anew with the size of the file as it is now.")
            .into());
        }
        while !bytes.is_empty() {
            if self.held.is_empty() {
                self.since = Instant::now();
                let expected = usize::try_from(self.size - self.at).unwrap_or(PART);
                self.held.reserve_exact(expected.min(PART));
            }
            let space = PART * (1 + self.taken.len()) - self.held.len();
            let (now, later) = bytes.split_at(space.min(bytes.len()));
            self.held.extend_from_slice(now);
            if now.len() == space && !self.grows() {
                self.flush().await?;
            }
            bytes = later;
        }
        Ok(())
    }

    /// Takes room for a longer part, if that is worth it and there is some.
    fn grows(&mut self) -> bool {
        if self.held.len() >= LONGEST_PART || self.since.elapsed() >= QUICK {
            return false;
        }
        let room = Arc::clone(&self.room.0).try_acquire_owned();
        room.is_ok_and(|room| {
            self.taken.push(room);
            self.held.reserve_exact(PART);
            true
        })
    }

    /// Brings to disk what is held.
    ///
    /// # Errors
    /// `CONTINUED_ELSEWHERE`; a store that does not answer.
    pub(crate) async fn flush(&mut self) -> Result<(), ApiError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let (held, taken) = (std::mem::take(&mut self.held), std::mem::take(&mut self.taken));
        let object_key = self.base.objects.put(&self.subject, &held).await?;
        let bytes = i64::try_from(held.len()).map_err(ApiError::internal)?;
        drop((held, taken));
        let part = Part { upload: self.upload, turn: self.turn, at: self.at, bytes, object_key: &object_key };
        if uploads::add_part(&self.base.pool, part, expiry(&self.base)).await? {
            self.at += bytes;
            return Ok(());
        }
        self.base.objects.delete(&object_key).await?;
        Err(continued_elsewhere().into())
    }
}

/// When an upload that gets bytes now is taken away, microseconds since the epoch.
pub(crate) fn expiry(base: &Base) -> i64 {
    base.clock.now().as_microsecond() + KEPT_US
}

pub(crate) fn continued_elsewhere() -> Refusal {
    Refusal::state("CONTINUED_ELSEWHERE", "This upload was gone on with elsewhere, or given up.")
        .way_out("Resume it here if it is to go on here; nothing that was acknowledged is lost.")
        .field("turn")
}

/// What has arrived of an upload: its bytes, and the objects they lie in.
pub(crate) struct Arrived {
    pub(crate) upload: Uuid,
    pub(crate) bytes: Vec<u8>,
    parts: Vec<String>,
}

impl Arrived {
    /// Reads it back, as it was sealed.
    ///
    /// # Errors
    /// [`ApiError::Erased`] when its key was destroyed; a store that does not answer.
    pub(crate) async fn read(base: &Base, subject: &Subject, upload: &Upload) -> Result<Self, ApiError> {
        let mut bytes = Vec::with_capacity(usize::try_from(upload.size).unwrap_or_default());
        let parts = uploads::parts(&base.pool, upload.upload_id).await?;
        for object_key in &parts {
            bytes.extend(base.objects.get(subject, object_key).await?.ok_or(ApiError::Erased)?);
        }
        Ok(Self { upload: upload.upload_id, bytes, parts })
    }

    /// Whether it is all that was announced: parts are taken away when somebody else ends the upload meanwhile.
    pub(crate) fn is_whole(&self, upload: &Upload) -> bool {
        self.bytes.len() as u64 == upload.size.unsigned_abs()
    }

    /// The one object that has all its bytes; none where they lie in several.
    pub(crate) fn whole(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// Gives an upload up and takes it away; one that is over already is taken away by whoever ended it.
pub(crate) async fn give_up(base: &Base, upload: Uuid) -> Result<(), ApiError> {
    if uploads::end(&base.pool, upload).await? { take_away(base, upload).await } else { Ok(()) }
}

/// Takes away what an upload leaves that is over. The row goes last: what fails half-way is taken away at the next look.
pub(crate) async fn take_away(base: &Base, upload: Uuid) -> Result<(), ApiError> {
    for object_key in uploads::parts(&base.pool, upload).await? {
        base.objects.delete(&object_key).await?;
    }
    uploads::delete(&base.pool, upload).await?;
    Ok(())
}

/// Takes uploads away whose time is over, until `stop`.
pub(crate) async fn sweep(base: Base, stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(LOOK, "unfinished uploads could not be taken away").bounded_inside();
    while rounds.go_on(&stop).await {
        rounds.turn(sweep_once(&base)).await;
    }
    Ok(())
}

async fn sweep_once(base: &Base) -> anyhow::Result<()> {
    let now_us = base.clock.now().as_microsecond();
    for upload in answered(uploads::expired(&base.pool, now_us, BATCH)).await? {
        if answered(uploads::expire(&base.pool, upload, now_us)).await? {
            within(WORK, take_away(base, upload)).await?;
        }
    }
    Ok(())
}
