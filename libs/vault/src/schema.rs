//! The tables of the keys database.

use sqlx::PgPool;
use sqlx::migrate::Migrator;

use crate::Error;

/// The migrations of the schema `vault`. Those that a newer release has applied are no fault: it was rolled back, and what
/// it added stays.
pub fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("./migrations");
    migrator.create_schema("vault");
    migrator.dangerous_set_table_name("vault._migrations");
    migrator.set_ignore_missing(true);
    migrator
}

/// Brings the schema `vault` of the keys database up to date, and lets `app_role` use it.
///
/// # Errors
/// [`Error::Migrate`] or [`Error::Database`].
pub async fn migrate(keys: &PgPool, app_role: Option<&str>) -> Result<(), Error> {
    migrator().run(keys).await?;
    if let Some(role) = app_role {
        sqlx::query!("SELECT vault.grant_app($1::text::name)", role).fetch_one(keys).await?;
    }
    Ok(())
}
