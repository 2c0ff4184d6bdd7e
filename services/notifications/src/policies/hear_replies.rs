//! When somebody answers a text, then what they ask for is done at once: texts end, begin again, or it is said who we are.
//!
//! The carrier's list is read every few seconds instead of being told by it: so nobody need reach us from outside, and what came while we
//! were away is heard too. Nothing else that somebody writes is read by anybody, or kept.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use docket_database::{WORK, answered, within};
use docket_eventlog::{Context, Executed, Subjects};
use docket_kernel::{Actor, derived_id};
use docket_service::{ApiError, Base, Rounds, Stop};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use tokio::sync::Notify;
use uuid::Uuid;

use super::end_texts::{EndTexts, failed};
use crate::carrier::{Carrier, Heard};
use crate::domain::{EndedBy, Reply, Texting, TextingState, reply, resume};
use crate::numbers;
use crate::store::text::{self, Answered};

/// For so long back the carrier's list is read: whoever was away longer has more to catch up with than replies.
const BACK: SignedDuration = SignedDuration::from_hours(3 * 24);
/// For so long it is kept which replies were heard.
const KEPT: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Hears replies.
pub(crate) struct HearReplies {
    pub(crate) base: Base,
    pub(crate) carrier: Carrier,
    pub(crate) ending: EndTexts,
    pub(crate) texts: Arc<Notify>,
    pub(crate) every: Duration,
}

impl HearReplies {
    /// Listens until `stop`.
    pub(crate) async fn run(self, stop: Stop) -> anyhow::Result<()> {
        let mut rounds = Rounds::every(self.every, "replies to texts cannot be heard").bounded_inside();
        while rounds.go_on(&stop).await {
            rounds.turn(self.listen()).await;
        }
        Ok(())
    }

    async fn listen(&self) -> anyhow::Result<()> {
        let now = self.base.clock.now();
        let replies = self.carrier.replies(utc_date(now - BACK)).await?;
        let ids: Vec<String> = replies.iter().map(|reply| reply.id.clone()).collect();
        let unheard = answered(text::unheard(&self.base.pool, &ids)).await?;
        let unheard: HashSet<String> = unheard.into_iter().collect();
        let mut outcome = Ok(());
        let mut waiting = HashSet::new();
        // The oldest first: what was said last holds. So what comes from one number waits behind what could not be done of it, and the
        // others go on.
        for reply in replies.iter().rev().filter(|reply| unheard.contains(&reply.id)) {
            if waiting.contains(&reply.from) {
                continue;
            }
            if let Err(error) = within(WORK, self.hear(reply)).await.map_err(failed) {
                tracing::warn!(reply.id, error = format!("{error:#}"), "a reply to a text waits");
                waiting.insert(&reply.from);
                outcome = outcome.and(Err(error));
            }
        }
        answered(text::forget_replies(&self.base.pool, now - KEPT)).await?;
        outcome
    }

    /// Does what a reply asks for, for all accounts of its number, and answers it with one text. Who wants none is sent none from then on,
    /// also where only a code went there, for an account that may be somebody else's.
    async fn hear(&self, heard: &Heard) -> Result<(), ApiError> {
        let mut tx = docket_database::begin(&self.base.pool).await?;
        if !text::hear(&mut tx, &heard.id, self.base.clock.now()).await? {
            return Ok(());
        }
        let key = numbers::key(&self.base.vault, &heard.from);
        let asked = reply(&heard.body);
        let mut last = None;
        match asked {
            Some(Reply::Stop) => text::refuse(&mut tx, &key, self.base.clock.now()).await?,
            Some(Reply::Start) => text::refuse_no_more(&mut tx, &key).await?,
            Some(Reply::Help) | None => {}
        }
        if let Some(asked) = asked {
            let accounts = text::accounts_of(&mut tx, &key).await?;
            for (place, account) in accounts.into_iter().enumerate() {
                let done = self.do_it(&mut tx, heard, account, asked).await?;
                if place == 0 {
                    self.answer(&mut tx, heard, (account, asked), done.as_ref()).await?;
                }
                last = done.and_then(|done| done.events.last().map(|event| event.position)).or(last);
            }
        }
        tx.commit().await?;
        let word = asked.map_or("other", word);
        metrics::counter!("docket_text_replies", "asked" => word).increment(1);
        self.texts.notify_one();
        if let Some(last) = last {
            self.ending.committed(last);
        }
        Ok(())
    }

    async fn do_it(
        &self,
        tx: &mut PgConnection,
        heard: &Heard,
        account: Uuid,
        asked: Reply,
    ) -> Result<Option<Executed<Texting>>, ApiError> {
        let context = context(heard, account);
        match asked {
            Reply::Stop => Ok(Some(self.ending.end(tx, &context, account, EndedBy::Reply).await?)),
            Reply::Start => {
                let subjects = Subjects::account(account);
                let decide = |state: &TextingState| Ok(resume(state));
                let done =
                    self.ending.texting.execute_in(&mut *tx, &context, account, subjects, decide).await?;
                if !done.repeated {
                    text::set_state(tx, account, "on").await?;
                }
                Ok(Some(done))
            }
            Reply::Help => Ok(None),
        }
    }

    /// One text that says what was done; none where nothing was, but for who asks who we are.
    async fn answer(
        &self,
        tx: &mut PgConnection,
        heard: &Heard,
        (account, asked): (Uuid, Reply),
        done: Option<&Executed<Texting>>,
    ) -> Result<(), ApiError> {
        let now = self.base.clock.now();
        let [stopped, started, help] = text::ANSWERS;
        let event = done.and_then(|done| done.events.first());
        let alert = match asked {
            Reply::Stop => stopped,
            Reply::Start => started,
            Reply::Help => help,
        };
        let about = context(heard, account).command_id;
        let question = Answered { about, correlation_id: about, traceparent: "" };
        let to = match (asked, event) {
            (Reply::Help, _) => question,
            (Reply::Stop | Reply::Start, Some(event)) => Answered::event(event),
            (Reply::Stop | Reply::Start, None) => return Ok(()),
        };
        Ok(text::queue_answer(tx, to, account, alert, now).await?)
    }
}

/// What a reply does to an account: heard once more, it is the same command.
fn context(heard: &Heard, account: Uuid) -> Context {
    let command_id = derived_id(&format!("hear_reply:{}", heard.id), account, 0);
    Context {
        command_id,
        correlation_id: command_id,
        causation_id: None,
        actor: Actor::machine("hear_replies"),
        on_behalf_of: None,
        auth_level: 0,
        traceparent: docket_messaging::current_traceparent(),
        request: Vec::new(),
    }
}

fn word(asked: Reply) -> &'static str {
    match asked {
        Reply::Stop => "stop",
        Reply::Start => "start",
        Reply::Help => "help",
    }
}

fn utc_date(at: Timestamp) -> jiff::civil::Date {
    jiff::tz::TimeZone::UTC.to_datetime(at).date()
}
