//! The catalogue changes under what is signed or approved and not sent: the same words stand, and whoever agreed to others is told.

use std::path::{Path, PathBuf};

use docket_kernel::deadline::office_date;
use docket_proto::events::filing::Event;
use docket_proto::filing::v1 as pb;
use jiff::{Timestamp, ToSpan as _};

use crate::client::Client;
use crate::editions::copy;
use crate::keep::{turn_to, until_written, written};
use crate::representation::consented;
use crate::world::{World, catalogue, fee_settled, reason};

const VOIDED: &str = "filing.signature_voided.v1";

/// A catalogue in which N-400 has other words in one place.
fn with_other_words(folder: &Path, were: &str, are: &str) -> PathBuf {
    let to = folder.join("catalogue");
    copy(&catalogue(), &to);
    let file = to.join("n-400.toml");
    let form = std::fs::read_to_string(&file).unwrap();
    assert!(form.contains(were), "{were}");
    std::fs::write(&file, form.replace(were, are)).unwrap();
    to
}

/// One that says something else of the form, and nothing else in what is signed.
fn same_text(folder: &Path) -> PathBuf {
    with_other_words(folder, "applies to become a U.S. citizen", "applies to become a citizen")
}

/// One with another heading in what is signed.
fn other_text(folder: &Path) -> PathBuf {
    with_other_words(folder, r#"title = "Your description""#, r#"title = "How you look""#)
}

async fn signed(ana: &Client) -> String {
    let draft = ana.start("N-400").await.unwrap().name;
    ana.make_ready(&draft).await;
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    draft
}

fn told(filing: &pb::Filing) -> Option<&str> {
    let finding = filing.findings.iter().find(|finding| finding.rule == "signature-overtaken");
    finding.map(|finding| finding.message.as_str())
}

/// Some days later, at noon, at the node that runs now.
async fn days_later(world: &World, person: &Client, days: i64) -> Client {
    let today = office_date(Timestamp::from_microsecond(world.now_us()).unwrap());
    let mut person = person.at(world.node());
    turn_to(world, &mut person, today + days.days(), 12).await;
    person
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_for_the_same_words_stands_under_another_catalogue() {
    let (mut world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = signed(&ana).await;
    let Event::FilingSigned(signature) = world.last_event(&draft).await else { panic!("no signature") };

    world.replace(same_text(folder.path())).await;
    let ana = days_later(&world, &ana, 2).await;
    let seen = ana.get(&draft).await.unwrap();
    assert_eq!((seen.state.as_str(), told(&seen)), ("signed", None));
    let payment = ana.submit(&draft).await.unwrap().payment;
    world.payment(&payment, fee_settled(&payment, &draft, world.now_us())).await;
    ana.until(&draft, "submitted").await;
    let Event::FilingSubmitted(submitted) = world.last_event(&draft).await else { panic!("it went in") };
    assert_eq!(submitted.content_mac, signature.content_mac);
    assert_eq!(submitted.catalogue_version, signature.catalogue_version, "as it was signed");
    assert_eq!(ana.copy(&draft).await.unwrap().0.content_hash, signature.content_mac);
    assert_eq!(written(&world, &draft, VOIDED).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signed_what_reads_otherwise_is_told_within_a_day_and_what_waits_for_its_fee_goes_in() {
    let (mut world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = signed(&ana).await;
    let (sent, payment) = ana.sent().await;

    // Nobody opens it.
    world.replace(other_text(folder.path())).await;
    let ana = days_later(&world, &ana, 2).await;
    until_written(&world, &draft, VOIDED, 1).await;
    let Event::SignatureVoided(voided) = world.last_event(&draft).await else { panic!("it is told") };
    assert_eq!((voided.account_id, voided.representative), (ana.account.to_string(), String::new()));
    let seen = ana.get(&draft).await.unwrap();
    assert!(seen.state == "draft" && seen.ready && seen.evidence.len() == 1, "{seen:?}");
    assert!(told(&seen).is_some_and(|words| words.contains("sign it again")), "{seen:?}");
    assert!(told(&ana.get_in(&draft, "es").await.unwrap()).is_some_and(|words| words.contains("fírmelo")));
    let refused = ana.submit(&draft).await.unwrap_err();
    assert!(reason(&refused) == "NOT_SIGNED" && refused.message().contains("reads otherwise"), "{refused:?}");

    // What was sent before stays as it was signed.
    assert_eq!(written(&world, &sent, VOIDED).await, 0);
    world.payment(&payment, fee_settled(&payment, &sent, world.now_us())).await;
    ana.until(&sent, "submitted").await;

    // Signed as it reads now, nothing more is said.
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let ana = days_later(&world, &ana, 3).await;
    let seen = ana.get(&draft).await.unwrap();
    assert_eq!((seen.state.as_str(), told(&seen)), ("signed", None));
    assert_eq!(written(&world, &draft, VOIDED).await, 1);
    ana.submit(&draft).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_approved_stands_for_the_same_words_and_ends_for_others_with_a_word_to_both() {
    let (mut world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let (obi, ana, representation) = consented(&world).await;
    let draft = obi.begin_for("N-400", &representation, "").await.unwrap().name;
    obi.make_ready(&draft).await;
    obi.quote(&draft).await.unwrap();
    obi.ask_review(&draft).await.unwrap();
    ana.approve(&draft).await.unwrap();

    world.replace(same_text(folder.path())).await;
    let ana = days_later(&world, &ana, 2).await;
    assert_eq!(ana.get(&draft).await.unwrap().review, "approved");
    ana.sign_now(&draft).await;

    let other = tempfile::tempdir().unwrap();
    world.replace(other_text(other.path())).await;
    let ana = days_later(&world, &ana, 2).await;
    until_written(&world, &draft, VOIDED, 1).await;
    let Event::SignatureVoided(voided) = world.last_event(&draft).await else { panic!("it is told") };
    let both = (ana.account.to_string(), obi.account.to_string());
    assert_eq!((voided.account_id, voided.representative), both);
    let seen = ana.get(&draft).await.unwrap();
    assert_eq!((seen.state.as_str(), seen.review.as_str()), ("draft", "none"));
    assert!(told(&seen).is_some());
}
