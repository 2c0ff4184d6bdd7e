//! Opening an account: register and prove the address.

use docket_eventlog::{Context, Expected, StreamAppend, StreamName, Subjects};
use docket_kernel::Refusal;
use docket_proto::events::account;
use docket_proto::identity::events::v1 as pb;
use docket_service::ApiError;
use docket_vault::{Opened, Subject};
use jiff::SignedDuration;
use uuid::Uuid;

use super::email::claimed;
use super::{Identity, by_account, request_id_reused};
use crate::code;
pub(super) use crate::domain::code_wrong;
use crate::domain::{self, Account, Password, REGISTRATIONS};
use crate::mail::{Mail, Template};
use crate::store::registration::Registration;
use crate::store::{credential, registration, tries};

/// How long a registration, and so its mailed code, is good.
const LIFE: SignedDuration = SignedDuration::from_hours(24);
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
        if let Some(token) = self.registered(&context, &newcomer).await? {
            return Ok(token);
        }
        let stream = self.email_stream(&newcomer.email);
        let key = tries_of_address(&stream);
        tries::once(&self.pool, REGISTRATIONS, &key, self.now(), "Wait, then try again.").await?;
        let token = self.register_anew(&context, &newcomer, &stream).await;
        tries::judged(&self.pool, &key, token).await
    }

    /// Registers, its turn taken.
    async fn register_anew(
        &self,
        context: &Context,
        newcomer: &Newcomer,
        stream: &StreamName,
    ) -> Result<String, ApiError> {
        let token = self.registration_token(context, newcomer);
        let token_hash = code::hash(&token);
        let password_hash = self.hasher.hash(newcomer.password.clone()).await?;
        for _ in 1..=ATTEMPTS {
            if self.try_register(context, newcomer, stream, &token_hash, &password_hash).await? {
                self.outbox.wake();
                return Ok(token);
            }
        }
        Err(ApiError::Exhausted("the registration"))
    }

    /// The first answer to a request that is repeated: it takes nobody's turn. None where it is a new one.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn registered(
        &self,
        context: &Context,
        newcomer: &Newcomer,
    ) -> Result<Option<String>, ApiError> {
        let token = self.registration_token(context, newcomer);
        Ok(registration::find(&self.pool, &code::hash(&token)).await?.map(|_| token))
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
        let holder = self.holder_of(stream).await?;
        let account = holder.account.unwrap_or_else(|| self.new_id());
        let taken = self.is_taken(&holder).await?;
        let digits = code::six_digits();
        let mail = Mail {
            to: newcomer.email.clone(),
            template: match (holder.kept, taken) {
                (true, _) => Template::AddressKept,
                (false, true) => Template::AlreadyRegistered,
                (false, false) => Template::Confirm,
            },
            language: newcomer.language.clone(),
            code: digits.clone(),
        };
        let mail = self.outbox.seal(account, &mail).await?;
        let email_sealed =
            self.vault.seal(&Subject::account(account), token_hash, newcomer.email.as_bytes()).await?;
        let row = Registration {
            account_id: (!taken).then_some(account),
            password_hash: password_hash.to_owned(),
            language: Some(newcomer.language.clone()),
            zone: Some(newcomer.zone.clone()),
            email_sealed: Some(email_sealed),
            code_hash: self.mailed_code_hash(token_hash, &digits),
            tries: 0,
            expires_at_us: (self.now() + LIFE).as_microsecond(),
            proven_at_us: None,
            confirmed_with: None,
        };
        let mut tx = docket_database::begin(&self.pool).await?;
        if !registration::insert(&mut tx, token_hash, &row).await? {
            return Ok(true);
        }
        self.outbox.put(&mut tx, &mail).await?;
        let mut last = 0;
        if holder.account.is_none() {
            let streams = claim(newcomer, (stream, holder.version), account);
            let context = by_account(context, account);
            let Some(appended) = self.append_in(&mut tx, &context, streams).await? else { return Ok(false) };
            last = appended.last;
        }
        tx.commit().await?;
        self.log.committed(last);
        Ok(true)
    }

    /// Proves the address with the mailed code; the password of this registration becomes the account's, and so does what else it
    /// said: whoever was first, and could not read the mail, has fixed nothing.
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
        let right = code::same(&row.code_hash, &self.mailed_code_hash(&token_hash, typed.trim()));
        if row.proven_at_us.is_some() {
            return self.proven_before(&context, row.account_id, right).await;
        }
        if !registration::charge(&self.pool, &token_hash).await? {
            let refusal = Refusal::too_much("TOO_MANY_TRIES", "This code was tried too often.");
            return Err(refusal.way_out("Register again for a new code.").into());
        }
        let (Some(account), true) = (row.account_id, right) else {
            let left = registration::TRIES - row.tries - 1;
            return Err(code_wrong().fact("tries_left", left.max(0).to_string()).into());
        };
        let proven = self.said(account, &token_hash, &row).await?;
        let now_us = self.now().as_microsecond();
        let mut tx = docket_database::begin(&self.pool).await?;
        if !registration::prove(&mut tx, &token_hash, now_us).await? {
            return self.proven_before(&context, Some(account), right).await;
        }
        credential::set_password(&mut tx, account, &row.password_hash, now_us).await?;
        let context = by_account(&context, account);
        let decide = |state: &Account| domain::prove_email(state, proven.clone());
        let executed =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), decide).await?;
        if executed.repeated {
            return Err(request_id_reused().into());
        }
        tx.commit().await?;
        self.announce(&executed);
        Ok(())
    }

    /// What the registration said besides the password.
    async fn said(
        &self,
        account: Uuid,
        token_hash: &[u8],
        row: &Registration,
    ) -> Result<pb::EmailProven, ApiError> {
        let email = match &row.email_sealed {
            Some(sealed) => match self.vault.open(&Subject::account(account), token_hash, sealed).await? {
                Opened::Plain(email) => String::from_utf8(email).map_err(ApiError::internal)?,
                Opened::Erased => return Err(ApiError::Erased),
            },
            None => String::new(),
        };
        let [language, zone] = [&row.language, &row.zone].map(|said| said.clone().unwrap_or_default());
        Ok(pb::EmailProven { language, zone, email })
    }

    /// The answer where the address is proven already: the first one again, if this is the request which did it.
    async fn proven_before(
        &self,
        context: &Context,
        account: Option<Uuid>,
        right: bool,
    ) -> Result<(), ApiError> {
        let (Some(account), true) = (account, right) else { return Err(code_wrong().into()) };
        let actor = by_account(context, account).actor;
        match self.log.command(&actor, context.command_id).await? {
            Some(_) => Ok(()),
            None => Err(code_wrong().into()),
        }
    }

    /// The registration of a token, unless it is over, or its account was erased.
    pub(super) async fn registration(&self, token_hash: &[u8]) -> Result<Option<Registration>, ApiError> {
        let row = registration::find(&self.pool, token_hash).await?;
        let Some(row) = row.filter(|row| row.expires_at_us > self.now().as_microsecond()) else {
            return Ok(None);
        };
        let erased = match row.account_id {
            Some(account) => self.is_erased(account).await?,
            None => false,
        };
        Ok((!erased).then_some(row))
    }

    /// The account of a registration whose address is proven.
    pub(super) async fn proven_registration(&self, token: &str) -> Result<(Uuid, Registration), ApiError> {
        let row = self.registration(&code::hash(token)).await?.ok_or_else(domain::registration_over)?;
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

/// The claim of the address, whose stream has that version, and the birth of the account, both or neither.
fn claim(newcomer: &Newcomer, (stream, version): (&StreamName, u64), account: Uuid) -> Vec<StreamAppend> {
    let registered = pb::AccountRegistered {
        email: newcomer.email.clone(),
        language: newcomer.language.clone(),
        zone: newcomer.zone.clone(),
        email_stream: stream.to_string(),
    };
    let born: Vec<account::Event> = domain::register(&Account::default(), registered);
    let account_stream = StreamName::of("account", account);
    vec![
        claimed(stream.clone(), version, account),
        StreamAppend::of(account_stream, Expected::Version(0), Subjects::account(account), &born),
    ]
}

/// The row of tries of an address that is not proven yet: each mails it.
pub(super) fn tries_of_address(stream: &StreamName) -> String {
    format!("register:{stream}")
}

fn code_expired() -> Refusal {
    Refusal::state("CODE_EXPIRED", "This code is over: it was good for 24 hours.")
        .way_out("Register again for a new code.")
}

pub(super) fn already_active() -> Refusal {
    Refusal::state("ALREADY_ACTIVE", "This registration is complete.").way_out("Sign in.")
}
