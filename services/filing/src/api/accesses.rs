//! Who opened a file: an event that is written before the first byte goes out, and the list of them for the party.
//!
//! Once for a person, a file, what they opened of it (the original, its pages) and an hour: who turns its pages is written down once.
//! The command's id says all of that, so that the log itself sees to it, on whichever node the file is opened. The events are a stream
//! of their own beside the filing's: to look at a file is no work on a draft, and voids no version that somebody saw.

use docket_eventlog::{Direction, Expected, Recorded, StreamAppend, StreamName, Subjects};
use docket_kernel::{EventEnum as _, derived_id};
use docket_proto::events::access::Event;
use docket_proto::filing::events::v1 as events;
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller, detached, page};
use uuid::Uuid;

use super::evidence::Readable;
use crate::desk::{Desk, id_in};

/// Seconds within which opening the same again is the same access.
const HOUR: i64 = 3_600;
/// The list, in its page tokens.
const LIST: &str = "ListAccesses";
/// How the party and those at their side stand to what they filed.
const PARTY: [&str; 3] = ["applicant", "representative", "co_signer"];

/// What of a file is opened.
#[derive(Debug, Clone, Copy)]
pub(super) enum Opened {
    /// Its bytes, as they came.
    Original,
    /// Pages of it, as pictures.
    View,
}

impl Opened {
    /// The word in the event and on the wire.
    fn as_str(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::View => "view",
        }
    }
}

/// Writes down who opens what. Whoever cannot be written down is shown nothing.
///
/// # Errors
/// A log that does not answer.
pub(super) async fn note(
    desk: &Desk,
    caller: &Caller,
    readable: &Readable,
    opened: Opened,
) -> Result<(), ApiError> {
    let Readable { file, subject, response, stands, .. } = readable;
    let hour = u32::try_from(desk.base.clock.now().as_second() / HOUR).unwrap_or_default();
    let command = derived_id(&format!("open {}", opened.as_str()), file.id, hour);
    let context = caller.context(&command.to_string(), &())?;
    if desk.done_before(&context).await? {
        return Ok(());
    }
    let event: Event = events::FileOpened {
        account_id: caller.person()?.account.to_string(),
        stands_as: stands.relation.to_owned(),
        evidence_id: file.id.to_string(),
        response_id: response.map(|id| id.to_string()).unwrap_or_default(),
        opened: opened.as_str().to_owned(),
        case_id: stands.case.to_string(),
    }
    .into();
    let stream = StreamAppend::of(stream(*subject), Expected::Any, Subjects::NONE, &[event]);
    let append = context.append(&desk.log, vec![stream]);
    let log = desk.log.clone();
    let appended = detached(async move { log.append(append).await }).await?;
    if !appended.repeated {
        let reader = if PARTY.contains(&stands.relation) { "party" } else { "office" };
        let what = opened.as_str();
        metrics::counter!("docket_files_opened", "reader" => reader, "opened" => what).increment(1);
    }
    Ok(())
}

/// The accesses to the files of a filing, also to those of the answers in its case.
fn stream(filing: Uuid) -> StreamName {
    StreamName::of(Event::CATEGORY, filing)
}

/// Who opened the files of a filing, the newest first. The party sees of the office in which role somebody opened one, and the office
/// who it was.
///
/// # Errors
/// What the policy says; a log that does not answer.
pub(super) async fn list(
    desk: &Desk,
    caller: &Caller,
    request: &pb::ListAccessesRequest,
) -> Result<pb::ListAccessesResponse, ApiError> {
    let id = id_in("filing", "filings", &request.filing)?;
    let (_, stands) = desk.closed_by(caller, LIST, id).await?;
    let size = page::size(request.page_size);
    let before = page::decode(LIST, &request.page_token)?;
    let before =
        before.map(|version| version.parse::<u64>()).transpose().map_err(|_not_ours| page::malformed())?;
    let (last, limit) = (before.map_or(u64::MAX, |before| before.saturating_sub(1)), size + 1);
    let mut found =
        desk.log.read_stream_page(&stream(id), Direction::Backwards, last, limit, u64::MAX).await?;
    let next_page_token = page::cut(LIST, &mut found, size, |event| event.version.to_string());
    let names_all = !PARTY.contains(&stands.relation);
    let accesses = found.iter().map(|event| access(id, event, names_all)).collect::<Result<_, _>>()?;
    Ok(pb::ListAccessesResponse { accesses, next_page_token })
}

fn access(filing: Uuid, recorded: &Recorded, names_all: bool) -> Result<pb::Access, ApiError> {
    let Event::FileOpened(opened) = recorded.decode().map_err(ApiError::internal)?;
    let (parent, within) = match opened.response_id.as_str() {
        "" => ("filings", filing.to_string()),
        response => ("responses", response.to_owned()),
    };
    let named = names_all || PARTY.contains(&opened.stands_as.as_str());
    Ok(pb::Access {
        evidence: format!("{parent}/{within}/evidence/{}", opened.evidence_id),
        opened: opened.opened,
        stands_as: opened.stands_as,
        account: if named { format!("accounts/{}", opened.account_id) } else { String::new() },
        opened_at_us: recorded.recorded_at.as_microsecond(),
        case: if opened.case_id.is_empty() { String::new() } else { format!("cases/{}", opened.case_id) },
    })
}
