//! Erasures that were decided in another service, and the daily scrub.

use docket_kernel::ManualClock;
use docket_vault::{
    Answered, Completion, ErasureOrder, Error, Expiry, Kek, Opened, RequestState, Subject, Vault,
};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::{KEK, code, keys, person, vault};

const SUBJECT: Subject = Subject::filing(Uuid::from_u128(7));

fn order() -> ErasureOrder {
    ErasureOrder {
        request: Uuid::from_u128(70),
        subject: SUBJECT,
        reason: code("asked"),
        legal_basis: code("gdpr.17.1.a"),
        asked_by: person(1).to_string(),
        asked_at: "2026-03-01T15:00:00Z".parse().unwrap(),
        approved_by: person(2).to_string(),
    }
}

#[tokio::test]
async fn an_order_is_carried_out_once_and_certified_in_the_names_of_those_who_decided() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let sealed = vault.seal(&SUBJECT, b"", b"plain").await.unwrap();
    let own = vault.request_erasure(&SUBJECT, &code("asked"), &code("basis"), &person(5)).await.unwrap();
    let certificate = vault.carry_out(&order()).await.unwrap();
    assert_eq!(vault.open(&SUBJECT, b"", &sealed).await.unwrap(), Opened::Erased);
    let statement = certificate.verify(&vault.certificate_public_key().1).unwrap();
    assert_eq!((statement.request, statement.subject), (Uuid::from_u128(70), SUBJECT.to_string()));
    assert_eq!((statement.asked_by, statement.approved_by), (person(1).to_string(), person(2).to_string()));
    assert_eq!(vault.carry_out(&order()).await.unwrap(), certificate, "asked twice, done once");
    let later = ErasureOrder { request: Uuid::from_u128(71), ..order() };
    assert_eq!(vault.carry_out(&later).await.unwrap(), certificate, "what is erased stays so");
    let overtaken = vault.erasure_request(own.id).await.unwrap().unwrap();
    assert!(matches!(overtaken.state, RequestState::Cancelled { .. }));
    let executed = vault.erased_after((0, Uuid::nil()), 10).await.unwrap();
    assert_eq!(executed.iter().map(|request| request.id).collect::<Vec<_>>(), [Uuid::from_u128(70)]);
    let after = (executed[0].asked_at.as_microsecond() + 86_400_000_000, Uuid::from_u128(70));
    assert_eq!(vault.erased_after(after, 10).await.unwrap(), []);
}

/// The keys of whoever asked came back with a backup from between the request and its approval.
#[tokio::test]
async fn an_order_whose_own_request_is_open_here_carries_that_out() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let sealed = vault.seal(&SUBJECT, b"", b"plain").await.unwrap();
    let asked = vault.request_erasure(&SUBJECT, &code("asked"), &code("basis"), &person(1)).await.unwrap();
    vault.carry_out(&ErasureOrder { request: asked.id, ..order() }).await.unwrap();
    assert_eq!(vault.open(&SUBJECT, b"", &sealed).await.unwrap(), Opened::Erased);
    let executed = vault.erasure_request(asked.id).await.unwrap().unwrap();
    assert!(matches!(executed.state, RequestState::Executed { by, .. } if by == person(2).to_string()));
}

#[tokio::test]
async fn an_order_for_somebody_without_a_key_leaves_none_to_be_made() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    vault.carry_out(&order()).await.unwrap();
    assert!(matches!(vault.seal(&SUBJECT, b"", b"late").await, Err(Error::Erased(SUBJECT))));
}

#[tokio::test]
async fn a_hold_here_wins_over_an_order_from_elsewhere_until_it_is_released() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let sealed = vault.seal(&SUBJECT, b"", b"plain").await.unwrap();
    vault.hold(&SUBJECT, &code("suit-1"), &person(3)).await.unwrap();
    assert!(matches!(vault.carry_out(&order()).await, Err(Error::Held { .. })));
    assert_eq!(vault.open(&SUBJECT, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));
    vault.release(&SUBJECT, &code("suit-1"), &person(3), &code("settled")).await.unwrap();
    vault.carry_out(&order()).await.unwrap();
    assert_eq!(vault.open(&SUBJECT, b"", &sealed).await.unwrap(), Opened::Erased);
}

#[tokio::test]
async fn a_rule_ends_a_filings_key_once_unless_it_is_held_and_nobody_elses() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let sealed = vault.seal(&SUBJECT, b"", b"plain").await.unwrap();
    let expiry = |subject: Subject, request: u128| Expiry {
        request: Uuid::from_u128(request),
        subject,
        rule: code("draft.keep"),
        asked_by: "machine:keep_draft".to_owned(),
        asked_at: "2026-03-01T15:00:00Z".parse().unwrap(),
    };
    vault.hold(&SUBJECT, &code("suit-1"), &person(3)).await.unwrap();
    assert!(matches!(vault.expire(&expiry(SUBJECT, 90)).await, Err(Error::Held { .. })));
    assert_eq!(vault.open(&SUBJECT, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));
    vault.release(&SUBJECT, &code("suit-1"), &person(3), &code("settled")).await.unwrap();
    let certificate = vault.expire(&expiry(SUBJECT, 90)).await.unwrap();
    let statement = certificate.verify(&vault.certificate_public_key().1).unwrap();
    assert_eq!(
        (statement.approved_by.as_str(), statement.reason.as_str()),
        ("rule:draft.keep", "draft.keep")
    );
    assert_eq!(vault.open(&SUBJECT, b"", &sealed).await.unwrap(), Opened::Erased);
    assert_eq!(vault.expire(&expiry(SUBJECT, 90)).await.unwrap(), certificate, "asked twice, done once");

    let account = Subject::account(Uuid::from_u128(8));
    let sealed = vault.seal(&account, b"", b"plain").await.unwrap();
    assert!(
        matches!(vault.expire(&expiry(account, 91)).await, Err(Error::Database(_))),
        "a rule is for filings"
    );
    assert_eq!(vault.open(&account, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));
}

#[tokio::test]
async fn an_order_that_no_two_people_decided_is_refused() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let alone = ErasureOrder { approved_by: person(1).to_string(), ..order() };
    assert!(matches!(vault.carry_out(&alone).await, Err(Error::SamePerson)));
    let program = ErasureOrder { approved_by: "machine:retention".to_owned(), ..order() };
    assert!(matches!(vault.carry_out(&program).await, Err(Error::NotAPerson)));
    vault.seal(&SUBJECT, b"", b"plain").await.unwrap();
}

#[tokio::test]
async fn a_completion_is_no_statement_and_the_other_way_round() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let one = vault.carry_out(&order()).await.unwrap();
    let public = vault.certificate_public_key().1;
    let completion = Completion {
        request: order().request,
        subject: SUBJECT.to_string(),
        certificates: vec![Answered {
            service: "filing".to_owned(),
            statement: one.statement.clone(),
            key_id: one.key_id.clone(),
            signature: "00".to_owned(),
        }],
        irrecoverable_on: one.verify(&public).unwrap().irrecoverable_on,
    };
    let all = vault.certify_completion(&completion);
    assert_eq!(all.verify_completion(&public).unwrap(), completion);
    assert!(matches!(all.verify(&public), Err(Error::Altered)));
    assert!(matches!(one.verify_completion(&public), Err(Error::Altered)));
    let mut spoilt = all.clone();
    spoilt.statement = spoilt.statement.replace("filing", "filinG");
    assert!(matches!(spoilt.verify_completion(&public), Err(Error::Altered)));
}

#[tokio::test]
async fn the_tables_of_keys_are_written_anew_once_a_day() {
    let keys = keys().await;
    let clock = ManualClock::shared("2026-03-02T15:00:00Z".parse().unwrap());
    let vault = Vault::connect(keys.pool.clone(), Kek::from_hex(KEK).unwrap(), clock.clone()).await.unwrap();
    assert!(vault.scrub_when_due().await.unwrap(), "never done yet");
    assert!(!vault.scrub_when_due().await.unwrap());
    clock.advance(SignedDuration::from_hours(23));
    assert!(!vault.scrub_when_due().await.unwrap());
    clock.advance(SignedDuration::from_hours(1));
    assert!(vault.scrub_when_due().await.unwrap());
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM vault.scrub").fetch_one(&keys.pool).await.unwrap();
    assert_eq!(left, 2);
}
