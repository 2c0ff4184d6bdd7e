//! Brings a service's databases up to date, as their owner, and grants its own role what it needs.

use anyhow::Context as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use crate::config::{ServiceConfig, connect_options};
use crate::schema::Schema;

/// Runs the migrations of the log, the vault, the roles and the service itself; repeating it does no harm.
///
/// # Errors
/// What could not be done, in words for the operator.
pub async fn migrate(config: &ServiceConfig, own: &Migrator) -> anyhow::Result<()> {
    let database = &config.database;
    let app = connect_options(&database.url, None)?.get_username().to_owned();
    let owner_url = database.owner_url.as_ref().unwrap_or(&database.url);
    let password = database.owner_password_file.as_ref().filter(|_| database.owner_url.is_some());
    let password = password.or(database.password_file.as_ref().filter(|_| database.owner_url.is_none()));
    let pool = connect(owner_url, password.map(std::path::PathBuf::as_path))
        .await
        .context("the owner's connection")?;

    docket_eventlog::migrate(&pool, Some(&app)).await.context("the log's schema")?;
    let (log, access, own) = (Schema::log(), Schema::access(), Schema::own(own));
    access.migrator.run(&pool).await.context("the schema of access")?;
    own.migrator.run(&pool).await.context("the service's own schema")?;
    grant(&pool, "access", &app).await.context("grants on access")?;
    grant(&pool, "public", &app).await.context("grants on the service's own tables")?;
    for schema in [&log, &access, &own] {
        finish(schema, &pool, &app).await?;
    }

    match &config.keys_database {
        None => {
            docket_vault::migrate(&pool, Some(&app)).await.context("the keys' schema")?;
            finish(&Schema::vault(), &pool, &app).await?;
        }
        Some(keys) => {
            let keys_app = connect_options(&keys.url, None)?.get_username().to_owned();
            let (url, password) = match &keys.owner_url {
                Some(owner) => (owner, keys.owner_password_file.as_deref()),
                None => (&keys.url, keys.password_file.as_deref()),
            };
            let keys = connect(url, password).await.context("the owner's connection to the keys")?;
            docket_vault::migrate(&keys, Some(&keys_app)).await.context("the keys' schema")?;
            finish(&Schema::vault(), &keys, &keys_app).await?;
            keys.close().await;
        }
    }
    pool.close().await;
    Ok(())
}

async fn connect(url: &str, password_file: Option<&std::path::Path>) -> anyhow::Result<PgPool> {
    let options = connect_options(url, password_file)?;
    Ok(PgPoolOptions::new().max_connections(2).connect_with(options).await?)
}

/// Lets the service see what was applied, and says what a newer release has applied: this one was rolled back to.
async fn finish(schema: &Schema, pool: &PgPool, app: &str) -> anyhow::Result<()> {
    schema.let_read(pool, app).await.context("grants on what was applied")?;
    for version in schema.newer(pool).await? {
        println!("{} is of a newer release, and stays", schema.migration(version));
    }
    Ok(())
}

/// Lets the service read and write its own tables, but not change their shape.
async fn grant(pool: &PgPool, schema: &str, role: &str) -> sqlx::Result<()> {
    for statement in [
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    ] {
        // Made at run time because identifiers cannot be bound. Neither comes from outside: the
        // schema stands above, the role in the operator's configuration.
        let statement = statement.replace("{schema}", schema).replace("{role}", &quoted(role));
        sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    }
    Ok(())
}

/// A role's name as SQL takes it.
pub(crate) fn quoted(role: &str) -> String {
    format!("\"{}\"", role.replace('"', "\"\""))
}

/// Makes the stream of a service's log and its durables on the logs it reads, once each.
pub(crate) async fn set_up_streams(
    config: &ServiceConfig,
    name: &'static str,
    reads: &[String],
) -> anyhow::Result<()> {
    let database = connect_options(&config.database.url, config.database.password_file.as_deref())?;
    let pool = PgPoolOptions::new().max_connections(1).connect_with(database).await?;
    let broker = docket_messaging::Broker::connect(&config.broker_options(name)).await?;
    let log = log_of(name);
    let start = docket_messaging::StreamStart::of(&pool, log, config.broker.refill_events).await?;
    broker.ensure_stream(log, &start).await?;
    for read in reads {
        let made = broker.ensure_consumer(read, name, 0).await?;
        anyhow::ensure!(made.is_some(), "there is no stream {read} yet: set up its owner's first");
    }
    Ok(())
}

/// The log of a service.
pub(crate) fn log_of(name: &'static str) -> &'static str {
    match name {
        "case-status" => "cases-0",
        "status-projection" => "status",
        other => other,
    }
}
