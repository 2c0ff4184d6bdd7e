//! The operator's face, the same on every service: looking into its log, proving it, putting right what stopped.
//!
//! Reading order: this file (who may, and the rpcs), `view` (an event without its sealed parts), `read`, `verify`,
//! `stats`, `relay`, `parked`, `projections`, `export`; `runs` for what outlives a connection; `subject` for erasure and legal
//! hold.

mod export;
mod parked;
mod projections;
mod read;
mod reason;
mod relay;
mod runs;
mod stats;
mod subject;
mod verify;
mod view;

use std::sync::Arc;

use docket_eventlog::{CheckpointKey, StreamName};
use docket_messaging::Redriver;
use docket_proto::log::v1 as pb;
use docket_proto::log::v1::log_admin_service_server::LogAdminService;
use futures::stream::{BoxStream, StreamExt as _, TryStreamExt as _};
use tonic::{Request, Response, Status};
use uuid::Uuid;

pub(crate) use self::export::signed_checkpoint;
pub use self::projections::Projection;
use self::projections::Projections;
use self::runs::{Ask, Runs};
pub(crate) use self::subject::SubjectAdmin;
use crate::{Access, ApiError, Base, Caller, Resource, caller};

/// The paths of these methods begin so.
pub(crate) const PATH: &str = "/docket.log.v1.";

/// Who may do this: the same policy in every service.
pub(crate) fn access() -> anyhow::Result<Access> {
    Access::new(include_str!("log_admin/access.cedar"), include_str!("log_admin/access.cedarschema"))
}

/// The key that signs the log's checkpoints. It comes from the vault's root, so that it is not in the database it
/// vouches for.
pub(crate) fn checkpoint_key(base: &Base) -> anyhow::Result<CheckpointKey> {
    Ok(CheckpointKey::from_seed(&base.vault.mac("checkpoint-key", base.log.name().as_bytes()))?)
}

/// The face.
pub(crate) struct LogAdmin {
    base: Base,
    access: Access,
    redrivers: Vec<(String, Redriver)>,
    projections: Projections,
    checks: Runs<pb::VerifyLogResponse>,
    rebuilds: Runs<pb::RebuildProjectionResponse>,
    /// None until the comparison is done.
    comparisons: Runs<Option<pb::CompareProjectionResponse>>,
    /// None until it is done.
    switches: Runs<Option<pb::SwitchProjectionResponse>>,
}

type Batches<T> = BoxStream<'static, Result<T, Status>>;

impl LogAdmin {
    pub(crate) fn new(
        base: Base,
        access: Access,
        redrivers: Vec<(String, Redriver)>,
        projections: Vec<Arc<dyn Projection>>,
    ) -> Self {
        let stopping = base.stopping.clone();
        Self {
            base,
            access,
            redrivers,
            projections: Projections(projections),
            checks: Runs::new(stopping.clone()),
            rebuilds: Runs::new(stopping.clone()),
            comparisons: Runs::new(stopping.clone()),
            switches: Runs::new(stopping),
        }
    }

    fn admit<T>(&self, request: &Request<T>, action: &str, what: &str) -> Result<String, ApiError> {
        Ok(admit(&self.base, &self.access, request, action, what)?.actor().to_string())
    }

    fn key(&self) -> Result<CheckpointKey, ApiError> {
        checkpoint_key(&self.base).map_err(ApiError::internal)
    }
}

/// Lets operators in, and leaves a line about what they asked for; gives who it is, for the record. `what` holds ids and
/// names of ours only.
fn admit<T>(
    base: &Base,
    access: &Access,
    request: &Request<T>,
    action: &str,
    what: &str,
) -> Result<Caller, ApiError> {
    let caller = caller(request)?;
    let log = Resource { kind: "Log", id: Uuid::nil(), relations: Vec::new(), office: None, class: "normal" };
    access.require(&caller, action, &log)?;
    tracing::info!(operator = %caller.actor(), action, log = base.log.name(), what, "an operator asked");
    Ok(caller)
}

#[tonic::async_trait]
impl LogAdminService for LogAdmin {
    type ReadLogStream = Batches<pb::ReadLogResponse>;

    async fn read_log(
        &self,
        request: Request<pb::ReadLogRequest>,
    ) -> Result<Response<Self::ReadLogStream>, Status> {
        self.admit(&request, "ReadLog", named(&request.get_ref().stream))?;
        let (log, stopping) = (self.base.log.clone(), self.base.stopping.clone());
        Ok(Response::new(read::log(log, stopping, request.into_inner()).await?))
    }

    type ReadStreamStream = Batches<pb::ReadStreamResponse>;

    async fn read_stream(
        &self,
        request: Request<pb::ReadStreamRequest>,
    ) -> Result<Response<Self::ReadStreamStream>, Status> {
        self.admit(&request, "ReadStream", named(&request.get_ref().stream))?;
        Ok(Response::new(read::stream(&self.base.log, request.into_inner()).await?))
    }

    async fn get_event(
        &self,
        request: Request<pb::GetEventRequest>,
    ) -> Result<Response<pb::GetEventResponse>, Status> {
        let position = request.get_ref().position;
        self.admit(&request, "GetEvent", &position.to_string())?;
        if position == 0 {
            let words = "Positions begin with 1.";
            return Err(ApiError::invalid("position", "POSITION_MISSING", words).into());
        }
        let event = self.base.log.read(position - 1, 1).await.map_err(ApiError::from)?;
        let event = event.iter().find(|event| event.position == position).ok_or_else(ApiError::not_found)?;
        Ok(Response::new(pb::GetEventResponse { event: Some(view::event(event)) }))
    }

    type VerifyLogStream = Batches<pb::VerifyLogResponse>;

    async fn verify_log(
        &self,
        request: Request<pb::VerifyLogRequest>,
    ) -> Result<Response<Self::VerifyLogStream>, Status> {
        let by = self.admit(&request, "VerifyLog", named(&request.get_ref().stream))?;
        let ask = request.into_inner();
        if !ask.stream.is_empty() {
            verify::kept(&self.base.log, &ask)?;
            let stream = read::stream_name(&ask.stream)?;
            return Ok(Response::new(verify::stream(&self.base.log, &stream).await?));
        }
        let run = Ask::new(by, &ask.run)?;
        if ask.resume {
            return Ok(Response::new(self.checks.listen(&run)?));
        }
        let kept = verify::kept(&self.base.log, &ask)?;
        let (log, key, from) = (self.base.log.clone(), self.key()?, ask.from_position);
        let check = |told| verify::log(log, key, from, kept, told);
        Ok(Response::new(self.checks.begin(run, verify::begun(), check)))
    }

    async fn get_log_stats(
        &self,
        request: Request<pb::GetLogStatsRequest>,
    ) -> Result<Response<pb::GetLogStatsResponse>, Status> {
        self.admit(&request, "GetLogStats", "")?;
        Ok(Response::new(stats::stats(&self.base).await?))
    }

    async fn get_relay_status(
        &self,
        request: Request<pb::GetRelayStatusRequest>,
    ) -> Result<Response<pb::GetRelayStatusResponse>, Status> {
        self.admit(&request, "GetRelayStatus", "")?;
        Ok(Response::new(relay::status(&self.base).await?))
    }

    async fn list_parked(
        &self,
        request: Request<pb::ListParkedRequest>,
    ) -> Result<Response<pb::ListParkedResponse>, Status> {
        self.admit(&request, "ListParked", "")?;
        Ok(Response::new(pb::ListParkedResponse { streams: parked::list(&self.base).await? }))
    }

    async fn get_parked(
        &self,
        request: Request<pb::GetParkedRequest>,
    ) -> Result<Response<pb::GetParkedResponse>, Status> {
        self.admit(&request, "GetParked", named(&request.get_ref().stream))?;
        Ok(Response::new(parked::get(&self.base, request.get_ref()).await?))
    }

    async fn redrive_parked(
        &self,
        request: Request<pb::RedriveParkedRequest>,
    ) -> Result<Response<pb::RedriveParkedResponse>, Status> {
        self.admit(&request, "RedriveParked", named(&request.get_ref().stream))?;
        let (redrivers, ask) = (self.redrivers.clone(), request.into_inner());
        let done = crate::detached(async move { parked::redrive(&redrivers, &ask).await }).await?;
        Ok(Response::new(done))
    }

    async fn skip_parked(
        &self,
        request: Request<pb::SkipParkedRequest>,
    ) -> Result<Response<pb::SkipParkedResponse>, Status> {
        let by = self.admit(&request, "SkipParked", named(&request.get_ref().stream))?;
        let (base, ask) = (self.base.clone(), request.into_inner());
        let done = crate::detached(async move { parked::skip(&base, &by, &ask).await }).await?;
        Ok(Response::new(done))
    }

    async fn list_skipped(
        &self,
        request: Request<pb::ListSkippedRequest>,
    ) -> Result<Response<pb::ListSkippedResponse>, Status> {
        self.admit(&request, "ListSkipped", "")?;
        Ok(Response::new(pb::ListSkippedResponse { events: parked::skipped(&self.base).await? }))
    }

    async fn list_projections(
        &self,
        request: Request<pb::ListProjectionsRequest>,
    ) -> Result<Response<pb::ListProjectionsResponse>, Status> {
        self.admit(&request, "ListProjections", "")?;
        Ok(Response::new(pb::ListProjectionsResponse { projections: self.projections.list().await? }))
    }

    type RebuildProjectionStream = Batches<pb::RebuildProjectionResponse>;

    async fn rebuild_projection(
        &self,
        request: Request<pb::RebuildProjectionRequest>,
    ) -> Result<Response<Self::RebuildProjectionStream>, Status> {
        let projection = self.projections.find(&request.get_ref().name);
        let by = self.admit(&request, "RebuildProjection", name_of(&projection))?;
        let (projection, run) = (projection?, Ask::new(by.clone(), &request.get_ref().run)?);
        let rebuild = |told| projections::rebuild(projection, by, told);
        let first = pb::RebuildProjectionResponse::default();
        Ok(Response::new(self.rebuilds.begin_for_good(run, first, rebuild)))
    }

    type WatchRebuildStream = Batches<pb::WatchRebuildResponse>;

    async fn watch_rebuild(
        &self,
        request: Request<pb::WatchRebuildRequest>,
    ) -> Result<Response<Self::WatchRebuildStream>, Status> {
        let by = self.admit(&request, "WatchRebuild", "")?;
        let steps = self.rebuilds.listen(&Ask::new(by, &request.get_ref().run)?)?;
        let steps = steps.map_ok(|step| pb::WatchRebuildResponse { step: Some(step) });
        Ok(Response::new(steps.boxed()))
    }

    async fn compare_projection(
        &self,
        request: Request<pb::CompareProjectionRequest>,
    ) -> Result<Response<pb::CompareProjectionResponse>, Status> {
        let projection = self.projections.find(&request.get_ref().name);
        let by = self.admit(&request, "CompareProjection", name_of(&projection))?;
        let (projection, ask) = (projection?, request.into_inner());
        let run = Ask::new(by, &ask.run)?;
        let steps = if ask.resume {
            self.comparisons.listen(&run)?
        } else {
            self.comparisons.begin(run, None, |_told| async move { projection.compare().await.map(Some) })
        };
        Ok(Response::new(runs::outcome(steps).await?))
    }

    async fn switch_projection(
        &self,
        request: Request<pb::SwitchProjectionRequest>,
    ) -> Result<Response<pb::SwitchProjectionResponse>, Status> {
        let projection = self.projections.find(&request.get_ref().name);
        let by = self.admit(&request, "SwitchProjection", name_of(&projection))?;
        let (projection, ask) = (projection?, request.into_inner());
        reason::check(&ask.reason)?;
        let run = Ask::new(by.clone(), &ask.run)?;
        let switch = |_told| async move { projection.switch(&by, &ask).await.map(Some) };
        Ok(Response::new(runs::outcome(self.switches.begin_for_good(run, None, switch)).await?))
    }

    async fn watch_switch(
        &self,
        request: Request<pb::WatchSwitchRequest>,
    ) -> Result<Response<pb::WatchSwitchResponse>, Status> {
        let by = self.admit(&request, "WatchSwitch", "")?;
        let steps = self.switches.listen(&Ask::new(by, &request.get_ref().run)?)?;
        Ok(Response::new(pb::WatchSwitchResponse { done: Some(runs::outcome(steps).await?) }))
    }

    async fn roll_back_projection(
        &self,
        request: Request<pb::RollBackProjectionRequest>,
    ) -> Result<Response<pb::RollBackProjectionResponse>, Status> {
        let projection = self.projections.find(&request.get_ref().name);
        let by = self.admit(&request, "RollBackProjection", name_of(&projection))?;
        Ok(Response::new(projections::roll_back(projection?, by, request.into_inner().reason).await?))
    }

    type ExportLogStream = Batches<pb::ExportLogResponse>;

    async fn export_log(
        &self,
        request: Request<pb::ExportLogRequest>,
    ) -> Result<Response<Self::ExportLogStream>, Status> {
        let by = self.admit(&request, "ExportLog", named(&request.get_ref().stream))?;
        let stream = request.into_inner().stream;
        let stream = (!stream.is_empty()).then(|| read::stream_name(&stream)).transpose()?;
        Ok(Response::new(export::export(&self.base, &by, &self.key()?, stream).await?))
    }

    type ContinueExportStream = Batches<pb::ContinueExportResponse>;

    async fn continue_export(
        &self,
        request: Request<pb::ContinueExportRequest>,
    ) -> Result<Response<Self::ContinueExportStream>, Status> {
        let by = self.admit(&request, "ContinueExport", "")?;
        Ok(Response::new(export::rest(&self.base, &by, request.get_ref())?))
    }
}

/// The stream that was named, when it is a name of one: what else was typed has no place in a log.
fn named(stream: &str) -> &str {
    if StreamName::new(stream).is_ok() { stream } else { "" }
}

/// The projection's own name, since what was asked for is the caller's text.
fn name_of(projection: &Result<Arc<dyn Projection>, ApiError>) -> &'static str {
    projection.as_ref().map_or("", |projection| projection.name())
}
