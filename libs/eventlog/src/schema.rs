//! The tables of the log.

use sqlx::PgPool;
use sqlx::migrate::Migrator;

use crate::Error;

/// The migrations of the schema `log`. Those that a newer release has applied are no fault: it was rolled back, and what it
/// added stays.
pub fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("./migrations");
    migrator.create_schema("log");
    migrator.dangerous_set_table_name("log._migrations");
    migrator.set_ignore_missing(true);
    migrator
}

/// Brings the schema `log` up to date, and lets `app_role` append to it but never change it.
///
/// Runs as the owner of the database; the service itself runs as `app_role`.
///
/// # Errors
/// [`Error::Migrate`] or [`Error::Database`].
pub async fn migrate(pool: &PgPool, app_role: Option<&str>) -> Result<(), Error> {
    migrator().run(pool).await?;
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
