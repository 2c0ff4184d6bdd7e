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
    /// Newcomers wait here for one another first: whoever opens accounts by the thousand keeps nobody from signing in.
    newcomers: Arc<Semaphore>,
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
        let mut hasher = Self::with(threads, vault.mac("password.pepper", b"v1"));
        let never_typed = hex::encode(rand::random::<[u8; 32]>());
        hasher.nobody = hasher.hash(Password::typed(&never_typed)).await?.into();
        Ok(hasher)
    }

    /// Of the threads, one is never taken by newcomers, unless there is but one: then they and who signs in take turns.
    fn with(threads: usize, pepper: [u8; 32]) -> Self {
        let newcomers = threads.saturating_sub(1).max(1);
        let places = |number| Arc::new(Semaphore::new(number));
        Self { threads: places(threads), newcomers: places(newcomers), pepper, nobody: "".into() }
    }

    /// The hash of a newcomer's password, in PHC form.
    ///
    /// # Errors
    /// [`ApiError::Exhausted`] when too many are waiting.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, ApiError> {
        let _thread = places([&self.newcomers, &self.threads], "the registration").await?;
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
        let _thread = places([&self.threads], "the sign-in").await?;
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
}

/// A place at each semaphore, one after the other; each has its queue.
async fn places<const N: usize>(
    semaphores: [&Arc<Semaphore>; N],
    what: &'static str,
) -> Result<Vec<OwnedSemaphorePermit>, ApiError> {
    let waiting = async {
        let mut places = Vec::with_capacity(N);
        for semaphore in semaphores {
            places.push(Arc::clone(semaphore).acquire_owned().await?);
        }
        Ok::<_, tokio::sync::AcquireError>(places)
    };
    let places = tokio::time::timeout(QUEUE, waiting).await;
    places.map_err(|_elapsed| ApiError::Exhausted(what))?.map_err(ApiError::internal)
}

fn argon2(pepper: &[u8]) -> Result<Argon2<'_>, argon2::password_hash::Error> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(argon2::password_hash::Error::from)?;
    Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, params)
        .map_err(argon2::password_hash::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_signs_in_does_not_queue_behind_newcomers() {
        for threads in [1, 2, 4] {
            let hasher = Hasher::with(threads, [7; 32]);
            let hash = hasher.hash(Password::typed("correct horse battery staple")).await.unwrap();
            let newcomers: Vec<_> = (0..60)
                .map(|_| {
                    let hasher = hasher.clone();
                    tokio::spawn(async move { hasher.hash(Password::typed("another long password")).await })
                })
                .collect();
            // Until they fill what they may fill, and the rest of them wait.
            while hasher.newcomers.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            let typed = Password::typed("correct horse battery staple");
            assert!(hasher.verify(typed, Some(hash)).await.unwrap());
            let before = newcomers.iter().filter(|newcomer| newcomer.is_finished()).count();
            assert!(before < 30, "{before} newcomers came first with {threads} threads");
            for newcomer in newcomers {
                match newcomer.await.unwrap() {
                    Ok(hash) => assert!(hash.starts_with("$argon2id$")),
                    Err(error) => assert_eq!(error.cause(), "the registration is busy"),
                }
            }
        }
    }
}
