//! Roles: a projection of the identity log, kept by every service in its own database.

use async_trait::async_trait;
use docket_eventlog::Recorded;
use docket_messaging::{ApplyError, Subscriber};
use docket_proto::events::account::Event;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::Role;

/// Keeps `access.role`.
pub(crate) struct Roles;

#[async_trait]
impl Subscriber for Roles {
    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    fn rows_only(&self) -> bool {
        true
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "only roles are of interest here")]
    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let Some(account) = event.stream.id() else { return Ok(()) };
        match event.decode::<Event>()? {
            Event::RoleGranted(granted) => grant(tx, account, &granted.role, &granted.office).await?,
            Event::RoleRevoked(revoked) => {
                sqlx::query!(
                    "DELETE FROM access.role WHERE account = $1 AND role = $2 AND office = $3",
                    account,
                    &revoked.role,
                    &revoked.office
                )
                .execute(tx)
                .await?;
            }
            _ => {}
        }
        Ok(())
    }
}

pub(crate) async fn grant(
    tx: &mut PgConnection,
    account: Uuid,
    role: &str,
    office: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO access.role (account, role, office) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        account,
        role,
        office
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The roles an account holds.
pub(crate) async fn of(pool: &PgPool, account: Uuid) -> sqlx::Result<Vec<Role>> {
    let rows = sqlx::query!(
        "SELECT role, office FROM access.role WHERE account = $1 ORDER BY role, office",
        account
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| Role { role: row.role, office: row.office }).collect())
}
