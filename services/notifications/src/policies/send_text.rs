//! When a text stands in the ledger, then hand it to the carrier and settle it: once.
//!
//! The carrier takes no id of ours, so a text bears letters of its own: after a try whose answer never came, it is asked for a text with
//! these letters before another one is sent. Texts that nobody waits for are held at night, and at most so many go in a day.

use std::sync::Arc;

use docket_database::{WORK, answered, within};
use docket_messaging::link_or_continue;
use docket_proto::events::delivery::Event;
use docket_proto::identity::v1::GetContactResponse;
use docket_service::{Again, Base, Rounds, Stop};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tracing::Instrument as _;
use uuid::Uuid;

use super::end_texts::{End, EndTexts, failed as not_done};
use super::send_alert::is_nobody;
use super::settle::{self, failed, handed_over};
use crate::carrier::{Carrier, NotTaken};
use crate::directory::contact;
use crate::domain::{EndedBy, day_began_us, held_until, next_morning};
use crate::store::delivery::{self, Delivery};
use crate::store::{matter, notice, text};
use crate::texts::{self, Language};
use crate::{LOOK, numbers};

/// Pauses after each try, in seconds, as those of mail.
const PAUSES_S: [i64; 5] = [60, 300, 1_800, 14_400, 86_400];
/// Pause after what was no try.
const PUT_OFF: SignedDuration = SignedDuration::from_mins(5);
/// For so long a carrier that refuses us is waited for; the mail has told of it long before.
const REFUSED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Texts that tell an account of one case in a day.
const MOST_A_DAY: i64 = 5;
/// What waited longer, and was read meanwhile, need not be told.
const TOLD_LATE: SignedDuration = SignedDuration::from_hours(1);
/// How long after it was handed over the carrier is first asked what became of a text.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(5);

/// For so long a reply is answered; whoever is told later looks at what was done since.
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Why a text that was waited for is not sent: its code, or what it answers, is over.
const OVER: &str = "over";
/// Why a text is not sent to an account that wants none any more.
const TEXTS_OFF: &str = "texts_off";

/// What became of a try.
enum Outcome {
    /// The carrier has it, by this id.
    HandedOver(String),
    /// It is not sent. Whether texts end with it, and how.
    Failed(&'static str, Option<End>),
    Again(&'static str),
    /// It was no try, and counts as none; until when.
    PutOff(&'static str, Timestamp),
}

/// Where a text goes.
struct To {
    /// The number as it was given.
    id: Uuid,
    /// E.164.
    number: String,
    /// Why it goes there no more.
    not_wanted: Option<&'static str>,
}

/// Sends texts one after the other.
pub(crate) struct SendTexts {
    pub(crate) base: Base,
    pub(crate) carrier: Carrier,
    pub(crate) ending: EndTexts,
    pub(crate) wake: Arc<Notify>,
}

impl SendTexts {
    /// Sends what is queued until `stop`.
    pub(crate) async fn run(self, stop: Stop) -> anyhow::Result<()> {
        let rounds = Rounds::every(LOOK, "the queue of texts cannot be read");
        let mut rounds = rounds.bounded_inside().woken_by(Arc::clone(&self.wake));
        while rounds.go_on(&stop).await {
            rounds.turn(self.next()).await;
        }
        Ok(())
    }

    async fn next(&self) -> anyhow::Result<Again> {
        let taken = answered(text::take(&self.base.pool, self.base.clock.now(), &PAUSES_S)).await?;
        let Some(delivery) = taken else { return Ok(Again::Later) };
        self.deliver(&delivery).instrument(self.span(&delivery)).await;
        Ok(Again::AtOnce)
    }

    fn span(&self, delivery: &Delivery) -> tracing::Span {
        let span = tracing::info_span!(
            "send text", otel.kind = "client", delivery.id = %delivery.delivery_id,
            docket.alert = delivery.alert, docket.attempts = delivery.attempts,
        );
        link_or_continue(&span, &delivery.traceparent, queued_at(delivery), self.base.clock.now());
        span
    }

    async fn deliver(&self, delivery: &Delivery) {
        let last = usize::try_from(delivery.attempts).unwrap_or_default() > PAUSES_S.len();
        let outcome = match (self.try_once(delivery).await, last) {
            (Outcome::Again(reason), true) => Outcome::Failed(reason, None),
            (outcome, _) => outcome,
        };
        let settled = match outcome {
            Outcome::Again(reason) => {
                tracing::debug!(delivery.id = %delivery.delivery_id, reason, attempts = delivery.attempts, "a text waits");
                return;
            }
            Outcome::PutOff(reason, until) => return self.put_off(delivery, reason, until).await,
            Outcome::HandedOver(id) => within(WORK, self.hand_over(delivery, &id)).await,
            Outcome::Failed(reason, end) => within(WORK, self.give_up(delivery, reason, end)).await,
        };
        if let Err(error) = settled {
            // The row is still queued: the next try asks the carrier for it first.
            tracing::warn!(delivery.id = %delivery.delivery_id, error = format!("{error:#}"), "a text was not settled");
        }
    }

    async fn try_once(&self, delivery: &Delivery) -> Outcome {
        let contact = match contact(&self.base, delivery.account_id).await {
            Ok(contact) => contact,
            Err(status) if is_nobody(&status) => return Outcome::Failed("no_contact", None),
            Err(_away) => return self.not_now("no_contact"),
        };
        let to = match answered(self.to(delivery)).await {
            Ok(Some(to)) => to,
            Ok(None) => return Outcome::Failed(TEXTS_OFF, None),
            Err(_away) => return self.not_now("no_number"),
        };
        if delivery.attempts > 1
            && let Some(known) = self.was_sent(delivery, &to).await
        {
            return known;
        }
        // Asked at the last moment: who acts no longer, or wants no texts any more, is sent none, and nobody what is so no more.
        if let Some(reason) = to.not_wanted {
            return Outcome::Failed(reason, None);
        }
        match answered(self.held(delivery, &contact)).await {
            Ok(None) => {}
            Ok(Some(held)) => return held,
            Err(_away) => return self.not_now("no_count"),
        }
        self.send(delivery, &to, &contact).await
    }

    /// Where it goes, and whether it is still wanted there; nowhere where the account has no number.
    async fn to(&self, delivery: &Delivery) -> anyhow::Result<Option<To>> {
        let (pool, account) = (&self.base.pool, delivery.account_id);
        let (id, not_wanted) = if delivery.alert == text::CODE {
            let given = text::number_given_by(pool, delivery.about_event).await?;
            let (id, is_refused) = given.unzip();
            let is_over = self.waits(account).await? != id || is_refused == Some(true);
            (id, is_over.then_some(OVER))
        } else if text::is_waited_for(&delivery.alert) {
            let (id, is_on) = text::number_of(pool, account).await?.unzip();
            let is_late = self.waited(delivery) >= ANSWERED_WITHIN;
            let is_over = is_late || !text::says_what_is_so(&delivery.alert, is_on == Some(true));
            (id, is_over.then_some(OVER))
        } else {
            let off = text::line_of(pool, account, delivery.case_id).await?.is_none().then_some(TEXTS_OFF);
            let ended = (!self.is_still_told(delivery).await?).then_some("acts_no_longer");
            (text::number_of(pool, account).await?.map(|(id, _)| id), ended.or(off))
        };
        let Some(id) = id else { return Ok(None) };
        let number = numbers::opened(&self.base, account, id).await.map_err(not_done)?;
        Ok(number.map(|number| To { id, number, not_wanted }))
    }

    /// What the carrier knows of a try before whose outcome nobody heard; none where it has no such text.
    async fn was_sent(&self, delivery: &Delivery, to: &To) -> Option<Outcome> {
        match self.carrier.find(&to.number, &numbers::letters(delivery.delivery_id)).await {
            Ok(found) => found.map(Outcome::HandedOver),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::debug!(error, "the carrier does not say whether it has a text");
                Some(Outcome::Again("no_answer"))
            }
        }
    }

    /// The number of an account whose code can still be given.
    async fn waits(&self, account: Uuid) -> anyhow::Result<Option<Uuid>> {
        let state = self.ending.texting.state(account).await.map_err(not_done)?.state;
        Ok(state.waiting(self.base.clock.now().as_microsecond()).ok())
    }

    /// Whether the account is still on the side of the party of the case.
    async fn is_still_told(&self, delivery: &Delivery) -> sqlx::Result<bool> {
        let Some(case) = delivery.case_id else { return Ok(true) };
        let matter = matter::find(&self.base.pool, case).await?;
        Ok(matter.is_some_and(|matter| matter.is_partys(delivery.account_id)))
    }

    /// Why a text that nobody waits for does not go now: it is night where its reader is, or enough was sent today; what was read
    /// meanwhile goes never.
    async fn held(
        &self,
        delivery: &Delivery,
        contact: &GetContactResponse,
    ) -> anyhow::Result<Option<Outcome>> {
        if text::is_waited_for(&delivery.alert) {
            return Ok(None);
        }
        let (now, zone) = (self.base.clock.now(), self.zone(delivery, contact).await?);
        if now.duration_since(queued_at(delivery)) >= TOLD_LATE && self.was_opened(delivery).await? {
            return Ok(Some(Outcome::Failed("opened", None)));
        }
        if let Some(until) = held_until(now, &zone) {
            return Ok(Some(Outcome::PutOff("night", until)));
        }
        let since_us = day_began_us(now, &zone);
        let sent = text::sent_since(&self.base.pool, delivery.account_id, delivery.case_id, since_us).await?;
        let enough = sent >= MOST_A_DAY;
        Ok(enough.then(|| Outcome::PutOff("enough_today", next_morning(now, &zone))))
    }

    async fn was_opened(&self, delivery: &Delivery) -> sqlx::Result<bool> {
        let Some(id) = delivery.notice_id else { return Ok(false) };
        let told_of = notice::find(&self.base.pool, id, delivery.account_id).await?;
        Ok(told_of.is_some_and(|notice| notice.opened))
    }

    /// Where its reader is, as the account says, else where the case is.
    async fn zone(&self, delivery: &Delivery, contact: &GetContactResponse) -> sqlx::Result<TimeZone> {
        if let Ok(zone) = TimeZone::get(&contact.zone) {
            return Ok(zone);
        }
        let matter = match delivery.case_id {
            Some(case) => matter::find(&self.base.pool, case).await?,
            None => None,
        };
        let zone = matter.and_then(|matter| TimeZone::get(&matter.zone).ok());
        Ok(zone
            .unwrap_or_else(|| TimeZone::get(docket_kernel::deadline::OFFICE_ZONE).unwrap_or(TimeZone::UTC)))
    }

    async fn send(&self, delivery: &Delivery, to: &To, contact: &GetContactResponse) -> Outcome {
        let letters = numbers::letters(delivery.delivery_id);
        let code = numbers::code(&self.base.vault, to.id);
        let body = texts::text_message(Language::of(&contact.language), &delivery.alert, &code, &letters);
        match self.carrier.send(&to.number, &body).await {
            Ok(id) => Outcome::HandedOver(id),
            Err(NotTaken::Stopped) => Outcome::Failed("stopped", Some(End::At(EndedBy::Reply))),
            Err(NotTaken::NoSuchNumber) => Outcome::Failed("no_such_number", Some(End::NotArrived)),
            Err(NotTaken::Refused) if self.waited(delivery) >= REFUSED_FOR => {
                Outcome::Failed("refused", None)
            }
            Err(NotTaken::Refused) => self.not_now("refused"),
            Err(NotTaken::Later(reason)) => Outcome::Again(reason),
        }
    }

    fn not_now(&self, reason: &'static str) -> Outcome {
        Outcome::PutOff(reason, self.base.clock.now() + PUT_OFF)
    }

    fn waited(&self, delivery: &Delivery) -> SignedDuration {
        self.base.clock.now().duration_since(queued_at(delivery))
    }

    /// It is tried again later; where this cannot be written, after the pause that was set before.
    async fn put_off(&self, delivery: &Delivery, reason: &'static str, until: Timestamp) {
        tracing::debug!(delivery.id = %delivery.delivery_id, reason, "a text is put off");
        if let Err(error) = answered(delivery::put_off(&self.base.pool, delivery.delivery_id, until)).await {
            tracing::debug!(%error, "a try that was none was counted");
        }
    }

    async fn hand_over(&self, delivery: &Delivery, carrier_id: &str) -> anyhow::Result<()> {
        let mut tx = docket_database::begin(&self.base.pool).await?;
        let event = handed_over(delivery, carrier_id);
        let settled = settle::settle(&self.base, &mut tx, "send_text", delivery, &event).await?;
        let Some(appended) = settled else { return Ok(()) };
        let first_look = self.base.clock.now() + FIRST_LOOK;
        text::has_carrier(&mut tx, delivery.delivery_id, carrier_id, first_look.as_microsecond()).await?;
        tx.commit().await?;
        self.base.log.committed(appended.last);
        Ok(())
    }

    async fn give_up(&self, delivery: &Delivery, reason: &str, end: Option<End>) -> anyhow::Result<()> {
        let event: Event = failed(&self.base, delivery, reason).await?;
        let mut tx = docket_database::begin(&self.base.pool).await?;
        let settled = settle::settle(&self.base, &mut tx, "send_text", delivery, &event).await?;
        let Some(appended) = settled else { return Ok(()) };
        let ended = match end {
            Some(end) => self.ending.after(&mut tx, delivery, end).await.map_err(not_done)?,
            None => None,
        };
        tx.commit().await?;
        self.ending.committed(ended.unwrap_or(appended.last));
        Ok(())
    }
}

fn queued_at(delivery: &Delivery) -> Timestamp {
    Timestamp::from_microsecond(delivery.changed_at_us).unwrap_or_default()
}
