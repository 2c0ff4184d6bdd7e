//! Rotation of the key-encryption key and of the wrapping key, also under load and after being stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use docket_testkit::TestDatabase;
use docket_vault::{Error, Kek, KeyProvider, Keyring, Opened, Root, RootKey, Subject, Vault};
use uuid::Uuid;

use crate::{KEK, clock, code, erase, keys, person, vault};

const NEW_KEK: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn kek(digits: &str) -> Arc<dyn KeyProvider> {
    Arc::new(Kek::from_hex(digits).unwrap())
}

async fn with(keys: &TestDatabase, current: &str, previous: &[&str]) -> Result<Vault, Error> {
    let keyring = Keyring::new(kek(current), previous.iter().map(|digits| kek(digits)).collect());
    Vault::connect(keys.pool.clone(), keyring, clock()).await
}

fn subject(n: u128) -> Subject {
    Subject::filing(Uuid::from_u128(n))
}

async fn sealed(vault: &Vault, range: std::ops::Range<u128>) -> Vec<(Subject, Vec<u8>)> {
    let mut all = Vec::new();
    for n in range {
        all.push((subject(n), vault.seal(&subject(n), b"", &n.to_be_bytes()).await.unwrap()));
    }
    all
}

async fn assert_all_open(vault: &Vault, sealed: &[(Subject, Vec<u8>)]) {
    for (subject, bytes) in sealed {
        let plain = subject.id.as_u128().to_be_bytes().to_vec();
        assert_eq!(vault.open(subject, b"", bytes).await.unwrap(), Opened::Plain(plain), "{subject}");
    }
}

#[tokio::test]
async fn a_new_key_encryption_key_takes_over_and_the_old_one_can_go() {
    let keys = keys().await;
    let old = vault(&keys).await;
    let before = sealed(&old, 0..5).await;
    let (mac, public) = (old.mac("a", b"text"), old.certificate_public_key());
    let refused = with(&keys, NEW_KEK, &[]).await.unwrap_err();
    assert!(matches!(refused, Error::Kek(_)), "{refused}");

    let both = with(&keys, NEW_KEK, &[KEK]).await.unwrap();
    let changed = both.rotate_kek().await.unwrap();
    assert_eq!(changed.len(), 3, "{changed:?}");
    assert_eq!(both.rotate_kek().await.unwrap(), [], "nothing is left to do");
    let id = kek(NEW_KEK).id().to_owned();
    assert!(both.key_status().await.unwrap().iter().all(|status| status.kek_id == id));

    let new = with(&keys, NEW_KEK, &[]).await.unwrap();
    assert_all_open(&new, &before).await;
    assert_eq!((new.mac("a", b"text"), new.certificate_public_key()), (mac, public));
    // A process that was running goes on; one that starts with the old key alone is told.
    assert_all_open(&old, &sealed(&old, 5..8).await).await;
    assert!(matches!(with(&keys, KEK, &[]).await, Err(Error::Kek(why)) if why.contains(&id)));
}

/// A keeper that goes away after some calls: the file's key, behind a door that shuts.
struct Shutting {
    kek: Kek,
    calls: AtomicU64,
}

#[async_trait::async_trait]
impl KeyProvider for Shutting {
    fn id(&self) -> &str {
        self.kek.id()
    }

    async fn wrap(&self, of: RootKey, key: &docket_vault::KeyBytes) -> Result<Vec<u8>, Error> {
        if self.calls.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.calls.store(0, Ordering::SeqCst);
            return Err(Error::KekAway("shut".to_owned()));
        }
        self.kek.wrap(of, key).await
    }

    async fn unwrap(&self, of: RootKey, wrapped: &[u8]) -> Result<docket_vault::KeyBytes, Error> {
        self.kek.unwrap(of, wrapped).await
    }
}

#[tokio::test]
async fn a_rotation_of_the_key_encryption_key_stopped_half_way_goes_on() {
    let keys = keys().await;
    let before = sealed(&vault(&keys).await, 0..3).await;
    for rest in [2, 1, 0] {
        // Opens for one call: one of the three root keys gets through, then the keeper is away.
        let shutting = Shutting { kek: Kek::from_hex(NEW_KEK).unwrap(), calls: AtomicU64::new(1) };
        let keyring = Keyring::new(Arc::new(shutting), vec![kek(KEK)]);
        let vault = Vault::connect(keys.pool.clone(), keyring, clock()).await.unwrap();
        let stopped = vault.rotate_kek().await;
        assert!(if rest > 0 { matches!(stopped, Err(Error::KekAway(_))) } else { stopped.is_ok() });
        assert_all_open(&with(&keys, NEW_KEK, &[KEK]).await.unwrap(), &before).await;
    }
    assert_all_open(&with(&keys, NEW_KEK, &[]).await.unwrap(), &before).await;
}

#[tokio::test]
async fn a_new_wrapping_key_takes_over_in_batches_and_can_be_stopped_anywhere() {
    let keys = keys().await;
    let old = vault(&keys).await;
    let before = sealed(&old, 0..25).await;
    erase(&old, &subject(3)).await;
    assert_eq!(old.begin_rotation().await.unwrap(), 2);
    let batch = old.rewrap(10).await.unwrap();
    assert_eq!((batch.done, batch.left), (10, 14));

    // Stopped here, and begun again by another process: it goes on with version 2.
    let other = vault(&keys).await;
    assert_eq!(other.begin_rotation().await.unwrap(), 2);
    let (open, _) = (other.rewrap(10).await.unwrap(), other.rewrap(4).await.unwrap());
    assert_eq!((open.done, open.left), (10, 4));
    let status = other.key_status().await.unwrap();
    let of = |version| status.iter().find(|one| one.key == RootKey { root: Root::Wrap, version }).unwrap();
    assert!(of(1).retired_at.is_some() && of(1).destroyed_at.is_some() && of(1).data_keys == 0);
    assert!(of(2).retired_at.is_none() && of(2).data_keys == 24, "{status:?}");
    let kept: Vec<_> = before.into_iter().filter(|(one, _)| *one != subject(3)).collect();
    for vault in [&old, &other, &vault(&keys).await] {
        assert_all_open(vault, &kept).await;
        assert!(matches!(vault.seal(&subject(3), b"", b"").await, Err(Error::Erased(_))));
    }
    assert_eq!(old.begin_rotation().await.unwrap(), 3, "the next rotation");
}

#[tokio::test]
async fn a_process_with_the_old_wrapping_key_makes_nothing_under_it_once_it_is_retired() {
    let keys = keys().await;
    let (old, rotating) = (vault(&keys).await, vault(&keys).await);
    sealed(&old, 0..1).await;
    rotating.begin_rotation().await.unwrap();
    let after = sealed(&old, 1..4).await;
    let versions: Vec<i32> =
        sqlx::query_scalar("SELECT wrap_version FROM vault.data_key WHERE subject <> $1")
            .bind(subject(0).to_string())
            .fetch_all(&keys.pool)
            .await
            .unwrap();
    assert_eq!(versions, [2, 2, 2]);
    assert_all_open(&rotating, &after).await;
}

#[tokio::test]
async fn a_changed_data_key_stops_the_rotation_with_its_subject_and_spoils_no_other() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let all = sealed(&vault, 0..3).await;
    sqlx::query("UPDATE vault.data_key SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1) WHERE subject = $1")
        .bind(subject(1).to_string())
        .execute(&keys.pool)
        .await
        .unwrap();
    vault.begin_rotation().await.unwrap();
    let refused = vault.rewrap(10).await.unwrap_err();
    assert!(matches!(&refused, Error::Kek(why) if why.contains(&subject(1).to_string())), "{refused}");
    let fresh = crate::vault(&keys).await;
    assert_all_open(&fresh, &[all[0].clone(), all[2].clone()]).await;
    erase(&fresh, &subject(1)).await;
    assert_eq!(fresh.rewrap(10).await.unwrap(), docket_vault::Rewrapped { done: 2, left: 0 });
}

/// A rotation holds data keys while it waits for a version's row; whoever holds a data key must not wait for that row.
#[tokio::test]
async fn holds_and_erasures_of_a_key_that_exists_do_not_wait_for_a_rotation() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    sealed(&vault, 0..1).await;
    let mut rotation = docket_database::begin(&keys.pool).await.unwrap();
    sqlx::query("SELECT FROM vault.service_key WHERE name = 'wrap' FOR UPDATE")
        .execute(&mut *rotation)
        .await
        .unwrap();
    let all = async {
        vault.hold(&subject(0), &code("court"), &person(1)).await.unwrap();
        vault.release(&subject(0), &code("court"), &person(1), &code("over")).await.unwrap();
        erase(&vault, &subject(0)).await
    };
    let certificate = tokio::time::timeout(Duration::from_secs(30), all).await.unwrap();
    assert!(certificate.statement.contains(&subject(0).to_string()));
    rotation.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotations_under_load_lose_no_key_and_leave_nothing_under_an_old_one() {
    let seed: u64 = std::env::var("DOCKET_SEED")
        .ok()
        .map_or_else(|| u64::from(std::process::id()), |seed| seed.parse().unwrap());
    println!("DOCKET_SEED={seed}");
    let rounds = if std::env::var_os("DOCKET_PROOF").is_some() { 40 } else { 4 };
    let keys = keys().await;
    let shared = Arc::new(Shared::default());
    let workers: Vec<_> = (0..4_u64)
        .map(|worker| {
            let (url, shared) = (keys.url.clone(), Arc::clone(&shared));
            tokio::spawn(async move { load(&url, worker, seed, &shared).await })
        })
        .collect();
    let rotating = with(&keys, KEK, &[NEW_KEK]).await.unwrap();
    let swapped = with(&keys, NEW_KEK, &[KEK]).await.unwrap();
    for round in 0..rounds {
        let one = if round % 2 == 0 { &rotating } else { &swapped };
        // Each rotation meets keys made since the one before, however slow the machine is.
        let before = shared.sealed.load(Ordering::SeqCst);
        while shared.sealed.load(Ordering::SeqCst) < before + 10 {
            assert!(!workers.iter().any(tokio::task::JoinHandle::is_finished), "a worker has ended");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        one.rotate_kek().await.unwrap();
        one.begin_rotation().await.unwrap();
        while one.rewrap(7).await.unwrap().left > 0 {}
        let old: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM vault.data_key WHERE wrapped IS NOT NULL
             AND wrap_version < (SELECT max(version) FROM vault.service_key WHERE name = 'wrap')",
        )
        .fetch_one(&keys.pool)
        .await
        .unwrap();
        assert_eq!(old, 0, "round {round}");
    }
    shared.stop.store(true, Ordering::SeqCst);
    let reader = with(&keys, KEK, &[NEW_KEK]).await.unwrap();
    for worker in workers {
        let (kept, erased) = worker.await.unwrap();
        assert_all_open(&reader, &kept).await;
        for (subject, bytes) in erased {
            assert_eq!(reader.open(&subject, b"", &bytes).await.unwrap(), Opened::Erased);
        }
    }
}

/// What the workers and the rotation know of each other.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    sealed: AtomicU64,
}

type Sealed = Vec<(Subject, Vec<u8>)>;

/// Seals for new subjects, opens old ones and erases some, as a process of its own that knows both keys.
async fn load(url: &str, worker: u64, seed: u64, shared: &Shared) -> (Sealed, Sealed) {
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(2).connect(url).await.unwrap();
    let keyring = Keyring::new(kek(KEK), vec![kek(NEW_KEK)]);
    let vault = Vault::connect(pool, keyring, clock()).await.unwrap();
    let (mut kept, mut erased) = (Sealed::new(), Sealed::new());
    let mut random = seed ^ (worker << 32) | 1;
    let mut n = 0_u64;
    while !shared.stop.load(Ordering::SeqCst) {
        n += 1;
        // xorshift64: any spread will do.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let subject = subject((u128::from(worker) << 64) | u128::from(n));
        let bytes = vault.seal(&subject, b"", &subject.id.as_u128().to_be_bytes()).await.unwrap();
        shared.sealed.fetch_add(1, Ordering::SeqCst);
        if random.is_multiple_of(5) {
            let asked = vault.request_erasure(&subject, &code("a"), &code("b"), &person(1)).await.unwrap();
            vault.approve_erasure(asked.id, &person(2)).await.unwrap();
            erased.push((subject, bytes));
        } else {
            kept.push((subject, bytes));
        }
        // A fresh process reads from the database what this one has cached.
        if random.is_multiple_of(7) && !kept.is_empty() {
            let keyring = Keyring::new(kek(NEW_KEK), vec![kek(KEK)]);
            let fresh = Vault::connect(vault_pool(url).await, keyring, clock()).await.unwrap();
            let at = usize::try_from(random % kept.len() as u64).unwrap();
            assert_all_open(&fresh, &kept[at..=at]).await;
        }
    }
    (kept, erased)
}

async fn vault_pool(url: &str) -> sqlx::PgPool {
    sqlx::postgres::PgPoolOptions::new().max_connections(1).connect(url).await.unwrap()
}
