//! `case_office`: the office a case is with, and whether it is still at intake.

use docket_kernel::office::INTAKE_OFFICE;
use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

/// Where a case is.
pub(crate) struct Place {
    /// The office's code.
    pub(crate) office: String,
    /// Whether it is received, and neither accepted nor rejected.
    pub(crate) at_intake: bool,
}

/// A case was opened: it is at intake.
pub(crate) async fn open(tx: &mut PgConnection, case: Uuid) -> Result<()> {
    sqlx::query!(
        "INSERT INTO case_office (case_id, office, at_intake) VALUES ($1, $2, true)
         ON CONFLICT (case_id) DO NOTHING",
        case,
        INTAKE_OFFICE
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A case was accepted or transferred, and is with an office from now on.
pub(crate) async fn accept(tx: &mut PgConnection, case: Uuid, office: &str) -> Result<()> {
    sqlx::query!(
        "INSERT INTO case_office (case_id, office, at_intake) VALUES ($1, $2, false)
         ON CONFLICT (case_id) DO UPDATE SET office = excluded.office, at_intake = false",
        case,
        office
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// A filing was rejected: nothing is left to be decided at intake.
pub(crate) async fn leave_intake(tx: &mut PgConnection, case: Uuid) -> Result<()> {
    sqlx::query!("UPDATE case_office SET at_intake = false WHERE case_id = $1", case).execute(tx).await?;
    Ok(())
}

/// Where a case is; nothing for a filing that is not in.
pub(crate) async fn of_case(pool: &PgPool, case: Uuid) -> Result<Option<Place>> {
    sqlx::query_as!(Place, "SELECT office, at_intake FROM case_office WHERE case_id = $1", case)
        .fetch_optional(pool)
        .await
}
