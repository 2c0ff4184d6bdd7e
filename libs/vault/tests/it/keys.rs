//! The keys themselves: the key-encryption key, keyed hashes, and what the service's role may do.

use docket_vault::{Error, Kek, KeyProvider as _, Opened, Subject, Vault};
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

use crate::{clock, code, erase, keys, person, vault};

#[tokio::test]
async fn another_key_encryption_key_is_refused_and_named() {
    let keys = keys().await;
    vault(&keys).await;
    let other = Kek::from_hex(&Kek::generate().unwrap()).unwrap();
    let id = other.id().to_owned();
    let refused = Vault::connect(keys.pool.clone(), other, clock()).await.unwrap_err();
    assert!(matches!(&refused, Error::Kek(why) if why.contains(&id)), "{refused}");
}

#[test]
fn only_64_hexadecimal_digits_are_a_key() {
    for bad in ["", "00", &"0".repeat(63), &"z".repeat(64), &"0".repeat(66)] {
        assert!(matches!(Kek::from_hex(bad), Err(Error::Kek(_))), "{bad}");
    }
}

#[tokio::test]
async fn keyed_hashes_are_the_same_for_ever_and_differ_by_purpose() {
    let keys = keys().await;
    let (first, second) = (vault(&keys).await, vault(&keys).await);
    assert_eq!(first.mac("a", b"text"), second.mac("a", b"text"));
    assert_ne!(first.mac("a", b"text"), first.mac("b", b"text"));
    assert_ne!(first.mac("a", b"text"), first.mac("a", b"text2"));
    let name = first.keyed_name("email", b"ana@example.org");
    assert!(name.starts_with("email-k1-") && name.len() == "email-k1-".len() + 64, "{name}");
    assert_ne!(vault(&crate::keys().await).await.mac("a", b"text"), first.mac("a", b"text"));
}

#[tokio::test]
async fn keys_are_stored_wrapped_only() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    vault.seal(&Subject::filing(Uuid::from_u128(1)), b"", b"plain").await.unwrap();
    let sizes: Vec<i32> = sqlx::query_scalar(
        "SELECT octet_length(wrapped) FROM vault.data_key UNION ALL SELECT octet_length(wrapped) FROM vault.service_key",
    )
    .fetch_all(&keys.pool)
    .await
    .unwrap();
    assert_eq!(sizes, [60; 4], "a data key and three root keys: nonce, key and tag");
}

#[tokio::test]
async fn the_service_can_use_the_vault_but_cannot_forget_an_erasure() {
    let keys = keys().await;
    let role = format!("{}_app", keys.name);
    let mut owner = keys.pool.acquire().await.unwrap();
    owner.execute(AssertSqlSafe(format!("CREATE ROLE {role}"))).await.unwrap();
    docket_vault::migrate(&keys.pool, Some(&role)).await.unwrap();
    let app = sqlx::postgres::PgPoolOptions::new()
        .after_connect(move |connection, _| {
            let role = role.clone();
            Box::pin(
                async move { connection.execute(AssertSqlSafe(format!("SET ROLE {role}"))).await.map(drop) },
            )
        })
        .connect(&keys.url)
        .await
        .unwrap();
    let vault = Vault::connect(app.clone(), Kek::from_hex(crate::KEK).unwrap(), clock()).await.unwrap();
    let subject = Subject::filing(Uuid::from_u128(1));
    let sealed = vault.seal(&subject, b"", b"plain").await.unwrap();
    vault.hold(&subject, &code("suit"), &person(1)).await.unwrap();
    vault.release(&subject, &code("suit"), &person(1), &code("settled")).await.unwrap();
    vault.rotate_kek().await.unwrap();
    vault.begin_rotation().await.unwrap();
    assert_eq!(vault.rewrap(10).await.unwrap().left, 0);
    let other = Subject::filing(Uuid::from_u128(2));
    let asked = vault.request_erasure(&other, &code("asked"), &code("basis"), &person(1)).await.unwrap();
    vault.cancel_erasure(asked.id, &person(1)).await.unwrap();
    erase(&vault, &subject).await;
    vault.scrub().await.unwrap();
    assert_eq!(vault.open(&subject, b"", &sealed).await.unwrap(), Opened::Erased);
    for forbidden in [
        "DELETE FROM vault.erasure",
        "UPDATE vault.erasure SET erased_at_us = 0",
        "DELETE FROM vault.data_key",
        "UPDATE vault.data_key SET key_id = gen_random_uuid()",
        "DELETE FROM vault.hold",
        "UPDATE vault.hold SET held_by = 'account:x'",
        "UPDATE vault.hold_release SET released_at_us = 0",
        "DELETE FROM vault.hold_release",
        "UPDATE vault.erasure_certificate SET statement = ''",
        "DELETE FROM vault.erasure_certificate",
        "DELETE FROM vault.erasure_request",
        "UPDATE vault.erasure_request SET asked_by = 'account:x'",
        "TRUNCATE vault.service_key",
        "SELECT * FROM vault._migrations",
    ] {
        let refused = app.execute(forbidden).await.unwrap_err();
        let code =
            refused.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        assert_eq!(code.as_deref(), Some("42501"), "{forbidden}");
    }
}
