//! Opening an account: register, prove the address, set up the app.

use docket_eventlog::{Context, Error, Expected, StreamAppend, StreamName, Subjects};
use docket_kernel::Refusal;
use docket_proto::events::{account, email};
use docket_proto::identity::events::v1 as pb;
use docket_service::ApiError;
use docket_vault::Subject;
use jiff::SignedDuration;
use uuid::Uuid;

use super::{Identity, by_account, second_factor};
use crate::code;
use crate::domain::{self, Account, GUESSES, Password, Stage};
use crate::mail::{Mail, Template};
use crate::store::registration::Registration;
use crate::store::{credential, registration, tries};
use crate::totp;

/// How long a registration, and so its mailed code, is good.
const LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How many recovery codes an account gets.
const RECOVERY_CODES: usize = 10;
/// Groups of four letters in a recovery code: 80 bits.
const RECOVERY_GROUPS: usize = 4;
/// How often a lost race for an address is decided again.
const ATTEMPTS: u32 = 3;

/// What somebody who registers says, checked.
pub(crate) struct Newcomer {
    /// Normalised address.
    pub(crate) email: String,
    /// Acceptable password.
    pub(crate) password: Password,
    /// `en` or `es`.
    pub(crate) language: String,
    /// IANA zone.
    pub(crate) zone: String,
}

impl Identity {
    /// Registers: the same answer whoever the address belongs to; what is mailed differs.
    ///
    /// # Errors
    /// `TOO_MANY_TRIES` for the address; the log, the vault, the database.
    pub(crate) async fn register(&self, context: Context, newcomer: Newcomer) -> Result<String, ApiError> {
        let token = self.registration_token(&context, &newcomer);
        let token_hash = code::hash(&token);
        if registration::find(&self.pool, &token_hash).await?.is_some() {
            return Ok(token);
        }
        let stream = self.email_stream(&newcomer.email);
        let verdict = tries::charge(&self.pool, GUESSES, &format!("register:{stream}"), self.now()).await?;
        tries::allowed(verdict, "Use the code that was mailed.")?;
        let password_hash = self.hasher.hash(newcomer.password.clone()).await?;
        for _ in 1..=ATTEMPTS {
            if self.try_register(&context, &newcomer, &stream, &token_hash, &password_hash).await? {
                self.outbox.wake();
                return Ok(token);
            }
        }
        Err(ApiError::Exhausted("the registration"))
    }

    /// The token follows from the request, so that a repeated request gets the same answer and sends no second mail.
    fn registration_token(&self, context: &Context, newcomer: &Newcomer) -> String {
        use base64::Engine as _;
        let mut request = context.command_id.as_bytes().to_vec();
        request.extend((newcomer.email.len() as u64).to_be_bytes());
        request.extend(newcomer.email.as_bytes());
        request.extend(newcomer.password.as_bytes());
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .encode(self.vault.mac("registration.token", &request))
    }

    /// Registers unless somebody else claimed the address at the same moment.
    async fn try_register(
        &self,
        context: &Context,
        newcomer: &Newcomer,
        stream: &StreamName,
        token_hash: &[u8],
        password_hash: &str,
    ) -> Result<bool, ApiError> {
        let known = self.account_of(stream).await?;
        let account = known.unwrap_or_else(|| self.new_id());
        let active = self.accounts.load(account).await?.state.stage == Stage::Active;
        let digits = code::six_digits();
        let mail = Mail {
            to: newcomer.email.clone(),
            template: if active { Template::AlreadyRegistered } else { Template::Confirm },
            language: newcomer.language.clone(),
            code: digits.clone(),
        };
        let mail_id = self.new_id();
        let sealed = self.outbox.seal(mail_id, account, &mail).await?;
        let row = Registration {
            account_id: (!active).then_some(account),
            password_hash: password_hash.to_owned(),
            code_hash: self.mailed_code_hash(token_hash, &digits),
            tries: 0,
            expires_at_us: (self.now() + LIFE).as_microsecond(),
            proven_at_us: None,
        };
        let mut tx = self.pool.begin().await?;
        if !registration::insert(&mut tx, token_hash, &row).await? {
            return Ok(true);
        }
        self.outbox.put(&mut tx, mail_id, account, &sealed).await?;
        let mut last = 0;
        if known.is_none() {
            let streams = claim(newcomer, stream, account);
            let append = by_account(context, account).append(&self.log, streams);
            match self.log.append_in(&mut tx, append).await {
                Ok(appended) => last = appended.last,
                Err(Error::Conflict { .. }) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        tx.commit().await?;
        self.log.committed(last);
        Ok(true)
    }

    /// Proves the address with the mailed code; the password of this registration becomes the account's.
    ///
    /// # Errors
    /// `CODE_WRONG`, `CODE_EXPIRED`, `TOO_MANY_TRIES`, `ALREADY_ACTIVE`.
    pub(crate) async fn confirm_email(
        &self,
        context: Context,
        token: &str,
        typed: &str,
    ) -> Result<(), ApiError> {
        let token_hash = code::hash(token);
        let row = self.registration(&token_hash).await?.ok_or_else(code_expired)?;
        if let (Some(account), true) = (row.account_id, row.proven_at_us.is_some()) {
            let context = by_account(&context, account);
            let repeated = self.log.command(&context.actor, context.command_id).await?.is_some();
            return if repeated { Ok(()) } else { Err(code_wrong().into()) };
        }
        if !registration::charge(&self.pool, &token_hash).await? {
            let refusal = Refusal::too_much("TOO_MANY_TRIES", "This code was tried too often.");
            return Err(refusal.way_out("Register again for a new code.").into());
        }
        let right = code::same(&row.code_hash, &self.mailed_code_hash(&token_hash, typed.trim()));
        let (Some(account), true) = (row.account_id, right) else {
            let left = registration::TRIES - row.tries - 1;
            return Err(code_wrong().fact("tries_left", left.max(0).to_string()).into());
        };
        let now_us = self.now().as_microsecond();
        let mut tx = self.pool.begin().await?;
        if !registration::prove(&mut tx, &token_hash, now_us).await? {
            return Err(code_wrong().into());
        }
        credential::set_password(&mut tx, account, &row.password_hash, now_us).await?;
        let context = by_account(&context, account);
        let executed = self
            .accounts
            .execute_in(&mut tx, &context, account, Subjects::account(account), domain::prove_email)
            .await?;
        tx.commit().await?;
        self.log.committed(executed.events.last().map_or(0, |event| event.position));
        Ok(())
    }

    /// Makes a secret for an authenticator app: base 32, and an address for a QR code.
    ///
    /// # Errors
    /// `EMAIL_NOT_PROVEN`, `REGISTRATION_EXPIRED`, `ALREADY_ACTIVE`.
    pub(crate) async fn begin_totp(&self, token: &str) -> Result<(String, String), ApiError> {
        let (account, _) = self.proven_registration(token).await?;
        let secret = totp::new_secret();
        let sealed = self.vault.seal(&Subject::account(account), second_factor::SECRET, &secret).await?;
        if !credential::begin_totp(&self.pool, account, &sealed).await? {
            return Err(already_active().into());
        }
        let view = self.view(account).await?;
        totp::shown(&secret, &view.email)
            .ok_or_else(|| ApiError::Internal(anyhow::anyhow!("the secret cannot be shown")))
    }

    /// Confirms the app: the account is active, and its recovery codes are given once.
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
        let key = format!("second-factor:{account}");
        let verdict = tries::charge(&self.pool, GUESSES, &key, self.now()).await?;
        tries::allowed(verdict, "Register again.")?;
        let Some(step) = self.setup_step(account, typed).await? else { return Err(code_wrong().into()) };
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| code::readable(RECOVERY_GROUPS)).collect();
        let hashes: Vec<_> = codes.iter().map(|code| self.recovery_code_hash(account, code)).collect();
        let now_us = self.now().as_microsecond();
        let mut tx = self.pool.begin().await?;
        if !credential::confirm_totp(&mut tx, account, step, now_us).await? {
            return Err(code_wrong().into());
        }
        credential::set_recovery_codes(&mut tx, account, &hashes).await?;
        registration::clear(&mut tx, account, now_us).await?;
        tries::forgive(&mut tx, &key).await?;
        let count = u32::try_from(codes.len()).unwrap_or(u32::MAX);
        let add = |state: &Account| domain::add_second_factor(state, "totp", count);
        let context = by_account(&context, account);
        let executed =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), add).await?;
        tx.commit().await?;
        self.log.committed(executed.events.last().map_or(0, |event| event.position));
        Ok((account, codes))
    }

    /// The registration of a token, unless it is over.
    async fn registration(&self, token_hash: &[u8]) -> Result<Option<Registration>, ApiError> {
        let row = registration::find(&self.pool, token_hash).await?;
        Ok(row.filter(|row| row.expires_at_us > self.now().as_microsecond()))
    }

    /// The account of a registration whose address is proven.
    async fn proven_registration(&self, token: &str) -> Result<(Uuid, Registration), ApiError> {
        let row = self.registration(&code::hash(token)).await?.ok_or_else(|| {
            Refusal::state("REGISTRATION_EXPIRED", "There is no such registration, or it is over.")
                .way_out("Register again, or sign in if you finished.")
        })?;
        match (row.account_id, row.proven_at_us) {
            (Some(account), Some(_)) => Ok((account, row)),
            _ => Err(Refusal::state("EMAIL_NOT_PROVEN", "The e-mail address is not proven yet.")
                .way_out("Enter the code from the mail first.")
                .into()),
        }
    }

    /// A six-digit code has few bits, so its hash is keyed and bound to its registration.
    fn mailed_code_hash(&self, token_hash: &[u8], digits: &str) -> Vec<u8> {
        self.vault.mac("mailed.code", &[token_hash, digits.as_bytes()].concat()).to_vec()
    }
}

/// The claim of the address and the birth of the account, both or neither.
fn claim(newcomer: &Newcomer, stream: &StreamName, account: Uuid) -> Vec<StreamAppend> {
    let registered = pb::AccountRegistered {
        email: newcomer.email.clone(),
        language: newcomer.language.clone(),
        zone: newcomer.zone.clone(),
        email_stream: stream.to_string(),
    };
    let claimed = email::Event::from(pb::EmailClaimed { account_id: account.to_string() });
    let born: Vec<account::Event> = domain::register(&Account::default(), registered);
    let account_stream = StreamName::of("account", account);
    vec![
        StreamAppend::of(stream.clone(), Expected::Version(0), Subjects::NONE, &[claimed]),
        StreamAppend::of(account_stream, Expected::Version(0), Subjects::account(account), &born),
    ]
}

pub(super) fn code_wrong() -> Refusal {
    Refusal::state("CODE_WRONG", "This code is wrong or was used before.").field("code")
}

fn code_expired() -> Refusal {
    Refusal::state("CODE_EXPIRED", "This code is over: it was good for 24 hours.")
        .way_out("Register again for a new code.")
}

fn already_active() -> Refusal {
    Refusal::state("ALREADY_ACTIVE", "This registration is complete.").way_out("Sign in.")
}
