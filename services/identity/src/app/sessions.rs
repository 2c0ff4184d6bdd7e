//! Sessions: begin, refresh, step up, end.

use docket_eventlog::{Context, Executed, Subjects};
use docket_kernel::{Actor, Refusal, derived_id};
use docket_service::{ApiError, Person};
use jiff::SignedDuration;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Identity;
use super::registration::code_wrong;
use super::second_factor::Proof;
use crate::domain::{self, Account, AccountAggregate, GUESSES};
use crate::store::session::Session;
use crate::store::{session, tries};
use crate::{code, token};

/// A session ends after so long, whatever happens.
const WHOLE: SignedDuration = SignedDuration::from_hours(12);
/// A session ends after so long without use.
const IDLE: SignedDuration = SignedDuration::from_mins(30);

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
    /// New tokens for a refresh token. One that is used twice was stolen, or its thief's was used first: the
    /// session ends.
    ///
    /// # Errors
    /// `SESSION_ENDED`.
    pub(crate) async fn refresh(&self, refresh_token: &str) -> Result<Tokens, ApiError> {
        let now_us = self.now().as_microsecond();
        let token_hash = code::hash(refresh_token);
        let mut tx = self.pool.begin().await?;
        let id = session::of_token(&mut tx, &token_hash).await?.ok_or_else(session_ended)?;
        let found = self.live(&mut tx, id).await?;
        if !session::use_token(&mut tx, &token_hash, now_us).await? {
            self.end(tx, &found, "token_reuse").await?;
            return Err(session_ended().into());
        }
        session::touch(&mut tx, id, now_us, false).await?;
        let next = code::token();
        session::add_token(&mut tx, id, &code::hash(&next), now_us).await?;
        tx.commit().await?;
        self.tokens(&found, next)
    }

    /// The second factor again, for guarded acts. Only a code of the app counts.
    ///
    /// # Errors
    /// `CODE_WRONG`, `TOO_MANY_TRIES`, `SESSION_ENDED`.
    pub(crate) async fn step_up(
        &self,
        context: Context,
        person: &Person,
        typed: &str,
    ) -> Result<Tokens, ApiError> {
        let account = person.account;
        let key = format!("second-factor:{account}");
        let verdict = tries::charge(&self.pool, GUESSES, &key, self.now()).await?;
        tries::allowed(verdict, "Wait, then try again.")?;
        let Some(proof @ Proof::Totp { .. }) = self.proof(Some(account), typed).await? else {
            return Err(code_wrong().into());
        };
        let now_us = self.now().as_microsecond();
        let mut tx = self.pool.begin().await?;
        let mut found = self.live(&mut tx, person.session).await?;
        if found.account_id != account || !self.use_up(&mut tx, account, &proof).await? {
            return Err(code_wrong().into());
        }
        session::touch(&mut tx, found.id, now_us, true).await?;
        tries::forgive(&mut tx, &key).await?;
        let decide = |state: &Account| domain::step_up(state, found.id);
        let context = Context { auth_level: 3, ..context };
        let executed =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), decide).await?;
        tx.commit().await?;
        self.announce(&executed);
        found.stepped_up_at_us = Some(now_us);
        self.tokens(&found, String::new())
    }

    /// Ends a session; ending it again changes nothing.
    ///
    /// # Errors
    /// The log and the database.
    pub(crate) async fn sign_out(&self, context: Context, person: &Person) -> Result<(), ApiError> {
        let mut tx = self.pool.begin().await?;
        let Some(found) = session::lock(&mut tx, person.session).await? else { return Ok(()) };
        if found.ended_at_us.is_some() {
            return Ok(());
        }
        session::end(&mut tx, found.id, self.now().as_microsecond()).await?;
        let decide = |_: &Account| Ok(domain::end_session(found.id, "signed_out"));
        let account = found.account_id;
        let executed =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), decide).await?;
        tx.commit().await?;
        self.announce(&executed);
        Ok(())
    }

    pub(super) fn new_session(&self, account_id: Uuid) -> Session {
        let now = self.now();
        let now_us = now.as_microsecond();
        Session {
            id: self.new_id(),
            account_id,
            started_at_us: now_us,
            used_at_us: now_us,
            ends_at_us: (now + WHOLE).as_microsecond(),
            stepped_up_at_us: None,
            ended_at_us: None,
        }
    }

    /// Writes a session's row and gives its first refresh token.
    pub(super) async fn start_session(
        &self,
        tx: &mut PgConnection,
        begun: &Session,
    ) -> Result<String, ApiError> {
        session::start(tx, begun).await?;
        let refresh_token = code::token();
        session::add_token(tx, begun.id, &code::hash(&refresh_token), begun.started_at_us).await?;
        Ok(refresh_token)
    }

    pub(super) fn tokens(&self, session: &Session, refresh_token: String) -> Result<Tokens, ApiError> {
        let access_token = token::issue(&self.keys, session, self.now())?;
        Ok(Tokens { access_token, refresh_token, account: session.account_id })
    }

    /// The session, locked; one that ran out is ended on the way.
    async fn live(&self, tx: &mut PgConnection, id: Uuid) -> Result<Session, ApiError> {
        let found = session::lock(tx, id).await?.ok_or_else(session_ended)?;
        let now_us = self.now().as_microsecond();
        let idle_us = i64::try_from(IDLE.as_micros()).unwrap_or(i64::MAX);
        if found.ended_at_us.is_some() {
            return Err(session_ended().into());
        }
        if now_us >= found.ends_at_us || now_us - found.used_at_us >= idle_us {
            let tx = self.pool.begin().await?;
            self.end_expired(tx, found);
            return Err(session_ended().into());
        }
        Ok(found)
    }

    /// A session which ran out is ended in a transaction of its own: that of its finder is given up.
    fn end_expired(&self, mut tx: sqlx::Transaction<'static, sqlx::Postgres>, found: Session) {
        let identity = self.clone();
        self.afterwards.spawn(async move {
            let ended = async {
                let locked = session::lock(&mut tx, found.id).await?;
                if locked.is_some_and(|session| session.ended_at_us.is_none()) {
                    identity.end(tx, &found, "expired").await?;
                }
                Ok::<_, ApiError>(())
            };
            if let Err(error) = ended.await {
                tracing::warn!(?error, "a session which ran out could not be ended");
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

    pub(super) fn announce(&self, executed: &Executed<AccountAggregate>) {
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
