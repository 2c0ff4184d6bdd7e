//! Databases and roles: one database a service, one beside it for its keys, an owner for migrations and an app role.
use super::place::{PARTS, Place};
use anyhow::{Context, Result, ensure};
use docket_servers::{Postgres, SUPERUSER};
use std::process::{Command, Stdio};

/// Every database with the name that its roles begin with.
pub fn names() -> Vec<String> {
    PARTS
        .iter()
        .flat_map(|part| {
            let keys = part.keys.then(|| format!("{}_keys", part.database));
            std::iter::once(part.database.to_owned()).chain(keys)
        })
        .collect()
}

/// Makes what is missing. Passwords come from files and go through standard input, never through arguments.
pub fn ensure_all(place: &Place, postgres: &Postgres) -> Result<()> {
    let have = query(postgres, "postgres", "SELECT datname FROM pg_database")?;
    for name in names() {
        roles(place, postgres, &name)?;
        if !have.lines().any(|line| line == name) {
            run(postgres, "postgres", &format!("CREATE DATABASE \"{name}\" OWNER \"{name}_owner\";"))?;
        }
        run(
            postgres,
            &name,
            &format!(
                "REVOKE ALL ON DATABASE \"{name}\" FROM PUBLIC; GRANT CONNECT ON DATABASE \"{name}\" TO \"{name}_app\";\n\
                 REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT ALL ON SCHEMA public TO \"{name}_owner\";"
            ),
        )?;
    }
    Ok(())
}

fn roles(place: &Place, postgres: &Postgres, name: &str) -> Result<()> {
    for role in [format!("{name}_owner"), format!("{name}_app")] {
        let password = std::fs::read_to_string(place.secret(&format!("pg_{role}"), 24)?)?;
        run(
            postgres,
            "postgres",
            &format!(
                "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN \
                 CREATE ROLE \"{role}\" LOGIN; END IF; END $$;\nALTER ROLE \"{role}\" PASSWORD '{password}';"
            ),
        )?;
    }
    Ok(())
}

fn run(postgres: &Postgres, database: &str, sql: &str) -> Result<()> {
    query(postgres, database, sql).map(|_| ())
}

fn query(postgres: &Postgres, database: &str, sql: &str) -> Result<String> {
    let mut child = Command::new(postgres.bin().join("psql"))
        .args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            SUPERUSER,
            "-d",
            database,
        ])
        .arg("-p")
        .arg(postgres.port().to_string())
        .env("PGPASSWORD", postgres.password())
        .env("PGOPTIONS", "-c client_min_messages=warning")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .current_dir("/")
        .spawn()
        .context("start psql")?;
    let mut input = child.stdin.take().context("psql's input")?;
    std::io::Write::write_all(&mut input, sql.as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "psql on {database}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
