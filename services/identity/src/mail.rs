//! Mail of the registration and of its security: sealed rows, sent by one task, tried again until settled.

use std::sync::Arc;
use std::time::Duration;

use docket_database::answered;
use docket_kernel::SharedClock;
use docket_mail::{MailConfig, NotTaken, Relay};
use docket_service::{Again, Rounds, Stop, new_id};
use docket_vault::{Opened, Subject, Vault};
use jiff::SignedDuration;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::store::mail;

/// How often the rows are looked at without being woken.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is told how long the oldest has waited.
const TELL: Duration = Duration::from_secs(5);
/// How long one attempt may take; meanwhile no other process takes the mail.
const ATTEMPT: Duration = Duration::from_secs(30);

/// What a mail says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Template {
    /// The code that proves the address.
    Confirm,
    /// Somebody tried to open a second account with the address.
    AlreadyRegistered,
    /// The address of record is another one now.
    AddressChanged,
    /// A form gives another address of record.
    AddressStated,
    /// Another authenticator app is the second factor now.
    AppReplaced,
    /// The person is linked to this account no more.
    PersonReleased,
    /// A person was released for this account.
    PersonKept,
    /// Somebody tried to open an account with an address that is kept for the one that had it.
    AddressKept,
    /// The code that proves the address an account is to have.
    EmailChangeCode,
    /// Somebody asked that the address of an account become that of another one.
    EmailChangeTaken,
    /// Another address was asked for, with the code that stops it.
    EmailChangeAsked,
    /// It was stopped by that code.
    EmailChangeStopped,
    /// Whoever asked for it gave it up: the account keeps this address,
    EmailChangeGivenUp,
    /// and this one does not become the account's.
    EmailChangeOver,
    /// The account has another address, with the code that takes that back.
    EmailChanged,
    /// The account has this address now.
    EmailIsYours,
    /// It was taken back: the account has this address again,
    EmailRestored,
    /// and this one no more.
    EmailTakenBack,
}

/// A mail to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Mail {
    /// Address.
    pub(crate) to: String,
    /// Which text.
    pub(crate) template: Template,
    /// `en` or `es`.
    pub(crate) language: String,
    /// The code, where the text has one.
    pub(crate) code: String,
}

/// A mail to be sent, sealed for its row.
pub(crate) struct Sealed {
    /// Its id; a new one, which says how long the mail waits.
    id: Uuid,
    /// Whose key seals it.
    account: Uuid,
    bytes: Vec<u8>,
}

impl Mail {
    /// How often it is tried, with the pauses of [`pause_after`]: a code, which is worth nothing after a day, for some 25
    /// hours; what tells somebody of a change that they must hear of, for a week.
    fn attempts(&self) -> i32 {
        match self.template {
            Template::Confirm | Template::EmailChangeCode => 36,
            Template::AlreadyRegistered
            | Template::AddressChanged
            | Template::AddressStated
            | Template::AppReplaced
            | Template::PersonReleased
            | Template::PersonKept
            | Template::AddressKept
            | Template::EmailChangeTaken
            | Template::EmailChangeAsked
            | Template::EmailChangeStopped
            | Template::EmailChangeGivenUp
            | Template::EmailChangeOver
            | Template::EmailChanged
            | Template::EmailIsYours
            | Template::EmailRestored
            | Template::EmailTakenBack => 180,
        }
    }

    /// Subject and text.
    fn words(&self) -> (&'static str, String) {
        let [english, spanish] = self.template.texts();
        let whole = if self.language == "es" { spanish } else { english };
        let (subject, text) = whole.split_once("\n\n").unwrap_or((whole, ""));
        (subject, text.replace("{code}", &self.code))
    }
}

/// A text in English and in Spanish.
macro_rules! texts {
    ($name:literal) => {
        [
            include_str!(concat!("../texts/en/", $name, ".txt")),
            include_str!(concat!("../texts/es/", $name, ".txt")),
        ]
    };
}

impl Template {
    fn texts(&self) -> [&'static str; 2] {
        match self {
            Self::Confirm => texts!("confirm"),
            Self::AlreadyRegistered => texts!("already_registered"),
            Self::AddressChanged => texts!("address_changed"),
            Self::AddressStated => texts!("address_stated"),
            Self::AppReplaced => texts!("app_replaced"),
            Self::PersonReleased => texts!("person_released"),
            Self::PersonKept => texts!("person_kept"),
            Self::AddressKept => texts!("address_kept"),
            Self::EmailChangeCode => texts!("email_change_code"),
            Self::EmailChangeTaken => texts!("email_change_taken"),
            Self::EmailChangeAsked => texts!("email_change_asked"),
            Self::EmailChangeStopped => texts!("email_change_stopped"),
            Self::EmailChangeGivenUp => texts!("email_change_given_up"),
            Self::EmailChangeOver => texts!("email_change_over"),
            Self::EmailChanged => texts!("email_changed"),
            Self::EmailIsYours => texts!("email_is_yours"),
            Self::EmailRestored => texts!("email_restored"),
            Self::EmailTakenBack => texts!("email_taken_back"),
        }
    }
}

/// The mails under way. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outbox {
    pool: PgPool,
    vault: Vault,
    clock: SharedClock,
    wake: Arc<Notify>,
}

impl Outbox {
    /// The mails in a database.
    pub(crate) fn new(pool: PgPool, vault: Vault, clock: SharedClock) -> Self {
        Self { pool, vault, clock, wake: Arc::new(Notify::new()) }
    }

    /// Seals a mail for its row, under the key of an account.
    ///
    /// # Errors
    /// The vault.
    pub(crate) async fn seal(&self, account: Uuid, mail: &Mail) -> Result<Sealed, docket_vault::Error> {
        let id = new_id(self.clock.now());
        let plain = serde_json::to_vec(mail).expect("strings and a word can be written as JSON");
        let bytes = self.vault.seal(&Subject::account(account), id.as_bytes(), &plain).await?;
        Ok(Sealed { id, account, bytes })
    }

    /// Writes the row in the caller's transaction; [`Outbox::wake`] after its commit.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn put(&self, tx: &mut PgConnection, mail: &Sealed) -> sqlx::Result<()> {
        mail::insert(tx, mail.id, mail.account, &mail.bytes, self.clock.now().as_microsecond()).await
    }

    /// There is something to send.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Tells until the stop how long the oldest mail has waited. A database that is away leaves the last number standing;
    /// readiness tells of that.
    ///
    /// # Errors
    /// None.
    pub(crate) async fn tell(self, stop: Stop) -> anyhow::Result<()> {
        let mut rounds = Rounds::every(TELL, "the mail that waits could not be looked at");
        while rounds.go_on(&stop).await {
            rounds.turn(self.tell_once()).await;
        }
        Ok(())
    }

    async fn tell_once(&self) -> anyhow::Result<()> {
        let age_s = mail::oldest(&self.pool).await?.map_or(0.0, |id| self.age_s(id));
        metrics::gauge!("docket_mail_oldest_age_seconds").set(age_s);
        Ok(())
    }

    fn age_s(&self, id: Uuid) -> f64 {
        let made_s = id.get_timestamp().map_or(0, |made| made.to_unix().0);
        let age_s = u64::try_from(self.clock.now().as_second()).unwrap_or(0).saturating_sub(made_s);
        Duration::from_secs(age_s).as_secs_f64()
    }
}

/// Sends what is in the outbox. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sender {
    outbox: Outbox,
    relay: Relay,
}

/// How an attempt ended.
enum Attempt {
    Sent,
    Refused,
    Later,
}

impl Sender {
    /// A sender as configured.
    ///
    /// # Errors
    /// As [`Relay::new`].
    pub(crate) fn new(outbox: Outbox, config: &MailConfig, production: bool) -> anyhow::Result<Self> {
        Ok(Self { outbox, relay: Relay::new(config, production)? })
    }

    /// Sends until the stop.
    ///
    /// # Errors
    /// None.
    pub(crate) async fn run(self, stop: Stop) -> anyhow::Result<()> {
        let rounds = Rounds::every(LOOK, "mail cannot be read or settled");
        let mut rounds = rounds.bounded_inside().woken_by(Arc::clone(&self.outbox.wake));
        let sending = async {
            while rounds.go_on(&stop).await {
                rounds.turn(self.send_next()).await;
            }
        };
        // What is being sent at the stop is not waited for: it is sent again.
        stop.run_until_cancelled(sending).await;
        Ok(())
    }

    /// Sends one mail, after which there may be another; when none is due, that is it.
    async fn send_next(&self) -> anyhow::Result<Again> {
        let Outbox { pool, vault, clock, .. } = &self.outbox;
        let lease_us = i64::try_from(ATTEMPT.as_micros())?;
        let Some(due) = answered(mail::take(pool, clock.now().as_microsecond(), lease_us)).await? else {
            return Ok(Again::Later);
        };
        let subject = Subject::account(due.account_id);
        let opened = answered(vault.open(&subject, due.id.as_bytes(), &due.sealed)).await?;
        let (attempt, most) = match opened {
            Opened::Plain(plain) => {
                let mail: Mail = serde_json::from_slice(&plain)?;
                (self.attempt(due.id, &mail).await, mail.attempts())
            }
            Opened::Erased => (Attempt::Refused, 0),
        };
        let (now, now_us) = (clock.now(), clock.now().as_microsecond());
        match attempt {
            Attempt::Sent => answered(mail::settle(pool, due.id, "sent", now_us)).await?,
            Attempt::Refused => answered(mail::settle(pool, due.id, "refused", now_us)).await?,
            Attempt::Later if due.attempts >= most => {
                tracing::error!(mail.id = %due.id, "a mail was given up: the relay never took it");
                answered(mail::settle(pool, due.id, "expired", now_us)).await?;
            }
            Attempt::Later => {
                let next = now + pause_after(due.attempts);
                answered(mail::again(pool, due.id, next.as_microsecond())).await?;
            }
        }
        Ok(Again::AtOnce)
    }

    async fn attempt(&self, id: Uuid, mail: &Mail) -> Attempt {
        let message = match self.message(id, mail) {
            Ok(message) => message,
            Err(_malformed) => return Attempt::Refused,
        };
        match self.relay.send(message).await {
            Ok(()) => Attempt::Sent,
            Err(NotTaken::NoMailbox) => Attempt::Refused,
            Err(reason @ (NotTaken::Refused | NotTaken::Later(_))) => {
                tracing::warn!(mail.id = %id, ?reason, "the mail relay did not take a mail; trying again");
                Attempt::Later
            }
        }
    }

    fn message(&self, id: Uuid, mail: &Mail) -> anyhow::Result<Message> {
        let (subject, text) = mail.words();
        Ok(Message::builder()
            .from(self.relay.sender().clone())
            .to(Mailbox::new(None, mail.to.parse()?))
            .subject(subject)
            .date(self.outbox.clock.now().try_into()?)
            .message_id(Some(format!("<{id}@identity.docket>")))
            .header(ContentType::TEXT_PLAIN)
            .body(text)?)
    }
}

/// 1 s, 2 s, 4 s … at most an hour.
fn pause_after(attempts: i32) -> SignedDuration {
    let doublings = attempts.clamp(1, 13) - 1;
    SignedDuration::from_secs(3600.min(1_i64 << doublings))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(template: Template, language: &str) -> Mail {
        Mail { to: "maria@example.com".into(), template, language: language.into(), code: "123456".into() }
    }

    const WITH_CODE: [Template; 4] =
        [Template::Confirm, Template::EmailChangeCode, Template::EmailChangeAsked, Template::EmailChanged];
    const WITHOUT: [Template; 14] = [
        Template::AlreadyRegistered,
        Template::AddressChanged,
        Template::AddressStated,
        Template::AppReplaced,
        Template::PersonReleased,
        Template::PersonKept,
        Template::AddressKept,
        Template::EmailChangeTaken,
        Template::EmailChangeStopped,
        Template::EmailChangeGivenUp,
        Template::EmailChangeOver,
        Template::EmailIsYours,
        Template::EmailRestored,
        Template::EmailTakenBack,
    ];

    #[test]
    fn mails_are_in_the_persons_language_and_hold_nothing_personal() {
        for (template, coded) in
            WITH_CODE.map(|one| (one, true)).into_iter().chain(WITHOUT.map(|one| (one, false)))
        {
            let said = ["en", "es"].map(|language| mail(template.clone(), language).words());
            for (subject, text) in &said {
                assert!(text.contains("123456") == coded && !subject.contains("123456"), "{text}");
                assert!(!text.contains("maria") && !text.contains('{'), "{text}");
                // There is no such thing to do.
                assert!(
                    !text.contains("change your password") && !text.contains("cambie su contraseña"),
                    "{text}"
                );
            }
            assert_ne!(said[0], said[1]);
        }
    }

    #[test]
    fn the_pauses_grow_to_an_hour() {
        assert_eq!([1, 2, 5, 24].map(|n| pause_after(n).as_secs()), [1, 2, 16, 3600]);
    }

    #[test]
    fn a_code_is_tried_as_long_as_it_is_good_and_an_alert_for_a_week() {
        let hours = |template| {
            let most = mail(template, "en").attempts();
            (1..most).map(|n| pause_after(n).as_secs()).sum::<i64>() / 3600
        };
        assert!((24..30).contains(&hours(Template::Confirm)));
        assert!((7 * 24..8 * 24).contains(&hours(Template::AddressChanged)));
    }
}
