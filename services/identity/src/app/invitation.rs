//! Taking up a role with a one-use invitation; which there are, and withdrawing one.

use docket_eventlog::{Context, Recorded, Subjects};
use docket_kernel::Refusal;
use docket_service::{ApiError, Person};
use uuid::Uuid;

use super::Identity;
use super::registration::code_wrong;
use crate::code;
use crate::domain::{self, Account, GUESSES};
use crate::store::invitation::{self, Invitation};
use crate::store::tries;

/// Most invitations that are listed.
const MOST: i64 = 1_000;

impl Identity {
    /// Takes up the role of an invitation. A refusal leaves the invitation as it was.
    ///
    /// # Errors
    /// `CODE_WRONG`, `TOO_MANY_TRIES`, `ROLES_EXCLUDE_EACH_OTHER`, `INVITATION_OF_ONES_OWN`.
    pub(crate) async fn redeem_invitation(
        &self,
        context: Context,
        person: &Person,
        typed: &str,
    ) -> Result<(), ApiError> {
        let account = person.account;
        if self.is_done(&context).await? {
            return self.repeat(&context, account).await;
        }
        if self.try_redeem(&context, account, typed).await? {
            return Ok(());
        }
        // It may also have been repeated in the same moment.
        if self.is_done(&context).await? {
            return self.repeat(&context, account).await;
        }
        Err(code_wrong().into())
    }

    /// Takes up the role; false when there is no such invitation any more.
    async fn try_redeem(&self, context: &Context, account: Uuid, typed: &str) -> Result<bool, ApiError> {
        let key = format!("invitation:{account}");
        tries::once(&self.pool, GUESSES, &key, self.now(), "Wait, then try again.").await?;
        let mut tx = docket_database::begin(&self.pool).await?;
        let hash = code::hash(&code::normalised(typed));
        let now_us = self.now().as_microsecond();
        let Some(taken) = invitation::redeem(&mut tx, &hash, account, now_us).await? else {
            return Ok(false);
        };
        tries::forgive(&mut tx, &key).await?;
        let decide = |state: &Account| {
            domain::grant_role(state, account, &taken.role, &taken.office, &taken.issued_by)
        };
        let executed =
            self.accounts.execute_in(&mut tx, context, account, Subjects::account(account), decide).await?;
        tx.commit().await?;
        self.announce(&executed);
        Ok(true)
    }

    /// The invitations that can be taken up, those that lapse first at the front.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn invitations(&self) -> Result<Vec<Invitation>, ApiError> {
        Ok(invitation::open(&self.pool, self.now().as_microsecond(), MOST).await?)
    }

    /// Withdraws an invitation that nobody has taken up.
    ///
    /// # Errors
    /// `NOT_FOUND`, also when it was taken up or has lapsed.
    pub(crate) async fn withdraw_invitation(&self, by: Uuid, id: Uuid) -> Result<(), ApiError> {
        let now_us = self.now().as_microsecond();
        if !invitation::withdraw(&self.pool, id, by, now_us).await? {
            return Err(ApiError::not_found());
        }
        tracing::info!(invitation = %id, by = %by, "an invitation to a role was withdrawn");
        Ok(())
    }

    /// Whether the command was done before.
    pub(super) async fn is_done(&self, context: &Context) -> Result<bool, ApiError> {
        Ok(self.log.was_done(context).await?)
    }

    /// The command again, of what was done already; not found where another command did it.
    pub(super) async fn repeat_if_done(&self, context: &Context, account: Uuid) -> Result<(), ApiError> {
        if self.is_done(context).await? {
            return self.repeat(context, account).await;
        }
        Err(Refusal::not_found().into())
    }

    /// The command again: the log compares the requests, nothing is written.
    pub(super) async fn repeat(&self, context: &Context, account: Uuid) -> Result<(), ApiError> {
        self.repeated(context, account).await.map(drop)
    }

    /// The same, with the events of the account that it wrote at the first time.
    pub(super) async fn repeated(&self, context: &Context, account: Uuid) -> Result<Vec<Recorded>, ApiError> {
        let nothing = |_: &Account| Ok(Vec::new());
        let done = self.accounts.execute(context, account, Subjects::account(account), nothing).await?;
        Ok(done.events)
    }
}
