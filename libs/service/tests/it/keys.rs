//! The operator's commands on a service's keys, and what the configuration of their keeper refuses.

use std::path::PathBuf;

use docket_kernel::Actor;
use docket_service::{
    AwsKmsConfig, Base, Environment, KeysCommand, Rotation, ServiceConfig, migrate, run_keys,
};
use docket_vault::{Kek, Opened, Subject};
use uuid::Uuid;

use crate::bench::{MIGRATOR, Place, options};
use crate::log_admin::World;

const ARN: &str = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn kms(endpoint: &str) -> AwsKmsConfig {
    let (key_arn, endpoint) = (ARN.to_owned(), Some(endpoint.to_owned()));
    AwsKmsConfig {
        key_arn,
        endpoint,
        credentials_file: Some(PathBuf::from("nowhere")),
        profile: "default".to_owned(),
    }
}

async fn refusal(config: &ServiceConfig) -> String {
    match Base::connect(config, options()).await {
        Ok(_) => panic!("the service started"),
        Err(error) => format!("{error:#}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_replaces_the_keys_of_a_running_service() {
    let place = Place::new("payments").await;
    let before = place.config("payments").await;
    let running = Base::connect(&before, options()).await.unwrap();
    let subject = Subject::filing(Uuid::from_u128(1));
    let sealed = running.vault.seal(&subject, b"", b"plain").await.unwrap();

    let mut config = before.clone();
    let keys = config.keys_database.as_mut().unwrap();
    let new = keys.kek_file.as_ref().unwrap().with_file_name("new_kek");
    std::fs::write(&new, Kek::generate().unwrap().as_bytes()).unwrap();
    keys.previous_kek_files = keys.kek_file.replace(new).into_iter().collect();
    run_keys(&config, "payments", KeysCommand::Rotate { which: Rotation::All, batch: 10 }).await.unwrap();
    run_keys(&config, "payments", KeysCommand::Status { json: true }).await.unwrap();
    run_keys(&config, "payments", KeysCommand::Scrub).await.unwrap();

    // The old key can go now; who runs goes on, who starts with the old one alone is told.
    config.keys_database.as_mut().unwrap().previous_kek_files.clear();
    let after = Base::connect(&config, options()).await.unwrap();
    for base in [&running, &after] {
        assert_eq!(base.vault.open(&subject, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));
    }
    let wrapping = after.vault.key_status().await.unwrap();
    assert_eq!(wrapping.iter().filter(|one| one.destroyed_at.is_none()).count(), 3);
    assert!(wrapping.iter().any(|one| one.key.version == 2 && one.data_keys == 1), "{wrapping:?}");
    assert!(refusal(&before).await.contains("is wrapped under"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_came_back_with_a_backup_are_destroyed_again_but_for_those_that_are_held() {
    let world = World::start().await;
    let (own, keys) = (docket_testkit::database("payments").await, docket_testkit::database("keys").await);
    let place = &world.place;
    place.bench.set_peer("identity", world.address());
    let config = place.bench.config("payments", &own.url, Some(&keys.url), &place.nats.url);
    migrate(&config, &MIGRATOR).await.unwrap();
    // The service does not run, so nothing carries out what identity ordered: as if its checkpoint were past it.
    let base = Base::connect(&config, options()).await.unwrap();
    let subjects = [1, 2, 3].map(|number| Subject::filing(Uuid::from_u128(number)));
    let [ordered, held, kept] = &subjects;
    let mut sealed = Vec::new();
    for subject in &subjects {
        sealed.push(base.vault.seal(subject, b"", b"plain").await.unwrap());
    }
    let by = Actor::account(Uuid::from_u128(5));
    base.vault.hold(held, &"court-order".parse().unwrap(), &by).await.unwrap();
    for (subject, request) in [(ordered, 71), (held, 72)] {
        world.order_erasure(Uuid::from_u128(request), &subject.to_string()).await;
    }
    for _again in 0..2 {
        run_keys(&config, "payments", KeysCommand::EraseAgain).await.unwrap();
    }
    let after = Base::connect(&config, options()).await.unwrap();
    let plain = Opened::Plain(b"plain".to_vec());
    for ((subject, sealed), expected) in
        [ordered, held, kept].into_iter().zip(&sealed).zip([&Opened::Erased, &plain, &plain])
    {
        assert_eq!(after.vault.open(subject, b"", sealed).await.unwrap(), *expected, "{subject}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_is_not_one_or_not_safe_is_refused() {
    let place = Place::new("payments").await;
    let mut config = place.config("payments").await;
    config.clock_offset_file = None;
    config.keys_database.as_mut().unwrap().aws_kms = Some(kms("https://127.0.0.1:1"));
    assert!(refusal(&config).await.contains("one of kek_file and aws_kms"));
    config.keys_database.as_mut().unwrap().kek_file = None;
    assert!(refusal(&config).await.contains("nowhere"), "the credentials file is named");
    config.keys_database.as_mut().unwrap().aws_kms = Some(kms("http://127.0.0.1:1"));
    config.environment = Environment::Production;
    assert!(refusal(&config).await.contains("not https"));
}
