//! Personal fields: sealed, opened at the edge, erased.

use docket_eventlog::{Append, Appended, Error, Expected, StreamAppend, Subjects};
use docket_proto::events::account::Event;

use super::fixture::Fixture;
use crate::world::{id, registered};

fn registering<F: Fixture>(f: &F, command: u128, subjects: Subjects) -> Append {
    let events = [registered()];
    f.command(command, vec![StreamAppend::of(f.stream(1), Expected::Any, subjects, &events)])
}

async fn register<F: Fixture>(f: &F) -> Appended {
    f.append(registering(f, 1, Subjects::account(id(1)))).await.unwrap()
}

async fn erase<F: Fixture>(f: &F) {
    crate::world::erase(f.log().vault(), 1).await;
}

pub(super) async fn personal_fields_are_not_in_the_record<F: Fixture>(f: &F) {
    let stored = register(f).await.events[0].to_stored();
    assert!(!stored.windows(3).any(|window| window == b"ana"));
    let Event::AccountRegistered(folded) = f.all().await[0].decode::<Event>().unwrap() else {
        panic!("another event")
    };
    assert_eq!((folded.email.as_str(), folded.language.as_str()), ("", "en"));
}

pub(super) async fn personal_fields_come_back_when_opened<F: Fixture>(f: &F) {
    register(f).await;
    assert_eq!(f.log().open_event::<Event>(&f.all().await[0]).await.unwrap(), registered());
}

pub(super) async fn personal_data_of_nobody_is_refused<F: Fixture>(f: &F) {
    let refused = f.append(registering(f, 1, Subjects::NONE)).await;
    assert!(matches!(refused, Err(Error::SubjectMissing { .. })));
}

pub(super) async fn an_erased_subject_reads_erased<F: Fixture>(f: &F) {
    let event = register(f).await.events.remove(0);
    let before = event.decode::<Event>().unwrap();
    erase(f).await;
    let opened = f.log().open_payload(&event).await.unwrap();
    assert!(opened.is_erased());
    assert_eq!(opened.decode::<Event>(&event.kind).unwrap(), before, "the fold sees what it saw");
}

pub(super) async fn after_an_erasure_nothing_more_can_be_sealed<F: Fixture>(f: &F) {
    register(f).await;
    erase(f).await;
    let refused = f.append(registering(f, 2, Subjects::account(id(1)))).await;
    assert!(matches!(refused, Err(Error::Erased)));
    f.write(3, 1, 1).await;
}

pub(super) async fn an_erasure_changes_no_record<F: Fixture>(f: &F) {
    register(f).await;
    let before = f.all().await;
    erase(f).await;
    assert_eq!(f.all().await, before);
}
