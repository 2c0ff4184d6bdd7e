//! Sealed objects: what goes in comes out, unless its subject was erased; nothing lies open on the disk.

use docket_kernel::Actor;
use docket_service::{ApiError, Base};
use docket_vault::Subject;
use uuid::Uuid;

use crate::bench::{Place, options};

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_sealed_streamed_and_erased() {
    let place = Place::new("payments").await;
    let config = place.config("payments").await;
    let base = Base::connect(&config, options()).await.unwrap();
    let subject = Subject::filing(Uuid::from_u128(1));
    let canary = b"Garcia Lopez, 12 Elm Street".repeat(40_000);

    let mut writer = base.objects.write(&subject).await.unwrap();
    for piece in canary.chunks(100_000) {
        writer.push(piece).await.unwrap();
    }
    assert_eq!(writer.bytes(), canary.len() as u64);
    let name = writer.finish().await.unwrap();
    assert_eq!(base.objects.get(&subject, &name).await.unwrap().as_deref(), Some(canary.as_slice()));

    let file = config.data_dir.join("objects").join(&name[..2]).join(&name);
    let sealed = std::fs::read(&file).unwrap();
    assert!(!sealed.windows(6).any(|window| window == b"Garcia"));
    // Altered or cut off: never given as if it were whole.
    std::fs::write(&file, &sealed[..sealed.len() - 1]).unwrap();
    assert!(matches!(base.objects.get(&subject, &name).await, Err(ApiError::Internal(_))));
    std::fs::write(&file, &sealed).unwrap();
    assert!(base.objects.get(&Subject::filing(Uuid::from_u128(2)), &name).await.is_err());

    let code = "asked".parse().unwrap();
    let [asker, approver] = [1, 2].map(|n| Actor::account(Uuid::from_u128(n)));
    let request = base.vault.request_erasure(&subject, &code, &code, &asker).await.unwrap();
    base.vault.approve_erasure(request.id, &approver).await.unwrap();
    assert_eq!(base.objects.get(&subject, &name).await.unwrap(), None);
    base.objects.delete(&name).await.unwrap();
    base.objects.delete(&name).await.unwrap();
    let gone = base.objects.get(&subject, &name).await.unwrap_err();
    assert_eq!(tonic::Status::from(gone).code(), tonic::Code::NotFound);
    let empty = base.objects.put(&Subject::filing(Uuid::from_u128(3)), b"").await.unwrap();
    let read = base.objects.get(&Subject::filing(Uuid::from_u128(3)), &empty).await.unwrap();
    assert_eq!(read.as_deref(), Some(&[][..]));
}
