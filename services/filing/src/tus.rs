//! Uploads over HTTP by the tus protocol 1.0.0 (<https://tus.io/protocols/resumable-upload>), for pages in a browser: each call is
//! told in HTTP and done by `UploadService`, with the caller's token.
//!
//! Creation, expiration and termination. `HEAD` and `PATCH` take the next turn, so that a sender who was given up is fenced
//! off; the last byte, and every `HEAD` after it, attaches the file, so that a client which believes itself done is right.

mod body;
mod headers;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{head, post};
use bytes::Bytes;
use docket_kernel::{derived_id, resource};
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::send_upload_request::Part;
use docket_proto::filing::v1::upload_service_client::UploadServiceClient;
use docket_service::{ApiError, Local, Problem};
use futures::{Stream, StreamExt as _, stream};
use http::header::{
    ACCEPT_LANGUAGE, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::metadata::MetadataMap;
use tower_http::cors::{AllowOrigin, CorsLayer};
use uuid::Uuid;

use crate::file_type;

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSIONS: HeaderName = HeaderName::from_static("tus-version");
const EXTENSIONS: HeaderName = HeaderName::from_static("tus-extension");
const MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
/// The evidence that a file has become: `filings/<uuid>/evidence/<uuid>`.
const EVIDENCE: HeaderName = HeaderName::from_static("docket-evidence");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const OCTETS: &str = "application/offset+octet-stream";

type Client = UploadServiceClient<Local>;

/// The pages that may call, from the configuration.
///
/// # Errors
/// What is no origin.
pub(crate) fn origins(names: &[String]) -> anyhow::Result<Vec<HeaderValue>> {
    let origin = |name: &String| {
        let host = name.strip_prefix("https://").or_else(|| name.strip_prefix("http://localhost"));
        let plain = host.is_some_and(|host| !host.contains(['/', '*', ' ']));
        anyhow::ensure!(plain, "{name} is no origin; write https://portal.example, without a path");
        Ok(HeaderValue::from_str(name)?)
    };
    names.iter().map(origin).collect()
}

/// The HTTP face: `/uploads` begins, `/uploads/<uuid>` goes on.
pub(crate) fn router(grpc: Local, origins: Vec<HeaderValue>) -> Router {
    let one = head(stand).patch(go_on).delete(give_up).post(overridden);
    Router::new()
        .route("/uploads", post(begin))
        .route("/uploads/{id}", one)
        .with_state(UploadServiceClient::new(grpc))
        .layer(cors(origins))
        .layer(from_fn(speaks_tus))
}

fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    let exposed = [
        LOCATION,
        RESUMABLE,
        VERSIONS,
        EXTENSIONS,
        MAX_SIZE,
        OFFSET,
        LENGTH,
        EXPIRES,
        EVIDENCE,
        HeaderName::from_static("docket-reason"),
    ];
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::POST, Method::HEAD, Method::PATCH, Method::DELETE, Method::OPTIONS])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            RESUMABLE,
            LENGTH,
            OFFSET,
            METADATA,
            OVERRIDE,
            TRACEPARENT,
        ])
        .expose_headers(exposed)
}

/// The version on every answer; a caller of another one is told, and one who asks what is spoken.
async fn speaks_tus(request: Request, next: Next) -> Response {
    let asks = request.method() == Method::OPTIONS;
    let mut response = if asks && !request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        let size = HeaderValue::from(file_type::MAX_BYTES);
        let spoken = HeaderValue::from_static("creation,expiration,termination");
        (StatusCode::NO_CONTENT, [(VERSIONS, VERSION), (EXTENSIONS, spoken), (MAX_SIZE, size)])
            .into_response()
    } else if asks || request.headers().get(RESUMABLE) == Some(&VERSION) {
        next.run(request).await
    } else {
        (StatusCode::PRECONDITION_FAILED, [(VERSIONS, VERSION)]).into_response()
    };
    response.headers_mut().insert(RESUMABLE, VERSION);
    response
}

/// `POST /uploads`.
async fn begin(State(mut client): State<Client>, headers: HeaderMap) -> Result<Response, Problem> {
    let size = headers::number(&headers, &LENGTH)?;
    let request = headers::announcement(&headers, size)?;
    let answer = client.begin_upload(with_caller(request, &headers)).await.map_err(told)?;
    let upload = answer.into_inner().upload.unwrap_or_default();
    let place = HeaderValue::from_str(&format!("/{}", upload.name)).map_err(ApiError::internal)?;
    Ok((StatusCode::CREATED, [(LOCATION, place), (OFFSET, upload.offset.into())], expiry(&upload))
        .into_response())
}

/// `HEAD /uploads/<uuid>`: where it stands; whoever asks goes on with it.
async fn stand(
    State(mut client): State<Client>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let evidence = match resume(&mut client, id, &headers).await {
        Ok(upload) if upload.offset < upload.size => {
            let place = [(OFFSET, upload.offset.into()), (LENGTH, HeaderValue::from(upload.size))];
            return Ok((StatusCode::OK, no_store, place, expiry(&upload)).into_response());
        }
        Ok(_all_here) => finish(&mut client, id, &headers).await?,
        // Finished before, and the answer was lost; or there never was one.
        Err(problem) if problem.grpc_code() == Code::NotFound => finish(&mut client, id, &headers).await?,
        Err(problem) => return Err(problem),
    };
    let size = HeaderValue::from(evidence.size);
    Ok((StatusCode::OK, no_store, [(OFFSET, size.clone()), (LENGTH, size)], attached(&evidence)?)
        .into_response())
}

/// `PATCH /uploads/<uuid>`: bytes from an offset on; with the last one the file is attached.
async fn go_on(
    State(client): State<Client>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    body::handed(body, async |bytes| write(client, id, &headers, bytes).await).await
}

async fn write(
    mut client: Client,
    id: Uuid,
    headers: &HeaderMap,
    bytes: ReceiverStream<Bytes>,
) -> Result<Response, Problem> {
    if headers.get(CONTENT_TYPE).is_none_or(|kind| kind != OCTETS) {
        let rule = "Send application/offset+octet-stream.";
        let refusal = ApiError::invalid("content-type", "CONTENT_TYPE_WRONG", rule);
        return Err(Problem::from(refusal).numbered(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let offset = headers::number(headers, &OFFSET)?;
    // Whether that is the next byte, `SendUpload` says.
    let upload = pb::Upload { offset, ..resume(&mut client, id, headers).await? };
    let request = with_caller(parts(upload, bytes), headers);
    let upload = client.send_upload(request).await.map_err(told)?.into_inner().upload.unwrap_or_default();
    let here = [(OFFSET, HeaderValue::from(upload.offset))];
    if upload.offset < upload.size {
        return Ok((StatusCode::NO_CONTENT, here, expiry(&upload)).into_response());
    }
    let evidence = finish(&mut client, id, headers).await?;
    Ok((StatusCode::NO_CONTENT, here, attached(&evidence)?).into_response())
}

/// `DELETE /uploads/<uuid>`.
async fn give_up(
    State(mut client): State<Client>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let request = pb::CancelUploadRequest { name: resource::name("uploads", id) };
    client.cancel_upload(with_caller(request, &headers)).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /uploads/<uuid>` for callers who cannot say `PATCH` or `DELETE`.
async fn overridden(
    State(client): State<Client>,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let meant = headers.get(OVERRIDE).map(HeaderValue::as_bytes);
    if meant == Some(b"PATCH") {
        go_on(State(client), Path(id), headers, body).await
    } else if meant == Some(b"DELETE") {
        give_up(State(client), Path(id), headers).await.map(IntoResponse::into_response)
    } else {
        let rule = "Say PATCH or DELETE, by the method or in this header.";
        let refusal = ApiError::invalid("x-http-method-override", "METHOD_UNKNOWN", rule);
        Err(Problem::from(refusal).numbered(StatusCode::METHOD_NOT_ALLOWED))
    }
}

async fn resume(client: &mut Client, id: Uuid, headers: &HeaderMap) -> Result<pb::Upload, Problem> {
    let request = pb::ResumeUploadRequest { name: resource::name("uploads", id) };
    let answer = client.resume_upload(with_caller(request, headers)).await.map_err(told)?;
    Ok(answer.into_inner().upload.unwrap_or_default())
}

/// Attaches what is here whole. The command's id hangs on the upload alone: asked twice, done once.
async fn finish(client: &mut Client, id: Uuid, headers: &HeaderMap) -> Result<pb::Evidence, Problem> {
    let request_id = derived_id("tus", id, 0).to_string();
    let request = pb::FinishUploadRequest { request_id, name: resource::name("uploads", id) };
    let answer = client.finish_upload(with_caller(request, headers)).await.map_err(told)?;
    Ok(answer.into_inner().evidence.unwrap_or_default())
}

/// The place, then the bytes as they come.
fn parts(
    upload: pb::Upload,
    bytes: ReceiverStream<Bytes>,
) -> impl Stream<Item = pb::SendUploadRequest> + Send + 'static {
    let place = pb::UploadPlace { name: upload.name, turn: upload.turn, offset: upload.offset };
    let chunks = bytes
        .flat_map(|bytes| stream::iter(pb::UploadChunk::cut(&bytes).map(Part::Chunk).collect::<Vec<_>>()));
    stream::once(std::future::ready(Part::Place(place)))
        .chain(chunks)
        .map(|part| pb::SendUploadRequest { part: Some(part) })
}

/// A call on behalf of whoever called, in the same trace and language.
fn with_caller<T>(message: T, headers: &HeaderMap) -> tonic::Request<T> {
    let mut passed = HeaderMap::new();
    for name in [AUTHORIZATION, ACCEPT_LANGUAGE, TRACEPARENT] {
        if let Some(value) = headers.get(&name) {
            passed.insert(name, value.clone());
        }
    }
    let mut request = tonic::Request::new(message);
    *request.metadata_mut() = MetadataMap::from_headers(passed);
    request
}

/// A refusal under the numbers that tus has.
fn told(status: tonic::Status) -> Problem {
    let problem = Problem::from(status);
    match problem.reason() {
        "OFFSET_DIFFERS" | "CONTINUED_ELSEWHERE" => problem.numbered(StatusCode::CONFLICT),
        "TOO_LARGE" => problem.numbered(StatusCode::PAYLOAD_TOO_LARGE),
        _other => problem,
    }
}

fn expiry(upload: &pb::Upload) -> [(HeaderName, HeaderValue); 1] {
    [(EXPIRES, headers::date(upload.expires_at_us))]
}

fn attached(evidence: &pb::Evidence) -> Result<[(HeaderName, HeaderValue); 1], ApiError> {
    Ok([(EVIDENCE, HeaderValue::from_str(&evidence.name).map_err(ApiError::internal)?)])
}
