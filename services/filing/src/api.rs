//! The gRPC faces: take apart, call, answer.

mod accesses;
mod again;
mod appearances;
mod appointments;
mod attach;
mod catalogue;
mod copies;
mod drafts;
mod evidence;
mod fee_waiver;
mod helpers;
mod invitation;
mod invitations;
mod office_ends;
mod packages;
mod places;
mod representations;
mod responses;
mod reuse;
mod review;
mod signing;
mod unnamed;
mod upload;
mod uploads;
mod view;
mod views;
mod waiting;

use std::pin::Pin;

use futures::{Stream, stream};
use tonic::Status;

pub(crate) use catalogue::CatalogueApi;
pub(crate) use drafts::DraftApi;
pub(crate) use evidence::EvidenceApi;
pub(crate) use helpers::HelperApi;
pub(crate) use invitations::InvitationApi;
pub(crate) use representations::RepresentationApi;
pub(crate) use signing::{costs_cents, not_erased};
pub(crate) use uploads::UploadApi;
pub(crate) use waiting::PackageApi;

/// The most bytes in one message, as the API promises.
const CHUNK: usize = 256 * 1024;

/// An answer in several messages.
type Messages<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

/// The header, then the bytes.
fn in_chunks<P, M: Send + 'static>(
    header: P,
    bytes: &[u8],
    chunk: fn(Vec<u8>) -> P,
    message: fn(P) -> M,
) -> Messages<M> {
    let chunks = bytes.chunks(CHUNK).map(|bytes| chunk(bytes.to_vec()));
    let messages: Vec<_> = std::iter::once(header).chain(chunks).map(|part| Ok(message(part))).collect();
    Box::pin(stream::iter(messages))
}
