//! The tables of the log.

use sqlx::PgPool;

use crate::Error;

/// Brings the schema `log` up to date, and lets `app_role` append to it but never change it.
///
/// Runs as the owner of the database; the service itself runs as `app_role`.
///
/// # Errors
/// [`Error::Migrate`] or [`Error::Database`].
pub async fn migrate(pool: &PgPool, app_role: Option<&str>) -> Result<(), Error> {
    let mut migrator = sqlx::migrate!("./migrations");
    migrator.create_schema("log");
    migrator.dangerous_set_table_name("log._migrations");
    migrator.run(pool).await?;
    if let Some(role) = app_role {
        sqlx::query!(
            "SELECT log.grant_app($1::text::name), log.grant_snapshots($1::text::name),
                    log.grant_links($1::text::name)",
            role
        )
        .fetch_one(pool)
        .await?;
    }
    Ok(())
}
