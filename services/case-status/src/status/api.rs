//! The face `StatusService`: one case, lists, the timeline, a live watch, the worklist, the public title.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use docket_kernel::{ReceiptNumber, Refusal, resource};
use docket_proto::case_status::v1 as pb;
use docket_proto::case_status::v1::status_service_server::StatusService;
use docket_service::{ApiError, Base, Gateway, Resource, TurnRule, Turns, caller, page, whence_of};
use futures::Stream;
use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status as GrpcStatus};
use uuid::Uuid;

use super::render;
use super::row::CaseRow;
use super::store::{self, Key, Linked, Queue};
use super::viewer::{Sight, Viewer};
use super::watch::Changes;
use crate::texts::Language;

/// How long `min_version` is waited for.
const WAIT: Duration = Duration::from_secs(2);
/// Strangers who ask by receipt number.
const PUBLIC_STATUS: TurnRule = TurnRule {
    purpose: "public-status",
    table: "public_turn",
    at_once: 60,
    each: SignedDuration::from_secs(5),
};
/// The lists, in their page tokens.
const CASES: &str = "ListCases";
const WORKLIST: &str = "ListWorklist";

/// What people see of cases.
#[derive(Clone)]
pub(crate) struct Status {
    base: Base,
    changes: Changes,
    turns: Turns,
    gateways: Arc<[Gateway]>,
}

impl Status {
    /// The face on a base.
    pub(crate) fn new(base: Base, changes: Changes, gateways: &[Gateway]) -> Self {
        let turns = Turns::new(&base, PUBLIC_STATUS);
        Self { base, changes, turns, gateways: gateways.into() }
    }

    /// A case the viewer may see; unknown and not theirs are the same.
    async fn find(&self, viewer: &Viewer, action: &str, key: &Key) -> Result<CaseRow, ApiError> {
        let row = store::get(&self.base.pool, viewer, key).await?;
        let relations = row.as_ref().map(|row| viewer.relations(row)).unwrap_or_default();
        let resource = Resource {
            kind: "Case",
            id: row.as_ref().map_or(Uuid::nil(), |row| row.case_id),
            relations: relations.iter().map(|relation| relation.as_str()).collect(),
            office: row.as_ref().map(|row| row.case.office.as_str()),
            class: "normal",
        };
        // Lists are everybody's, so the policy alone would say "denied" where there is nothing to know.
        match self.base.access.require(viewer.caller(), action, &resource) {
            Ok(()) => row.ok_or_else(ApiError::not_found),
            Err(ApiError::Denied { .. }) => Err(ApiError::not_found()),
            Err(error) => Err(error),
        }
    }

    /// The case at a version or later; what there is when it does not come in time.
    async fn find_at(&self, viewer: &Viewer, key: &Key, version: u64) -> Result<CaseRow, ApiError> {
        let until = Instant::now() + WAIT;
        loop {
            let found = self.find(viewer, "GetCase", key).await;
            let late = Instant::now() >= until;
            match &found {
                Ok(row) if late || seen(viewer, row) >= version => return found,
                Err(_) if late || version == 0 => return found,
                _ => {}
            }
            let case_id = match (&found, key) {
                (Ok(row), _) => row.case_id,
                (Err(_), Key::Id(id)) => *id,
                (Err(_), Key::Receipt(_)) => return found,
            };
            let mut waiter = self.changes.wait_for(case_id);
            let _ = timeout_at(until, waiter.changed()).await;
        }
    }

    fn viewer<T>(request: &Request<T>) -> Result<Viewer, ApiError> {
        Viewer::of(caller(request)?)
    }
}

/// The version as the viewer knows it: what a party may not see does not count for them.
fn seen(viewer: &Viewer, row: &CaseRow) -> u64 {
    if viewer.sight(row) == Sight::Office { row.version } else { row.party_version }
}

/// `cases/<uuid>`, or a receipt number in any usual writing.
fn key(name: &str) -> Result<Key, ApiError> {
    if name.contains('/') {
        return Ok(Key::Id(resource::parse("cases", name)?));
    }
    let receipt = ReceiptNumber::parse(name).map_err(|mut fault| {
        "name".clone_into(&mut fault.field);
        fault
    })?;
    Ok(Key::Receipt(receipt.as_str().to_owned()))
}

/// The last row of a page: an instant and a case.
fn page_key(list: &str, token: &str) -> Result<Option<(i64, Uuid)>, ApiError> {
    let Some(text) = page::decode(list, token)? else { return Ok(None) };
    let parsed =
        text.split_once('|').and_then(|(at, id)| Some((at.parse().ok()?, Uuid::try_parse(id).ok()?)));
    parsed.map(Some).ok_or_else(page::malformed)
}

/// One row more than asked for tells whether there is another page.
fn next_page(list: &str, rows: &mut Vec<CaseRow>, size: u32, at: impl Fn(&CaseRow) -> i64) -> String {
    page::cut(list, rows, size, |last| format!("{}|{}", at(last), last.case_id))
}

#[tonic::async_trait]
impl StatusService for Status {
    async fn get_case(
        &self,
        request: Request<pb::GetCaseRequest>,
    ) -> Result<Response<pb::GetCaseResponse>, GrpcStatus> {
        let viewer = Self::viewer(&request)?;
        let message = request.into_inner();
        let row = self.find_at(&viewer, &key(&message.name)?, message.min_version).await?;
        let linked = store::linked(&self.base.pool, [&row]).await.map_err(ApiError::from)?;
        let case = render::case(&row, viewer.sight(&row), Language::of(&message.language), &linked);
        Ok(Response::new(pb::GetCaseResponse { case: Some(case) }))
    }

    async fn list_cases(
        &self,
        request: Request<pb::ListCasesRequest>,
    ) -> Result<Response<pb::ListCasesResponse>, GrpcStatus> {
        let viewer = Self::viewer(&request)?;
        let message = request.into_inner();
        let (size, language) = (page::size(message.page_size), Language::of(&message.language));
        let after = page_key(CASES, &message.page_token)?;
        let mut rows =
            store::list(&self.base.pool, &viewer, after, size + 1).await.map_err(ApiError::from)?;
        let next_page_token = next_page(CASES, &mut rows, size, |row| {
            if viewer.sight(row) == Sight::Party { row.party_changed_at_us } else { row.changed_at_us }
        });
        let linked = store::linked(&self.base.pool, &rows).await.map_err(ApiError::from)?;
        let cases = rows.iter().map(|row| render::case(row, viewer.sight(row), language, &linked)).collect();
        Ok(Response::new(pb::ListCasesResponse { cases, next_page_token }))
    }

    async fn list_timeline(
        &self,
        request: Request<pb::ListTimelineRequest>,
    ) -> Result<Response<pb::ListTimelineResponse>, GrpcStatus> {
        let viewer = Self::viewer(&request)?;
        let message = request.into_inner();
        let row = self.find(&viewer, "ListTimeline", &key(&message.name)?).await?;
        let office = viewer.sight(&row) == Sight::Office;
        let as_of = if message.as_of_us == 0 { i64::MAX } else { message.as_of_us };
        let lines =
            store::lines(&self.base.pool, row.case_id, office, as_of).await.map_err(ApiError::from)?;
        let language = Language::of(&message.language);
        let entries = lines.iter().map(|line| render::entry(line, language)).collect();
        Ok(Response::new(pb::ListTimelineResponse { entries }))
    }

    type WatchCaseStream = Pin<Box<dyn Stream<Item = Result<pb::WatchCaseResponse, GrpcStatus>> + Send>>;

    async fn watch_case(
        &self,
        request: Request<pb::WatchCaseRequest>,
    ) -> Result<Response<Self::WatchCaseStream>, GrpcStatus> {
        let viewer = Self::viewer(&request)?;
        let message = request.into_inner();
        let row = self.find(&viewer, "WatchCase", &key(&message.name)?).await?;
        let (sender, receiver) = mpsc::channel(16);
        let watch = Watch {
            status: self.clone(),
            viewer,
            case_id: row.case_id,
            language: Language::of(&message.language),
        };
        tokio::spawn(watch.run(message.after_version, sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn list_worklist(
        &self,
        request: Request<pb::ListWorklistRequest>,
    ) -> Result<Response<pb::ListWorklistResponse>, GrpcStatus> {
        let viewer = Self::viewer(&request)?;
        let message = request.into_inner();
        let queue = match message.queue.as_str() {
            "" | "mine" => Queue::Mine,
            "office" => Queue::Office,
            "unassigned" => Queue::Unassigned,
            _ => {
                let text = "Ask for the queue mine, office or unassigned.";
                return Err(ApiError::invalid("queue", "QUEUE_UNKNOWN", text).into());
            }
        };
        let (size, after) = (page::size(message.page_size), page_key(WORKLIST, &message.page_token)?);
        let (mut rows, total) =
            store::queue(&self.base.pool, &viewer, queue, after, size + 1).await.map_err(ApiError::from)?;
        let next_page_token = next_page(WORKLIST, &mut rows, size, CaseRow::place);
        let linked = store::linked(&self.base.pool, &rows).await.map_err(ApiError::from)?;
        let items = rows.iter().map(|row| render::work(row, viewer.sight(row), &linked)).collect();
        Ok(Response::new(pb::ListWorklistResponse { items, next_page_token, total }))
    }

    async fn get_public_status(
        &self,
        request: Request<pb::GetPublicStatusRequest>,
    ) -> Result<Response<pb::GetPublicStatusResponse>, GrpcStatus> {
        let from = whence_of(&request, &self.gateways);
        let message = request.into_inner();
        // What is mistyped tells nothing of any case, and costs no turn.
        let receipt = ReceiptNumber::parse(&message.receipt_number).map_err(ApiError::from)?;
        if let Some(wait) = self.turns.take(from).await? {
            return Err(ApiError::from(too_often(wait)).into());
        }
        let row = store::public(&self.base.pool, receipt.as_str()).await.map_err(ApiError::from)?;
        let row = row.ok_or_else(ApiError::not_found)?;
        Ok(Response::new(pb::GetPublicStatusResponse {
            receipt_number: receipt.as_str().to_owned(),
            form: row.case.form.clone(),
            title: render::public_title(&row.case, Language::of(&message.language)),
        }))
    }
}

fn too_often(wait: Duration) -> Refusal {
    Refusal::too_much(
        "ASKED_TOO_OFTEN",
        "From your network too many receipt numbers were asked about without signing in.",
    )
    .way_out("Wait a moment and ask again, or sign in to see your own cases.")
    .retry_after(wait)
}

/// A live watch of one case. Every look asks again whether the viewer may see it.
struct Watch {
    status: Status,
    viewer: Viewer,
    case_id: Uuid,
    language: Language,
}

impl Watch {
    async fn run(self, after: u64, to: mpsc::Sender<Result<pb::WatchCaseResponse, GrpcStatus>>) {
        let mut shown = after;
        let stopping = self.status.base.stopping.clone();
        loop {
            let mut waiter = self.status.changes.wait_for(self.case_id);
            let (viewer, row) = match self.look().await {
                Ok(seen) => seen,
                Err(error) => {
                    let _ = to.send(Err(error.into())).await;
                    return;
                }
            };
            let version = seen(&viewer, &row);
            if version > shown {
                let case = Some(render::case(&row, viewer.sight(&row), self.language, &Linked::new()));
                if to.send(Ok(pb::WatchCaseResponse { case })).await.is_err() {
                    return;
                }
                shown = version;
            }
            tokio::select! {
                () = waiter.changed() => {}
                () = to.closed() => return,
                () = stopping.cancelled() => return,
            }
        }
    }
    async fn look(&self) -> Result<(Viewer, CaseRow), ApiError> {
        let viewer = self.viewer.again(&self.status.base.pool).await?;
        let row = self.status.find(&viewer, "WatchCase", &Key::Id(self.case_id)).await?;
        Ok((viewer, row))
    }
}
