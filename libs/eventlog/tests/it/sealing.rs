//! Personal data in the log: sealed, opened at the edge, erased.

use docket_eventlog::{Error, Expected, Opened, Recorded, StreamAppend, Subjects};
use docket_kernel::EventEnum;
use docket_proto::events::account::Event;

use crate::world::{World, context, id, proven, registered, stream};

async fn register(world: &World) -> Recorded {
    let append = StreamAppend::of(
        stream(1),
        Expected::Version(0),
        Subjects::account(id(1)),
        &[registered(), proven()],
    );
    let appended = world.log.append(context(1).append(&world.log, vec![append])).await.unwrap();
    appended.events[0].clone()
}

#[tokio::test]
async fn personal_fields_are_sealed_and_come_back_when_opened() {
    let world = World::new().await;
    let event = register(&world).await;
    let Event::AccountRegistered(folded) = event.decode::<Event>().unwrap() else { panic!("{}", event.kind) };
    assert_eq!((folded.email.as_str(), folded.language.as_str()), ("", "en"), "folds never see plain text");
    assert_eq!(event.sealed.len(), 1);
    assert!(!event.to_stored().windows(3).any(|window| window == b"ana"));
    assert_eq!(world.log.open_event::<Event>(&event).await.unwrap(), registered());
    let mut opened = registered().encode();
    opened.sort_unstable();
    let Opened::Plain(mut whole) = world.log.open_payload(&event).await.unwrap() else { panic!("erased") };
    whole.sort_unstable();
    assert_eq!(whole, opened, "the same bytes, fields in another order");
    let published = Recorded::from_stored(&event.to_stored()).unwrap();
    assert_eq!(published, event);
}

#[tokio::test]
async fn an_erased_subject_reads_erased_and_the_fold_and_the_chain_go_on() {
    let world = World::new().await;
    let event = register(&world).await;
    let before = event.decode::<Event>().unwrap();
    world.erase(1).await;

    let opened = world.log.open_payload(&event).await.unwrap();
    assert!(opened.is_erased());
    assert_eq!(opened.decode::<Event>(&event.kind).unwrap(), before, "the rest is still there");
    let all = world.sound().await;
    assert_eq!(all[0].decode::<Event>().unwrap(), before);

    let again = StreamAppend::of(stream(2), Expected::Any, Subjects::account(id(1)), &[registered()]);
    let refused = world.log.append(context(2).append(&world.log, vec![again])).await;
    assert!(matches!(refused, Err(Error::Erased)));
    let without = StreamAppend::of(stream(1), Expected::Version(2), Subjects::NONE, &[proven()]);
    world.log.append(context(3).append(&world.log, vec![without])).await.unwrap();
    assert_eq!(world.sound().await.len(), 3);
}

#[tokio::test]
async fn a_sealed_part_opens_in_its_own_event_only() {
    let world = World::new().await;
    let event = register(&world).await;
    for moved in [
        Recorded { stream: stream(2), ..event.clone() },
        Recorded { event_id: id(7), ..event.clone() },
        Recorded { kind: "account.email_proven.v1".to_owned(), ..event.clone() },
        Recorded { log: "filing".to_owned(), ..event.clone() },
    ] {
        let refused = world.log.open_payload(&moved).await;
        assert!(matches!(refused, Err(Error::Vault(docket_vault::Error::Altered))));
    }
}

#[tokio::test]
async fn personal_data_of_nobody_is_refused() {
    let world = World::new().await;
    let append = StreamAppend::of(stream(1), Expected::Any, Subjects::filing(id(1)), &[registered()]);
    let refused = world.log.append(context(1).append(&world.log, vec![append])).await;
    assert!(matches!(refused, Err(Error::SubjectMissing { kind, .. }) if kind == "account.registered.v1"));
    assert_eq!(world.sound().await.len(), 0);
}
