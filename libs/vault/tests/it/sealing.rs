//! Sealing, opening, erasing, holding.

use docket_vault::{Error, Opened, Subject};
use uuid::Uuid;

use crate::{keys, vault};

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

    here.erase(&subject).await.unwrap();
    here.erase(&subject).await.unwrap();
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
    vault.erase(&subject).await.unwrap();
    assert!(matches!(vault.seal(&subject, b"", b"plain").await, Err(Error::Erased(_))));
}

#[tokio::test]
async fn a_legal_hold_forbids_erasure_until_it_is_released() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let subject = Subject::filing(Uuid::from_u128(1));
    let sealed = vault.seal(&subject, b"", b"plain").await.unwrap();
    vault.hold(&subject, "suit 1").await.unwrap();
    vault.hold(&subject, "suit 2").await.unwrap();
    vault.release(&subject, "suit 1").await.unwrap();
    assert!(matches!(vault.erase(&subject).await, Err(Error::Held(held)) if held == subject));
    assert_eq!(vault.open(&subject, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));
    vault.release(&subject, "suit 2").await.unwrap();
    vault.erase(&subject).await.unwrap();
    assert!(matches!(vault.hold(&subject, "suit 3").await, Err(Error::Erased(_))));
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
