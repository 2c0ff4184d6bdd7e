//! The filing service: the catalogue of forms, drafts, evidence, signatures, submissions, responses to requests.
//!
//! Reading order: `domain` (what is decided), `aggregates`, `content` (opening what is sealed), `check`, `sheet` and
//! `review` (the form's rules, what is signed and its text), `copy` (the copy for people), `desk` (what all handlers share), `edition` (drafts in a new edition of their form), `held` (whether what was signed still reads so), `scan_later` (files that wait for the scanner), `api` (gRPC), `tus` (uploads over HTTP), `policies`.

mod access;
mod aggregates;
mod answer_copy;
mod answers;
mod api;
mod appearance;
#[cfg(test)]
mod binding_tests;
mod check;
mod config;
mod confined;
mod content;
mod copy;
mod desk;
pub mod domain;
mod dossiers;
mod edition;
mod facts;
mod file_type;
mod held;
mod help;
mod inspect;
mod inspector;
mod lacks;
mod leaves;
mod legibility;
mod letter;
mod moved;
mod page;
mod party;
mod peers;
mod place;
mod policies;
mod render;
mod rendition;
mod review;
#[cfg(test)]
mod review_tests;
mod scan_later;
mod scanner;
mod scrub;
mod sent;
mod shared;
mod sharpness;
mod sheet;
mod signatures;
#[cfg(test)]
mod signed_tests;
#[cfg(test)]
mod signing_law_tests;
mod spoken;
mod spool;
mod store;
mod tus;
mod two_kinds;
mod waiver;

use std::sync::Arc;

use anyhow::Context as _;
use docket_proto::filing::v1::catalogue_service_server::CatalogueServiceServer;
use docket_proto::filing::v1::draft_service_server::DraftServiceServer;
use docket_proto::filing::v1::evidence_service_server::EvidenceServiceServer;
use docket_proto::filing::v1::helper_service_server::HelperServiceServer;
use docket_proto::filing::v1::invitation_service_server::InvitationServiceServer;
use docket_proto::filing::v1::package_service_server::PackageServiceServer;
use docket_proto::filing::v1::representation_service_server::RepresentationServiceServer;
use docket_proto::filing::v1::upload_service_server::UploadServiceServer;
use docket_service::{Base, BaseOptions, Server, Stop};

pub use config::{Config, CopiesConfig, UploadsConfig};
pub use confined::confined;
pub use inspector::Config as InspectorConfig;
pub use scanner::Config as ScannerConfig;

use api::{
    CatalogueApi, DraftApi, EvidenceApi, HelperApi, InvitationApi, PackageApi, RepresentationApi, UploadApi,
};
use copy::Copies;
use desk::Desk;
use inspector::Inspector;
use policies::{Due, FollowCase, RecallPackage, RemindPayer, SubmitPackage};
use scanner::Scanner;

/// The migrations of the service's own tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Serves until `stop`.
///
/// # Errors
/// A catalogue or fonts that cannot be read, a database that cannot be reached, an address that cannot be bound.
pub async fn serve(config: Config, stop: Stop) -> anyhow::Result<()> {
    let catalogue = config.catalogue.open()?;
    let options =
        BaseOptions::new("filing", "filing", access::POLICIES, access::SCHEMA).rules(catalogue.version());
    let base = Base::connect(&config.service, options).await?;
    let scanner = Scanner::new(config.scanner, config.service.is_production());
    let inspector = Inspector::new(config.inspector)?;
    let (watched, clock) = (scanner.clone(), base.clock.clone());
    let copies = Copies::new(config.copies.font_dir.as_deref()).context("copies.font_dir")?;
    let desk = Desk::new(base.clone(), catalogue, (inspector, scanner), copies);
    let (spooled, kept, moving, unscanned) = (base.clone(), desk.clone(), desk.clone(), desk.clone());
    let origins = tus::origins(&config.uploads.origins).context("uploads.origins")?;
    Server::new(base)
        .grpc(CatalogueServiceServer::new(CatalogueApi(desk.clone())))
        .grpc(DraftServiceServer::new(DraftApi(desk.clone())))
        .grpc(EvidenceServiceServer::new(EvidenceApi::new(desk.clone())))
        .grpc(HelperServiceServer::new(HelperApi(desk.clone())))
        .grpc(InvitationServiceServer::new(InvitationApi(desk.clone())))
        .grpc(PackageServiceServer::new(PackageApi(desk.clone())))
        .grpc(RepresentationServiceServer::new(RepresentationApi(desk.clone())))
        .grpc(UploadServiceServer::new(UploadApi::new(desk.clone())))
        .http_over(move |grpc| tus::router(grpc, origins))
        .subscriber("payments", Arc::new(SubmitPackage(desk.clone())))
        .subscriber("payments", Arc::new(RecallPackage(desk.clone())))
        .subscriber("payments", Arc::new(RemindPayer(desk.clone())))
        .subscriber("cases-0", Arc::new(FollowCase(desk.clone())))
        .timers(Arc::new(Due(desk)))
        .task("scanner", move |stop| watched.watch(clock, stop))
        .task("files not scanned yet", move |stop| scan_later::run(unscanned, stop))
        .task("unfinished uploads", move |stop| spool::sweep(spooled, stop))
        .task("files read over", move |stop| scrub::run(kept, stop))
        .task("addresses of record", move |stop| policies::report_move::run(moving, stop))
        .run(stop)
        .await
}
