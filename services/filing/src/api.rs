//! The gRPC faces: take apart, call, answer.

mod again;
mod catalogue;
mod drafts;
mod evidence;
mod packages;
mod representations;
mod responses;
mod review;
mod signing;
mod upload;
mod view;

pub(crate) use catalogue::CatalogueApi;
pub(crate) use drafts::DraftApi;
pub(crate) use evidence::EvidenceApi;
pub(crate) use representations::RepresentationApi;
