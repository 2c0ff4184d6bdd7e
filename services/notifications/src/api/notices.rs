//! Notices and what became of the alerts about them.

use docket_eventlog::{Context, Subjects};
use docket_kernel::{Actor, derived_id, resource};
use docket_proto::notifications::v1 as pb;
use docket_proto::notifications::v1::download_notice_response::Part;
use docket_service::{ApiError, Caller, Read, Resource, detached, page};
use docket_vault::{Subject, SubjectKind};
use futures::{Stream, StreamExt as _, stream};
use tonic::Status;
use uuid::Uuid;

use super::InboxApi;
use crate::access;
use crate::domain::{NoticeKind, open_notice};
use crate::store::{delivery, matter, notice, text};
use crate::texts::{self, Language};

/// The list, in its page tokens.
const NOTICES: &str = "ListNotices";
/// The state of what waits, whichever way it goes.
const QUEUED: &str = "queued";

impl InboxApi {
    pub(super) async fn list_notices(
        &self,
        caller: &Caller,
        request: &pb::ListNoticesRequest,
    ) -> Result<pb::ListNoticesResponse, ApiError> {
        let account = caller.person()?.account;
        let case = match request.case.as_str() {
            "" => None,
            name => Some(resource::parse("cases", name)?),
        };
        match case {
            None => self.base.access.require(caller, "ListNotices", &own_inbox(account))?,
            Some(case) => {
                let matter = matter::find(&self.base.pool, case).await?;
                access::require(&self.base, caller, "ListNotices", case, matter.as_ref())?;
            }
        }
        let after = page::decode(NOTICES, &request.page_token)?.map(|last| after(&last)).transpose()?;
        let size = page::size(request.page_size);
        let mut rows = notice::list(&self.base.pool, account, case, after, size + 1).await?;
        let key = |last: &notice::Row| format!("{} {}", last.posted_at_us, last.notice_id);
        let next_page_token = page::cut(NOTICES, &mut rows, size, key);
        let mail_returned_at_us = delivery::returned(&self.base.pool, account).await?.unwrap_or_default();
        let notices = rows.iter().map(notice_of).collect();
        Ok(pb::ListNoticesResponse { notices, next_page_token, mail_returned_at_us })
    }

    /// The notice, then its PDF piece by piece; the opening is recorded before the first byte goes out.
    pub(super) async fn download_notice(
        &self,
        caller: &Caller,
        name: &str,
    ) -> Result<
        impl Stream<Item = Result<pb::DownloadNoticeResponse, Status>> + Send + 'static + use<>,
        ApiError,
    > {
        let account = caller.person()?.account;
        let id = resource::parse("notices", name)?;
        // Somebody else's notice is asked about as one that is not there.
        let row = notice::find(&self.base.pool, id, account).await?;
        let case = row.as_ref().map_or(id, |row| row.case_id);
        let matter = matter::find(&self.base.pool, case).await?;
        access::require(&self.base, caller, "DownloadNotice", case, matter.as_ref())?;
        let row = row.ok_or_else(ApiError::not_found)?;
        if !row.opened {
            let api = self.clone();
            detached(async move { api.record_opening(id, case, account).await }).await?;
        }
        let subject = Subject { kind: SubjectKind::Filing, id: case };
        let Read::Plain(reader) = self.base.objects.read(&subject, &row.object_key).await? else {
            return Err(ApiError::Erased);
        };
        let header = pb::DownloadNoticeResponse { part: Some(Part::Notice(notice_of(&row))) };
        let chunks = stream::try_unfold(reader, |mut reader| async move {
            let chunk = reader.next().await?;
            Ok::<_, Status>(
                chunk.map(|chunk| (pb::DownloadNoticeResponse { part: Some(Part::Chunk(chunk)) }, reader)),
            )
        });
        Ok(stream::once(async move { Ok(header) }).chain(chunks))
    }

    async fn record_opening(&self, notice: Uuid, case: Uuid, account: Uuid) -> Result<(), ApiError> {
        let command_id = derived_id(&format!("open_notice:{account}"), notice, 0);
        let context = Context {
            command_id,
            correlation_id: command_id,
            causation_id: None,
            actor: Actor::account(account),
            on_behalf_of: None,
            auth_level: 2,
            traceparent: docket_messaging::current_traceparent(),
            request: Vec::new(),
        };
        let mut tx = docket_database::begin(&self.base.pool).await?;
        let done = self
            .notices
            .execute_in(&mut tx, &context, notice, Subjects::filing(case), |state| {
                open_notice(state, account, case)
            })
            .await?;
        notice::opened(&mut tx, notice, account).await?;
        tx.commit().await?;
        if let Some(event) = done.events.last() {
            self.base.log.committed(event.position);
        }
        Ok(())
    }

    pub(super) async fn list_deliveries(
        &self,
        caller: &Caller,
        asked: u32,
    ) -> Result<Vec<pb::Delivery>, ApiError> {
        let account = caller.person()?.account;
        self.base.access.require(caller, "ListDeliveries", &own_inbox(account))?;
        let lines = delivery::list(&self.base.pool, account, page::size(asked)).await?;
        let written = |line: delivery::Line| pb::Delivery {
            channel: line.channel,
            alert: line.alert,
            state: if line.state == text::TO_TEXT { QUEUED.to_owned() } else { line.state },
            changed_at_us: line.changed_at_us,
        };
        Ok(lines.into_iter().map(written).collect())
    }
}

pub(super) fn own_inbox(account: Uuid) -> Resource<'static> {
    Resource { kind: "Inbox", id: account, relations: Vec::new(), office: None, class: "normal" }
}

fn after(last: &str) -> Result<notice::After, ApiError> {
    let (posted, id) = last.split_once(' ').ok_or_else(page::malformed)?;
    Ok(notice::After {
        posted_at_us: posted.parse().map_err(|_not_ours| page::malformed())?,
        notice_id: Uuid::try_parse(id).map_err(|_not_ours| page::malformed())?,
    })
}

fn notice_of(row: &notice::Row) -> pb::Notice {
    let title = NoticeKind::of_id(&row.notice_kind).map(|kind| texts::title(Language::En, kind));
    pb::Notice {
        name: resource::name("notices", row.notice_id),
        case: resource::name("cases", row.case_id),
        kind: row.notice_kind.clone(),
        title: title.unwrap_or_default(),
        official_name: row.official_name.clone(),
        posted_at_us: row.posted_at_us,
        served_on_date: row.served_on_date.clone(),
        opened: row.opened,
        size: row.size_bytes.unsigned_abs(),
        which: match row.original_account {
            None => "",
            Some(original) if original == row.account_id => "original",
            Some(_) => "copy",
        }
        .to_owned(),
    }
}
