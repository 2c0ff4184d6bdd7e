//! Sealed objects: evidence and notices as files under the data folder, each frame under its subject's key.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use docket_vault::{SealedReader, SealedWriter, Subject, Vault};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStoreExt as _, PutPayload};
use uuid::Uuid;

use crate::ApiError;

/// Bytes of the start that an object's key id stands in.
const HEADER: usize = 17;
/// A part is written to disk when it has grown to this.
const PART: usize = 1024 * 1024;

/// The service's objects. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Objects {
    store: Arc<LocalFileSystem>,
    vault: Vault,
}

/// What reading an object gives.
pub enum Read {
    /// Its plain bytes, piece by piece.
    Plain(ObjectReader),
    /// Its subject's key was destroyed.
    Erased,
}

impl Objects {
    pub(crate) fn open(folder: &Path, vault: Vault) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), vault })
    }

    /// Begins an object for `subject`; its random name stands in the writer. Nothing is to be seen before `finish`.
    ///
    /// # Errors
    /// [`ApiError::Erased`] when the subject's key was destroyed.
    pub async fn write(&self, subject: &Subject) -> Result<ObjectWriter, ApiError> {
        let name = random_name();
        let sealing = self.vault.seal_object(subject, &name).await?;
        let upload = self.store.put_multipart(&key(&name)).await.map_err(ApiError::internal)?;
        Ok(ObjectWriter { name, sealing, upload, held: Vec::new(), bytes: 0 })
    }

    /// Writes a whole object and gives its name.
    ///
    /// # Errors
    /// As [`Objects::write`].
    pub async fn put(&self, subject: &Subject, plain: &[u8]) -> Result<String, ApiError> {
        let mut writer = self.write(subject).await?;
        writer.push(plain).await?;
        writer.finish().await
    }

    /// Opens the object `name` of `subject`.
    ///
    /// # Errors
    /// `NOT_FOUND` when there is none; [`ApiError::Internal`] when it was altered.
    pub async fn read(&self, subject: &Subject, name: &str) -> Result<Read, ApiError> {
        let got = self.store.get(&key(name)).await.map_err(from_store)?;
        let mut bytes = got.into_stream();
        let mut start = Vec::new();
        while start.len() < HEADER {
            match bytes.next().await {
                Some(piece) => start.extend_from_slice(&piece.map_err(from_store)?),
                None => break,
            }
        }
        match self.vault.open_object(subject, name, &start).await? {
            Some(opening) => {
                Ok(Read::Plain(ObjectReader { opening: Some(opening), start: Some(start), bytes }))
            }
            None => Ok(Read::Erased),
        }
    }

    /// The whole object; none when it was erased.
    ///
    /// # Errors
    /// As [`Objects::read`].
    pub async fn get(&self, subject: &Subject, name: &str) -> Result<Option<Vec<u8>>, ApiError> {
        let Read::Plain(mut reader) = self.read(subject, name).await? else { return Ok(None) };
        let mut whole = Vec::new();
        while let Some(piece) = reader.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(Some(whole))
    }

    /// Takes an object away; one that is not there is no fault.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub async fn delete(&self, name: &str) -> Result<(), ApiError> {
        match self.store.delete(&key(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(ApiError::internal(error)),
        }
    }
}

/// Takes an object's plain bytes.
pub struct ObjectWriter {
    name: String,
    sealing: SealedWriter,
    upload: Box<dyn MultipartUpload>,
    held: Vec<u8>,
    bytes: u64,
}

impl ObjectWriter {
    /// Plain bytes taken so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes more plain bytes.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when they cannot be written.
    pub async fn push(&mut self, plain: &[u8]) -> Result<(), ApiError> {
        self.bytes += plain.len() as u64;
        self.held.extend(self.sealing.push(plain)?);
        if self.held.len() >= PART {
            self.flush().await?;
        }
        Ok(())
    }

    /// Ends the object, on disk, and gives its name.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it cannot be written.
    pub async fn finish(mut self) -> Result<String, ApiError> {
        let rest = self.sealing.finish()?;
        self.held.extend(rest);
        let part = PutPayload::from(std::mem::take(&mut self.held));
        self.upload.put_part(part).await.map_err(ApiError::internal)?;
        self.upload.complete().await.map_err(ApiError::internal)?;
        Ok(self.name)
    }

    /// Gives up; what was written is taken away.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub async fn abort(mut self) -> Result<(), ApiError> {
        self.upload.abort().await.map_err(ApiError::internal)
    }

    async fn flush(&mut self) -> Result<(), ApiError> {
        let part = PutPayload::from(std::mem::take(&mut self.held));
        self.upload.put_part(part).await.map_err(ApiError::internal)
    }
}

/// Gives an object's plain bytes, each piece proven before it is given.
pub struct ObjectReader {
    opening: Option<SealedReader>,
    start: Option<Vec<u8>>,
    bytes: BoxStream<'static, object_store::Result<Bytes>>,
}

impl ObjectReader {
    /// The next plain bytes; none at the end.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when the object was altered or cut off: then what came before is not to be used.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        loop {
            let Some(opening) = &mut self.opening else { return Ok(None) };
            let sealed = match self.start.take() {
                Some(start) => Some(Bytes::from(start)),
                None => self.bytes.next().await.transpose().map_err(from_store)?,
            };
            let plain = match sealed {
                Some(sealed) => opening.push(&sealed)?,
                None => match self.opening.take() {
                    Some(opening) => opening.finish()?,
                    None => return Ok(None),
                },
            };
            if !plain.is_empty() {
                return Ok(Some(plain));
            }
        }
    }
}

fn random_name() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Two levels of folders, so that no folder grows without end.
fn key(name: &str) -> Key {
    let folder = name.get(..2).unwrap_or("00");
    Key::from_iter([folder, name])
}

fn from_store(error: object_store::Error) -> ApiError {
    if matches!(error, object_store::Error::NotFound { .. }) {
        ApiError::not_found()
    } else {
        ApiError::internal(error)
    }
}
