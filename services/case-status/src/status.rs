//! The service `status-projection`: what people see of a case, in a database of its own.

mod api;
pub mod projector;
pub mod rebuild;
mod render;
mod row;
#[cfg(test)]
mod samples;
mod store;
mod tables;
mod viewer;
mod watch;

use std::sync::Arc;

use docket_proto::case_status::v1::status_service_server::StatusServiceServer;
use docket_service::{Base, BaseOptions, Gateway, Server, ServiceConfig, Stop};
use sqlx::migrate::Migrator;

use crate::aggregate::LOG;
use api::Status;
use projector::Projector;
use rebuild::StatusProjection;
use watch::Changes;

/// Tables of the projection.
pub static MIGRATOR: Migrator = sqlx::migrate!("migrations/status");

/// Configuration.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What every service has.
    pub service: ServiceConfig,
    /// Networks of the gateways that stand before the port; whom they name in `x-forwarded-for` is who calls.
    #[serde(default)]
    pub gateways: Vec<Gateway>,
}

impl AsRef<ServiceConfig> for Config {
    fn as_ref(&self) -> &ServiceConfig {
        &self.service
    }
}

/// What the base needs to know of this service.
pub fn options() -> BaseOptions {
    let policies = include_str!("status/access.cedar");
    BaseOptions::new("status-projection", "status", policies, include_str!("status/access.cedarschema"))
}

/// Serves until the stop.
///
/// # Errors
/// What is missing or wrong, in words for the operator.
pub async fn serve(config: Config, stop: Stop) -> anyhow::Result<()> {
    server(Base::connect(&config.service, options()).await?, &config.gateways).run(stop).await
}

/// The server on a base, behind these gateways.
pub fn server(base: Base, gateways: &[Gateway]) -> Server {
    let changes = Changes::default();
    let status = Status::new(base.clone(), changes.clone(), gateways);
    Server::new(base.clone())
        .grpc(StatusServiceServer::new(status))
        .subscriber(LOG, Arc::new(Projector { changes }))
        .projection(Arc::new(StatusProjection(base)))
}
