//! Taking up a role with a one-use invitation.

use docket_eventlog::{Context, Subjects};
use docket_service::{ApiError, Person};
use uuid::Uuid;

use super::Identity;
use super::registration::code_wrong;
use crate::code;
use crate::domain::{self, Account, GUESSES};
use crate::store::{invitation, tries};

impl Identity {
    /// Takes up the role of an invitation. A refusal leaves the invitation as it was.
    ///
    /// # Errors
    /// `CODE_WRONG`, `TOO_MANY_TRIES`, `ROLES_EXCLUDE_EACH_OTHER`.
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
        tries::once(&self.pool, GUESSES, &key, self.now(), "Ask for a new invitation.").await?;
        let mut tx = docket_database::begin(&self.pool).await?;
        let hash = code::hash(&code::normalised(typed));
        let now_us = self.now().as_microsecond();
        let Some((role, office)) = invitation::redeem(&mut tx, &hash, account, now_us).await? else {
            return Ok(false);
        };
        tries::forgive(&mut tx, &key).await?;
        let decide = |state: &Account| domain::grant_role(state, &role, &office, "invitation");
        let executed =
            self.accounts.execute_in(&mut tx, context, account, Subjects::account(account), decide).await?;
        tx.commit().await?;
        self.announce(&executed);
        Ok(true)
    }

    /// Whether the command was done before.
    pub(super) async fn is_done(&self, context: &Context) -> Result<bool, ApiError> {
        Ok(self.log.command(&context.actor, context.command_id).await?.is_some())
    }

    /// The command again: the log compares the requests, nothing is written.
    pub(super) async fn repeat(&self, context: &Context, account: Uuid) -> Result<(), ApiError> {
        let nothing = |_: &Account| Ok(Vec::new());
        self.accounts.execute(context, account, Subjects::account(account), nothing).await?;
        Ok(())
    }
}
