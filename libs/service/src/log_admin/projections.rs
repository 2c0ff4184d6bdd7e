//! Projections that can be built again beside the one in use (L8), and how an operator asks for it.

use std::sync::Arc;

use async_trait::async_trait;
use docket_proto::log::v1 as pb;
use tokio::sync::watch;

use super::reason;
use super::runs::Told;
use crate::{ApiError, detached};

/// A projection with a second set of rows beside those in use. `by` is the actor who asked, for the record.
#[async_trait]
pub trait Projection: Send + Sync + 'static {
    /// Its name, such as `status`.
    fn name(&self) -> &'static str;

    /// How it stands.
    async fn describe(&self) -> Result<pb::Projection, ApiError>;

    /// Builds the rows beside from the whole log, without any effect elsewhere, and keeps `progress` up to date.
    /// When it is dropped, the rows beside stay unfinished and are never taken into use.
    async fn rebuild(
        &self,
        by: &str,
        progress: &watch::Sender<pb::RebuildProjectionResponse>,
    ) -> Result<(), ApiError>;

    /// Brings the rows beside up to date and compares them with those in use.
    async fn compare(&self) -> Result<pb::CompareProjectionResponse, ApiError>;

    /// Compares, and takes the rows beside into use; readers see the old or the new, never a mix. However long the comparison
    /// takes, what changes is done at once at its end, and to its end also when this is dropped.
    async fn switch(
        &self,
        by: &str,
        ask: &pb::SwitchProjectionRequest,
    ) -> Result<pb::SwitchProjectionResponse, ApiError>;

    /// Takes the rows that were in use before into use again.
    async fn roll_back(&self, by: &str, reason: &str) -> Result<pb::RollBackProjectionResponse, ApiError>;
}

/// The projections of a server.
pub(super) struct Projections(pub(super) Vec<Arc<dyn Projection>>);

impl Projections {
    pub(super) fn find(&self, name: &str) -> Result<Arc<dyn Projection>, ApiError> {
        self.0.iter().find(|projection| projection.name() == name).cloned().ok_or_else(ApiError::not_found)
    }

    pub(super) async fn list(&self) -> Result<Vec<pb::Projection>, ApiError> {
        let mut all = Vec::new();
        for projection in &self.0 {
            all.push(projection.describe().await?);
        }
        Ok(all)
    }
}

/// Builds, and tells meanwhile how far it is, and at last that it is done.
pub(super) async fn rebuild(
    projection: Arc<dyn Projection>,
    by: String,
    told: Told<pb::RebuildProjectionResponse>,
) -> Result<pb::RebuildProjectionResponse, ApiError> {
    let (progress, seen) = watch::channel(pb::RebuildProjectionResponse::default());
    told.during(projection.rebuild(&by, &progress), || *seen.borrow()).await?;
    Ok(pb::RebuildProjectionResponse { done: true, ..*seen.borrow() })
}

/// The way back is not given up half-way when the caller goes away.
pub(super) async fn roll_back(
    projection: Arc<dyn Projection>,
    by: String,
    reason: String,
) -> Result<pb::RollBackProjectionResponse, ApiError> {
    reason::check(&reason)?;
    detached(async move { projection.roll_back(&by, &reason).await }).await
}
