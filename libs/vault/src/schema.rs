//! The tables of the keys database.

use sqlx::PgPool;

use crate::Error;

/// Brings the schema `vault` of the keys database up to date, and lets `app_role` use it.
///
/// # Errors
/// [`Error::Migrate`] or [`Error::Database`].
pub async fn migrate(keys: &PgPool, app_role: Option<&str>) -> Result<(), Error> {
    let mut migrator = sqlx::migrate!("./migrations");
    migrator.create_schema("vault");
    migrator.dangerous_set_table_name("vault._migrations");
    migrator.run(keys).await?;
    if let Some(role) = app_role {
        sqlx::query!("SELECT vault.grant_app($1::text::name)", role).fetch_one(keys).await?;
    }
    Ok(())
}
