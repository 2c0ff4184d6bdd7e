//! Hashing of passwords: Argon2id with OWASP's parameters and a pepper, on few threads at a time.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use docket_service::ApiError;
use docket_vault::Vault;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::Password;

/// 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet, Argon2id).
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Longest wait for a thread; who would wait longer is told to come again.
const QUEUE: Duration = Duration::from_secs(2);

/// Hashes and compares passwords. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hasher {
    threads: Arc<Semaphore>,
    pepper: [u8; 32],
    /// Compared with when there is no account, so that a refusal costs the same.
    nobody: Arc<str>,
}

impl Hasher {
    /// A hasher with the vault's pepper, on as many threads as there are processors.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub(crate) async fn new(vault: &Vault) -> Result<Self, ApiError> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let pepper = vault.mac("password.pepper", b"v1");
        let mut hasher = Self { threads: Arc::new(Semaphore::new(threads)), pepper, nobody: "".into() };
        let never_typed = hex::encode(rand::random::<[u8; 32]>());
        hasher.nobody = hasher.hash(Password::typed(&never_typed)).await?.into();
        Ok(hasher)
    }

    /// The hash of a new password, in PHC form.
    ///
    /// # Errors
    /// [`ApiError::Exhausted`] when too many are waiting.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, ApiError> {
        let _thread = self.thread().await?;
        let pepper = self.pepper;
        let hashed = tokio::task::spawn_blocking(move || {
            argon2(&pepper)?.hash_password(password.as_bytes()).map(|hash| hash.to_string())
        });
        hashed
            .await
            .map_err(ApiError::internal)?
            .map_err(|error| ApiError::Internal(anyhow::anyhow!("hashing: {error}")))
    }

    /// Whether the password has that hash. Without a hash, the same work is done and the answer is no.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub(crate) async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool, ApiError> {
        let _thread = self.thread().await?;
        let (pepper, known) = (self.pepper, hash.is_some());
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let same = tokio::task::spawn_blocking(move || {
            let hash = PasswordHash::new(&hash).map_err(|_malformed| "a stored hash cannot be read")?;
            let argon2 = argon2(&pepper).map_err(|_parameters| "the parameters cannot be used")?;
            Ok::<_, &'static str>(argon2.verify_password(password.as_bytes(), &hash).is_ok())
        });
        let same = same.await.map_err(ApiError::internal)?;
        same.map(|same| same && known).map_err(|error| ApiError::Internal(anyhow::anyhow!(error)))
    }

    async fn thread(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let permit = tokio::time::timeout(QUEUE, Arc::clone(&self.threads).acquire_owned()).await;
        permit.map_err(|_elapsed| ApiError::Exhausted("the sign-in"))?.map_err(ApiError::internal)
    }
}

fn argon2(pepper: &[u8]) -> Result<Argon2<'_>, argon2::password_hash::Error> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(argon2::password_hash::Error::from)?;
    Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params)
        .map_err(argon2::password_hash::Error::from)
}
