//! Sealing, opening, erasing, holding.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use docket_vault::{Error, Kek, OpenVault, Opened, Subject, Vault};
use uuid::Uuid;

use crate::{clock, erase, keys, vault};

#[tokio::test]
async fn what_was_sealed_opens_for_its_subject_and_place_only() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let (subject, other) = (Subject::filing(Uuid::from_u128(1)), Subject::filing(Uuid::from_u128(2)));
    let sealed = vault.seal(&subject, b"here", b"plain").await.unwrap();
    assert_eq!(vault.open(&subject, b"here", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));
    assert!(matches!(vault.open(&subject, b"there", &sealed).await, Err(Error::Altered)));
    assert!(matches!(vault.open(&other, b"here", &sealed).await, Err(Error::Altered)));
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert!(matches!(vault.open(&subject, b"here", &changed).await, Err(Error::Altered)), "byte {index}");
        assert!(matches!(vault.open(&subject, b"here", &sealed[..index]).await, Err(Error::Altered)));
    }
}

#[tokio::test]
async fn an_erased_subject_can_neither_be_opened_nor_sealed_for() {
    let keys = keys().await;
    let (here, replica) = (vault(&keys).await, vault(&keys).await);
    let (subject, other) = (Subject::account(Uuid::from_u128(1)), Subject::account(Uuid::from_u128(2)));
    let sealed = here.seal(&subject, b"", b"plain").await.unwrap();
    let kept = here.seal(&other, b"", b"kept").await.unwrap();
    assert_eq!(replica.open(&subject, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));

    erase(&here, &subject).await;
    replica.forget(&subject).await;
    for vault in [&here, &replica, &vault(&keys).await] {
        assert_eq!(vault.open(&subject, b"", &sealed).await.unwrap(), Opened::Erased);
        assert!(
            matches!(vault.seal(&subject, b"", b"more").await, Err(Error::Erased(gone)) if gone == subject)
        );
        assert_eq!(vault.open(&other, b"", &kept).await.unwrap(), Opened::Plain(b"kept".to_vec()));
    }
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM vault.data_key WHERE wrapped IS NOT NULL")
        .fetch_one(&keys.pool)
        .await
        .unwrap();
    assert_eq!(left, 1, "the other subject's key is all that is left");
}

#[tokio::test]
async fn a_subject_erased_before_anything_was_sealed_stays_erased() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let subject = Subject::person(Uuid::from_u128(1));
    erase(&vault, &subject).await;
    assert!(matches!(vault.seal(&subject, b"", b"plain").await, Err(Error::Erased(_))));
}

#[tokio::test]
async fn a_first_sealing_by_many_at_once_makes_one_key() {
    let keys = keys().await;
    let subject = Subject::filing(Uuid::from_u128(1));
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let vault = vault(&keys).await;
        tasks.extend((0..4).map(|_| {
            let vault = vault.clone();
            tokio::spawn(async move { vault.seal(&subject, b"", b"plain").await.unwrap() })
        }));
    }
    let reader = vault(&keys).await;
    for task in tasks {
        let sealed = task.await.unwrap();
        assert_eq!(reader.open(&subject, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));
    }
}

/// Seals as fast as it can until it is told that the subject is gone; gives what it sealed and when the last began.
async fn seal_until_erased(vault: Vault, subject: Subject, begun: Arc<AtomicBool>) -> Vec<Vec<u8>> {
    let mut sealed = Vec::new();
    loop {
        match vault.seal(&subject, b"", b"plain").await {
            Ok(bytes) => sealed.push(bytes),
            Err(Error::Erased(gone)) if gone == subject => return sealed,
            Err(other) => panic!("{other}"),
        }
        begun.store(true, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_sealed_before_during_or_after_an_erasure_can_be_opened() {
    let keys = keys().await;
    let remember = Duration::from_millis(300);
    let here = vault(&keys).await;
    for n in 1..=10 {
        let subject = Subject::filing(Uuid::from_u128(n));
        let elsewhere = remembering(&keys, remember).await;
        let begun = Arc::new(AtomicBool::new(false));
        let sealers: Vec<_> = [here.clone(), here.clone(), elsewhere.clone()]
            .into_iter()
            .map(|vault| tokio::spawn(seal_until_erased(vault, subject, Arc::clone(&begun))))
            .collect();
        while !begun.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        erase(&here, &subject).await;
        assert!(matches!(here.seal(&subject, b"", b"late").await, Err(Error::Erased(_))));
        // The other process goes on for as long as it remembers the key; what it seals is lost as well.
        let mut sealed = Vec::new();
        for sealer in sealers {
            sealed.extend(tokio::time::timeout(Duration::from_secs(20), sealer).await.unwrap().unwrap());
        }
        let fresh = vault(&keys).await;
        for bytes in sealed.iter().step_by(1 + sealed.len() / 20).chain(sealed.last()) {
            for reader in [&here, &elsewhere, &fresh] {
                assert_eq!(reader.open(&subject, b"", bytes).await.unwrap(), Opened::Erased);
            }
        }
    }
}

async fn remembering(keys: &docket_testkit::TestDatabase, remember: Duration) -> Vault {
    let keyring = Kek::from_hex(crate::KEK).unwrap().into();
    let (service, keys, clock) = ("filing".to_owned(), keys.pool.clone(), clock());
    Vault::start(OpenVault { service, keys, keyring, clock, remember }).await.unwrap()
}

#[tokio::test]
async fn another_process_forgets_an_erased_key_within_the_time_it_remembers_keys() {
    assert_eq!(docket_vault::REMEMBERED, Duration::from_mins(5), "what the documents promise");
    let keys = keys().await;
    let remember = Duration::from_millis(500);
    let (here, elsewhere) = (vault(&keys).await, remembering(&keys, remember).await);
    let subject = Subject::account(Uuid::from_u128(1));
    let sealed = here.seal(&subject, b"", b"plain").await.unwrap();
    assert_eq!(elsewhere.open(&subject, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));
    erase(&here, &subject).await;
    let erased = Instant::now();
    loop {
        // Reading does not prolong it.
        let opened = elsewhere.open(&subject, b"", &sealed).await.unwrap();
        if opened == Opened::Erased {
            break;
        }
        assert!(erased.elapsed() < remember + Duration::from_secs(1), "the key is still remembered");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
