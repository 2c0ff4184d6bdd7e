//! Signing in: one answer and one amount of work for every wrong combination.

use docket_eventlog::{Context, Subjects};
use docket_kernel::{Actor, derived_id};
use docket_service::ApiError;
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::sessions::Tokens;
use super::{Identity, by_account, request_id_reused, second_factor::Proof};
use crate::code;
use crate::domain::{self, Account, GUESSES, Password, Verdict};
use crate::store::{credential, session, tries};

/// For so long a sign-in may be repeated with the code which it used up.
const REPEATED_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// What is typed to sign in.
pub(crate) struct Credentials {
    /// Normalised address.
    pub(crate) email: String,
    /// Password as typed.
    pub(crate) password: Password,
    /// Six digits, or a recovery code.
    pub(crate) code: String,
}

/// What follows from a request, whoever sends it: a repetition begins the same session with the same token.
struct Beginning {
    session: Uuid,
    /// Tells the request from another one with its id.
    with: [u8; 32],
    refresh_token: String,
}

/// A try of one address.
struct Try {
    account: Option<Uuid>,
    /// Row of the tries.
    key: String,
    /// How many tries, this one included.
    number: u32,
    /// Whether a recovery code opened a locked password.
    locked: bool,
}

impl Try {
    /// It was right: the tries of the address are forgotten.
    async fn forgive(&self, tx: &mut PgConnection) -> sqlx::Result<()> {
        tries::forgive(tx, &self.key).await?;
        tries::forgive(tx, &recovery(&self.key)).await
    }

    /// The row that was charged.
    fn charged(&self) -> String {
        if self.locked { recovery(&self.key) } else { self.key.clone() }
    }
}

impl Identity {
    /// Begins a session. The same request with the same password and code, soon repeated, gives tokens of the
    /// same session.
    ///
    /// # Errors
    /// `SIGN_IN_REFUSED` for whatever was wrong; `TOO_MANY_TRIES` for the address, known or not;
    /// `REQUEST_ID_REUSED` when all was right but the id is that of an earlier sign-in.
    pub(crate) async fn sign_in(&self, context: Context, typed: Credentials) -> Result<Tokens, ApiError> {
        let stream = self.email_stream(&typed.email);
        let account = self.holder_of(&stream).await?.signs_in();
        let proof = self.proof(account, &typed.code).await?;
        let beginning = self.beginning(account, context.command_id, &typed.code);
        let repeated = self.began_before(&beginning).await?;
        let key = format!("sign-in:{stream}");
        let this = self.charge(account, key, proof.as_ref(), self.now()).await?;
        let judged = async {
            match (account, self.is_password(account, typed.password).await?, proof) {
                (Some(_), true, _) if repeated => self.begin_again(&this, beginning).await,
                (Some(account), true, Some(proof)) => {
                    self.begin(context, account, &this, proof, beginning).await
                }
                (_, password_right, _) => {
                    Err(self.refuse(&this, if password_right { "second_factor" } else { "password" }))
                }
            }
        };
        tries::judged(&self.pool, &this.charged(), judged.await).await
    }

    /// Whether it is the account's password. For nobody the same work is done.
    async fn is_password(&self, account: Option<Uuid>, typed: Password) -> Result<bool, ApiError> {
        let hash = credential::password(&self.pool, account.unwrap_or(self.nobody.account)).await?;
        self.hasher.verify(typed, hash).await
    }

    fn beginning(&self, account: Option<Uuid>, command: Uuid, typed: &str) -> Beginning {
        let owner = account.unwrap_or(self.nobody.account);
        let session = derived_id(&format!("session.{owner}"), command, 0);
        let source = [session.as_bytes(), typed.trim().as_bytes()].concat();
        Beginning {
            session,
            with: self.vault.mac("sign-in.code", &source),
            refresh_token: code::token(self.vault.mac("refresh-token.first", &source)),
        }
    }

    /// Whether this very request began its session just now. Asked for everybody, nobody included.
    async fn began_before(&self, beginning: &Beginning) -> Result<bool, ApiError> {
        let since_us = (self.now() - REPEATED_WITHIN).as_microsecond();
        Ok(session::began(&self.pool, beginning.session, &beginning.with, since_us).await?)
    }

    /// The tokens of the session again.
    async fn begin_again(&self, this: &Try, beginning: Beginning) -> Result<Tokens, ApiError> {
        let mut tx = docket_database::begin(&self.pool).await?;
        let found = session::lock(&mut tx, beginning.session).await?;
        let Some(found) = found.filter(|session| session.ended_at_us.is_none()) else {
            return Err(self.refuse(this, "second_factor"));
        };
        this.forgive(&mut tx).await?;
        tx.commit().await?;
        self.tokens(&found, beginning.refresh_token)
    }

    /// Charges the try. Who is locked out may still come in with a recovery code, and has tries of those.
    async fn charge(
        &self,
        account: Option<Uuid>,
        key: String,
        proof: Option<&Proof>,
        now: Timestamp,
    ) -> Result<Try, ApiError> {
        const WAY_OUT: &str = "Sign in with a recovery code instead of the code of the app.";
        let verdict = tries::charge(&self.pool, GUESSES, &key, now).await?;
        let recovering = matches!((verdict, proof), (Verdict::Locked(_), Some(Proof::Recovery { .. })));
        if recovering {
            let number =
                tries::once(&self.pool, GUESSES, &recovery(&key), now, "Wait, then try again.").await?;
            return Ok(Try { account, key, number, locked: true });
        }
        match tries::allowed(verdict, now, WAY_OUT) {
            Ok(number) => Ok(Try { account, key, number, locked: false }),
            Err(refusal) => {
                if matches!(verdict, Verdict::Locked(_)) {
                    self.note_refusal(&Try { account, key, number: 0, locked: true }, "locked");
                }
                Err(refusal.into())
            }
        }
    }

    async fn begin(
        &self,
        context: Context,
        account: Uuid,
        this: &Try,
        proof: Proof,
        beginning: Beginning,
    ) -> Result<Tokens, ApiError> {
        let session = self.new_session(beginning.session, account);
        // The row of the tries has run out by itself where the account is still marked as locked.
        let unlocked_by = if this.locked { "recovery_code" } else { "time" };
        let decide = |state: &Account| {
            domain::sign_in(state, session.id, proof.methods(), state.locked.then_some(unlocked_by))
        };
        let mut tx = docket_database::begin(&self.pool).await?;
        if !self.use_up(&mut tx, account, &proof).await? {
            tx.rollback().await?;
            // It may also have been repeated in the same moment.
            if self.began_before(&beginning).await? {
                return self.begin_again(this, beginning).await;
            }
            return Err(self.refuse(this, "second_factor"));
        }
        if !session::start(&mut tx, &session, &beginning.with).await? {
            return Err(request_id_reused().into());
        }
        let token_hash = code::hash(&beginning.refresh_token);
        session::add_token(&mut tx, session.id, &token_hash, session.started_at_us).await?;
        this.forgive(&mut tx).await?;
        let context = Context { auth_level: 2, ..by_account(&context, account) };
        let executed =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), decide).await?;
        if executed.repeated {
            return Err(request_id_reused().into());
        }
        tx.commit().await?;
        self.announce(&executed);
        self.tokens(&session, beginning.refresh_token)
    }

    /// The one refusal, noted in the account's history.
    fn refuse(&self, this: &Try, reason: &'static str) -> ApiError {
        self.note_refusal(this, reason);
        domain::sign_in_refused().into()
    }

    /// Writes what was refused, and the lock after the last try, when the answer is on its way.
    fn note_refusal(&self, this: &Try, reason: &'static str) {
        let Some(account) = this.account else { return };
        let (identity, last_try) = (self.clone(), this.number >= GUESSES.lock_at && !this.locked);
        self.afterwards.spawn(async move {
            let command_id = identity.new_id();
            let context = Context {
                command_id,
                correlation_id: command_id,
                causation_id: None,
                actor: Actor::machine("sign-in"),
                on_behalf_of: None,
                auth_level: 0,
                traceparent: String::new(),
                request: Vec::new(),
            };
            let decide = |state: &Account| Ok(domain::lock(state, reason, last_try));
            let done = identity.accounts.execute(&context, account, Subjects::account(account), decide);
            let done = docket_database::within(docket_database::WORK, done).await;
            if let Err(error) = done {
                tracing::warn!(%error, "a refused sign-in could not be written down");
            }
        });
    }
}

/// The row of tries of the recovery codes that open a locked password.
fn recovery(key: &str) -> String {
    format!("recovery-{key}")
}
