//! What ends with an account that was erased: nobody comes in any more, and its sessions and secrets go.
//!
//! That it was erased is asked of the vault, whose key is destroyed first: so it holds from that instant on, whatever else is
//! still to be tidied. Its address and the person behind it are free for another account by the same question.

use docket_eventlog::Subjects;
use docket_service::ApiError;
use docket_vault::Subject;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Identity;
use super::erasure::command;
use crate::domain::{self, Account};
use crate::store::{closing, session};

/// Why its sessions ended, as `SessionEnded` says it.
const ERASED: &str = "account_erased";

impl Identity {
    /// Whether the account was erased.
    ///
    /// # Errors
    /// The vault.
    pub(crate) async fn is_erased(&self, account: Uuid) -> Result<bool, ApiError> {
        Ok(self.vault.is_erased(&Subject::account(account)).await?)
    }

    /// Ends the sessions of an account that was erased by `request`, and removes its secrets. Again it changes nothing.
    pub(super) async fn close(
        &self,
        tx: &mut PgConnection,
        request: Uuid,
        account: Uuid,
    ) -> Result<(), ApiError> {
        let ended = session::end_all(tx, account, None, self.now().as_microsecond()).await?;
        closing::remove_secrets(tx, account).await?;
        if ended.is_empty() {
            return Ok(());
        }
        let decide = |_: &Account| Ok(domain::end_sessions(&ended, ERASED).collect());
        let context = command("close", request, "");
        self.accounts.execute_in(tx, &context, account, Subjects::account(account), decide).await?;
        Ok(())
    }
}
