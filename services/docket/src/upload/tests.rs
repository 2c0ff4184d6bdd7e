//! What is sent, from where it goes on, and how long it is tried: by themselves, and against a service that stumbles.
mod service;

use super::*;
use service::{Service, Stumble, refused};
use std::sync::Mutex;

fn outgoing(foreign_language: bool) -> Outgoing {
    Outgoing {
        path: PathBuf::from("card.pdf"),
        kind: "green_card".into(),
        file_name: "card.pdf".into(),
        foreign_language,
        size: 10,
        sha256: [7; 32],
    }
}

fn upload(name: &str, size: u64, offset: u64) -> pb::Upload {
    let (kind, file_name) = ("green_card".into(), "card.pdf".into());
    pb::Upload { name: name.into(), kind, file_name, size, offset, ..pb::Upload::default() }
}

#[test]
fn a_portion_is_its_place_and_chunks_with_their_checksums() {
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(pb::UploadChunk::MOST_BYTES + 9).collect();
    let at = pb::Upload { turn: 3, ..upload("uploads/a", 999, 5) };
    let parts: Vec<Part> = messages(&at, &bytes).into_iter().filter_map(|message| message.part).collect();
    let [Part::Place(place), Part::Chunk(first), Part::Chunk(last)] = &parts[..] else {
        panic!("{} parts", parts.len())
    };
    assert_eq!((place.name.as_str(), place.turn, place.offset), ("uploads/a", 3, 5));
    assert_eq!((first.bytes.len(), last.bytes.len()), (256 * 1024, 9));
    assert!([&first.bytes[..], &last.bytes[..]].concat() == bytes);
    // RFC 3720, appendix B.4: 32 bytes of zeroes.
    let Some(Part::Chunk(zeroes)) = messages(&at, &[0; 32])[1].part.clone() else { panic!("a chunk") };
    assert_eq!(zeroes.crc32c, 0x8a91_36aa);
}

#[test]
fn a_file_is_read_from_where_the_service_has_it() {
    let paper = Paper::of(&bytes());
    let path = paper.0.clone();
    let file = Outgoing::look(&path, "green_card", false).unwrap();
    assert_eq!((file.size, file.sha256), (bytes().len() as u64, Sha256::digest(bytes()).into()));
    let mut read = Vec::new();
    while (read.len() as u64) < file.size {
        read.extend(file.portion(read.len() as u64).unwrap());
    }
    assert!(read == bytes());
    assert!(file.portion(file.size + 1).unwrap().is_empty());
    drop(paper);
    let missing = Outgoing::look(&path, "green_card", false).unwrap_err();
    assert!(missing.to_string().contains("docket upload"), "the file is named: {missing}");
    let folder = Outgoing::look(&std::env::temp_dir(), "green_card", false).unwrap_err();
    assert!(folder.to_string().contains("not a file"), "{folder}");
}

#[test]
fn the_same_file_is_announced_as_the_same_upload() {
    let id = |file: &Outgoing, parent| file.announcement(parent).header.unwrap().request_id;
    let one = id(&outgoing(false), "filings/a");
    assert_eq!(one, id(&outgoing(false), "filings/a"));
    let others = [
        id(&outgoing(false), "filings/b"),
        id(&outgoing(true), "filings/a"),
        id(&Outgoing { sha256: [8; 32], ..outgoing(false) }, "filings/a"),
        id(&Outgoing { kind: "passport".into(), ..outgoing(false) }, "filings/a"),
        id(&Outgoing { file_name: "card (2).pdf".into(), ..outgoing(false) }, "filings/a"),
    ];
    assert!(others.iter().all(|other| *other != one));
}

#[test]
fn it_goes_on_with_the_furthest_of_the_same() {
    let other_kind = pb::Upload { kind: "passport".into(), ..upload("uploads/kind", 10, 9) };
    let other_name = pb::Upload { file_name: "b.pdf".into(), ..upload("uploads/name", 10, 9) };
    let near = upload("uploads/near", 10, 2);
    let far = upload("uploads/far", 10, 8);
    let listed = vec![other_kind, far.clone(), other_name, near, upload("uploads/size", 11, 9)];
    assert_eq!(outgoing(false).waiting(listed.clone()), Some(far));
    assert_eq!(outgoing(true).waiting(listed.clone()), None, "announced as English");
    assert_eq!(Outgoing { size: 12, ..outgoing(false) }.waiting(listed), None);
}

#[test]
fn patience_has_pauses_that_grow_to_a_bound_and_an_end() {
    let mut patience = Patience::new();
    let pauses: Vec<Duration> = std::iter::from_fn(|| patience.pause()).collect();
    assert_eq!(pauses[..3], [500, 1_000, 2_000].map(Duration::from_millis));
    assert!(pauses.is_sorted() && pauses.last() == Some(&Patience::LONGEST));
    let whole: Duration = pauses.iter().sum();
    assert!(whole <= Patience::WHOLE && whole + Patience::LONGEST > Patience::WHOLE, "{whole:?}");
    assert_eq!(patience.pause(), None, "it does not come back by itself");
}

#[test]
fn only_what_may_pass_is_gone_on_with() {
    let cut = [Code::Unavailable, Code::Unknown, Code::DeadlineExceeded];
    assert!(cut.into_iter().all(|code| goes_on(&Status::new(code, "cut"))));
    assert!(goes_on(&refused(Code::FailedPrecondition, "OFFSET_DIFFERS")));
    assert!(goes_on(&refused(Code::InvalidArgument, "CHUNK_DAMAGED")));
    assert!(!goes_on(&refused(Code::FailedPrecondition, "CONTINUED_ELSEWHERE")));
    assert!(!goes_on(&refused(Code::InvalidArgument, "MORE_THAN_ANNOUNCED")));
}

/// A file that is gone with this.
struct Paper(PathBuf);

impl Paper {
    fn of(bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("docket upload {}", Uuid::now_v7()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Paper {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

/// A run of the program that attaches a file; gives what came of it, and what was told meanwhile.
async fn attach(service: &Service, paper: &Paper) -> (Result<pb::Evidence, Status>, Vec<Way>) {
    let file = Outgoing::look(&paper.0, "green_card", false).unwrap();
    let told = Mutex::new(Vec::new());
    let uploader = Uploader {
        client: service.client().await,
        token: async || Ok("token".to_owned()),
        tell: |way| told.lock().unwrap().push(way),
    };
    let attached = uploader.attach("filings/a", &file).await;
    (attached, told.into_inner().unwrap())
}

/// More than two portions.
fn bytes() -> Vec<u8> {
    (0..=u8::MAX).cycle().take(2 * 1024 * 1024 + 3).collect()
}

#[tokio::test]
async fn a_file_arrives_whole_over_a_line_that_is_cut() {
    let no_scanner = refused(Code::Unavailable, "SCANNER_UNAVAILABLE");
    let service = Service::with(&[Stumble::Cut, Stumble::OtherOffset, Stumble::Damage], &[no_scanner]);
    let (attached, told) = attach(&service, &Paper::of(&bytes())).await;
    assert_eq!(attached.unwrap().size, bytes().len() as u64);
    let state = service.state();
    assert!(state.bytes == bytes(), "byte for byte");
    assert_eq!(state.turn, 4, "a turn for each time that it was gone on with");
    assert!(
        state.finished.len() == 2 && state.finished[0] == state.finished[1],
        "finished by one request id"
    );
    let sent: Vec<u64> = told
        .iter()
        .filter_map(|way| match way {
            Way::Sent(sent, _) => Some(*sent),
            Way::Waits(_) => None,
        })
        .collect();
    assert!(sent.is_sorted() && sent.last() == Some(&(bytes().len() as u64)), "{sent:?}");
    assert_eq!(told.len() - sent.len(), 4, "each wait is told: {told:?}");
}

#[tokio::test]
async fn a_later_run_goes_on_where_an_earlier_one_stopped() {
    let service = Service::with(&[Stumble::None, Stumble::Elsewhere], &[]);
    let paper = Paper::of(&bytes());
    let (stopped, _) = attach(&service, &paper).await;
    assert_eq!(reason(&stopped.unwrap_err()), "CONTINUED_ELSEWHERE", "it is not taken back unasked");
    let (attached, told) = attach(&service, &paper).await;
    attached.unwrap();
    assert_eq!(told[0], Way::Sent(PORTION, bytes().len() as u64));
    let state = service.state();
    assert!(state.bytes == bytes(), "byte for byte");
    assert_eq!((state.announced.len(), state.turn), (1, 2), "announced once, gone on with once");
}

#[tokio::test]
async fn what_waits_there_of_another_content_is_begun_anew() {
    let service = Service::with(&[Stumble::None, Stumble::Elsewhere], &[]);
    let paper = Paper::of(&bytes());
    let (stopped, _) = attach(&service, &paper).await;
    assert!(stopped.is_err());
    let other = vec![9; bytes().len()];
    std::fs::write(&paper.0, &other).unwrap();
    let (attached, _) = attach(&service, &paper).await;
    attached.unwrap();
    let state = service.state();
    assert!(state.bytes == other, "byte for byte");
    assert_eq!(state.announced.len(), 2);
    assert_ne!(state.announced[0].header, state.announced[1].header, "with a request id of its own");
}

#[tokio::test]
async fn a_file_that_is_refused_is_not_kept_waiting() {
    let service = Service::with(&[], &[refused(Code::FailedPrecondition, "ALREADY_ATTACHED")]);
    let (refused, told) = attach(&service, &Paper::of(&bytes())).await;
    assert_eq!(reason(&refused.unwrap_err()), "ALREADY_ATTACHED");
    assert!(service.state().cancelled, "{told:?}");
}
