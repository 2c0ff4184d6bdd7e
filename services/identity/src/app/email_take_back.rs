//! The way back of whoever reads the mail of the address that an account had: a change is stopped or taken back, all sessions end.

use docket_eventlog::{Context, StreamAppend};
use docket_service::ApiError;
use uuid::Uuid;

use super::email::{claimed, released};
use super::email_change::{ATTEMPTS, back_hash, name_of, own};
use super::registration::code_wrong;
use super::{AccountView, Identity, by_account};
use crate::domain::{self, WayBack};
use crate::mail::{Sealed, Template};
use crate::store::{email_change, session};

/// What a way back needs beside the account's own events.
#[derive(Default)]
struct Way {
    /// The address that the account has again, as typed.
    email: String,
    /// What the streams of the addresses say of it.
    streams: Vec<StreamAppend>,
    mails: Vec<Sealed>,
}

impl Identity {
    /// Stops the change whose code this is, or takes it back with all that were made after it. Nobody is signed in for that.
    ///
    /// # Errors
    /// `CODE_WRONG`, also where it is over.
    pub(crate) async fn take_back_email_change(&self, context: Context, typed: &str) -> Result<(), ApiError> {
        let now_us = self.now().as_microsecond();
        let row = email_change::of_back_code(&self.pool, &back_hash(typed)).await?;
        let row = row.filter(|row| row.expires_at_us > now_us).ok_or_else(code_wrong)?;
        let (account, context) = (row.account_id, by_account(&context, row.account_id));
        if self.is_erased(account).await? {
            return Err(code_wrong().into());
        }
        if self.is_done(&context).await? {
            return self.repeat(&context, account).await;
        }
        for _ in 1..=ATTEMPTS {
            if self.try_take_back(&context, account, row.id).await? {
                self.outbox.wake();
                return Ok(());
            }
        }
        Err(ApiError::Exhausted("the address"))
    }

    /// Does it, unless a stream moved on in between.
    async fn try_take_back(&self, context: &Context, account: Uuid, id: Uuid) -> Result<bool, ApiError> {
        let now_us = self.now().as_microsecond();
        let view = self.view(account).await?;
        let way = match domain::way_back(&view.account, id, now_us) {
            Ok(WayBack::Stop) => {
                let mails = vec![self.alert(&view, Template::EmailChangeStopped).await?];
                Way { mails, ..Way::default() }
            }
            Ok(WayBack::Restore(stream)) => self.way_to(&view, id, &stream).await?,
            // It may have been repeated in the same moment.
            Err(_) if self.is_done(context).await? => return Ok(true),
            Err(refusal) => return Err(refusal.into()),
        };
        let mut tx = docket_database::begin(&self.pool).await?;
        let ended = session::end_all(&mut tx, account, None, now_us).await?;
        let events = domain::take_back_email_change(&view.account, id, &way.email, now_us, &ended)?;
        let streams = [vec![own(&view, &events)], way.streams].concat();
        let Some(appended) = self.append_in(&mut tx, context, streams).await? else { return Ok(false) };
        if appended.repeated {
            return Ok(true);
        }
        for mail in &way.mails {
            self.outbox.put(&mut tx, mail).await?;
        }
        tx.commit().await?;
        self.log.committed(appended.last);
        Ok(true)
    }

    /// The way back over a change to the address of a stream, which is kept for the account. Every other address that it has or had
    /// since that change is free at once, but for those that can take back a change before it themselves.
    async fn way_to(&self, view: &AccountView, change: Uuid, stream: &str) -> Result<Way, ApiError> {
        let email = view.emails.get(stream).cloned().unwrap_or_default();
        let mut mails = vec![self.letter(view, &email, Template::EmailRestored, String::new()).await?];
        let (mut streams, now_us) = (Vec::new(), self.now().as_microsecond());
        if view.account.email_stream != stream {
            let (before, now) = (name_of(stream)?, name_of(&view.account.email_stream)?);
            let (kept, held) = (self.holder_of(&before).await?, self.holder_of(&now).await?);
            if kept.other_than(view.id).is_some() {
                return Err(code_wrong().into());
            }
            streams.push(claimed(before, kept.version, view.id));
            let until_us = domain::kept_until_us(&view.account, change, &view.account.email_stream, now_us);
            streams.push(released(now, held.version, view.id, until_us));
            mails.push(self.alert(view, Template::EmailTakenBack).await?);
        }
        for since in domain::emails_since(&view.account, change, now_us) {
            let since = name_of(since)?;
            let held = self.holder_of(&since).await?;
            // One that was kept for its time may be another's by now.
            if held.kept && held.account == Some(view.id) {
                streams.push(released(since, held.version, view.id, 0));
            }
        }
        Ok(Way { email, streams, mails })
    }
}
