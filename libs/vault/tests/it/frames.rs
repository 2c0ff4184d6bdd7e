//! Large objects in frames.

use docket_vault::{Error, FRAME_BYTES, Subject, Vault};
use uuid::Uuid;

use crate::{erase, keys, vault};

const SUBJECT: Subject = Subject::filing(Uuid::from_u128(1));
const HEADER: usize = 17;
const SEALED_FRAME: usize = FRAME_BYTES + 28;

fn plain(length: usize) -> Vec<u8> {
    (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

async fn seal(vault: &Vault, plain: &[u8], piece: usize) -> Vec<u8> {
    let mut writer = vault.seal_object(&SUBJECT, "object").await.unwrap();
    let mut sealed = Vec::new();
    for piece in plain.chunks(piece) {
        sealed.extend(writer.push(piece).unwrap());
    }
    sealed.extend(writer.finish().unwrap());
    sealed
}

async fn open(vault: &Vault, object: &str, sealed: &[u8], piece: usize) -> Result<Vec<u8>, Error> {
    let mut reader = vault.open_object(&SUBJECT, object, sealed).await?.expect("the subject is not erased");
    let mut plain = Vec::new();
    for piece in sealed.chunks(piece) {
        plain.extend(reader.push(piece)?);
    }
    plain.extend(reader.finish()?);
    Ok(plain)
}

#[tokio::test]
async fn objects_of_every_size_come_back_however_they_are_cut() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    assert_eq!(FRAME_BYTES, 262_144, "it is the form of what is stored");
    for length in [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES, 3 * FRAME_BYTES + 7]
    {
        for piece in [10_007, FRAME_BYTES, 5 * FRAME_BYTES] {
            let plain = plain(length);
            let sealed = seal(&vault, &plain, piece).await;
            let frames = length.div_ceil(FRAME_BYTES).max(1);
            assert_eq!(sealed.len(), HEADER + length + frames * 28, "{length} in pieces of {piece}");
            assert!(open(&vault, "object", &sealed, piece).await.unwrap() == plain, "{length} by {piece}");
        }
    }
}

#[tokio::test]
async fn frames_cannot_be_swapped_dropped_cut_off_or_moved() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let sealed = seal(&vault, &plain(2 * FRAME_BYTES + 100), FRAME_BYTES).await;
    let frame = |n: usize| sealed[HEADER + n * SEALED_FRAME..].chunks(SEALED_FRAME).next().unwrap();
    let header = &sealed[..HEADER];
    for (what, bytes) in [
        ("swapped", [header, frame(1), frame(0), frame(2)].concat()),
        ("dropped", [header, frame(0), frame(2)].concat()),
        ("cut off after a frame", [header, frame(0), frame(1)].concat()),
        ("cut off in a frame", sealed[..sealed.len() - 1].to_vec()),
        ("the header alone", header.to_vec()),
        ("repeated", [header, frame(0), frame(0), frame(2)].concat()),
    ] {
        assert!(matches!(open(&vault, "object", &bytes, 1 << 20).await, Err(Error::Altered)), "{what}");
    }
    assert!(matches!(open(&vault, "another", &sealed, 1 << 20).await, Err(Error::Altered)));
}

#[tokio::test]
async fn an_erased_subject_has_no_objects() {
    let keys = keys().await;
    let vault = vault(&keys).await;
    let sealed = seal(&vault, b"plain", 10).await;
    erase(&vault, &SUBJECT).await;
    assert!(vault.open_object(&SUBJECT, "object", &sealed).await.unwrap().is_none());
    assert!(matches!(vault.seal_object(&SUBJECT, "object").await, Err(Error::Erased(_))));
}
