//! A new app in the place of one that is lost: begun with a recovery code, confirmed with the new app's first code.

use docket_eventlog::{Context, Subjects};
use docket_kernel::Refusal;
use docket_service::{ApiError, Person};
use docket_vault::Subject;
use jiff::SignedDuration;
use uuid::Uuid;

use super::registration::code_wrong;
use super::set_up::{RECOVERY_CODES, REPEATED_WITHIN};
use super::{Identity, request_id_reused, second_factor};
use crate::domain::{self, Account, GUESSES};
use crate::mail::Template;
use crate::store::{credential, replacement, session, tries};
use crate::{code, totp};

/// For so long what was begun can be confirmed.
const BEGUN_FOR: SignedDuration = SignedDuration::from_hours(1);

/// A request about the app of a session: what follows from it follows again when it is repeated.
struct Asked {
    account: Uuid,
    session: Uuid,
    /// The request's id, its session and what was typed.
    source: Vec<u8>,
    /// The row of tries, which it shares with stepping up.
    key: String,
}

impl Asked {
    fn new(person: &Person, context: &Context, typed: &str) -> Self {
        let parts = [context.command_id.as_bytes(), person.session.as_bytes(), typed.trim().as_bytes()];
        let (account, session) = (person.account, person.session);
        Self { account, session, source: parts.concat(), key: second_factor::tries_of(account) }
    }
}

impl Identity {
    /// Begins with a new app: its secret in base 32, and an address for a QR code.
    ///
    /// # Errors
    /// `CODE_WRONG`, `TOO_MANY_TRIES`, `SESSION_ENDED`.
    pub(crate) async fn begin_replacement(
        &self,
        context: &Context,
        person: &Person,
        typed: &str,
    ) -> Result<(String, String), ApiError> {
        let asked = Asked::new(person, context, typed);
        let secret = self.app_secret("totp.secret.new", &asked.source);
        let begun_with = self.vault.mac("totp.begun", &asked.source);
        tries::once(&self.pool, GUESSES, &asked.key, self.now(), "Wait, then try again.").await?;
        let known = replacement::find(&self.pool, asked.account, self.now().as_microsecond()).await?;
        if known.is_some_and(|row| code::same(&row.begun_with, &begun_with)) {
            tries::give_back(&self.pool, &asked.key).await?;
        } else {
            self.try_begin(&asked, &secret, &begun_with, typed).await?;
        }
        totp::shown(&secret, &self.view(asked.account).await?.email)
    }

    async fn try_begin(
        &self,
        asked: &Asked,
        secret: &[u8; totp::SECRET_BYTES],
        begun_with: &[u8],
        typed: &str,
    ) -> Result<(), ApiError> {
        let account = asked.account;
        let proof = self.proof(Some(account), typed).await?.ok_or_else(code_wrong)?;
        let sealed = self.vault.seal(&Subject::account(account), second_factor::SECRET, secret).await?;
        let until_us = (self.now() + BEGUN_FOR).as_microsecond();
        let mut tx = docket_database::begin(&self.pool).await?;
        self.live(&mut tx, asked.session).await?;
        if !self.use_up(&mut tx, account, &proof).await? {
            return Err(code_wrong().into());
        }
        replacement::begin(&mut tx, account, (&sealed, begun_with), until_us).await?;
        tries::forgive(&mut tx, &asked.key).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Confirms the new app; gives the new recovery codes.
    ///
    /// # Errors
    /// `CODE_WRONG`, `TOO_MANY_TRIES`, `NO_APP_BEGUN`, `SESSION_ENDED`, `REQUEST_ID_REUSED`.
    pub(crate) async fn confirm_replacement(
        &self,
        context: &Context,
        person: &Person,
        typed: &str,
    ) -> Result<Vec<String>, ApiError> {
        let asked = Asked::new(person, context, typed);
        let codes = self.recovery_codes(context.command_id, &asked.source);
        let confirmed_with = self.vault.mac("totp.confirmed", &asked.source);
        tries::once(&self.pool, GUESSES, &asked.key, self.now(), "Wait, then try again.").await?;
        let found = replacement::find(&self.pool, asked.account, self.now().as_microsecond()).await?;
        let Some(begun) = found else {
            // There was nothing to compare with what was typed.
            tries::give_back(&self.pool, &asked.key).await?;
            return Err(no_app_begun().into());
        };
        match &begun.confirmed_with {
            Some(first) if code::same(first, &confirmed_with) => {
                tries::give_back(&self.pool, &asked.key).await?;
            }
            Some(_) => return Err(no_app_begun().into()),
            None => {
                let step = self.step_of(asked.account, &begun.secret_sealed, typed.trim()).await?;
                let step = step.ok_or_else(code_wrong)?;
                self.replace(context, &asked, (&begun.begun_with, &confirmed_with), (step, &codes)).await?;
            }
        }
        Ok(codes)
    }

    async fn replace(
        &self,
        context: &Context,
        asked: &Asked,
        with: (&[u8], &[u8]),
        (step, codes): (i64, &[String]),
    ) -> Result<(), ApiError> {
        let account = asked.account;
        let hashes: Vec<_> = codes.iter().map(|code| self.recovery_code_hash(account, code)).collect();
        let view = self.view(account).await?;
        let mail = self.alert(&view, Template::AppReplaced).await?;
        let (now_us, until_us) =
            (self.now().as_microsecond(), (self.now() + REPEATED_WITHIN).as_microsecond());
        let mut tx = docket_database::begin(&self.pool).await?;
        self.live(&mut tx, asked.session).await?;
        if !replacement::confirm(&mut tx, account, with, step, (now_us, until_us)).await? {
            return Err(no_app_begun().into());
        }
        credential::set_recovery_codes(&mut tx, account, &hashes).await?;
        let ended = session::end_all(&mut tx, account, Some(asked.session), now_us).await?;
        tries::forgive(&mut tx, &asked.key).await?;
        self.outbox.put(&mut tx, &mail).await?;
        let decide = |state: &Account| domain::replace_second_factor(state, "totp", RECOVERY_CODES, &ended);
        let executed =
            self.accounts.execute_in(&mut tx, context, account, Subjects::account(account), decide).await?;
        if executed.repeated {
            return Err(request_id_reused().into());
        }
        tx.commit().await?;
        self.announce(&executed);
        self.outbox.wake();
        Ok(())
    }
}

fn no_app_begun() -> Refusal {
    Refusal::state("NO_APP_BEGUN", "No new app was begun, or the hour in which it is confirmed is over.")
        .way_out("Begin again with a recovery code.")
}
