//! Sealed objects: evidence and notices, as files under the data folder or in a bucket, each frame under its subject's key.

use std::sync::Arc;

use bytes::Bytes;
use docket_vault::{Error as VaultError, SealedReader, SealedWriter, Subject, Vault};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload};
use uuid::Uuid;

use crate::{ApiError, ServiceConfig};

/// Bytes of the start that an object's key id stands in.
const HEADER: usize = 17;
/// A part of a file is written to disk when it has grown to this.
const PART_OF_FILE: usize = 1024 * 1024;
/// A part of an object in a bucket has at least 5 MiB, but for the last.
const PART_IN_BUCKET: usize = 5 * 1024 * 1024;

/// The service's objects. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    part: usize,
    vault: Vault,
}

/// What an object that was read to its end turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// As it was sealed.
    Whole,
    /// Its subject's key was destroyed: nobody can say.
    Erased,
    /// There is none of that name.
    Missing,
    /// Not what was sealed: altered, cut off, or in another's place.
    Altered,
}

/// Why an object could not be read.
enum Fault {
    Store(object_store::Error),
    Vault(VaultError),
}

/// What reading an object gives.
pub enum Read {
    /// Its plain bytes, piece by piece.
    Plain(ObjectReader),
    /// Its subject's key was destroyed.
    Erased,
}

impl Objects {
    /// Those of a service: in its bucket, or in the folder `objects` of its data.
    pub(crate) fn open(config: &ServiceConfig, vault: Vault) -> anyhow::Result<Self> {
        if let Some(bucket) = &config.objects {
            let store = crate::bucket::open(bucket, config.is_production())?;
            return Ok(Self { store, part: PART_IN_BUCKET, vault });
        }
        let folder = config.data_dir.join("objects");
        std::fs::create_dir_all(&folder)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), part: PART_OF_FILE, vault })
    }

    /// Begins an object for `subject`; its random name stands in the writer. Nothing is to be seen before `finish`.
    ///
    /// # Errors
    /// [`ApiError::Erased`] when the subject's key was destroyed.
    pub async fn write(&self, subject: &Subject) -> Result<ObjectWriter, ApiError> {
        let name = random_name();
        let sealing = self.vault.seal_object(subject, &name).await?;
        let (store, key) = (Arc::clone(&self.store), key(&name));
        let sink = Sink { store, key, part: self.part, upload: None, held: Vec::new() };
        Ok(ObjectWriter { name, sealing, sink, bytes: 0 })
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
        Ok(self.open_object(subject, name).await?.map_or(Read::Erased, Read::Plain))
    }

    async fn open_object(&self, subject: &Subject, name: &str) -> Result<Option<ObjectReader>, Fault> {
        let mut bytes = self.store.get(&key(name)).await?.into_stream();
        let mut start = Vec::new();
        while start.len() < HEADER {
            match bytes.next().await {
                Some(piece) => start.extend_from_slice(&piece?),
                None => break,
            }
        }
        let opening = self.vault.open_object(subject, name, &start).await?;
        Ok(opening.map(|opening| ObjectReader { opening: Some(opening), start: Some(start), bytes }))
    }

    /// Reads the object `name` of `subject` to its end and shows its plain bytes, piece by piece.
    ///
    /// # Errors
    /// A store or a vault that does not answer: nothing is proven then.
    pub async fn prove(
        &self,
        subject: &Subject,
        name: &str,
        see: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Proof, ApiError> {
        match self.prove_or_fail(subject, name, see).await {
            Ok(proof) => Ok(proof),
            Err(Fault::Store(object_store::Error::NotFound { .. })) => Ok(Proof::Missing),
            Err(Fault::Vault(VaultError::Altered)) => Ok(Proof::Altered),
            Err(fault) => Err(fault.into()),
        }
    }

    async fn prove_or_fail(
        &self,
        subject: &Subject,
        name: &str,
        see: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Proof, Fault> {
        let Some(mut reader) = self.open_object(subject, name).await? else { return Ok(Proof::Erased) };
        while let Some(piece) = reader.piece().await? {
            see(&piece);
        }
        Ok(Proof::Whole)
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
    sink: Sink,
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
        let sealed = self.sealing.push(plain)?;
        self.sink.push(sealed).await.map_err(ApiError::internal)
    }

    /// Ends the object, on disk, and gives its name.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when it cannot be written.
    pub async fn finish(mut self) -> Result<String, ApiError> {
        let rest = self.sealing.finish()?;
        self.sink.held.extend(rest);
        self.sink.end().await.map_err(ApiError::internal)?;
        Ok(self.name)
    }

    /// Gives up; what was written is taken away.
    ///
    /// # Errors
    /// [`ApiError::Internal`].
    pub async fn abort(self) -> Result<(), ApiError> {
        match self.sink.upload {
            Some(mut upload) => upload.abort().await.map_err(ApiError::internal),
            None => Ok(()),
        }
    }
}

/// Where sealed bytes go: at once when they are few, else in parts.
struct Sink {
    store: Arc<dyn ObjectStore>,
    key: Key,
    part: usize,
    upload: Option<Box<dyn MultipartUpload>>,
    held: Vec<u8>,
}

impl Sink {
    async fn push(&mut self, sealed: Vec<u8>) -> object_store::Result<()> {
        self.held.extend(sealed);
        while self.held.len() >= self.part {
            let rest = self.held.split_off(self.part);
            let part = PutPayload::from(std::mem::replace(&mut self.held, rest));
            let mut upload = match self.upload.take() {
                Some(upload) => upload,
                None => self.store.put_multipart(&self.key).await?,
            };
            let put = upload.put_part(part).await;
            self.upload = Some(upload);
            put?;
        }
        Ok(())
    }

    async fn end(self) -> object_store::Result<()> {
        let rest = PutPayload::from(self.held);
        match self.upload {
            Some(mut upload) => {
                upload.put_part(rest).await?;
                upload.complete().await.map(drop)
            }
            None => self.store.put(&self.key, rest).await.map(drop),
        }
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
        Ok(self.piece().await?)
    }

    async fn piece(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        loop {
            let Some(opening) = &mut self.opening else { return Ok(None) };
            let sealed = match self.start.take() {
                Some(start) => Some(Bytes::from(start)),
                None => self.bytes.next().await.transpose()?,
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

impl From<object_store::Error> for Fault {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<VaultError> for Fault {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(object_store::Error::NotFound { .. }) => Self::not_found(),
            Fault::Store(error) => Self::internal(error),
            Fault::Vault(error) => error.into(),
        }
    }
}
