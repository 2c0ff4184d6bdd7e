//! The address of record: recorded as a form says it, and a change of it told to whom it is about.

use docket_eventlog::{Context, Subjects};
use docket_proto::events::account::Event;
use docket_proto::identity::events::v1 as pb;
use docket_service::ApiError;
use uuid::Uuid;

use super::{AccountView, Identity};
use crate::domain::{self, Account, supersedes};
use crate::mail::Template;

/// An address that somebody gave.
#[derive(Debug, Clone)]
pub(crate) enum GivenAddress {
    /// As the place they moved to, or somebody whom they signed for.
    Moved(pb::AddressChanged),
    /// In a form about something else.
    Stated(pb::AddressRecorded),
    /// In a form that they signed for somebody else.
    ForCase(pb::CaseAddressGiven),
}

impl GivenAddress {
    fn decide(&self, account: &Account) -> Result<Vec<Event>, docket_kernel::Refusal> {
        match self {
            Self::Moved(changed) => domain::change_address(account, changed.clone()),
            Self::Stated(recorded) => domain::record_address(account, recorded.clone()),
            Self::ForCase(given) => domain::give_case_address(account, given.clone()),
        }
    }

    /// The alert of it: a move is told always, what a form states where another address was on record before.
    fn alert(&self, before: &AccountView) -> Option<Template> {
        match self {
            // The account's stays as it is; of the cases that go by it a notice tells.
            Self::Moved(changed) if changed.for_another => None,
            Self::ForCase(_) => None,
            Self::Moved(_) => Some(Template::AddressChanged),
            Self::Stated(recorded) => {
                let other = (&before.postal_address, &before.mailing_address)
                    != (&recorded.address, &recorded.mailing);
                let newer = supersedes(recorded.given_at_us, before.account.address_given_at_us);
                (!before.postal_address.is_empty() && other && newer).then_some(Template::AddressStated)
            }
        }
    }
}

impl Identity {
    /// Records an address, and sends the security alert that cannot be switched off: both or neither. Who tells it again puts it
    /// together anew, and may say it in other words by then: what was recorded first under that id stands.
    ///
    /// # Errors
    /// `NOT_FOUND`, `ERASED`, `ADDRESS_MISSING`; the log and the vault.
    pub(crate) async fn record_address(
        &self,
        context: Context,
        account: Uuid,
        given: GivenAddress,
    ) -> Result<(), ApiError> {
        let view = self.view(account).await?;
        if view.erased {
            return Err(ApiError::Erased);
        }
        if self.is_done(&context).await? {
            return Ok(());
        }
        let alert = match given.alert(&view) {
            Some(template) => Some(self.alert(&view, template).await?),
            None => None,
        };
        let mut tx = docket_database::begin(&self.pool).await?;
        let decide = |state: &Account| given.decide(state);
        let done =
            self.accounts.execute_in(&mut tx, &context, account, Subjects::account(account), decide).await?;
        if let Some(mail) = alert.filter(|_| !done.repeated && !done.events.is_empty()) {
            self.outbox.put(&mut tx, &mail).await?;
        }
        tx.commit().await?;
        self.announce(&done);
        self.outbox.wake();
        Ok(())
    }
}
