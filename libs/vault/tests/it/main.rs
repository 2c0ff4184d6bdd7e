//! The vault on a real keys database: sealing, erasure, legal hold, keys, frames.

#![expect(clippy::unwrap_used, reason = "a test has nothing better to do than to stop")]

mod erasure;
mod frames;
mod keys;
mod kms;
mod order;
mod rotation;
mod sealing;

use docket_kernel::{Actor, ManualClock, SharedClock};
use docket_testkit::TestDatabase;
use docket_vault::{Certificate, Code, Kek, Subject, Vault};
use uuid::Uuid;

const KEK: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

async fn keys() -> TestDatabase {
    docket_testkit::migrated_database("vault", async |pool| docket_vault::migrate(&pool, None).await).await
}

fn clock() -> SharedClock {
    ManualClock::shared("2026-03-02T15:00:00Z".parse().unwrap())
}

async fn vault(keys: &TestDatabase) -> Vault {
    Vault::connect(keys.pool.clone(), Kek::from_hex(KEK).unwrap(), clock()).await.unwrap()
}

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn person(n: u128) -> Actor {
    Actor::account(Uuid::from_u128(n))
}

/// Asked by one person, approved by another.
async fn erase(vault: &Vault, subject: &Subject) -> Certificate {
    let asked =
        vault.request_erasure(subject, &code("asked"), &code("gdpr.17.1.a"), &person(1)).await.unwrap();
    vault.approve_erasure(asked.id, &person(2)).await.unwrap()
}
