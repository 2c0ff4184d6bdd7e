//! Another e-mail address for an account: asked for in the account, proven by a code that is mailed there, told to both addresses.

use docket_eventlog::{Context, Expected, Recorded, StreamAppend, StreamName, Subjects};
use docket_kernel::{Refusal, derived_id};
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1 as pb;
use docket_service::{ApiError, Person};
use jiff::SignedDuration;
use uuid::Uuid;

use super::email::{claimed, released};
use super::registration::{code_wrong, tries_of_address};
use super::{AccountView, Identity};
use crate::code;
use crate::domain::{self, Account, REGISTRATIONS, Stage};
use crate::mail::{Sealed, Template};
use crate::store::email_change::{self, EmailChange};
use crate::store::{session, tries};

/// How long the code that is mailed to the new address is good.
const LIFE: SignedDuration = SignedDuration::from_hours(24);
/// For so long the address before can take the change back: a mail that is tried for a week still brings a code that is good for one.
const WAY_BACK: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Groups of four letters in the code that takes it back: 80 bits.
const BACK_GROUPS: usize = 4;
/// How often a lost race is decided again.
pub(super) const ATTEMPTS: u32 = 5;

impl Identity {
    /// Asks that the account have another address: the same answer whoever that belongs to; what is mailed there differs. Until when
    /// its code is good.
    ///
    /// # Errors
    /// `EMAIL_UNCHANGED`; `TOO_MANY_TRIES` for the account or the address; `SESSION_ENDED`.
    pub(crate) async fn request_email_change(
        &self,
        context: &Context,
        person: &Person,
        email: String,
    ) -> Result<i64, ApiError> {
        let account = person.account;
        if self.is_done(context).await? {
            return self.first_answer(context, account).await;
        }
        let (stream, now) = (self.email_stream(&email), self.now());
        let id = derived_id(&format!("email-change.{account}"), context.command_id, 0);
        let until_us = (now + LIFE).as_microsecond();
        let (change_id, email_stream) = (id.to_string(), stream.to_string());
        let asked = pb::EmailChangeRequested { change_id, email, email_stream, until_us };
        let view = self.view(account).await?;
        domain::request_email_change(&view.account, &asked)?;
        for key in [format!("email-change:{account}"), tries_of_address(&stream)] {
            tries::once(&self.pool, REGISTRATIONS, &key, now, "Wait, then try again.").await?;
        }
        let (row, mails) = self.codes(&view, id, &asked, &stream).await?;
        let mut tx = docket_database::begin(&self.pool).await?;
        self.live(&mut tx, person.session).await?;
        email_change::begin(&mut tx, &row).await?;
        let decide = |state: &Account| domain::request_email_change(state, &asked);
        let done =
            self.accounts.execute_in(&mut tx, context, account, Subjects::account(account), decide).await?;
        if done.repeated {
            // It was repeated in the same moment.
            drop(tx);
            return until(&done.events);
        }
        for mail in &mails {
            self.outbox.put(&mut tx, mail).await?;
        }
        tx.commit().await?;
        self.announce(&done);
        self.outbox.wake();
        Ok(until_us)
    }

    /// The row of a change and the mails to both addresses. Of an address that is somebody's already nobody learns the code.
    async fn codes(
        &self,
        view: &AccountView,
        id: Uuid,
        asked: &pb::EmailChangeRequested,
        stream: &StreamName,
    ) -> Result<(EmailChange, [Sealed; 2]), ApiError> {
        let holder = self.holder_of(stream).await?;
        let taken = self.is_taken(&holder).await? && holder.other_than(view.id).is_some();
        let (digits, back) = (code::six_digits(), self.back_code(id));
        let (template, told) = if taken {
            (Template::EmailChangeTaken, String::new())
        } else {
            (Template::EmailChangeCode, digits.clone())
        };
        let mails = [
            self.letter(view, &asked.email, template, told).await?,
            self.letter(view, &view.email, Template::EmailChangeAsked, back.clone()).await?,
        ];
        let known = if taken { rand::random::<[u8; 32]>().to_vec() } else { self.new_code_hash(id, &digits) };
        let row = EmailChange {
            id,
            account_id: view.id,
            code_hash: known,
            tries: 0,
            back_hash: back_hash(&back),
            expires_at_us: asked.until_us,
        };
        Ok((row, mails))
    }

    /// The first answer again: until when what it told of is good. The log compares the requests.
    async fn first_answer(&self, context: &Context, account: Uuid) -> Result<i64, ApiError> {
        until(&self.repeated(context, account).await?)
    }

    /// Gives the code that was mailed to the new address: it is the account's. Until when that can be taken back.
    ///
    /// # Errors
    /// `NO_EMAIL_CHANGE_ASKED`, `CODE_WRONG`, `TOO_MANY_TRIES`, `SESSION_ENDED`; `EMAIL_TAKEN` for who proved the address.
    pub(crate) async fn confirm_email_change(
        &self,
        context: &Context,
        person: &Person,
        typed: &str,
    ) -> Result<i64, ApiError> {
        let account = person.account;
        if self.is_done(context).await? {
            return self.first_answer(context, account).await;
        }
        let answer = self.try_confirm_email_change(context, person, typed).await;
        // It may also have been repeated in the same moment: then what the other one did is the answer.
        if answer.is_err() && self.is_done(context).await? {
            return self.first_answer(context, account).await;
        }
        answer
    }

    /// Checks the code and makes the change.
    async fn try_confirm_email_change(
        &self,
        context: &Context,
        person: &Person,
        typed: &str,
    ) -> Result<i64, ApiError> {
        let state = self.accounts.state(person.account).await?.state;
        let id = domain::asked_email_change(&state, self.now().as_microsecond())?.id;
        self.check_new_code(id, typed).await?;
        for _ in 1..=ATTEMPTS {
            if let Some(back_until_us) = self.try_change(context, person, id).await? {
                self.outbox.wake();
                return Ok(back_until_us);
            }
        }
        Err(ApiError::Exhausted("the address"))
    }

    /// Charges a try of the code and compares it.
    async fn check_new_code(&self, id: Uuid, typed: &str) -> Result<(), ApiError> {
        let row = email_change::find(&self.pool, id).await?.ok_or_else(code_wrong)?;
        if !email_change::charge(&self.pool, id).await? {
            let refusal = Refusal::too_much("TOO_MANY_TRIES", "This code was tried too often.");
            return Err(refusal.way_out("Ask for the address again, for a new code.").into());
        }
        if code::same(&row.code_hash, &self.new_code_hash(id, typed.trim())) {
            return Ok(());
        }
        let left = email_change::TRIES - row.tries - 1;
        Err(code_wrong().fact("tries_left", left.max(0).to_string()).into())
    }

    /// Makes the change, unless a stream moved on in between.
    async fn try_change(
        &self,
        context: &Context,
        person: &Person,
        id: Uuid,
    ) -> Result<Option<i64>, ApiError> {
        let (account, now) = (person.account, self.now());
        let (now_us, back_until_us) = (now.as_microsecond(), (now + WAY_BACK).as_microsecond());
        let view = self.view(account).await?;
        let (change_id, email) = (id.to_string(), view.new_email.clone());
        let email_stream = domain::asked_email_change(&view.account, now_us)?.stream.clone();
        let event = pb::EmailChanged { change_id, email, email_stream, back_until_us };
        let streams = self.hand_over(&view, &event).await?;
        let mails = [
            self.letter(&view, &view.email, Template::EmailChanged, self.back_code(id)).await?,
            self.letter(&view, &view.new_email, Template::EmailIsYours, String::new()).await?,
        ];
        let mut tx = docket_database::begin(&self.pool).await?;
        self.live(&mut tx, person.session).await?;
        let ended = session::end_all(&mut tx, account, Some(person.session), now_us).await?;
        if !email_change::confirm(&mut tx, id, now_us, back_until_us).await? {
            return Err(code_wrong().into());
        }
        let events = domain::change_email(&view.account, &event, now_us, &ended)?;
        let streams = [vec![own(&view, &events)], streams].concat();
        let Some(appended) = self.append_in(&mut tx, context, streams).await? else { return Ok(None) };
        for mail in &mails {
            self.outbox.put(&mut tx, mail).await?;
        }
        tx.commit().await?;
        self.log.committed(appended.last);
        Ok(Some(back_until_us))
    }

    /// What the streams of both addresses say of a change: the new one is the account's, the one before is kept for it. An account that
    /// was begun with the new one and never finished is over.
    async fn hand_over(
        &self,
        view: &AccountView,
        event: &pb::EmailChanged,
    ) -> Result<Vec<StreamAppend>, ApiError> {
        let (new, old) = (name_of(&event.email_stream)?, name_of(&view.account.email_stream)?);
        let (asked, held) = (self.holder_of(&new).await?, self.holder_of(&old).await?);
        let mut streams = vec![
            claimed(new, asked.version, view.id),
            released(old, held.version, view.id, event.back_until_us),
        ];
        if let Some(other) = asked.other_than(view.id) {
            let unfinished = self.accounts.state(other).await?;
            if asked.kept || unfinished.state.stage == Stage::Active {
                return Err(email_taken().into());
            }
            let over = [domain::overtake_registration(view.id)];
            let expected = Expected::Version(unfinished.version);
            let stream = StreamName::of("account", other);
            streams.push(StreamAppend::of(stream, expected, Subjects::account(other), &over));
        }
        Ok(streams)
    }

    /// The owner gives up what was asked for; both addresses are told.
    ///
    /// # Errors
    /// `NO_EMAIL_CHANGE_ASKED`, `SESSION_ENDED`.
    pub(crate) async fn withdraw_email_change(
        &self,
        context: &Context,
        person: &Person,
    ) -> Result<(), ApiError> {
        if self.is_done(context).await? {
            return self.repeat(context, person.account).await;
        }
        for _ in 1..=ATTEMPTS {
            if self.try_withdraw(context, person).await? {
                self.outbox.wake();
                return Ok(());
            }
        }
        Err(ApiError::Exhausted("the address"))
    }

    /// Does it, unless the account moved on in between.
    async fn try_withdraw(&self, context: &Context, person: &Person) -> Result<bool, ApiError> {
        let view = self.view(person.account).await?;
        let events = match domain::withdraw_email_change(&view.account, self.now().as_microsecond()) {
            Ok(events) => events,
            // It may have been repeated in the same moment.
            Err(_) if self.is_done(context).await? => return Ok(true),
            Err(refusal) => return Err(refusal.into()),
        };
        let mails = [
            self.alert(&view, Template::EmailChangeGivenUp).await?,
            self.letter(&view, &view.new_email, Template::EmailChangeOver, String::new()).await?,
        ];
        let mut tx = docket_database::begin(&self.pool).await?;
        self.live(&mut tx, person.session).await?;
        let streams = vec![own(&view, &events)];
        let Some(appended) = self.append_in(&mut tx, context, streams).await? else { return Ok(false) };
        if appended.repeated {
            return Ok(true);
        }
        for mail in &mails {
            self.outbox.put(&mut tx, mail).await?;
        }
        tx.commit().await?;
        self.log.committed(appended.last);
        Ok(true)
    }

    /// The code that goes to the address before; it follows from the change, so that each mail brings the same one.
    fn back_code(&self, id: Uuid) -> String {
        code::readable_from(&self.vault.mac("email-change.back", id.as_bytes()), BACK_GROUPS)
    }

    /// Six digits have few bits, so their hash is keyed and bound to the change.
    fn new_code_hash(&self, id: Uuid, digits: &str) -> Vec<u8> {
        self.vault.mac("email-change.code", &[id.as_bytes(), digits.as_bytes()].concat()).to_vec()
    }
}

/// The hash under which a code that takes a change back is known.
pub(super) fn back_hash(typed: &str) -> Vec<u8> {
    code::hash(&code::normalised(typed))
}

/// Events of the account that was viewed, which must not have moved on.
pub(super) fn own(view: &AccountView, events: &[Event]) -> StreamAppend {
    let expected = Expected::Version(view.version());
    StreamAppend::of(StreamName::of("account", view.id), expected, Subjects::account(view.id), events)
}

/// The stream that an event names.
pub(super) fn name_of(stream: &str) -> Result<StreamName, ApiError> {
    StreamName::new(stream.to_owned()).map_err(ApiError::internal)
}

/// Until when what the first answer told of is good.
fn until(events: &[Recorded]) -> Result<i64, ApiError> {
    for event in events {
        let event = event.decode::<Event>()?;
        if let Event::EmailChangeRequested(asked) = event {
            return Ok(asked.until_us);
        } else if let Event::EmailChanged(changed) = event {
            return Ok(changed.back_until_us);
        }
    }
    Ok(0)
}

fn email_taken() -> Refusal {
    Refusal::state("EMAIL_TAKEN", "This address became another account's before its code was given.")
        .way_out("Sign in to that account, or ask for another address.")
}
