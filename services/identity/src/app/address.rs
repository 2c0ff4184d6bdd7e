//! The address of record: recorded as an accepted report says it, and told to whom it is about.

use docket_eventlog::{Context, Subjects};
use docket_kernel::derived_id;
use docket_proto::identity::events::v1 as pb;
use docket_service::ApiError;
use uuid::Uuid;

use super::Identity;
use crate::domain::{self, Account};
use crate::mail::{Mail, Template};

impl Identity {
    /// Records an address, and sends the security alert that cannot be switched off: both or neither.
    ///
    /// # Errors
    /// `NOT_FOUND`, `ERASED`, `ADDRESS_MISSING`; the log and the vault.
    pub(crate) async fn record_address(
        &self,
        context: Context,
        account: Uuid,
        changed: pb::AddressChanged,
    ) -> Result<(), ApiError> {
        let view = self.view(account).await?;
        if view.erased {
            return Err(ApiError::Erased);
        }
        let id = derived_id("identity.address_changed", context.command_id, 0);
        let mail = Mail {
            to: view.email,
            template: Template::AddressChanged,
            language: view.account.language,
            code: String::new(),
        };
        let sealed = self.outbox.seal(id, account, &mail).await?;
        let decide = |state: &Account| domain::change_address(state, changed.clone());
        let mut tx = docket_database::begin(&self.pool).await?;
        let done =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), decide).await?;
        if !done.repeated && !done.events.is_empty() {
            self.outbox.put(&mut tx, id, account, &sealed).await?;
        }
        tx.commit().await?;
        self.announce(&done);
        self.outbox.wake();
        Ok(())
    }
}
