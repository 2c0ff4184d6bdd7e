//! Showing a page of a file: the original is opened, drawn apart, packed, sent in pieces, and forgotten.
//!
//! Nothing of it is kept: so there is nothing more to seal, to read over, or to erase than the original.

use std::time::Duration;

use docket_kernel::Refusal;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::view_evidence_response::Part;
use docket_service::{ApiError, Caller};
use docket_vault::Subject;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tonic::Status;

use super::accesses::{self, Opened};
use super::attach::inspector_unavailable;
use super::evidence::readable;
use super::places::Places;
use super::{Messages, helpers, in_chunks};
use crate::desk::Desk;
use crate::page::Undrawn;
use crate::render::{LONGEST_SIDE, SECONDS};
use crate::rendition::Rendition;

/// Pages drawn at once: each may take half a gigabyte. For one person they are drawn one after the other.
const AT_ONCE: usize = 2;
/// How long one waits for its turn: as long as the page before may take.
const PATIENCE: Duration = Duration::from_secs(2 * SECONDS);
/// The fewest dots of the longest side: less shows nothing.
const SHORTEST_SIDE: u16 = 64;
/// What is shown unless something else is asked for: a sheet at 145 dots an inch, which is read with ease.
const USUAL_SIDE: u16 = 1_600;

pub(super) type Stream = Messages<pb::ViewEvidenceResponse>;

/// Shows pages.
pub(super) struct Views {
    desk: Desk,
    places: Places,
}

impl Views {
    pub(super) fn new(desk: Desk) -> Self {
        Self { desk, places: Places::new(AT_ONCE, 1) }
    }

    /// The header, then the picture; neither before it is written down who looked.
    pub(super) async fn view(
        &self,
        caller: &Caller,
        request: &pb::ViewEvidenceRequest,
    ) -> Result<Stream, Status> {
        let page = request.page.max(1);
        let side = longest_side(request.longest_side).map_err(ApiError::from)?;
        let readable = match request.code.as_str() {
            "" => readable(&self.desk, (caller, "ViewEvidence"), &request.name).await?,
            code => helpers::readable(&self.desk, caller, code, &request.name).await?,
        };
        let place = timeout(PATIENCE, self.places.wait(caller.person()?.account)).await;
        let _place = place.map_err(|_elapsed| ApiError::Exhausted("the drawing of pages"))?;
        let (subject, key) = (Subject::filing(readable.subject), &readable.file.object_key);
        let original = self.desk.base.objects.get(&subject, key).await?;
        let original = original.ok_or(ApiError::Erased)?;
        let drawn = self.desk.inspector.draw(&original, page, side).await.map_err(|error| {
            tracing::error!(%error, "a page could not be drawn");
            inspector_unavailable("The page could not be drawn just now. Try again in a moment.")
        })?;
        let drawn = drawn.map_err(|undrawn| ApiError::from(Refusal::from(undrawn)))?;
        let packed = spawn_blocking(|| Rendition::of(drawn)).await.map_err(ApiError::internal)?;
        let packed = packed.map_err(ApiError::internal)?;
        accesses::note(&self.desk, caller, &readable, Opened::View).await?;
        Ok(parts(page, packed))
    }
}

fn longest_side(asked: u32) -> Result<u16, Refusal> {
    if asked == 0 {
        return Ok(USUAL_SIDE);
    }
    let side = u16::try_from(asked).ok().filter(|side| (SHORTEST_SIDE..=LONGEST_SIDE).contains(side));
    side.ok_or_else(|| {
        Refusal::invalid("longest_side", "SIZE_OUTSIDE", "The longest side has 64 to 2,400 dots.")
            .way_out("Leave it out for 1,600; what has to be seen larger is in the original.")
    })
}

fn parts(page: u32, rendition: Rendition) -> Stream {
    let Rendition { bytes, media_type, width, height, page_count, incomplete } = rendition;
    let view = pb::PageView {
        page,
        page_count,
        width,
        height,
        media_type: media_type.to_owned(),
        size: bytes.len() as u64,
        incomplete,
    };
    let message = |part| pb::ViewEvidenceResponse { part: Some(part) };
    in_chunks(Part::View(view), &bytes, Part::Chunk, message)
}

impl From<Undrawn> for Refusal {
    fn from(undrawn: Undrawn) -> Self {
        match undrawn {
            Undrawn::Outside { page_count } => {
                Self::invalid("page", "PAGE_OUTSIDE", format!("The file has pages 1 to {page_count}."))
                    .fact("page_count", page_count.to_string())
                    .way_out("Ask for one of them.")
            }
            Undrawn::Unbearable => Self::state(
                "PAGE_NOT_DRAWN",
                "The file was taken, but this page cannot be drawn: it cannot be read, or takes more memory or time than a page needs.",
            )
            .way_out("Look at the other pages, or download the original and open it on a device made for that."),
        }
    }
}
