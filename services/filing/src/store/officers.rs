//! `case_officer`: the officer a case is assigned to now.

use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

/// Notes the officer of a case.
pub(crate) async fn assign(tx: &mut PgConnection, case: Uuid, officer: Uuid) -> Result<()> {
    sqlx::query!(
        "INSERT INTO case_officer (case_id, officer) VALUES ($1, $2)
         ON CONFLICT (case_id) DO UPDATE SET officer = excluded.officer",
        case,
        officer
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Nobody has the case any more.
pub(crate) async fn release(tx: &mut PgConnection, case: Uuid) -> Result<()> {
    sqlx::query!("DELETE FROM case_officer WHERE case_id = $1", case).execute(tx).await?;
    Ok(())
}

/// The officer of a case.
pub(crate) async fn of_case(pool: &PgPool, case: Uuid) -> Result<Option<Uuid>> {
    sqlx::query_scalar!("SELECT officer FROM case_officer WHERE case_id = $1", case)
        .fetch_optional(pool)
        .await
}
