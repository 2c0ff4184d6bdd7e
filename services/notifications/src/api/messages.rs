//! Conversations between the party of a case and the office.

use docket_eventlog::{Context, Executed, Subjects};
use docket_kernel::{Refusal, derived_id, resource};
use docket_proto::notifications::v1 as pb;
use docket_service::{ApiError, Caller, detached, page};
use jiff::SignedDuration;
use sqlx::PgConnection;
use uuid::Uuid;

use super::InboxApi;
use crate::access;
use crate::domain::{From, Matter, ThreadEvent, Threads, say, start};
use crate::store::{delivery, matter, thread};

/// The list, in its page tokens.
const THREADS: &str = "ListThreads";
/// Bytes of words after which a page ends, of which a client takes 4 MiB.
const PAGE_BYTES: usize = 1 << 20;
/// New conversations of one account within a day.
const MOST_A_DAY: i64 = 10;
const DAY: SignedDuration = SignedDuration::from_hours(24);

impl InboxApi {
    pub(super) async fn start_thread(
        &self,
        caller: Caller,
        request: pb::StartThreadRequest,
    ) -> Result<pb::Thread, ApiError> {
        let context = caller.context(&request.request_id, &request)?;
        let account = caller.person()?.account;
        let case = resource::parse("cases", &request.case)?;
        let matter = matter::find(&self.base.pool, case).await?;
        access::require(&self.base, &caller, "StartThread", case, matter.as_ref())?;
        let matter = matter.ok_or_else(ApiError::not_found)?;
        if matter.office.is_empty() {
            let message = "The office can be written to when intake has accepted or rejected the filing.";
            let refusal = Refusal::state("CASE_NOT_ACCEPTED", message);
            return Err(refusal.way_out("Wait for the notice that tells you of it, then write.").into());
        }
        // The account is in the name, so that nobody's request id can meet another's conversation.
        let id = derived_id(&format!("start_thread:{account}"), context.command_id, 0);
        self.check_rate(account, id).await?;
        let started_at_us = self.base.clock.now().as_microsecond();
        let row = thread::Row {
            thread_id: id,
            case_id: case,
            account_id: account,
            topic: request.topic.clone(),
            started_at_us,
        };
        let (api, made) = (self.clone(), row.clone());
        detached(async move { api.begin(&context, &made, &request).await }).await?;
        self.thread(&row).await
    }

    async fn check_rate(&self, account: Uuid, id: Uuid) -> Result<(), ApiError> {
        let since = (self.base.clock.now() - DAY).as_microsecond();
        if thread::count_since(&self.base.pool, account, since, id).await? < MOST_A_DAY {
            return Ok(());
        }
        let message = "You can begin 10 conversations a day.";
        let refusal = Refusal::too_much("TOO_MANY_THREADS", message);
        Err(refusal.way_out("Write in one that you began, or tomorrow.").into())
    }

    async fn begin(
        &self,
        context: &Context,
        row: &thread::Row,
        request: &pb::StartThreadRequest,
    ) -> Result<(), ApiError> {
        let mut tx = docket_database::begin(&self.base.pool).await?;
        let decide = |state: &_| start(state, row.case_id, row.account_id, &request.topic, &request.text);
        let subjects = Subjects::filing(row.case_id);
        let done = self.threads.execute_in(&mut tx, context, row.thread_id, subjects, decide).await?;
        thread::insert(&mut tx, row).await?;
        tx.commit().await?;
        self.committed(&done);
        Ok(())
    }

    pub(super) async fn send_message(
        &self,
        caller: Caller,
        request: pb::SendMessageRequest,
    ) -> Result<pb::Thread, ApiError> {
        let context = caller.context(&request.request_id, &request)?;
        let account = caller.person()?.account;
        let id = resource::parse("threads", &request.name)?;
        let row = thread::find(&self.base.pool, id).await?;
        let case = row.as_ref().map_or(id, |row| row.case_id);
        let matter = matter::find(&self.base.pool, case).await?;
        access::require(&self.base, &caller, "SendMessage", case, matter.as_ref())?;
        let (row, matter) = row.zip(matter).ok_or_else(ApiError::not_found)?;
        let from = side(account, &matter);
        let (api, to) = (self.clone(), row.clone());
        detached(async move { api.write(&context, (&to, &matter), from, account, &request.text).await })
            .await?;
        self.thread(&row).await
    }

    async fn write(
        &self,
        context: &Context,
        (row, matter): (&thread::Row, &Matter),
        from: From,
        account: Uuid,
        text: &str,
    ) -> Result<(), ApiError> {
        let mut tx = docket_database::begin(&self.base.pool).await?;
        let decide = |state: &_| say(state, from, account, text);
        let subjects = Subjects::filing(row.case_id);
        let done = self.threads.execute_in(&mut tx, context, row.thread_id, subjects, decide).await?;
        if from == From::Office {
            self.alert(&mut tx, &done, matter).await?;
        }
        tx.commit().await?;
        self.committed(&done);
        self.mail.notify_one();
        Ok(())
    }

    /// Tells the party, and who acts for the party, that the office wrote. The office has its queue and needs no mail.
    async fn alert(
        &self,
        tx: &mut PgConnection,
        done: &Executed<Threads>,
        matter: &Matter,
    ) -> Result<(), ApiError> {
        for event in &done.events {
            let now = self.base.clock.now();
            for account in matter.told() {
                delivery::queue_mail(&mut *tx, event, (matter.case, account), "message_received", now)
                    .await?;
            }
        }
        Ok(())
    }

    fn committed(&self, done: &Executed<Threads>) {
        if let Some(event) = done.events.last() {
            self.base.log.committed(event.position);
        }
    }

    pub(super) async fn list_threads(
        &self,
        caller: &Caller,
        request: &pb::ListThreadsRequest,
    ) -> Result<pb::ListThreadsResponse, ApiError> {
        let case = resource::parse("cases", &request.case)?;
        let matter = matter::find(&self.base.pool, case).await?;
        access::require(&self.base, caller, "ListThreads", case, matter.as_ref())?;
        let after = page::decode(THREADS, &request.page_token)?.map(|last| after(&last)).transpose()?;
        let size = page::size(request.page_size);
        let mut rows = thread::of_case(&self.base.pool, case, after, size + 1).await?;
        let key = |last: &thread::Row| format!("{} {}", last.started_at_us, last.thread_id);
        let mut next_page_token = page::cut(THREADS, &mut rows, size, key);
        let (mut threads, mut bytes) = (Vec::new(), 0);
        for (place, row) in rows.iter().enumerate() {
            let thread = self.thread(row).await?;
            bytes += thread.messages.iter().map(|message| message.text.len()).sum::<usize>();
            if bytes > PAGE_BYTES && place > 0 {
                next_page_token = page::encode(THREADS, &key(&rows[place - 1]));
                break;
            }
            threads.push(thread);
        }
        Ok(pb::ListThreadsResponse { threads, next_page_token })
    }

    /// A conversation with its texts, opened here and nowhere else.
    async fn thread(&self, row: &thread::Row) -> Result<pb::Thread, ApiError> {
        let loaded = self.threads.load(row.thread_id).await?;
        let mut messages = Vec::new();
        for event in &loaded.events {
            if let ThreadEvent::MessageSent(sent) = self.base.log.open_event(event).await? {
                let sent_at_us = event.recorded_at.as_microsecond();
                messages.push(pb::Message { from: sent.from, text: sent.text, sent_at_us });
            }
        }
        Ok(pb::Thread {
            name: resource::name("threads", row.thread_id),
            case: resource::name("cases", row.case_id),
            topic: row.topic.clone(),
            messages,
        })
    }
}

fn after(last: &str) -> Result<(i64, Uuid), ApiError> {
    let (begun, id) = last.split_once(' ').ok_or_else(page::malformed)?;
    let begun = begun.parse().map_err(|_not_ours| page::malformed())?;
    Ok((begun, Uuid::try_parse(id).map_err(|_not_ours| page::malformed())?))
}

fn side(account: Uuid, matter: &Matter) -> From {
    if matter.is_partys(account) { From::Party } else { From::Office }
}
