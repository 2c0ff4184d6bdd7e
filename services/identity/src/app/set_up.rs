//! Setting up the app: its secret, its first code, the recovery codes. Nothing of it is kept to be shown again:
//! secret and codes follow from the request and its token, so that a repetition gives what was lost.

use docket_eventlog::{Context, Subjects};
use docket_service::ApiError;
use docket_vault::Subject;
use jiff::SignedDuration;
use uuid::Uuid;

use super::registration::{already_active, code_wrong};
use super::{Identity, by_account, request_id_reused, second_factor};
use crate::domain::{self, Account, GUESSES};
use crate::store::{credential, registration, tries};
use crate::{code, totp};

/// How many recovery codes an account gets.
pub(super) const RECOVERY_CODES: u32 = 10;
/// Groups of four letters in a recovery code: 80 bits.
const RECOVERY_GROUPS: usize = 4;
/// For so long the confirmation may be repeated.
pub(super) const REPEATED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// A request to confirm the app.
struct Confirmation {
    account: Uuid,
    token_hash: Vec<u8>,
    /// Tells it from another request with its id.
    mac: [u8; 32],
    recovery_codes: Vec<String>,
}

impl Identity {
    /// Makes a secret for an authenticator app: base 32, and an address for a QR code. Until the app is confirmed
    /// a repetition gives the same secret; who confirmed it has no more need of it.
    ///
    /// # Errors
    /// `EMAIL_NOT_PROVEN`, `REGISTRATION_EXPIRED`, `ALREADY_ACTIVE`.
    pub(crate) async fn begin_totp(
        &self,
        context: Context,
        token: &str,
    ) -> Result<(String, String), ApiError> {
        let (account, _) = self.proven_registration(token).await?;
        let source = [context.command_id.as_bytes(), token.as_bytes()].concat();
        let secret = self.app_secret("totp.secret", &source);
        let sealed = self.vault.seal(&Subject::account(account), second_factor::SECRET, &secret).await?;
        let view = self.view(account).await?;
        let mut tx = docket_database::begin(&self.pool).await?;
        if !credential::begin_totp(&mut tx, account, &sealed).await? {
            return Err(already_active().into());
        }
        let nothing = |_: &Account| Ok(Vec::new());
        let context = by_account(&context, account);
        let executed =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), nothing).await?;
        // A repetition which comes late must not put another secret in the place of a newer one.
        if executed.repeated {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        totp::shown(&secret, &view.email)
    }

    /// Confirms the app: the account is active and has recovery codes. They are given once, and again to who
    /// repeats this request within a day.
    ///
    /// # Errors
    /// `CODE_WRONG`, `TOO_MANY_TRIES`, and those of [`Identity::begin_totp`].
    pub(crate) async fn confirm_totp(
        &self,
        context: Context,
        token: &str,
        typed: &str,
    ) -> Result<(Uuid, Vec<String>), ApiError> {
        let (account, _) = self.proven_registration(token).await?;
        let asked = self.confirmation(account, context.command_id, token, typed);
        let key = format!("set-up:{account}");
        tries::once(&self.pool, GUESSES, &key, self.now(), "Wait, then try again.").await?;
        if !self.is_confirmed_by(&asked).await? {
            let confirmed = self.try_confirm(&by_account(&context, account), &asked, &key, typed).await?;
            // It may also have been repeated in the same moment.
            if !confirmed && !self.is_confirmed_by(&asked).await? {
                return Err(code_wrong().into());
            }
        }
        tries::give_back(&self.pool, &key).await?;
        Ok((account, asked.recovery_codes))
    }

    /// Whether it was this very request that confirmed the app; another one comes too late.
    async fn is_confirmed_by(&self, asked: &Confirmation) -> Result<bool, ApiError> {
        let row = self.registration(&asked.token_hash).await?;
        match row.and_then(|row| row.confirmed_with) {
            None => Ok(false),
            Some(first) if code::same(&first, &asked.mac) => Ok(true),
            Some(_) => Err(already_active().into()),
        }
    }

    /// Confirms the app; false when the code is wrong or somebody else was first.
    async fn try_confirm(
        &self,
        context: &Context,
        asked: &Confirmation,
        key: &str,
        typed: &str,
    ) -> Result<bool, ApiError> {
        let account = asked.account;
        let Some(step) = self.setup_step(account, typed).await? else { return Ok(false) };
        let hash = |code: &String| self.recovery_code_hash(account, code);
        let hashes: Vec<_> = asked.recovery_codes.iter().map(hash).collect();
        let (now_us, until_us) =
            (self.now().as_microsecond(), (self.now() + REPEATED_WITHIN).as_microsecond());
        let mut tx = docket_database::begin(&self.pool).await?;
        if !credential::confirm_totp(&mut tx, account, step, now_us).await? {
            return Ok(false);
        }
        credential::set_recovery_codes(&mut tx, account, &hashes).await?;
        registration::confirm(&mut tx, &asked.token_hash, &asked.mac, until_us).await?;
        registration::clear(&mut tx, account, &asked.token_hash, now_us).await?;
        tries::forgive(&mut tx, key).await?;
        let add = |state: &Account| domain::add_second_factor(state, "totp", RECOVERY_CODES);
        let executed =
            self.accounts.execute_in(&mut tx, context, account, Subjects::account(account), add).await?;
        if executed.repeated {
            return Err(request_id_reused().into());
        }
        tx.commit().await?;
        self.announce(&executed);
        Ok(true)
    }

    fn confirmation(&self, account: Uuid, command: Uuid, token: &str, typed: &str) -> Confirmation {
        let token_hash = code::hash(token);
        let request = [command.as_bytes(), token_hash.as_slice(), typed.trim().as_bytes()].concat();
        Confirmation {
            account,
            mac: self.vault.mac("set-up.request", &request),
            recovery_codes: self.recovery_codes(command, token.as_bytes()),
            token_hash,
        }
    }

    /// Ten codes which follow from the request that asks for them, and from what only its client has.
    pub(super) fn recovery_codes(&self, command: Uuid, secret: &[u8]) -> Vec<String> {
        let made = |n: u32| {
            let source = [command.as_bytes(), n.to_be_bytes().as_slice(), secret].concat();
            code::readable_from(&self.vault.mac("recovery.code.made", &source), RECOVERY_GROUPS)
        };
        (0..RECOVERY_CODES).map(made).collect()
    }

    /// 160 bits which follow from a request and from what only its client has.
    pub(super) fn app_secret(&self, purpose: &str, source: &[u8]) -> [u8; totp::SECRET_BYTES] {
        *self.vault.mac(purpose, source).first_chunk().expect("32 bytes hold 20")
    }
}
