//! Holds, and erasure by two people with its certificate.

use std::process::Command;

use docket_kernel::Actor;
use docket_vault::{Error, Opened, RequestState, Statement, Subject};
use sqlx::Executor as _;
use uuid::Uuid;

use crate::{code, erase, keys, person, vault};

const SUBJECT: Subject = Subject::filing(Uuid::from_u128(7));

#[tokio::test]
async fn an_erasure_needs_a_second_person() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let sealed = vault.seal(&SUBJECT, b"", b"plain").await.unwrap();
    let asked = vault.request_erasure(&SUBJECT, &code("asked"), &code("basis"), &person(1)).await.unwrap();
    assert_eq!(vault.erasure_request(asked.id).await.unwrap(), Some(asked.clone()));
    assert_eq!(vault.open(&SUBJECT, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));

    assert!(matches!(vault.approve_erasure(asked.id, &person(1)).await, Err(Error::SamePerson)));
    for program in [Actor::machine("retention"), Actor::service("identity")] {
        assert!(matches!(vault.approve_erasure(asked.id, &program).await, Err(Error::NotAPerson)));
    }
    let twice = vault.request_erasure(&SUBJECT, &code("asked"), &code("basis"), &person(3)).await;
    assert!(matches!(twice, Err(Error::AlreadyAsked { request, .. }) if request == asked.id));
    let unknown = Uuid::from_u128(99);
    assert!(
        matches!(vault.approve_erasure(unknown, &person(2)).await, Err(Error::NoOpenRequest(id)) if id == unknown)
    );
    assert_eq!(vault.open(&SUBJECT, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));

    let certificate = vault.approve_erasure(asked.id, &person(2)).await.unwrap();
    assert_eq!(vault.open(&SUBJECT, b"", &sealed).await.unwrap(), Opened::Erased);
    assert_eq!(
        vault.approve_erasure(asked.id, &person(2)).await.unwrap(),
        certificate,
        "asked twice, done once"
    );
    assert!(matches!(vault.approve_erasure(asked.id, &person(3)).await, Err(Error::NoOpenRequest(_))));
    assert!(matches!(vault.cancel_erasure(asked.id, &person(1)).await, Err(Error::NoOpenRequest(_))));
    let again = vault.request_erasure(&SUBJECT, &code("asked"), &code("basis"), &person(1)).await;
    assert!(matches!(again, Err(Error::Erased(SUBJECT))));
    let state = vault.erasure_request(asked.id).await.unwrap().unwrap().state;
    assert!(matches!(state, RequestState::Executed { by, .. } if by == person(2).to_string()));
}

#[tokio::test]
async fn a_cancelled_request_destroys_nothing_and_makes_room_for_another() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let sealed = vault.seal(&SUBJECT, b"", b"plain").await.unwrap();
    let first = vault.request_erasure(&SUBJECT, &code("asked"), &code("basis"), &person(1)).await.unwrap();
    vault.cancel_erasure(first.id, &person(3)).await.unwrap();
    assert!(matches!(vault.approve_erasure(first.id, &person(2)).await, Err(Error::NoOpenRequest(_))));
    assert!(matches!(vault.cancel_erasure(first.id, &person(3)).await, Err(Error::NoOpenRequest(_))));
    assert_eq!(vault.open(&SUBJECT, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));
    erase(&vault, &SUBJECT).await;
    let all = vault.erasure_requests(&SUBJECT).await.unwrap();
    assert_eq!(all.len(), 2);
    let cancelled = all.iter().find(|request| request.id == first.id).unwrap();
    assert!(matches!(&cancelled.state, RequestState::Cancelled { by, .. } if *by == person(3).to_string()));
    assert_eq!(vault.open_erasure_requests().await.unwrap(), []);
}

#[tokio::test]
async fn a_legal_hold_wins_and_says_since_when_and_why() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let sealed = vault.seal(&SUBJECT, b"", b"plain").await.unwrap();
    let asked = vault.request_erasure(&SUBJECT, &code("asked"), &code("basis"), &person(1)).await.unwrap();
    let first = vault.hold(&SUBJECT, &code("suit-1"), &person(3)).await.unwrap();
    assert_eq!(vault.hold(&SUBJECT, &code("suit-1"), &person(4)).await.unwrap(), first, "in force already");
    vault.hold(&SUBJECT, &code("suit-2"), &person(3)).await.unwrap();
    let refused = vault.approve_erasure(asked.id, &person(2)).await.unwrap_err();
    let Error::Held { subject, since, reasons } = &refused else { panic!("{refused}") };
    assert_eq!((*subject, *since), (SUBJECT, "2026-03-02T15:00:00Z".parse().unwrap()));
    assert_eq!(reasons.iter().collect::<std::collections::BTreeSet<_>>().len(), 2);
    assert!(refused.to_string().contains("suit-1") && refused.to_string().contains("2026-03-02T15:00:00Z"));

    assert!(vault.release(&SUBJECT, &code("suit-1"), &person(4), &code("settled")).await.unwrap());
    assert!(!vault.release(&SUBJECT, &code("suit-1"), &person(4), &code("settled")).await.unwrap());
    assert!(matches!(vault.approve_erasure(asked.id, &person(2)).await, Err(Error::Held { .. })));
    let new =
        vault.request_erasure(&Subject::filing(Uuid::from_u128(8)), &code("a"), &code("b"), &person(1)).await;
    new.expect("a hold on one subject is no hold on another");
    assert_eq!(vault.open(&SUBJECT, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));

    assert!(vault.release(&SUBJECT, &code("suit-2"), &person(4), &code("settled")).await.unwrap());
    let again = vault.hold(&SUBJECT, &code("suit-1"), &person(5)).await.unwrap();
    assert_ne!(again.id, first.id, "a hold that was released is another one when it is set again");
    assert!(vault.release(&SUBJECT, &code("suit-1"), &person(4), &code("settled")).await.unwrap());
    vault.approve_erasure(asked.id, &person(2)).await.unwrap();
    assert!(matches!(vault.hold(&SUBJECT, &code("late"), &person(3)).await, Err(Error::Erased(SUBJECT))));
    let holds = vault.holds(&SUBJECT).await.unwrap();
    assert_eq!(holds.len(), 3);
    for hold in holds {
        let (_, by, why) = hold.released.unwrap();
        assert_eq!((by, why.as_str()), (person(4).to_string(), "settled"));
    }
}

#[tokio::test]
async fn a_hold_and_an_erasure_at_once_never_both_succeed() {
    let keys = keys().await;
    let (one, two) = (vault(&keys).await, vault(&keys).await);
    for n in 0..30 {
        let subject = Subject::person(Uuid::from_u128(n));
        let asked = one.request_erasure(&subject, &code("asked"), &code("basis"), &person(1)).await.unwrap();
        let (suit, holder, approver) = (code("suit"), person(3), person(2));
        let (held, erased) =
            tokio::join!(two.hold(&subject, &suit, &holder), one.approve_erasure(asked.id, &approver));
        match (held, erased) {
            (Ok(_), Err(Error::Held { .. })) | (Err(Error::Erased(_)), Ok(_)) => {}
            (held, erased) => panic!("{n}: {held:?} and {erased:?}"),
        }
    }
}

#[tokio::test]
async fn not_even_the_owner_destroys_a_key_without_a_certificate_or_changes_what_was_recorded() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let held = Subject::filing(Uuid::from_u128(1));
    vault.hold(&held, &code("suit"), &person(1)).await.unwrap();
    vault.seal(&SUBJECT, b"", b"plain").await.unwrap();
    for refused in ["UPDATE vault.data_key SET wrapped = NULL, destroyed_at_us = 1"] {
        assert_restricted(&keys.pool, refused).await;
    }
    erase(&vault, &SUBJECT).await;
    let released = Subject::filing(Uuid::from_u128(2));
    vault.hold(&released, &code("suit"), &person(1)).await.unwrap();
    vault.release(&released, &code("suit"), &person(1), &code("over")).await.unwrap();
    for refused in [
        "UPDATE vault.data_key SET wrapped = '\\x00', destroyed_at_us = NULL WHERE wrapped IS NULL",
        "DELETE FROM vault.erasure",
        "UPDATE vault.erasure SET erased_at_us = 0",
        "TRUNCATE vault.erasure_certificate",
        "UPDATE vault.erasure_certificate SET statement = ''",
        "DELETE FROM vault.hold_release",
        "UPDATE vault.hold SET held_at_us = 0",
        "DELETE FROM vault.erasure_request",
        "UPDATE vault.erasure_request SET approved_by = 'account:x'",
        "UPDATE vault.erasure_request SET executed_at_us = NULL, approved_by = NULL",
    ] {
        assert_restricted(&keys.pool, refused).await;
    }
}

async fn assert_restricted(pool: &sqlx::PgPool, statement: &'static str) {
    let error = pool.execute(statement).await.expect_err(statement);
    let code = error.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
    assert_eq!(code.as_deref(), Some("23001"), "{statement}: {error}");
}

#[tokio::test]
async fn a_certificate_says_what_was_destroyed_and_verifies_with_the_public_key_alone() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let sealed = vault.seal(&SUBJECT, b"", b"plain").await.unwrap();
    let key_id = Uuid::from_slice(&sealed[1..17]).unwrap();
    let certificate = erase(&vault, &SUBJECT).await;
    let (id, public) = vault.certificate_public_key();
    assert_eq!(certificate.key_id, id);
    let asked = &vault.erasure_requests(&SUBJECT).await.unwrap()[0];
    let at = "2026-03-02T15:00:00Z".parse().unwrap();
    assert_eq!(
        certificate.verify(&public).unwrap(),
        Statement {
            request: asked.id,
            service: "docket".to_owned(),
            subject: SUBJECT.to_string(),
            keys: vec![key_id],
            erased_at: at,
            asked_by: person(1).to_string(),
            asked_at: at,
            approved_by: person(2).to_string(),
            reason: "asked".to_owned(),
            legal_basis: "gdpr.17.1.a".to_owned(),
            irrecoverable_on: "2026-03-10".parse().unwrap(),
        }
    );
    let replica = crate::vault(&keys).await;
    assert_eq!(replica.certificate(&SUBJECT).await.unwrap().as_ref(), Some(&certificate), "stored, same key");
    assert_eq!(replica.certificate(&Subject::filing(Uuid::nil())).await.unwrap(), None);

    for changed in [
        certificate.statement.replace("2026-03-10", "2026-03-09"),
        certificate.statement.replace("asked", "other"),
        format!("{} ", certificate.statement),
    ] {
        let changed = docket_vault::Certificate { statement: changed, ..certificate.clone() };
        assert!(matches!(changed.verify(&public), Err(Error::Altered)), "{}", changed.statement);
    }
    let stranger = crate::vault(&crate::keys().await).await.certificate_public_key().1;
    assert!(matches!(certificate.verify(&stranger), Err(Error::Altered)));
}

/// The Python program shares no code with us: Ed25519 from the text of RFC 8032.
#[tokio::test]
async fn a_stranger_verifies_a_certificate_with_a_program_of_his_own() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let certificate = erase(&vault, &SUBJECT).await;
    let (key_id, public) = vault.certificate_public_key();
    let check = |statement: &str, signature: &[u8], public: &[u8]| {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_certificate.py");
        let arguments = [statement.to_owned(), hex::encode(signature), hex::encode(public)];
        let output = Command::new("python3").arg(program).args(arguments).output().expect("python3");
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (good, said) = check(&certificate.statement, &certificate.signature, &public);
    assert!(good, "{said}");
    assert!(
        said.contains(&key_id) && said.contains(&SUBJECT.to_string()) && said.contains("2026-03-10"),
        "{said}"
    );

    let mut signature = certificate.signature;
    signature[40] ^= 1;
    let mut other = public;
    other[3] ^= 1;
    let changed = certificate.statement.replace("gdpr", "gdpx");
    for (statement, signature, public) in [
        (changed.as_str(), &certificate.signature, &public),
        (certificate.statement.as_str(), &signature, &public),
        (certificate.statement.as_str(), &certificate.signature, &other),
    ] {
        let (good, said) = check(statement, signature, public);
        assert!(!good && said.contains("not signed"), "{said}");
    }
}

#[tokio::test]
async fn holds_of_the_first_schema_are_carried_over_and_still_win() {
    let keys = docket_testkit::database("vault").await;
    for script in [
        "CREATE SCHEMA vault; CREATE TABLE vault._migrations ();",
        include_str!("../../migrations/0001_keys.sql"),
        "INSERT INTO vault.legal_hold (subject, reason, held_at_us, released_at_us) VALUES
            ('filing:00000000-0000-0000-0000-000000000007', 'Suit No. 1', 1767225600000000, NULL),
            ('filing:00000000-0000-0000-0000-000000000007', 'suit 2', 1767225600000000, 1767225700000000)",
        include_str!("../../migrations/0002_rotation_and_erasure.sql"),
    ] {
        sqlx::raw_sql(script).execute(&keys.pool).await.unwrap();
    }
    let vault = vault(&keys).await;
    let refused = vault.request_erasure(&SUBJECT, &code("asked"), &code("basis"), &person(1)).await;
    let Err(Error::Held { since, reasons, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(
        (since.to_string().as_str(), reasons),
        ("2026-01-01T00:00:00Z", vec!["earlier-suit-no-1".to_owned()])
    );
    assert_eq!(vault.holds(&SUBJECT).await.unwrap().len(), 2);
    assert!(vault.release(&SUBJECT, &code("earlier-suit-no-1"), &person(1), &code("over")).await.unwrap());
    erase(&vault, &SUBJECT).await;
}
