//! Who keeps the key-encryption key: the one thing that must never lie in a database.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::Error;

/// A key's raw bytes, wiped when dropped.
pub type KeyBytes = Zeroizing<[u8; 32]>;

/// One key-encryption key at its keeper. It wraps a service's root keys: a handful, at the start and at a rotation.
#[async_trait]
pub trait KeyProvider: Send + Sync {
    /// The key's name, stored beside what it wrapped. It gives nothing of the key away and never names another key.
    fn id(&self) -> &str;

    /// Wraps a root key.
    ///
    /// # Errors
    /// [`Error::KekAway`] when trying again may help, [`Error::Kek`] when it will not.
    async fn wrap(&self, of: RootKey, key: &KeyBytes) -> Result<Vec<u8>, Error>;

    /// Opens what [`KeyProvider::wrap`] made of the same root key.
    ///
    /// # Errors
    /// [`Error::KekAway`] when trying again may help; [`Error::Kek`] when it will not: changed bytes, another key,
    /// no permission.
    async fn unwrap(&self, of: RootKey, wrapped: &[u8]) -> Result<KeyBytes, Error>;
}

/// Which root key of the service is wrapped; it cannot be opened as another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootKey {
    /// Its use.
    pub root: Root,
    /// Its version, from 1.
    pub version: i32,
}

impl fmt::Display for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.root.as_str(), self.version)
    }
}

/// What a root key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// Wraps the subjects' data keys.
    Wrap,
    /// Root of all keyed hashes. Never rotated: names of streams are made of it.
    Mac,
    /// Signs certificates of erasure.
    Certificate,
}

impl Root {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Wrap, Self::Mac, Self::Certificate];

    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wrap => "wrap",
            Self::Mac => "mac",
            Self::Certificate => "certificate",
        }
    }
}

/// The key-encryption key in use and, during a rotation, those before it.
#[derive(Clone)]
pub struct Keyring {
    current: Arc<dyn KeyProvider>,
    previous: Vec<Arc<dyn KeyProvider>>,
}

impl Keyring {
    /// Wraps under `current`; opens also what one of `previous` wrapped.
    pub fn new(current: Arc<dyn KeyProvider>, previous: Vec<Arc<dyn KeyProvider>>) -> Self {
        Self { current, previous }
    }

    pub(crate) fn current(&self) -> &dyn KeyProvider {
        self.current.as_ref()
    }

    /// Opens a stored root key under the key that wrapped it. A name that is not ours is never sent anywhere.
    pub(crate) async fn unwrap(&self, of: RootKey, kek_id: &str, wrapped: &[u8]) -> Result<KeyBytes, Error> {
        let keys = std::iter::once(&self.current).chain(&self.previous);
        if let Some(key) = keys.clone().find(|key| key.id() == kek_id) {
            return key.unwrap(of, wrapped).await;
        }
        let ours: Vec<_> = keys.map(|key| key.id()).collect();
        let ours = ours.join(", ");
        Err(Error::Kek(format!("the root key {of} is wrapped under {kek_id}, given is {ours}")))
    }
}

impl<P: KeyProvider + 'static> From<P> for Keyring {
    fn from(current: P) -> Self {
        Self::new(Arc::new(current), Vec::new())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({})", self.current.id())
    }
}
