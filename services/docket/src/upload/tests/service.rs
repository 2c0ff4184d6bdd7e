//! A service of uploads that keeps one upload, and stumbles as it is told.
use crate::client::{Line, Reader, UploadServiceClient};
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::send_upload_request::Part;
use docket_proto::filing::v1::upload_service_server::{UploadService, UploadServiceServer};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_types::{ErrorDetails, StatusExt as _};

/// What goes wrong with a call that sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stumble {
    /// Nothing.
    None,
    /// The line is cut after the first chunk, which is kept.
    Cut,
    /// It is said to go elsewhere in the file.
    OtherOffset,
    /// A chunk is said to have come damaged.
    Damage,
    /// Another device goes on with it.
    Elsewhere,
}

/// The service, and what it has seen.
#[derive(Clone)]
pub(super) struct Service(Arc<Mutex<State>>);

/// What the service has seen.
#[derive(Default)]
pub(super) struct State {
    stumbles: VecDeque<Stumble>,
    refusals: VecDeque<Status>,
    pub(super) announced: Vec<pb::BeginUploadRequest>,
    pub(super) bytes: Vec<u8>,
    pub(super) turn: u64,
    /// Request ids with which it was finished.
    pub(super) finished: Vec<String>,
    pub(super) cancelled: bool,
    /// Whether an upload waits here.
    waits: bool,
}

/// A refusal with its reason.
pub(super) fn refused(code: Code, reason: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, "filing.docket", HashMap::new());
    Status::with_error_details(code, "refused", details)
}

impl Service {
    /// One that stumbles so when something is sent, and refuses so to finish.
    pub(super) fn with(stumbles: &[Stumble], refusals: &[Status]) -> Self {
        let (stumbles, refusals) = (stumbles.iter().copied().collect(), refusals.iter().cloned().collect());
        Self(Arc::new(Mutex::new(State { stumbles, refusals, ..State::default() })))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// A client of it, over a connection of its own.
    pub(super) async fn client(&self) -> UploadServiceClient<Line> {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let service = UploadServiceServer::new(self.clone());
        tokio::spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        UploadServiceClient::with_interceptor(endpoint.connect().await.unwrap(), Reader::default())
    }
}

impl State {
    fn upload(&self) -> pb::Upload {
        let announced = self.announced.last().cloned().unwrap_or_default();
        let header = announced.header.unwrap_or_default();
        pb::Upload {
            name: "uploads/a".into(),
            parent: header.parent,
            kind: header.kind,
            file_name: header.file_name,
            size: announced.size,
            offset: self.bytes.len() as u64,
            turn: self.turn,
            expires_at_us: 0,
            foreign_language: header.foreign_language,
        }
    }
}

#[tonic::async_trait]
impl UploadService for Service {
    async fn begin_upload(
        &self,
        request: Request<pb::BeginUploadRequest>,
    ) -> Result<Response<pb::BeginUploadResponse>, Status> {
        let mut state = self.state();
        state.announced.push(request.into_inner());
        state.bytes.clear();
        (state.turn, state.waits) = (1, true);
        Ok(Response::new(pb::BeginUploadResponse { upload: Some(state.upload()) }))
    }

    async fn send_upload(
        &self,
        request: Request<Streaming<pb::SendUploadRequest>>,
    ) -> Result<Response<pb::SendUploadResponse>, Status> {
        let mut parts = request.into_inner();
        let stumble = self.state().stumbles.pop_front().unwrap_or(Stumble::None);
        match stumble {
            Stumble::OtherOffset => return Err(refused(Code::FailedPrecondition, "OFFSET_DIFFERS")),
            Stumble::Damage => return Err(refused(Code::InvalidArgument, "CHUNK_DAMAGED")),
            Stumble::Elsewhere => return Err(refused(Code::FailedPrecondition, "CONTINUED_ELSEWHERE")),
            Stumble::None | Stumble::Cut => {}
        }
        while let Some(message) = parts.message().await? {
            let mut state = self.state();
            match message.part.unwrap() {
                Part::Place(place) => {
                    assert_eq!((place.turn, place.offset), (state.turn, state.bytes.len() as u64));
                }
                Part::Chunk(chunk) => {
                    state.bytes.extend(chunk.bytes);
                    if stumble == Stumble::Cut {
                        return Err(Status::unavailable("the line was cut"));
                    }
                }
            }
        }
        Ok(Response::new(pb::SendUploadResponse { upload: Some(self.state().upload()) }))
    }

    async fn resume_upload(
        &self,
        _request: Request<pb::ResumeUploadRequest>,
    ) -> Result<Response<pb::ResumeUploadResponse>, Status> {
        let mut state = self.state();
        state.turn += 1;
        Ok(Response::new(pb::ResumeUploadResponse { upload: Some(state.upload()) }))
    }

    async fn list_uploads(
        &self,
        _request: Request<pb::ListUploadsRequest>,
    ) -> Result<Response<pb::ListUploadsResponse>, Status> {
        let state = self.state();
        let uploads = state.waits.then(|| pb::Upload { turn: 0, ..state.upload() });
        Ok(Response::new(pb::ListUploadsResponse { uploads: uploads.into_iter().collect() }))
    }

    async fn finish_upload(
        &self,
        request: Request<pb::FinishUploadRequest>,
    ) -> Result<Response<pb::FinishUploadResponse>, Status> {
        let mut state = self.state();
        state.finished.push(request.into_inner().request_id);
        if let Some(refusal) = state.refusals.pop_front() {
            return Err(refusal);
        }
        let upload = state.upload();
        assert_eq!(upload.offset, upload.size, "it is finished when all is there");
        state.waits = false;
        let hash: [u8; 32] = Sha256::digest(&state.bytes).into();
        if state.announced.last().unwrap().sha256 != hash {
            return Err(refused(Code::InvalidArgument, "HASH_DIFFERS"));
        }
        let evidence = pb::Evidence { size: upload.size, ..pb::Evidence::default() };
        Ok(Response::new(pb::FinishUploadResponse { evidence: Some(evidence) }))
    }

    async fn cancel_upload(
        &self,
        _request: Request<pb::CancelUploadRequest>,
    ) -> Result<Response<pb::CancelUploadResponse>, Status> {
        self.state().cancelled = true;
        Ok(Response::new(pb::CancelUploadResponse {}))
    }
}
