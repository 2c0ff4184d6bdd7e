//! Large objects sealed in frames, so that they stream and resume: evidence and notices.
//!
//! An object is `version (1) ‖ key id (16)` and then frames of 256 KiB of plain bytes, each
//! `nonce ‖ ciphertext ‖ tag`; only the last is shorter. The frame's number and whether it is the
//! last one are in its associated data: frames cannot be swapped, dropped or cut off unseen.

use std::sync::Arc;

use uuid::Uuid;

use crate::cipher::{OVERHEAD, push};
use crate::vault::{LiveKey, whole_aad};
use crate::{Error, Subject, Vault};

/// Plain bytes in every frame but the last.
pub const FRAME_BYTES: usize = 256 * 1024;
const SEALED_FRAME_BYTES: usize = FRAME_BYTES + OVERHEAD;
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 17;

/// The key of one sealed object, fetched once; then sealing and opening wait for nothing.
struct ObjectKey {
    key: Arc<LiveKey>,
    aad: Vec<u8>,
}

impl Vault {
    /// A writer of the object named `object` (its random storage key) for `subject`.
    ///
    /// # Errors
    /// [`Error::Erased`] or [`Error::Database`].
    pub async fn seal_object(&self, subject: &Subject, object: &str) -> Result<SealedWriter, Error> {
        let key = self.sealing_key(subject).await?;
        let aad = whole_aad("docket.frame.v1", subject, object.as_bytes());
        Ok(SealedWriter { key: ObjectKey { key, aad }, held: Vec::new(), number: 0, started: false })
    }

    /// A reader of that object, given its first 17 bytes or more; `None` when the subject is erased.
    ///
    /// # Errors
    /// [`Error::Altered`] when the start is not that of a sealed object of this subject; [`Error::Database`].
    pub async fn open_object(
        &self,
        subject: &Subject,
        object: &str,
        start: &[u8],
    ) -> Result<Option<SealedReader>, Error> {
        let header = start.get(..HEADER_BYTES).ok_or(Error::Altered)?;
        if header[0] != VERSION {
            return Err(Error::Altered);
        }
        let key_id = Uuid::from_slice(&header[1..]).map_err(|_length| Error::Altered)?;
        let Some(key) = self.opening_key(subject, key_id).await? else { return Ok(None) };
        let aad = whole_aad("docket.frame.v1", subject, object.as_bytes());
        Ok(Some(SealedReader {
            key: ObjectKey { key, aad },
            held: Vec::new(),
            number: 0,
            skip: HEADER_BYTES,
        }))
    }
}

impl ObjectKey {
    fn frame_aad(&self, number: u64, last: bool) -> Vec<u8> {
        let mut aad = self.aad.clone();
        push(&mut aad, &number.to_be_bytes());
        push(&mut aad, &[u8::from(last)]);
        aad
    }

    /// Seals frame `number` (from 0) behind what is in `out`; every frame but the last holds [`FRAME_BYTES`].
    fn seal_frame(&self, out: &mut Vec<u8>, number: u64, last: bool, plain: &[u8]) -> Result<(), Error> {
        self.key.cipher.seal_onto(out, &self.frame_aad(number, last), plain)
    }

    /// Opens frame `number`.
    fn open_frame(&self, number: u64, last: bool, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.key.cipher.open(&self.frame_aad(number, last), sealed)
    }
}

/// Seals an object while its bytes arrive.
pub struct SealedWriter {
    key: ObjectKey,
    held: Vec<u8>,
    number: u64,
    started: bool,
}

impl SealedWriter {
    /// Takes more plain bytes and gives the sealed bytes which can be written so far.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn push(&mut self, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = self.header();
        let frames = (self.held.len() + plain.len()) / FRAME_BYTES;
        out.reserve(frames * SEALED_FRAME_BYTES);
        let mut rest = plain;
        // The last frame must be known as such, so a full one waits until there is more.
        if !self.held.is_empty() && self.held.len() + rest.len() > FRAME_BYTES {
            let (now, after) = rest.split_at(FRAME_BYTES - self.held.len());
            self.held.extend_from_slice(now);
            let frame = std::mem::take(&mut self.held);
            self.frame(&mut out, &frame)?;
            rest = after;
        }
        while rest.len() > FRAME_BYTES {
            let (frame, after) = rest.split_at(FRAME_BYTES);
            self.frame(&mut out, frame)?;
            rest = after;
        }
        self.held.extend_from_slice(rest);
        Ok(out)
    }

    /// Seals a frame that is not the last.
    fn frame(&mut self, out: &mut Vec<u8>, plain: &[u8]) -> Result<(), Error> {
        self.key.seal_frame(out, self.number, false, plain)?;
        self.number += 1;
        Ok(())
    }

    /// Ends the object and gives its last sealed bytes.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        let mut out = self.header();
        self.key.seal_frame(&mut out, self.number, true, &self.held)?;
        Ok(out)
    }

    fn header(&mut self) -> Vec<u8> {
        if std::mem::replace(&mut self.started, true) {
            return Vec::new();
        }
        let mut header = vec![VERSION];
        header.extend_from_slice(self.key.key.id.as_bytes());
        header
    }
}

/// Opens an object while its bytes arrive.
pub struct SealedReader {
    key: ObjectKey,
    held: Vec<u8>,
    number: u64,
    skip: usize,
}

impl SealedReader {
    /// Takes more sealed bytes, from the object's very first on, and gives the plain bytes proven so far.
    ///
    /// # Errors
    /// [`Error::Altered`].
    pub fn push(&mut self, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let skipped = self.skip.min(sealed.len());
        self.skip -= skipped;
        self.held.extend_from_slice(&sealed[skipped..]);
        let mut out = Vec::new();
        let mut rest = self.held.as_slice();
        while rest.len() > SEALED_FRAME_BYTES {
            let (frame, after) = rest.split_at(SEALED_FRAME_BYTES);
            out.extend(self.key.open_frame(self.number, false, frame)?);
            self.number += 1;
            rest = after;
        }
        self.held = rest.to_vec();
        Ok(out)
    }

    /// Ends the object and gives its last plain bytes.
    ///
    /// # Errors
    /// [`Error::Altered`] also when the object was cut off.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        self.key.open_frame(self.number, true, &self.held)
    }
}
