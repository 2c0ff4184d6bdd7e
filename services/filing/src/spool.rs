//! The bytes of uploads that are under way: in sealed parts, each on disk before it is acknowledged.
//!
//! A part is an object of its own, and its row moves the upload's offset by compare-and-set on turn and offset: so two
//! senders cannot mix, and what a kill leaves behind is a whole number of parts.

use std::time::Duration;

use docket_kernel::Refusal;
use docket_service::{ApiError, Base, Stop};
use docket_vault::Subject;
use tokio::time::sleep;
use uuid::Uuid;

use crate::store::uploads::{self, Part, Upload};

/// An upload is taken away so long after its last byte, in microseconds: seven days.
const KEPT_US: i64 = 7 * 86_400 * 1_000_000;
/// Bytes of a part: what a sender holds in memory, and sends again after a kill at worst.
pub(crate) const PART: usize = 1024 * 1024;
/// How often it is looked for those whose time is over.
const LOOK: Duration = Duration::from_secs(5);
/// So many are taken away at a look.
const BATCH: i64 = 100;

/// Who sends, and how far the upload is.
pub(crate) struct Sender {
    base: Base,
    subject: Subject,
    upload: Uuid,
    turn: i64,
    at: i64,
    size: i64,
    held: Vec<u8>,
}

impl Sender {
    /// A sender at an offset, whose bytes are sealed for `subject`.
    ///
    /// # Errors
    /// `CONTINUED_ELSEWHERE`, `OFFSET_DIFFERS`.
    pub(crate) fn at(
        base: &Base,
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
        let (base, turn, at, held) = (base.clone(), upload.turn, upload.received, Vec::new());
        Ok(Self { base, subject, upload: upload.upload_id, turn, at, size: upload.size, held })
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
        while self.held.len() + bytes.len() >= PART {
            let (now, later) = bytes.split_at(PART - self.held.len());
            self.held.extend_from_slice(now);
            self.flush().await?;
            bytes = later;
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    /// Brings to disk what is held.
    ///
    /// # Errors
    /// `CONTINUED_ELSEWHERE`; a store that does not answer.
    pub(crate) async fn flush(&mut self) -> Result<(), ApiError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        let object_key = self.base.objects.put(&self.subject, &held).await?;
        let bytes = i64::try_from(held.len()).map_err(ApiError::internal)?;
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

fn continued_elsewhere() -> Refusal {
    Refusal::state("CONTINUED_ELSEWHERE", "This upload was gone on with elsewhere, or given up.")
        .way_out("Resume it here if it is to go on here; nothing that was acknowledged is lost.")
        .field("turn")
}

/// All bytes of an upload; none when its key was destroyed.
pub(crate) async fn read(base: &Base, subject: &Subject, upload: &Upload) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::with_capacity(usize::try_from(upload.size).unwrap_or_default());
    for object_key in uploads::parts(&base.pool, upload.upload_id).await? {
        bytes.extend(base.objects.get(subject, &object_key).await?.ok_or(ApiError::Erased)?);
    }
    Ok(bytes)
}

/// Takes an upload away. The row goes last: what fails half-way is taken away when its time is over.
pub(crate) async fn remove(base: &Base, upload: Uuid) -> Result<(), ApiError> {
    for object_key in uploads::parts(&base.pool, upload).await? {
        base.objects.delete(&object_key).await?;
    }
    uploads::delete(&base.pool, upload).await?;
    Ok(())
}

/// Takes uploads away whose time is over, until `stop`.
pub(crate) async fn sweep(base: Base, stop: Stop) -> anyhow::Result<()> {
    while !stop.is_cancelled() {
        if let Err(error) = sweep_once(&base).await {
            tracing::warn!(error = format!("{error:?}"), "unfinished uploads could not be taken away");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(LOOK) => {}
        }
    }
    Ok(())
}

async fn sweep_once(base: &Base) -> Result<(), ApiError> {
    let now_us = base.clock.now().as_microsecond();
    for upload in uploads::expired(&base.pool, now_us, BATCH).await? {
        if uploads::expire(&base.pool, upload, now_us).await? {
            remove(base, upload).await?;
        }
    }
    Ok(())
}
