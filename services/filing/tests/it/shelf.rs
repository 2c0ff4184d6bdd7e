//! Where the sealed objects of a world lie: in the first node's folder, or in a bucket of a real server of S3.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use docket_service::{ObjectsConfig, ServiceConfig};
use docket_testkit::TestBucket;
use futures::TryStreamExt as _;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tokio::runtime::Handle;
use tokio::task::{block_in_place, spawn_blocking};
use uuid::Uuid;

/// A server of S3 for as many worlds as need one, each under a prefix of its own.
#[derive(Clone)]
pub(crate) struct Bucket(Arc<TestBucket>);

impl Bucket {
    pub(crate) async fn start() -> Self {
        Self(Arc::new(spawn_blocking(TestBucket::start).await.expect("it starts")))
    }
}

/// A world's objects, as whoever runs the store sees them.
pub(crate) enum Shelf {
    Folder(PathBuf),
    Bucket { server: Bucket, prefix: String },
}

impl Shelf {
    /// A part of a bucket that nobody else has.
    pub(crate) fn of(server: &Bucket) -> Self {
        Self::Bucket { server: server.clone(), prefix: format!("filing-{}", Uuid::now_v7()) }
    }

    /// The folder, where it is one.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Bucket { .. } => None,
        }
    }

    /// Tells a node of it; a folder is found where the node's data lie.
    pub(crate) fn tell(&self, service: &mut ServiceConfig) {
        match self {
            Self::Folder(folder) if *folder == service.data_dir.join("objects") => {}
            Self::Folder(folder) => {
                std::fs::create_dir_all(&service.data_dir).expect("a folder is made");
                std::os::unix::fs::symlink(folder, service.data_dir.join("objects")).expect("a link is made");
            }
            Self::Bucket { server, prefix } => {
                service.objects = Some(ObjectsConfig {
                    bucket: TestBucket::NAME.to_owned(),
                    prefix: prefix.clone(),
                    region: TestBucket::REGION.to_owned(),
                    endpoint: Some(server.0.endpoint()),
                    ca_file: None,
                    credentials_file: Some(server.0.credentials_file()),
                    profile: "default".to_owned(),
                });
            }
        }
    }

    /// The names of the objects that are there, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Folder(folder) => files_under(folder).iter().map(|path| name(path)).collect(),
            Self::Bucket { server, prefix } => {
                let store = server.0.store();
                let listed = wait(store.list(Some(&Key::from(prefix.as_str()))).try_collect::<Vec<_>>());
                let there = listed.expect("a list").into_iter();
                there.map(|one| one.location.filename().expect("a name").to_owned()).collect()
            }
        };
        names.sort();
        names
    }

    /// The sealed bytes of an object.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        match self {
            Self::Folder(folder) => std::fs::read(at(folder, name)).expect("an object"),
            Self::Bucket { server, prefix } => {
                let (store, key) = (server.0.store(), key(prefix, name));
                wait(async { store.get(&key).await?.bytes().await }).expect("an object").to_vec()
            }
        }
    }

    /// Puts other bytes in an object's place.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        match self {
            Self::Folder(folder) => std::fs::write(at(folder, name), bytes).expect("an object"),
            Self::Bucket { server, prefix } => {
                let (store, key) = (server.0.store(), key(prefix, name));
                wait(store.put(&key, bytes.to_vec().into())).expect("it is put");
            }
        }
    }

    /// Loses an object.
    pub(crate) fn lose(&self, name: &str) {
        match self {
            Self::Folder(folder) => std::fs::remove_file(at(folder, name)).expect("it was there"),
            Self::Bucket { server, prefix } => {
                let (store, key) = (server.0.store(), key(prefix, name));
                wait(store.delete(&key)).expect("it was there");
            }
        }
    }

    /// Puts something in an object's place that is there and cannot be opened: a link to itself. Only a folder has such.
    pub(crate) fn jam(&self, name: &str) {
        let place = at(self.folder().expect("a folder"), name);
        std::fs::remove_file(&place).expect("it was there");
        std::os::unix::fs::symlink(&place, &place).expect("a link");
    }
}

/// Waits for the store from where nothing else can go on.
fn wait<T>(future: impl Future<Output = T>) -> T {
    block_in_place(|| Handle::current().block_on(future))
}

fn at(folder: &Path, name: &str) -> PathBuf {
    folder.join(&name[..2]).join(name)
}

fn key(prefix: &str, name: &str) -> Key {
    Key::from_iter([prefix, &name[..2], name])
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .map(|entry| entry.expect("an entry").path())
        .flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] })
        .collect()
}
