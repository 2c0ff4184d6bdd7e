//! A PostgreSQL which archives its WAL, and servers brought back from its base backup to a named point.

use std::fs;
use std::io;
use std::mem;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use docket_servers::{Postgres, PostgresOptions, unprivileged_user};
use sqlx::{Connection, PgConnection};

use crate::postgres::{PrivatePostgres, private_postgres_with};
use crate::{blocking, scratch_folder};

/// A durable PostgreSQL of one test's own, with continuous archiving.
#[derive(Debug)]
pub struct ArchivingPostgres {
    /// The server.
    pub server: PrivatePostgres,
    archive: PathBuf,
}

/// A base backup.
#[derive(Debug)]
pub struct BaseBackup {
    folder: PathBuf,
    archive: PathBuf,
}

/// Starts a durable PostgreSQL for one test alone, which archives its WAL.
pub async fn archiving_postgres() -> ArchivingPostgres {
    let archive = scratch_folder("archive");
    fs::create_dir_all(&archive).expect("a folder can be made");
    give(&archive).expect("the folder is given to the server's user");
    let command = format!("test ! -f {0}/%f && cp %p {0}/%f", archive.display());
    let settings = [("archive_mode".to_owned(), "on".to_owned()), ("archive_command".to_owned(), command)];
    let server = private_postgres_with(|options| options.settings.extend(settings)).await;
    ArchivingPostgres { server, archive }
}

impl ArchivingPostgres {
    /// Takes a base backup, without WAL: that comes from the archive.
    pub async fn base_backup(&mut self) -> BaseBackup {
        let (folder, url) = (scratch_folder("restored"), self.server.url("postgres"));
        let (data, server) = (folder.join("data"), self.server.server());
        fs::create_dir_all(&folder).expect("a folder can be made");
        fs::copy(server.folder().join("password"), folder.join("password")).expect("the password is kept");
        let bin = server.bin().to_owned();
        let take = {
            let data = data.clone();
            move || {
                let options = ["-X", "none", "-c", "fast", "-d", url.as_str()];
                run(Command::new(bin.join("pg_basebackup")).args(options).arg("-D").arg(&data));
                give(&data).expect("the data is given to the server's user");
            }
        };
        blocking(take).await;
        BaseBackup { folder, archive: self.archive.clone() }
    }

    /// Marks this moment, and sees to it that the archive reaches beyond it.
    pub async fn restore_point(&self, name: &str) {
        let mut connection = PgConnection::connect(&self.server.url("postgres")).await.expect("it is there");
        let point = sqlx::query("SELECT pg_create_restore_point($1)").bind(name);
        point.execute(&mut connection).await.expect("a restore point can be made");
        let segment = sqlx::query_scalar("SELECT pg_walfile_name(pg_switch_wal())");
        let segment: String = segment.fetch_one(&mut connection).await.expect("the segment can be switched");
        while !self.archive.join(&segment).exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for ArchivingPostgres {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.archive); // a throw-away; nothing depends on it
    }
}

impl BaseBackup {
    /// Starts a server on the backup, brought forward to a restore point and no further.
    pub async fn restore(mut self, point: &str) -> PrivatePostgres {
        let folder = mem::take(&mut self.folder); // the server removes it
        fs::write(folder.join("data/recovery.signal"), "").expect("the signal can be written");
        let setting = |name: &str, value: String| (name.to_owned(), value);
        let settings = vec![
            setting("restore_command", format!("cp {}/%f %p", self.archive.display())),
            setting("recovery_target_name", point.to_owned()),
            setting("recovery_target_action", "promote".to_owned()),
            setting("hot_standby", "off".to_owned()), // so that it is ready only when it can be written to
        ];
        let options = PostgresOptions { scratch: true, settings, ..PostgresOptions::new(folder) };
        let server = blocking(move || Postgres::start(options)).await;
        PrivatePostgres::of(server.unwrap_or_else(|error| panic!("the restored PostgreSQL: {error}")))
    }
}

impl Drop for BaseBackup {
    fn drop(&mut self) {
        if !self.folder.as_os_str().is_empty() {
            let _ = fs::remove_dir_all(&self.folder); // never restored
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}: {}", output.status, String::from_utf8_lossy(&said));
}

/// Gives a folder, with what is in it, to the user that servers run as.
fn give(path: &Path) -> io::Result<()> {
    let Ok(Some(user)) = unprivileged_user() else { return Ok(()) };
    chown(path, Some(user.uid), Some(user.gid))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path())?;
        }
    }
    Ok(())
}
