//! Signing in: one answer and one amount of work for every wrong combination.

use docket_eventlog::{Context, Subjects};
use docket_kernel::{Actor, Refusal};
use docket_service::ApiError;
use jiff::Timestamp;
use uuid::Uuid;

use super::sessions::Tokens;
use super::{Identity, by_account, second_factor::Proof};
use crate::domain::{self, Account, GUESSES, Password, Verdict};
use crate::store::{credential, tries};

/// What is typed to sign in.
pub(crate) struct Credentials {
    /// Normalised address.
    pub(crate) email: String,
    /// Password as typed.
    pub(crate) password: Password,
    /// Six digits, or a recovery code.
    pub(crate) code: String,
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

impl Identity {
    /// Begins a session.
    ///
    /// # Errors
    /// `SIGN_IN_REFUSED` for whatever was wrong; `TOO_MANY_TRIES` for the address, known or not.
    pub(crate) async fn sign_in(&self, context: Context, typed: Credentials) -> Result<Tokens, ApiError> {
        let stream = self.email_stream(&typed.email);
        let account = self.account_of(&stream).await?;
        let proof = self.proof(account, &typed.code).await?;
        let key = format!("sign-in:{stream}");
        let this = self.charge(account, key, proof.as_ref(), self.now()).await?;
        let hash = credential::password(&self.pool, account.unwrap_or(self.nobody.account)).await?;
        let password_right = self.hasher.verify(typed.password, hash).await?;
        match (account, password_right, proof) {
            (Some(account), true, Some(proof)) => self.begin(context, account, &this, proof).await,
            (_, password_right, _) => {
                self.note_refusal(&this, if password_right { "second_factor" } else { "password" });
                Err(refused().into())
            }
        }
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
            let recovery = tries::charge(&self.pool, GUESSES, &format!("recovery-{key}"), now).await?;
            let number = tries::allowed(recovery, "Wait, then try again.")?;
            return Ok(Try { account, key, number, locked: true });
        }
        match tries::allowed(verdict, WAY_OUT) {
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
    ) -> Result<Tokens, ApiError> {
        let session = self.new_session(account);
        // The row of the tries has run out by itself where the account is still marked as locked.
        let unlocked_by = if this.locked { "recovery_code" } else { "time" };
        let decide = |state: &Account| {
            domain::sign_in(state, session.id, proof.methods(), state.locked.then_some(unlocked_by))
        };
        let mut tx = self.pool.begin().await?;
        if !self.use_up(&mut tx, account, &proof).await? {
            tx.rollback().await?;
            self.note_refusal(this, "second_factor");
            return Err(refused().into());
        }
        let refresh_token = self.start_session(&mut tx, &session).await?;
        tries::forgive(&mut tx, &this.key).await?;
        tries::forgive(&mut tx, &format!("recovery-{}", this.key)).await?;
        let context = Context { auth_level: 2, ..by_account(&context, account) };
        let executed =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), decide).await?;
        if executed.repeated {
            return Err(Refusal::exists(
                "REQUEST_ID_REUSED",
                "This request id was used for an earlier sign-in.",
            )
            .way_out("Take a new request id and a new code.")
            .into());
        }
        tx.commit().await?;
        self.log.committed(executed.events.last().map_or(0, |event| event.position));
        self.tokens(&session, refresh_token)
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
            let done = identity.accounts.execute(&context, account, Subjects::account(account), decide).await;
            if let Err(error) = done {
                tracing::warn!(%error, "a refused sign-in could not be written down");
            }
        });
    }
}

fn refused() -> Refusal {
    domain::sign_in_refused()
}
