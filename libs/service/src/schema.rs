//! The schemas that a program was built for: whether its databases have them yet, and what a newer release has added.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use docket_messaging::Stop;
use sqlx::migrate::{Migration, Migrator};
use sqlx::{AssertSqlSafe, PgPool};

use crate::base::{PATIENCE, pool};
use crate::config::{ServiceConfig, connect_options};
use crate::migrate::quoted;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// The table or its schema is not there, or may not be read yet: nothing is applied, as far as we can see.
const NOT_THERE: [&str; 3] = ["42P01", "3F000", "42501"];

/// A schema with its migrations, as this program has them.
pub(crate) struct Schema {
    name: &'static str,
    table: &'static str,
    pub(crate) migrator: Migrator,
}

impl Schema {
    /// The log's.
    pub(crate) fn log() -> Self {
        Self { name: "log", table: "log._migrations", migrator: docket_eventlog::migrator() }
    }

    /// The keys'.
    pub(crate) fn vault() -> Self {
        Self { name: "vault", table: "vault._migrations", migrator: docket_vault::migrator() }
    }

    /// Who holds which role, and what is asked of it.
    pub(crate) fn access() -> Self {
        let mut migrator = sqlx::migrate!("./migrations");
        migrator.create_schema("access");
        migrator.dangerous_set_table_name("access._migrations");
        migrator.set_ignore_missing(true);
        Self { name: "access", table: "access._migrations", migrator }
    }

    /// The service's own.
    pub(crate) fn own(own: &Migrator) -> Self {
        let mut migrator = Migrator::with_migrations(own.iter().cloned().collect());
        migrator.set_ignore_missing(true);
        Self { name: "public", table: "_sqlx_migrations", migrator }
    }

    /// A migration in words for the operator.
    pub(crate) fn migration(&self, version: i64) -> String {
        format!("migration {version} of the schema {}", self.name)
    }

    /// Lets the service's own role see what was applied.
    pub(crate) async fn let_read(&self, pool: &PgPool, role: &str) -> sqlx::Result<()> {
        // Made at run time because identifiers cannot be bound; the table stands above, the role in the configuration.
        let columns = "version, checksum, success";
        let statement = format!("GRANT SELECT ({columns}) ON {} TO {}", self.table, quoted(role));
        sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
        Ok(())
    }

    /// The first of ours that is not applied.
    fn lacks(&self, applied: &BTreeMap<i64, Vec<u8>>) -> anyhow::Result<Option<&Migration>> {
        for ours in self.migrator.iter() {
            match applied.get(&ours.version) {
                None => return Ok(Some(ours)),
                Some(checksum) => anyhow::ensure!(
                    checksum.as_slice() == ours.checksum.as_ref(),
                    "{} ({}) is another one in the database than in this program",
                    self.migration(ours.version),
                    ours.description
                ),
            }
        }
        Ok(None)
    }

    /// Versions that a newer release has applied.
    pub(crate) async fn newer(&self, pool: &PgPool) -> sqlx::Result<Vec<i64>> {
        let applied = self.applied(pool).await?;
        Ok(applied.into_keys().filter(|version| !self.migrator.version_exists(*version)).collect())
    }

    async fn applied(&self, pool: &PgPool) -> sqlx::Result<BTreeMap<i64, Vec<u8>>> {
        // Made at run time because identifiers cannot be bound; the table stands above.
        let statement = format!("SELECT version, checksum FROM {} WHERE success", self.table);
        match sqlx::query_as::<_, (i64, Vec<u8>)>(AssertSqlSafe(statement)).fetch_all(pool).await {
            Ok(rows) => Ok(rows.into_iter().collect()),
            Err(sqlx::Error::Database(error))
                if error.code().is_some_and(|code| NOT_THERE.contains(&code.as_ref())) =>
            {
                Ok(BTreeMap::new())
            }
            Err(error) => Err(error),
        }
    }
}

/// The first migration of this program that a database of the service lacks, in words; what a newer release has added
/// is no matter.
///
/// # Errors
/// A database that cannot be asked, and a migration that is not the one that was applied.
pub async fn lacking(config: &ServiceConfig, own: &Migrator) -> anyhow::Result<Option<String>> {
    let database = connect_options(&config.database.url, config.database.password_file.as_deref())?;
    let database = pool(database, 1).await?;
    let keys = match &config.keys_database {
        Some(keys) => pool(connect_options(&keys.url, keys.password_file.as_deref())?, 1).await?,
        None => database.clone(),
    };
    let schemas = [
        (Schema::log(), &database),
        (Schema::access(), &database),
        (Schema::own(own), &database),
        (Schema::vault(), &keys),
    ];
    let mut found = None;
    for (schema, pool) in &schemas {
        let applied = schema.applied(pool).await.context("ask which migrations were applied")?;
        if let Some(one) = schema.lacks(&applied)? {
            found = Some(format!("{} ({}) is not applied", schema.migration(one.version), one.description));
            break;
        }
    }
    keys.close().await;
    database.close().await;
    Ok(found)
}

/// Begins `serving` when `migrate` of this release has run, which is waited for a minute at most, or until the stop: a
/// program that serves on an older schema fails call by call, and looks well.
///
/// # Errors
/// What is lacking still, all that [`lacking`] fails of, and what `serving` ends with.
pub async fn when_migrated(
    config: &ServiceConfig,
    own: &Migrator,
    stop: &Stop,
    serving: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    match stop.run_until_cancelled(until_migrated(config, own)).await {
        None => Ok(()),
        Some(Err(error)) => Err(error),
        Some(Ok(())) => serving.await,
    }
}

async fn until_migrated(config: &ServiceConfig, own: &Migrator) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut told = None;
    while let Some(lack) = lacking(config, own).await? {
        anyhow::ensure!(tokio::time::Instant::now() < deadline, "{lack}; run `migrate` of this release");
        if told.as_ref() != Some(&lack) {
            tracing::info!(lack, "waiting for `migrate` of this release");
            told = Some(lack);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
