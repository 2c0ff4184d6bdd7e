//! When a delivery stands in the ledger, then hand it to the mail server and settle it.
//!
//! The next try is set before each try, and the message's id is the delivery's: a crash between the server's "accepted"
//! and our settling sends a second copy with the same id, and never loses one.

use std::sync::Arc;

use docket_database::{WORK, answered, within};
use docket_mail::NotTaken;
use docket_messaging::link_or_continue;
use docket_proto::events::delivery::Event;
use docket_service::{Again, ApiError, Base, Rounds, Stop};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tonic::{Code, Status};
use tracing::Instrument as _;

use super::settle::{self, failed, handed_over};
use super::tell_parties;
use crate::LOOK;
use crate::directory::contact;
use crate::invitation;
use crate::mail::Mailer;
use crate::store::delivery::{self, Delivery};
use crate::store::matter;
use crate::texts::{self, Language, Mail};

/// Pauses after each try, in seconds: 1, 5 and 30 minutes, 4 and 24 hours. The try after the last is the last.
const PAUSES_S: [i64; 5] = [60, 300, 1_800, 14_400, 86_400];
/// Pause after what was no try: something of ours was away, or the relay refuses us and not the address.
const PUT_OFF: SignedDuration = SignedDuration::from_mins(5);
/// For so long a relay that refuses us is waited for: somebody has to see to it.
const REFUSED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What became of a try.
enum Outcome {
    HandedOver,
    Failed(&'static str),
    Again(&'static str),
    /// It was no try, and counts as none.
    PutOff(&'static str),
}

/// Sends alerts one after the other.
pub(crate) struct SendAlerts {
    pub(crate) base: Base,
    pub(crate) mailer: Mailer,
    pub(crate) wake: Arc<Notify>,
}

impl SendAlerts {
    /// Sends what is queued until `stop`.
    pub(crate) async fn run(self, stop: Stop) -> anyhow::Result<()> {
        let rounds = Rounds::every(LOOK, "the queue of deliveries cannot be read");
        let mut rounds = rounds.bounded_inside().woken_by(Arc::clone(&self.wake));
        while rounds.go_on(&stop).await {
            rounds.turn(self.next()).await;
        }
        Ok(())
    }

    async fn next(&self) -> anyhow::Result<Again> {
        let taken = answered(delivery::take(&self.base.pool, self.base.clock.now(), &PAUSES_S)).await?;
        let Some(delivery) = taken else { return Ok(Again::Later) };
        self.deliver(&delivery).instrument(self.span(&delivery)).await;
        Ok(Again::AtOnce)
    }

    /// The span of a try: part of the trace of what it tells of.
    fn span(&self, delivery: &Delivery) -> tracing::Span {
        let span = tracing::info_span!(
            "send mail", otel.kind = "client", delivery.id = %delivery.delivery_id,
            docket.alert = delivery.alert, docket.attempts = delivery.attempts,
        );
        let queued_at = Timestamp::from_microsecond(delivery.changed_at_us).unwrap_or_default();
        link_or_continue(&span, &delivery.traceparent, queued_at, self.base.clock.now());
        span
    }

    async fn deliver(&self, delivery: &Delivery) {
        let settled = match self.try_once(delivery).await {
            Outcome::Again(reason) => {
                tracing::debug!(delivery.id = %delivery.delivery_id, reason, attempts = delivery.attempts, "a mail waits");
                return;
            }
            Outcome::PutOff(reason) => return self.put_off(delivery, reason).await,
            Outcome::HandedOver => within(WORK, self.settle(delivery, handed_over(delivery, ""))).await,
            Outcome::Failed(reason) => within(WORK, self.give_up(delivery, reason)).await,
        };
        if let Err(error) = settled {
            // The row is still queued: the next try settles it, by a second copy with the same id.
            tracing::warn!(delivery.id = %delivery.delivery_id, error = format!("{error:#}"), "a delivery was not settled");
        }
    }

    async fn try_once(&self, delivery: &Delivery) -> Outcome {
        if delivery::is_invitation(&delivery.alert) {
            return at_last(delivery, self.invite(delivery).await);
        }
        let contact = match contact(&self.base, delivery.account_id).await {
            Ok(contact) => contact,
            Err(status) if is_nobody(&status) => return Outcome::Failed("no_contact"),
            Err(_away) => return Outcome::PutOff("no_contact"),
        };
        // Asked at the last moment: who acts no longer is sent nothing more.
        match answered(self.is_still_told(delivery)).await {
            Ok(true) => {}
            Ok(false) => return Outcome::Failed("acts_no_longer"),
            Err(_away) => return Outcome::PutOff("no_matter"),
        }
        if contact.email.is_empty() {
            return Outcome::Failed("no_address");
        }
        if tell_parties::is_out_of_date(delivery, self.base.clock.now()) {
            return Outcome::Failed("day_over");
        }
        let mail = texts::mail(Language::of(&contact.language), &delivery.alert, contact.given_name.trim());
        let outcome = at_last(delivery, self.send(delivery, &contact.email, mail).await);
        // Before it is given up, for whatever reason: the account may have another address since this try began.
        let given_up = matches!(outcome, Outcome::Failed(_));
        if given_up && self.has_moved(delivery, &contact.email).await {
            return Outcome::PutOff("another_address");
        }
        outcome
    }

    /// Whether the account's address is another one than that at which a mail was tried just now.
    async fn has_moved(&self, delivery: &Delivery, from: &str) -> bool {
        let contact = contact(&self.base, delivery.account_id).await;
        contact.is_ok_and(|contact| !contact.email.is_empty() && contact.email != from)
    }

    /// Asks somebody to sign, or to file a form. Whether they still are to, filing says at the last moment.
    async fn invite(&self, delivery: &Delivery) -> Outcome {
        match invitation::open(&self.base, delivery).await {
            Ok(Some(invited)) => {
                self.send(delivery, &invited.mail_to, texts::invitation(&delivery.alert, &invited.code)).await
            }
            Ok(None) => Outcome::Failed("asked_no_longer"),
            Err(_away) => Outcome::PutOff("no_invitation"),
        }
    }

    async fn send(&self, delivery: &Delivery, to: &str, mail: Mail) -> Outcome {
        match self.mailer.send(delivery.delivery_id, to, mail).await {
            Ok(()) => Outcome::HandedOver,
            Err(NotTaken::NoMailbox) => Outcome::Failed(delivery::BOUNCED),
            Err(NotTaken::Refused) if self.waited(delivery) >= REFUSED_FOR => Outcome::Failed("refused"),
            Err(NotTaken::Refused) => Outcome::PutOff("refused"),
            Err(NotTaken::Later(reason)) => Outcome::Again(reason),
        }
    }

    /// How long it has been queued.
    fn waited(&self, delivery: &Delivery) -> SignedDuration {
        let queued_at = Timestamp::from_microsecond(delivery.changed_at_us).unwrap_or_default();
        self.base.clock.now().duration_since(queued_at)
    }

    /// It is tried again soon; where this cannot be written, after the pause that was set before.
    async fn put_off(&self, delivery: &Delivery, reason: &'static str) {
        tracing::warn!(delivery.id = %delivery.delivery_id, reason, "a mail waits for others than its addressee");
        let next_at = self.base.clock.now() + PUT_OFF;
        if let Err(error) = answered(delivery::put_off(&self.base.pool, delivery.delivery_id, next_at)).await
        {
            tracing::debug!(%error, "a try that was none was counted");
        }
    }

    /// Whether the account is still on the side of the party of the case.
    async fn is_still_told(&self, delivery: &Delivery) -> sqlx::Result<bool> {
        let Some(case) = delivery.case_id else { return Ok(true) };
        let matter = matter::find(&self.base.pool, case).await?;
        Ok(matter.is_some_and(|matter| matter.is_partys(delivery.account_id)))
    }

    /// It does not arrive.
    async fn give_up(&self, delivery: &Delivery, reason: &str) -> anyhow::Result<()> {
        self.settle(delivery, failed(&self.base, delivery, reason).await?).await
    }

    async fn settle(&self, delivery: &Delivery, event: Event) -> anyhow::Result<()> {
        let mut tx = docket_database::begin(&self.base.pool).await?;
        let settled = settle::settle(&self.base, &mut tx, "send_alert", delivery, &event).await?;
        let Some(appended) = settled else { return Ok(()) };
        tx.commit().await?;
        self.base.log.committed(appended.last);
        Ok(())
    }
}

/// What the try after the last pause came to: there is none after it.
fn at_last(delivery: &Delivery, outcome: Outcome) -> Outcome {
    let last = usize::try_from(delivery.attempts).unwrap_or_default() > PAUSES_S.len();
    if let Outcome::Again(reason) = outcome
        && last
    {
        return Outcome::Failed(reason);
    }
    outcome
}

/// Whether identity says that there is nobody to write to: erased, or never proven.
pub(super) fn is_nobody(status: &Status) -> bool {
    status.code() == Code::NotFound || matches!(ApiError::peer("identity", status), ApiError::Erased)
}
