//! Taking up a role with a one-use invitation.

use docket_eventlog::{Context, Subjects};
use docket_service::{ApiError, Person};

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
        if self.log.command(&context.actor, context.command_id).await?.is_some() {
            return self.repeat(&context, account).await;
        }
        let key = format!("invitation:{account}");
        let verdict = tries::charge(&self.pool, GUESSES, &key, self.now()).await?;
        tries::allowed(verdict, "Ask for a new invitation.")?;
        let mut tx = self.pool.begin().await?;
        let hash = code::hash(&code::normalised(typed));
        let now_us = self.now().as_microsecond();
        let Some((role, office)) = invitation::redeem(&mut tx, &hash, account, now_us).await? else {
            return Err(code_wrong().into());
        };
        tries::forgive(&mut tx, &key).await?;
        let decide = |state: &Account| domain::grant_role(state, &role, &office, "invitation");
        let executed =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), decide).await?;
        tx.commit().await?;
        self.announce(&executed);
        Ok(())
    }

    /// The command again: the log compares the requests, nothing is written.
    pub(super) async fn repeat(&self, context: &Context, account: uuid::Uuid) -> Result<(), ApiError> {
        let nothing = |_: &Account| Ok(Vec::new());
        self.accounts.execute(context, account, Subjects::account(account), nothing).await?;
        Ok(())
    }
}
