//! When a delivery stands in the ledger, then hand it to the mail server and settle it.
//!
//! The next try is set before each try, and the message's id is the delivery's: a crash between the server's "accepted"
//! and our settling sends a second copy with the same id, and never loses one.

use std::sync::Arc;

use docket_database::{WORK, answered, within};
use docket_eventlog::{Append, Context, Expected, StreamAppend, StreamName, Subjects};
use docket_kernel::{Actor, EventEnum as _, derived_id};
use docket_mail::NotTaken;
use docket_messaging::{current_traceparent, link_or_continue};
use docket_proto::events::delivery::Event;
use docket_proto::notifications::events::v1 as pb;
use docket_service::{Again, ApiError, Base, Rounds, Stop};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tonic::{Code, Status};
use tracing::Instrument as _;

use crate::LOOK;
use crate::directory::contact;
use crate::invitation;
use crate::mail::Mailer;
use crate::store::delivery::{self, Delivery};
use crate::store::{matter, notice};
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
            Outcome::HandedOver => within(WORK, self.settle(delivery, handed_over(delivery).into())).await,
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

    /// It does not arrive: who follows the log hears whom it did not reach, and of what it told.
    async fn give_up(&self, delivery: &Delivery, reason: &str) -> anyhow::Result<()> {
        let told_of = match delivery.notice_id {
            Some(id) => notice::find(&self.base.pool, id, delivery.account_id).await?,
            None => None,
        };
        self.settle(delivery, failed(delivery, reason, told_of.as_ref()).into()).await
    }

    async fn settle(&self, delivery: &Delivery, event: Event) -> anyhow::Result<()> {
        let (state, reason) = match &event {
            Event::DeliveryHandedOver(_) => ("handed_over", ""),
            Event::DeliveryFailed(failed) => ("failed", failed.reason.as_str()),
        };
        let mut tx = docket_database::begin(&self.base.pool).await?;
        if !delivery::settle(&mut tx, delivery.delivery_id, (state, reason), self.base.clock.now()).await? {
            return Ok(());
        }
        let appended = self.base.log.append_in(&mut tx, self.append(delivery, &event)).await?;
        tx.commit().await?;
        self.base.log.committed(appended.last);
        metrics::counter!("docket_delivery_settled", "state" => state).increment(1);
        Ok(())
    }

    fn append(&self, delivery: &Delivery, event: &Event) -> Append {
        let context = Context {
            command_id: derived_id("settle_delivery", delivery.delivery_id, delivery.again.unsigned_abs()),
            correlation_id: delivery.correlation_id,
            causation_id: Some(delivery.about_event),
            actor: Actor::machine("send_alert"),
            on_behalf_of: None,
            auth_level: 0,
            traceparent: current_traceparent(),
            request: Vec::new(),
        };
        let stream = StreamName::of(Event::CATEGORY, delivery.delivery_id);
        let events = std::slice::from_ref(event);
        // Each time it was queued before, it failed once.
        let version = Expected::Version(u64::from(delivery.again.unsigned_abs()));
        context.append(&self.base.log, vec![StreamAppend::of(stream, version, Subjects::NONE, events)])
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
fn is_nobody(status: &Status) -> bool {
    status.code() == Code::NotFound || matches!(ApiError::peer("identity", status), ApiError::Erased)
}

fn handed_over(delivery: &Delivery) -> pb::DeliveryHandedOver {
    pb::DeliveryHandedOver {
        account_id: account(delivery),
        channel: delivery.channel.clone(),
        alert: delivery.alert.clone(),
        about_event: delivery.about_event.to_string(),
        case_id: case(delivery, None),
        notice_id: notice_id(delivery),
    }
}

fn failed(delivery: &Delivery, reason: &str, told_of: Option<&notice::Row>) -> pb::DeliveryFailed {
    pb::DeliveryFailed {
        account_id: account(delivery),
        channel: delivery.channel.clone(),
        reason: reason.to_owned(),
        alert: delivery.alert.clone(),
        about_event: delivery.about_event.to_string(),
        case_id: case(delivery, told_of),
        notice_id: notice_id(delivery),
        notice_kind: told_of.map(|row| row.notice_kind.clone()).unwrap_or_default(),
        opened: told_of.is_some_and(|row| row.opened),
    }
}

/// The case that a mail is about; an invitation is about none.
fn case(delivery: &Delivery, told_of: Option<&notice::Row>) -> String {
    let case = told_of.map(|row| row.case_id).or(delivery.case_id);
    case.filter(|_| !delivery::is_invitation(&delivery.alert)).map(|id| id.to_string()).unwrap_or_default()
}

fn notice_id(delivery: &Delivery) -> String {
    delivery.notice_id.map(|id| id.to_string()).unwrap_or_default()
}

/// The account it went to; an invitation goes to none.
fn account(delivery: &Delivery) -> String {
    if delivery.account_id.is_nil() { String::new() } else { delivery.account_id.to_string() }
}
