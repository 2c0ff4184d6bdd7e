//! Taking a role away: one operator asks, another one approves.

use docket_eventlog::{Context, Subjects};
use docket_kernel::{Refusal, derived_id, resource};
use docket_service::ApiError;
use jiff::SignedDuration;
use uuid::Uuid;

use super::{Identity, request_id_reused};
use crate::domain::{self, Account};
use crate::store::revocation::{self, After, Holder, Revocation};

/// A request that nobody approved lapses after so long.
const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A role that is to be taken away.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Whose.
    pub(crate) account: Uuid,
    /// The role.
    pub(crate) role: String,
    /// Its office.
    pub(crate) office: String,
    /// Reason class.
    pub(crate) reason: String,
}

impl Identity {
    /// Who holds roles, by office, role and account.
    ///
    /// # Errors
    /// The database.
    pub(crate) async fn role_holders(
        &self,
        [office, role]: [&str; 2],
        after: &After,
        limit: i64,
    ) -> Result<Vec<Holder>, ApiError> {
        let now_us = self.now().as_microsecond();
        Ok(revocation::holders(&self.pool, office, role, after, limit, now_us).await?)
    }

    /// Asks that a role be taken away. Asked again with the same command, it is the same request.
    ///
    /// # Errors
    /// `NOT_FOUND`, `ROLE_NOT_HELD`, `ROLE_REASON_UNKNOWN`, `REVOCATION_OPEN`, `REQUEST_ID_REUSED`.
    pub(crate) async fn ask_revocation(
        &self,
        context: &Context,
        by: Uuid,
        asked: Asked,
    ) -> Result<(Uuid, i64), ApiError> {
        let now = self.now();
        let id = derived_id(&format!("revocation.{by}"), context.command_id, 0);
        let Asked { account, role, office, reason } = asked;
        let mut tx = docket_database::begin(&self.pool).await?;
        if let Some(known) = revocation::lock(&mut tx, id).await? {
            let same = (known.account_id, &known.role, &known.office, &known.reason)
                == (account, &role, &office, &reason);
            return if same { Ok((id, known.expires_at_us)) } else { Err(request_id_reused().into()) };
        }
        let state = self.accounts.state_in(&mut tx, account).await?.state;
        domain::revoke_role(&state, &role, &office, &reason, by)?;
        if let Some(open) = revocation::open(&mut tx, account, &role, &office, now.as_microsecond()).await? {
            return Err(already_asked(open).into());
        }
        let expires_at_us = (now + LIFE).as_microsecond();
        let row = Revocation {
            id,
            account_id: account,
            role,
            office,
            reason,
            asked_by: by,
            expires_at_us,
            approved_at_us: None,
        };
        revocation::insert(&mut tx, &row).await?;
        tx.commit().await?;
        Ok((id, expires_at_us))
    }

    /// Approves a request: the role ends.
    ///
    /// # Errors
    /// `NOT_FOUND` also when it lapsed, `REVOCATION_BY_ANOTHER`, `ROLE_NOT_HELD`.
    pub(crate) async fn approve_revocation(
        &self,
        context: &Context,
        by: Uuid,
        id: Uuid,
    ) -> Result<(), ApiError> {
        let now_us = self.now().as_microsecond();
        let mut tx = docket_database::begin(&self.pool).await?;
        let asked = revocation::lock(&mut tx, id).await?.ok_or_else(Refusal::not_found)?;
        if asked.approved_at_us.is_some() {
            drop(tx);
            return self.repeat_if_done(context, asked.account_id).await;
        }
        if asked.expires_at_us <= now_us {
            return Err(Refusal::not_found().into());
        }
        if asked.asked_by == by {
            return Err(same_person().into());
        }
        let account = asked.account_id;
        let decide = |state: &Account| {
            domain::revoke_role(state, &asked.role, &asked.office, &asked.reason, asked.asked_by)
        };
        let executed =
            self.accounts.execute_in(&mut tx, context, account, Subjects::account(account), decide).await?;
        revocation::approve(&mut tx, id, now_us).await?;
        tx.commit().await?;
        self.announce(&executed);
        Ok(())
    }
}

fn already_asked(open: Uuid) -> Refusal {
    Refusal::state("REVOCATION_OPEN", "Somebody asked for that already.")
        .way_out("Let an operator who did not ask approve it.")
        .fact("revocation", resource::name("revocations", open))
}

fn same_person() -> Refusal {
    Refusal::not_yours("REVOCATION_BY_ANOTHER", "Who asked to take a role away does not approve it.")
        .way_out("Another operator approves.")
}
