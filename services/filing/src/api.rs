//! The gRPC faces: take apart, call, answer.

mod again;
mod attach;
mod catalogue;
mod copies;
mod drafts;
mod evidence;
mod packages;
mod representations;
mod responses;
mod reuse;
mod review;
mod signing;
mod upload;
mod uploads;
mod view;
mod views;

pub(crate) use catalogue::CatalogueApi;
pub(crate) use drafts::DraftApi;
pub(crate) use evidence::EvidenceApi;
pub(crate) use representations::RepresentationApi;
pub(crate) use uploads::{CRC_32C, UploadApi};
