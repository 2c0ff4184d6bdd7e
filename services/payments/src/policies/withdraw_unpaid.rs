//! When nobody paid for a package to its last day, or who was asked to file a form in it stepped back, then its payment is withdrawn,
//! unless an attempt has no answer yet: what was sent is a draft again.
use crate::domain::payment::{self, Payments};
use async_trait::async_trait;
use docket_eventlog::{Context, Recorded, Store, Subjects};
use docket_proto::events::package::Event;
use docket_service::{ApplyError, Subscriber};
use sqlx::PgConnection;

/// The policy.
#[derive(Clone, Debug)]
pub struct WithdrawUnpaid {
    /// Payments in the log.
    pub payments: Store<Payments>,
}

#[async_trait]
impl Subscriber for WithdrawUnpaid {
    fn categories(&self) -> &'static [&'static str] {
        &["package"]
    }

    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let waited_until = match event.decode()? {
            Event::PackageLeftUnpaid(left) => left.waited_until_date,
            Event::PackageFilerSteppedBack(_) => String::new(),
            Event::PackageFilingAdded(_)
            | Event::PackageReadyForPayment(_)
            | Event::PackagePayerReminded(_)
            | Event::PackageRecalled(_)
            | Event::PackageFilerInvited(_)
            | Event::PackageInvitationWithdrawn(_)
            | Event::PackageInvitationDeclined(_)
            | Event::PackageInvitationAccepted(_)
            | Event::PackageFilerReleased(_) => return Ok(()),
        };
        let package = event.stream.id().ok_or_else(|| ApplyError::Park("the stream has no id".to_owned()))?;
        let context = Context::reaction("withdraw_unpaid", event, 0);
        self.payments
            .execute_in(tx, &context, package, Subjects::NONE, |state| {
                Ok(payment::withdraw_unpaid(state, &waited_until))
            })
            .await?;
        Ok(())
    }
}
