//! Sends a file as evidence in portions, and goes on where the line was cut: also where an earlier run stopped.
use crate::client::{Line, UploadServiceClient, passing, reason, request};
use anyhow::{Context, Result, ensure};
use docket_proto::filing::v1 as pb;
use pb::send_upload_request::Part;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tonic::{Code, Response, Status};
use uuid::Uuid;

/// Bytes of a file in memory while its hash is taken.
const READ_AT_ONCE: usize = 256 * 1024;
/// Bytes sent before the service is asked whether they are on its disk.
const PORTION: u64 = 1024 * 1024;
/// How long a portion may take.
const PORTION_DEADLINE: Duration = Duration::from_mins(1);

/// A file to be sent: what is announced of it, and where its bytes are.
#[derive(Debug)]
pub struct Outgoing {
    path: PathBuf,
    kind: String,
    file_name: String,
    foreign_language: bool,
    size: u64,
    sha256: [u8; 32],
}

impl Outgoing {
    /// Looks at a file. Nothing is sent yet.
    pub fn look(path: &Path, kind: &str, foreign_language: bool) -> Result<Self> {
        let told = || path.display().to_string();
        let mut file = File::open(path).with_context(told)?;
        ensure!(file.metadata().with_context(told)?.is_file(), "{}: it is not a file", path.display());
        let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; READ_AT_ONCE]);
        loop {
            let read = file.read(&mut buffer).with_context(told)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            size += read as u64;
        }
        Ok(Self {
            path: path.to_owned(),
            kind: kind.to_owned(),
            file_name: pb::UploadHeader::name_of(&path.file_name().unwrap_or_default().to_string_lossy()),
            foreign_language,
            size,
            sha256: hash.finalize().into(),
        })
    }

    /// What it is attached as.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Its name, as the service gets it.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// What is announced. The command id follows from it: announced again, also by a later run, it is the same upload.
    fn announcement(&self, parent: &str) -> pb::BeginUploadRequest {
        let mut hash = Sha256::new();
        for word in [parent, &self.kind, &self.file_name] {
            hash.update(word);
            hash.update([0]);
        }
        hash.update([u8::from(self.foreign_language)]);
        hash.update(self.sha256);
        let hash: [u8; 32] = hash.finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        let header = pb::UploadHeader {
            request_id: uuid::Builder::from_custom_bytes(id).into_uuid().to_string(),
            parent: parent.to_owned(),
            kind: self.kind.clone(),
            file_name: self.file_name.clone(),
            foreign_language: self.foreign_language,
        };
        pb::BeginUploadRequest { header: Some(header), size: self.size, sha256: self.sha256.to_vec() }
    }

    /// The upload to go on with among those that wait: announced as this one, the one that is furthest.
    fn waiting(&self, listed: Vec<pb::Upload>) -> Option<pb::Upload> {
        let same = |upload: &pb::Upload| {
            upload.foreign_language == self.foreign_language
                && (&upload.file_name, &upload.kind, upload.size) == (&self.file_name, &self.kind, self.size)
        };
        listed.into_iter().filter(same).max_by_key(|upload| upload.offset)
    }

    /// The bytes of a portion; fewer than a portion has only at the end.
    fn portion(&self, offset: u64) -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(PORTION.min(self.size.saturating_sub(offset))).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The messages of a portion: where it goes, then its bytes in chunks, each with its checksum.
fn messages(upload: &pb::Upload, bytes: &[u8]) -> Vec<pb::SendUploadRequest> {
    let place = pb::UploadPlace { name: upload.name.clone(), turn: upload.turn, offset: upload.offset };
    let parts = std::iter::once(Part::Place(place)).chain(pb::UploadChunk::cut(bytes).map(Part::Chunk));
    parts.map(|part| pb::SendUploadRequest { part: Some(part) }).collect()
}

/// How long it is tried again while nothing gets through: pauses that double up to a bound, until they are too long together.
#[derive(Debug)]
struct Patience {
    pause: Duration,
    left: Duration,
}

impl Patience {
    const FIRST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(15);
    const WHOLE: Duration = Duration::from_mins(2);

    fn new() -> Self {
        Self { pause: Self::FIRST, left: Self::WHOLE }
    }

    /// The next pause; none when patience is at its end.
    fn pause(&mut self) -> Option<Duration> {
        let pause = self.pause;
        self.left = self.left.checked_sub(pause)?;
        self.pause = (pause * 2).min(Self::LONGEST);
        Some(pause)
    }
}

/// What can be told while a file is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// So many bytes of so many are on the service's disk.
    Sent(u64, u64),
    /// Nothing gets through; it is tried again after a pause.
    Waits(Duration),
}

/// Sends files to a filing. `token` gives the access token as it is now, `tell` is told how far it is.
pub struct Uploader<T, W> {
    pub client: UploadServiceClient<Line>,
    pub token: T,
    pub tell: W,
}

impl<T: AsyncFn() -> Result<String, Status>, W: Fn(Way)> Uploader<T, W> {
    /// Sends a file and attaches it.
    pub async fn attach(&self, parent: &str, file: &Outgoing) -> Result<pb::Evidence, Status> {
        if let Some(waiting) = file.waiting(self.list(parent).await?) {
            match self.go_on(file, waiting).await {
                // Of another content after all, or taken away meanwhile: it is begun anew.
                Err(status) if status.code() == Code::NotFound || reason(&status) == "HASH_DIFFERS" => {}
                done => return done,
            }
        }
        let announcement = file.announcement(parent);
        let begun = self.insist(announcement, async |mut client, message| client.begin_upload(message).await);
        let upload = begun.await?.upload.ok_or_else(without_upload)?;
        self.carry(file, upload).await
    }

    async fn list(&self, parent: &str) -> Result<Vec<pb::Upload>, Status> {
        let message = pb::ListUploadsRequest { parent: parent.to_owned() };
        let listed = self.insist(message, async |mut client, message| client.list_uploads(message).await);
        Ok(listed.await?.uploads)
    }

    async fn go_on(&self, file: &Outgoing, waiting: pb::Upload) -> Result<pb::Evidence, Status> {
        self.carry(file, self.resume(waiting.name).await?).await
    }

    /// What is there of an upload, with a turn of its own for who sends from here.
    async fn resume(&self, name: String) -> Result<pb::Upload, Status> {
        let message = pb::ResumeUploadRequest { name };
        let resumed = self.insist(message, async |mut client, message| client.resume_upload(message).await);
        resumed.await?.upload.ok_or_else(without_upload)
    }

    /// Sends what is not there yet, portion by portion, and finishes.
    async fn carry(&self, file: &Outgoing, mut upload: pb::Upload) -> Result<pb::Evidence, Status> {
        let mut patience = Patience::new();
        (self.tell)(Way::Sent(upload.offset, upload.size));
        while upload.offset < upload.size {
            let before = upload.offset;
            upload = match self.send(file, &upload).await {
                Ok(sent) => sent,
                Err(status) if goes_on(&status) => {
                    self.wait(&mut patience, status).await?;
                    self.resume(upload.name).await?
                }
                Err(status) => return Err(status),
            };
            if upload.offset > before {
                patience = Patience::new();
                (self.tell)(Way::Sent(upload.offset, upload.size));
            }
        }
        self.finish(upload.name).await
    }

    async fn send(&self, file: &Outgoing, upload: &pb::Upload) -> Result<pb::Upload, Status> {
        let bytes = file.portion(upload.offset).map_err(unreadable)?;
        if bytes.is_empty() {
            return Err(Status::failed_precondition("the file has become shorter while it was sent"));
        }
        let token = (self.token)().await?;
        let mut message = request(Some(&token), tokio_stream::iter(messages(upload, &bytes)));
        message.set_timeout(PORTION_DEADLINE);
        let sent = self.client.clone().send_upload(message).await?;
        sent.into_inner().upload.ok_or_else(without_upload)
    }

    /// Has it checked and attached. One that is refused is not kept waiting there.
    async fn finish(&self, name: String) -> Result<pb::Evidence, Status> {
        let message = pb::FinishUploadRequest { request_id: Uuid::now_v7().to_string(), name: name.clone() };
        let finished = self.insist(message, async |mut client, message| client.finish_upload(message).await);
        match finished.await {
            Ok(answer) => {
                answer.evidence.ok_or_else(|| Status::internal("an upload was finished without evidence"))
            }
            Err(refused) => {
                if !passing(&refused) {
                    let token = (self.token)().await?;
                    let message = request(Some(&token), pb::CancelUploadRequest { name });
                    // Where that fails, it is taken away when its time is over.
                    self.client.clone().cancel_upload(message).await.ok();
                }
                Err(refused)
            }
        }
    }

    /// Calls until it is answered, with the same message each time, as long as there is patience.
    async fn insist<M: Clone, A>(
        &self,
        message: M,
        call: impl AsyncFn(UploadServiceClient<Line>, tonic::Request<M>) -> Result<Response<A>, Status>,
    ) -> Result<A, Status> {
        let mut patience = Patience::new();
        loop {
            let answer = async {
                let token = (self.token)().await?;
                call(self.client.clone(), request(Some(&token), message.clone())).await
            };
            match answer.await {
                Err(status) if passing(&status) => self.wait(&mut patience, status).await?,
                answer => return answer.map(Response::into_inner),
            }
        }
    }

    /// Waits a while; the status is the end where there is no more patience.
    async fn wait(&self, patience: &mut Patience, status: Status) -> Result<(), Status> {
        let pause = patience.pause().ok_or(status)?;
        (self.tell)(Way::Waits(pause));
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Whether an upload goes on with a new turn from where the service has it. One that was gone on with elsewhere does not: two
/// devices would take it from each other for ever.
fn goes_on(status: &Status) -> bool {
    passing(status) || ["OFFSET_DIFFERS", "CHUNK_DAMAGED"].contains(&reason(status).as_str())
}

fn without_upload() -> Status {
    Status::internal("an answer without its upload")
}

fn unreadable(error: std::io::Error) -> Status {
    Status::failed_precondition(format!("the file cannot be read any more: {error}"))
}

#[cfg(test)]
mod tests;
