//! Sessions: begin, refresh, step up, end.

use docket_eventlog::{Aggregate, Context, Executed, Subjects};
use docket_kernel::{Actor, Refusal, derived_id};
use docket_service::{ApiError, Person};
use jiff::SignedDuration;
use sqlx::PgConnection;
use uuid::Uuid;

use super::registration::code_wrong;
use super::second_factor::{self, Proof};
use super::{Identity, request_id_reused};
use crate::domain::{self, Account, GUESSES};
use crate::store::session::Session;
use crate::store::{session, tries};
use crate::{code, token};

/// A session ends after so long, whatever happens.
const WHOLE: SignedDuration = SignedDuration::from_hours(12);
/// A session ends after so long without use.
const IDLE: SignedDuration = SignedDuration::from_mins(30);

/// For so long a refresh token whose successor was never used gives that successor again.
const GRACE: SignedDuration = SignedDuration::from_secs(30);

/// Tokens of a session.
pub(crate) struct Tokens {
    /// JWT.
    pub(crate) access_token: String,
    /// Opaque; empty where the old one goes on.
    pub(crate) refresh_token: String,
    /// Whose.
    pub(crate) account: Uuid,
}

impl Identity {
    /// New tokens for a refresh token. Who lost the answer asks again and gets the same successor: it follows
    /// from the token, so there is one line of tokens and no fork. Any other second use means that the token
    /// was stolen, or that its thief's was used first: the session ends.
    ///
    /// # Errors
    /// `SESSION_ENDED`.
    pub(crate) async fn refresh(&self, refresh_token: &str) -> Result<Tokens, ApiError> {
        let (now_us, since_us) = (self.now().as_microsecond(), (self.now() - GRACE).as_microsecond());
        let token_hash = code::hash(refresh_token);
        let next = code::token(self.vault.mac("refresh-token.next", refresh_token.as_bytes()));
        let next_hash = code::hash(&next);
        let mut tx = docket_database::begin(&self.pool).await?;
        let id = session::of_token(&mut tx, &token_hash).await?.ok_or_else(session_ended)?;
        let found = self.live(&mut tx, id).await?;
        if session::use_token(&mut tx, &token_hash, now_us).await? {
            session::add_token(&mut tx, id, &next_hash, now_us).await?;
        } else if !session::was_just_replaced(&mut tx, &token_hash, &next_hash, since_us).await? {
            self.end(tx, &found, "token_reuse").await?;
            return Err(session_ended().into());
        }
        session::touch(&mut tx, id, now_us, false).await?;
        tx.commit().await?;
        self.tokens(&found, next)
    }

    /// The second factor again, for guarded acts. Only a code of the app counts. A repetition gives tokens of
    /// the session as it is; the ten minutes go on from the first time.
    ///
    /// # Errors
    /// `CODE_WRONG`, `TOO_MANY_TRIES`, `SESSION_ENDED`, `REQUEST_ID_REUSED`.
    pub(crate) async fn step_up(
        &self,
        context: Context,
        person: &Person,
        typed: &str,
    ) -> Result<Tokens, ApiError> {
        let account = person.account;
        let key = second_factor::tries_of(account);
        tries::once(&self.pool, GUESSES, &key, self.now(), "Wait, then try again.").await?;
        if let Some(tokens) = self.stepped_up_before(&context, person).await? {
            tries::give_back(&self.pool, &key).await?;
            return Ok(tokens);
        }
        if let Some(tokens) = self.try_step_up(&context, person, &key, typed).await? {
            return Ok(tokens);
        }
        // It may also have been repeated in the same moment.
        self.stepped_up_before(&context, person).await?.ok_or_else(|| code_wrong().into())
    }

    /// What a typed code leaves in the log to tell a repetition from another request with its id.
    pub(crate) fn trace_of_code(&self, person: &Person, typed: &str) -> String {
        let source = [person.session.as_bytes(), typed.trim().as_bytes()].concat();
        hex::encode(self.vault.mac("step-up.code", &source))
    }

    /// The first answer again, if this command was done before. The log compares the requests.
    async fn stepped_up_before(
        &self,
        context: &Context,
        person: &Person,
    ) -> Result<Option<Tokens>, ApiError> {
        if !self.is_done(context).await? {
            return Ok(None);
        }
        self.repeat(context, person.account).await?;
        let mut tx = docket_database::begin(&self.pool).await?;
        let found = self.live(&mut tx, person.session).await?;
        tx.commit().await?;
        self.tokens(&found, String::new()).map(Some)
    }

    /// Steps up; none when the code is wrong or was used.
    async fn try_step_up(
        &self,
        context: &Context,
        person: &Person,
        key: &str,
        typed: &str,
    ) -> Result<Option<Tokens>, ApiError> {
        let account = person.account;
        let Some(proof @ Proof::Totp { .. }) = self.proof(Some(account), typed).await? else {
            return Ok(None);
        };
        let now_us = self.now().as_microsecond();
        let mut tx = docket_database::begin(&self.pool).await?;
        let mut found = self.live(&mut tx, person.session).await?;
        if found.account_id != account || !self.use_up(&mut tx, account, &proof).await? {
            return Ok(None);
        }
        session::touch(&mut tx, found.id, now_us, true).await?;
        tries::forgive(&mut tx, key).await?;
        let decide = |state: &Account| domain::step_up(state, found.id);
        let context = Context { auth_level: 3, ..context.clone() };
        let executed =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), decide).await?;
        tx.commit().await?;
        self.announce(&executed);
        found.stepped_up_at_us = Some(now_us);
        self.tokens(&found, String::new()).map(Some)
    }

    /// Ends a session; ending it again changes nothing.
    ///
    /// # Errors
    /// The log and the database.
    pub(crate) async fn sign_out(&self, context: Context, person: &Person) -> Result<(), ApiError> {
        let mut tx = docket_database::begin(&self.pool).await?;
        let Some(found) = session::lock(&mut tx, person.session).await? else { return Ok(()) };
        if found.ended_at_us.is_some() {
            return Ok(());
        }
        session::end(&mut tx, found.id, self.now().as_microsecond()).await?;
        let decide = |_: &Account| Ok(domain::end_session(found.id, "signed_out"));
        let account = found.account_id;
        let executed =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), decide).await?;
        if executed.repeated {
            return Err(request_id_reused().into());
        }
        tx.commit().await?;
        self.announce(&executed);
        Ok(())
    }

    pub(super) fn new_session(&self, id: Uuid, account_id: Uuid) -> Session {
        let now = self.now();
        let now_us = now.as_microsecond();
        Session {
            id,
            account_id,
            started_at_us: now_us,
            used_at_us: now_us,
            ends_at_us: (now + WHOLE).as_microsecond(),
            stepped_up_at_us: None,
            ended_at_us: None,
            epoch: self.epoch,
        }
    }

    pub(super) fn tokens(&self, session: &Session, refresh_token: String) -> Result<Tokens, ApiError> {
        let access_token = token::issue(&self.keys, session, self.now())?;
        Ok(Tokens { access_token, refresh_token, account: session.account_id })
    }

    /// The session, locked; one that ran out is ended on the way, and so is one from before the log was restored: it may be one that
    /// had ended. None of an account that was erased goes on.
    pub(super) async fn live(&self, tx: &mut PgConnection, id: Uuid) -> Result<Session, ApiError> {
        let found = session::lock(tx, id).await?.ok_or_else(session_ended)?;
        let now_us = self.now().as_microsecond();
        let idle_us = i64::try_from(IDLE.as_micros()).unwrap_or(i64::MAX);
        if found.ended_at_us.is_some() || self.is_erased(found.account_id).await? {
            return Err(session_ended().into());
        }
        if found.epoch != self.epoch {
            self.end_afterwards(found, "log_restored");
            return Err(session_ended().into());
        }
        if now_us >= found.ends_at_us || now_us - found.used_at_us >= idle_us {
            self.end_afterwards(found, "expired");
            return Err(session_ended().into());
        }
        Ok(found)
    }

    /// A session which is over is ended in a transaction of its own, begun when its finder's is given up: nobody waits
    /// for a second connection with a first one in hand.
    fn end_afterwards(&self, found: Session, reason: &'static str) {
        let identity = self.clone();
        self.afterwards.spawn(async move {
            let ended = async {
                let mut tx = docket_database::begin(&identity.pool).await?;
                let locked = session::lock(&mut tx, found.id).await?;
                if locked.is_some_and(|session| session.ended_at_us.is_none()) {
                    identity.end(tx, &found, reason).await?;
                }
                Ok::<_, ApiError>(())
            };
            if let Err(error) = docket_database::within(docket_database::WORK, ended).await {
                tracing::warn!(error = error.cause(), "a session which is over could not be ended");
            }
        });
    }

    async fn end(
        &self,
        mut tx: sqlx::Transaction<'static, sqlx::Postgres>,
        found: &Session,
        reason: &'static str,
    ) -> Result<(), ApiError> {
        session::end(&mut tx, found.id, self.now().as_microsecond()).await?;
        let context = machine(found.id, reason);
        let decide = |_: &Account| Ok(domain::end_session(found.id, reason));
        let account = found.account_id;
        let executed =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), decide).await?;
        tx.commit().await?;
        self.announce(&executed);
        Ok(())
    }

    pub(super) fn announce<A: Aggregate>(&self, executed: &Executed<A>) {
        self.log.committed(executed.events.last().map_or(0, |event| event.position));
    }
}

/// The context in which a session is ended by no person: once for each session.
fn machine(session: Uuid, reason: &str) -> Context {
    Context {
        command_id: derived_id(reason, session, 0),
        correlation_id: session,
        causation_id: None,
        actor: Actor::machine("sessions"),
        on_behalf_of: None,
        auth_level: 0,
        traceparent: String::new(),
        request: Vec::new(),
    }
}

fn session_ended() -> Refusal {
    Refusal::state("SESSION_ENDED", "This session has ended.").way_out("Sign in again.")
}
