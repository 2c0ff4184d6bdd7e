//! Files that arrive in pieces: cut lines, two devices, two nodes; what was acknowledged is there, once.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::send_upload_request::Part;
use docket_proto::filing::v1::upload_service_client::UploadServiceClient;
use docket_service::testing::{Running, with_token};
use docket_testkit::chance;
use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::client::Client;
use crate::files;
use crate::world::{GLANCE, PATIENCE, World, bad_fields, reason};

const LIMIT: usize = 12 * 1024 * 1024;
const WEEK_S: i64 = 7 * 86_400;

/// One device of a person, at one node.
#[derive(Clone)]
pub(crate) struct Device {
    client: UploadServiceClient<Channel>,
    token: String,
}

impl Device {
    pub(crate) fn new(channel: Channel, token: &str) -> Self {
        Self { client: UploadServiceClient::new(channel), token: token.to_owned() }
    }

    pub(crate) async fn begin(
        &self,
        command: Uuid,
        parent: &str,
        bytes: &[u8],
    ) -> Result<pb::Upload, Status> {
        let header = pb::UploadHeader {
            request_id: command.to_string(),
            parent: parent.into(),
            kind: "green_card".into(),
            file_name: "card (front).png".into(),
            foreign_language: false,
        };
        self.announce(header, bytes.len() as u64, digest(&SHA256, bytes).as_ref()).await
    }

    async fn announce(
        &self,
        header: pb::UploadHeader,
        size: u64,
        sha256: &[u8],
    ) -> Result<pb::Upload, Status> {
        let request = pb::BeginUploadRequest { header: Some(header), size, sha256: sha256.to_vec() };
        let answer = self.client.clone().begin_upload(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().upload.expect("an upload"))
    }

    /// Sends bytes with the turn and at the offset of `upload`.
    pub(crate) async fn send(&self, upload: &pb::Upload, chunks: Vec<Vec<u8>>) -> Result<pb::Upload, Status> {
        let parts = std::iter::once(place(upload)).chain(chunks.iter().map(|bytes| chunk(bytes)));
        self.send_parts(parts.collect()).await
    }

    async fn send_parts(&self, parts: Vec<pb::SendUploadRequest>) -> Result<pb::Upload, Status> {
        let request = with_token(futures::stream::iter(parts), &self.token);
        let answer = self.client.clone().send_upload(request).await?;
        Ok(answer.into_inner().upload.expect("an upload"))
    }

    /// Sends bytes, and is gone without an end.
    async fn send_and_vanish(&self, upload: &pb::Upload, bytes: &[u8]) {
        let (parts, stream) = mpsc::channel(1);
        let request = with_token(ReceiverStream::new(stream), &self.token);
        let mut client = self.client.clone();
        let call = tokio::spawn(async move { client.send_upload(request).await });
        parts.send(place(upload)).await.ok();
        for bytes in bytes.chunks(64 * 1024) {
            parts.send(chunk(bytes)).await.ok();
        }
        // The last is taken over by the connection when there is room for another. That says nothing of what has arrived, but
        // for this: no more than the windows of the connection is ever on the way.
        parts.reserve().await.map(drop).ok();
        call.abort();
    }

    pub(crate) async fn resume(&self, name: &str) -> Result<pb::Upload, Status> {
        let request = with_token(pb::ResumeUploadRequest { name: name.into() }, &self.token);
        Ok(self.client.clone().resume_upload(request).await?.into_inner().upload.expect("an upload"))
    }

    async fn list(&self, parent: &str) -> Result<Vec<pb::Upload>, Status> {
        let request = with_token(pb::ListUploadsRequest { parent: parent.into() }, &self.token);
        Ok(self.client.clone().list_uploads(request).await?.into_inner().uploads)
    }

    pub(crate) async fn finish(&self, command: Uuid, name: &str) -> Result<pb::Evidence, Status> {
        let request = pb::FinishUploadRequest { request_id: command.to_string(), name: name.into() };
        let answer = self.client.clone().finish_upload(with_token(request, &self.token)).await?;
        Ok(answer.into_inner().evidence.expect("evidence"))
    }

    async fn cancel(&self, name: &str) -> Result<(), Status> {
        let request = with_token(pb::CancelUploadRequest { name: name.into() }, &self.token);
        self.client.clone().cancel_upload(request).await.map(drop)
    }
}

fn place(upload: &pb::Upload) -> pb::SendUploadRequest {
    let place = pb::UploadPlace { name: upload.name.clone(), turn: upload.turn, offset: upload.offset };
    pb::SendUploadRequest { part: Some(Part::Place(place)) }
}

fn chunk(bytes: &[u8]) -> pb::SendUploadRequest {
    let crc32c = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI).checksum(bytes);
    pb::SendUploadRequest { part: Some(Part::Chunk(pb::UploadChunk { bytes: bytes.to_vec(), crc32c })) }
}

pub(crate) fn cut(bytes: &[u8], size: usize) -> Vec<Vec<u8>> {
    bytes.chunks(size).map(<[u8]>::to_vec).collect()
}

async fn started() -> (World, Client, String) {
    let world = World::start().await;
    let (ana, draft) = begun(&world).await;
    (world, ana, draft)
}

async fn begun(world: &World) -> (Client, String) {
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.expect("a draft is begun").name;
    (ana, draft)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_where_the_line_was_cut_on_another_device_and_node() {
    goes_on_elsewhere(World::start().await).await;
}

/// The same, wherever the bytes lie.
pub(crate) async fn goes_on_elsewhere(world: World) {
    let (ana, draft) = begun(&world).await;
    let phone = Device::new(world.channel(), &ana.token);
    // Half of it is more than is ever on the way and unread (1 MiB), and a part: so some of it arrives before the cut.
    let card = files::sized(6 * 1024 * 1024, 21);
    let half = card.len() / 2;
    let begun = phone.begin(Uuid::now_v7(), &draft, &card).await.unwrap();
    assert_eq!((begun.offset, begun.size, begun.turn), (0, card.len() as u64, 1));
    phone.send_and_vanish(&begun, &card[..half]).await;

    let second = world.second_node().await;
    let laptop = Device::new(second.channel(), &ana.token);
    let waiting = timeout(PATIENCE, async {
        loop {
            let listed = laptop.list(&draft).await.unwrap();
            if listed[0].offset > 0 {
                return listed;
            }
            sleep(GLANCE).await;
        }
    });
    let listed = waiting.await.expect("what came before the cut is kept");
    assert_eq!((listed.len(), listed[0].file_name.as_str(), listed[0].turn), (1, "card (front).png", 0));
    let resumed = laptop.resume(&begun.name).await.unwrap();
    assert!(resumed.offset <= half as u64 && resumed.turn == 2, "{resumed:?}");
    let rest = &card[usize::try_from(resumed.offset).unwrap()..];
    let sent = laptop.send(&resumed, cut(rest, 100_000)).await.unwrap();
    assert_eq!(sent.offset, sent.size);

    // The phone comes back: it holds an old turn.
    let late = phone.send(&begun, cut(&card, 100_000)).await.unwrap_err();
    assert_eq!(reason(&late), "CONTINUED_ELSEWHERE");

    let command = Uuid::now_v7();
    let evidence = laptop.finish(command, &begun.name).await.unwrap();
    assert_eq!(
        (evidence.media_type.as_str(), evidence.file_name.as_str()),
        ("image/png", "card (front).png")
    );
    assert_eq!(phone.finish(command, &begun.name).await.unwrap(), evidence, "finished twice is done once");
    let (_, bytes) = ana.download(&evidence.name).await.unwrap();
    assert!(bytes == card, "the bytes are the same");
    assert!(laptop.list(&draft).await.unwrap().is_empty());
    assert_eq!(world.objects(), 1, "the parts are gone");
    second.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_told_and_nothing_that_came_is_lost() {
    misfits_are_told(World::start().await).await;
}

/// The same, wherever the bytes lie.
pub(crate) async fn misfits_are_told(world: World) {
    let (ana, draft) = begun(&world).await;
    let device = Device::new(world.channel(), &ana.token);
    let card = files::picture(22);
    let command = Uuid::now_v7();
    let begun = device.begin(command, &draft, &card).await.unwrap();
    assert_eq!(device.begin(command, &draft, &card).await.unwrap(), begun, "announced twice is one upload");
    let other = device.begin(command, &draft, &files::picture(23)).await.unwrap_err();
    assert_eq!((other.code(), reason(&other).as_str()), (Code::AlreadyExists, "UPLOAD_DIFFERS"));

    let early = device.finish(Uuid::now_v7(), &begun.name).await.unwrap_err();
    assert_eq!(reason(&early), "UPLOAD_INCOMPLETE");
    let ahead = pb::Upload { offset: 5, ..begun.clone() };
    assert_eq!(reason(&device.send(&ahead, cut(&card, 1_000)).await.unwrap_err()), "OFFSET_DIFFERS");

    let mut damaged = chunk(&card[1_000..2_000]);
    let Some(Part::Chunk(bytes)) = &mut damaged.part else { panic!("a chunk") };
    bytes.bytes[7] ^= 1;
    let parts = vec![place(&begun), chunk(&card[..1_000]), damaged, chunk(&card[2_000..3_000])];
    assert_eq!(reason(&device.send_parts(parts).await.unwrap_err()), "CHUNK_DAMAGED");
    let resumed = device.resume(&begun.name).await.unwrap();
    assert_eq!(resumed.offset, 1_000, "what came before the damage is kept, and no more");

    let mut longer = card[1_000..].to_vec();
    longer.push(0);
    assert_eq!(reason(&device.send(&resumed, cut(&longer, 9_999)).await.unwrap_err()), "MORE_THAN_ANNOUNCED");
    let resumed = device.resume(&begun.name).await.unwrap();
    let rest = &card[usize::try_from(resumed.offset).unwrap()..];
    device.send(&resumed, cut(rest, 256 * 1024)).await.unwrap();

    world.break_scanner("hangup").await;
    let command = Uuid::now_v7();
    let waits = device.finish(command, &begun.name).await.unwrap();
    assert!(waits.being_checked);
    assert_eq!(device.finish(command, &begun.name).await.unwrap(), waits, "asked twice, done once");
    world.break_scanner("works").await;
    let gone = device.resume(&begun.name).await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_announced_wrongly_is_refused_before_a_byte_is_sent() {
    let (world, ana, draft) = started().await;
    let device = Device::new(world.channel(), &ana.token);
    let header = |kind: &str, file_name: &str| pb::UploadHeader {
        request_id: Uuid::now_v7().to_string(),
        parent: draft.clone(),
        kind: kind.into(),
        file_name: file_name.into(),
        foreign_language: false,
    };
    let hash = [0; 32];
    let empty = device.announce(header("green_card", "card.png"), 0, &hash[..31]).await.unwrap_err();
    assert_eq!(bad_fields(&empty), ["sha256", "size"]);
    let name = device.announce(header("green_card", "../card.png"), 1, &hash).await.unwrap_err();
    assert_eq!(bad_fields(&name), ["file_name"]);
    let long = device.announce(header("green_card", "card.png"), LIMIT as u64 + 1, &hash).await.unwrap_err();
    assert_eq!(reason(&long), "TOO_LARGE");
    let kind = device.announce(header("driving_licence", "card.png"), 1, &hash).await.unwrap_err();
    assert_eq!(reason(&kind), "KIND_UNKNOWN");
    let eve = Device::new(world.channel(), &world.person("Eve", "Stone").token);
    let stranger = eve.announce(header("green_card", "card.png"), 1, &hash).await.unwrap_err();
    assert_eq!(stranger.code(), Code::NotFound);

    // Another file than announced, one that is no good, and one that is given up: each leaves nothing behind.
    let card = files::picture(24);
    let lie = device.announce(header("green_card", "card.png"), card.len() as u64, &hash).await.unwrap();
    device.send(&lie, cut(&card, 100_000)).await.unwrap();
    assert_eq!(reason(&device.finish(Uuid::now_v7(), &lie.name).await.unwrap_err()), "HASH_DIFFERS");
    let infected = files::infected();
    let sick = device.begin(Uuid::now_v7(), &draft, &infected).await.unwrap();
    device.send(&sick, cut(&infected, 100_000)).await.unwrap();
    assert_eq!(reason(&device.finish(Uuid::now_v7(), &sick.name).await.unwrap_err()), "MALWARE_FOUND");
    let unwanted = device.begin(Uuid::now_v7(), &draft, &card).await.unwrap();
    device.send(&unwanted, cut(&card[..50_000], 10_000)).await.unwrap();
    for act in [eve.cancel(&unwanted.name).await, eve.resume(&unwanted.name).await.map(drop)] {
        assert_eq!(act.unwrap_err().code(), Code::NotFound);
    }
    assert_eq!(eve.list(&draft).await.unwrap_err().code(), Code::NotFound);
    device.cancel(&unwanted.name).await.unwrap();
    assert!(device.list(&draft).await.unwrap().is_empty());
    assert_eq!(world.objects(), 0);
    assert!(ana.get(&draft).await.unwrap().evidence.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unfinished_upload_waits_for_a_week() {
    let (world, ana, draft) = started().await;
    let device = Device::new(world.channel(), &ana.token);
    let card = files::picture(25);
    let begun = device.begin(Uuid::now_v7(), &draft, &card).await.unwrap();
    device.send(&begun, cut(&card[..200_000], 50_000)).await.unwrap();
    world.expect_nothing_personal_in_the_clear(&["card (front)"]).await;
    world.advance(WEEK_S - 60);
    let device = Device::new(world.channel(), &world.token(ana.account));
    let resumed = timeout(PATIENCE, async {
        loop {
            // The service's clock follows within a moment.
            match device.resume(&begun.name).await {
                Ok(resumed) => return resumed,
                Err(status) if status.code() == Code::Unauthenticated => sleep(GLANCE).await,
                Err(status) => panic!("{status}"),
            }
        }
    });
    assert_eq!(resumed.await.expect("it is gone on with").offset, 200_000);
    world.advance(WEEK_S + 60);
    let device = Device::new(world.channel(), &world.token(ana.account));
    let swept = timeout(PATIENCE, async {
        while device.list(&draft).await.map_or(true, |listed| !listed.is_empty()) || world.objects() > 0 {
            sleep(GLANCE).await;
        }
    });
    swept.await.expect("it is taken away when its time is over");
}

/// Whoever ends an upload, ends it alone: a file that became evidence is never taken away with what was given up.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_finished_and_given_up_at_once_is_whole_evidence_or_gone() {
    finished_and_given_up(World::start().await).await;
}

/// The same, wherever the bytes lie.
pub(crate) async fn finished_and_given_up(world: World) {
    let (ana, draft) = begun(&world).await;
    let second = world.second_node().await;
    let devices = [Device::new(world.channel(), &ana.token), Device::new(second.channel(), &ana.token)];
    let mut chance = chance::rng();
    let mut attached = 0;
    for run in 0..chance::short_or_long(12, 50) {
        // One part, which stays where it is, and several, which are sealed anew as one.
        let size = if run % 2 == 0 { 40_000 } else { 5 * 1024 * 1024 };
        let bytes = files::sized(size, chance.random());
        let begun = devices[0].begin(Uuid::now_v7(), &draft, &bytes).await.unwrap();
        devices[0].send(&begun, cut(&bytes, 200_000)).await.unwrap();
        let command = Uuid::now_v7();
        let giving_up = async {
            sleep(Duration::from_millis(chance.random_range(0..120))).await;
            devices[1].cancel(&begun.name).await
        };
        let (one, two, _given_up) = tokio::join!(
            devices[0].finish(command, &begun.name),
            devices[1].finish(command, &begun.name),
            giving_up
        );
        for refused in [&one, &two].into_iter().filter_map(|finished| finished.as_ref().err()) {
            let over = refused.code() == Code::NotFound || reason(refused) == "CONTINUED_ELSEWHERE";
            assert!(over, "run {run}: {refused:?}");
        }
        let evidence = [one, two].into_iter().flatten().next();
        let again = devices[1].finish(command, &begun.name).await;
        match &evidence {
            Some(evidence) => {
                attached += 1;
                assert_eq!(&again.unwrap(), evidence, "asked once more, it is the same");
                assert!(ana.download(&evidence.name).await.unwrap().1 == bytes, "run {run}");
            }
            None => assert_eq!(again.unwrap_err().code(), Code::NotFound),
        }
        assert!(devices[0].list(&draft).await.unwrap().is_empty());
    }
    assert_eq!(ana.get(&draft).await.unwrap().evidence.len(), attached);
    assert_eq!(world.objects(), attached, "nothing is left beside what is attached");
    second.stop().await.unwrap();
}

/// Somebody whose line is slow asks again while the first try still waits for its turn.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_finish_asked_many_times_at_once_is_answered_the_same() {
    finished_many_times(World::start().await).await;
}

/// The same, wherever the bytes lie.
pub(crate) async fn finished_many_times(world: World) {
    let (ana, draft) = begun(&world).await;
    let device = Device::new(world.channel(), &ana.token);
    for (size, seed) in [(40_000, 71), (5 * 1024 * 1024, 72)] {
        let bytes = files::sized(size, seed);
        let begun = device.begin(Uuid::now_v7(), &draft, &bytes).await.unwrap();
        device.send(&begun, cut(&bytes, 200_000)).await.unwrap();
        let command = Uuid::now_v7();
        let asked: Vec<_> = (0..8)
            .map(|_| {
                let (device, name) = (device.clone(), begun.name.clone());
                tokio::spawn(async move { device.finish(command, &name).await })
            })
            .collect();
        let mut answers = Vec::new();
        for answer in asked {
            answers.push(answer.await.unwrap().expect("what is attached is told as attached"));
        }
        assert!(answers.iter().all(|evidence| *evidence == answers[0]), "{answers:?}");
        assert!(ana.download(&answers[0].name).await.unwrap().1 == bytes);
    }
    assert_eq!((ana.get(&draft).await.unwrap().evidence.len(), world.objects()), (2, 2));
}

/// A file that is still on its way would stay behind without a word.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_signed_or_sent_while_a_file_is_on_its_way_to_it() {
    let (world, ana, draft) = started().await;
    ana.make_ready(&draft).await;
    let phone = Device::new(world.channel(), &ana.token);
    let begun = phone.begin(Uuid::now_v7(), &draft, &files::picture(73)).await.unwrap();
    let review = ana.review(&draft).await.unwrap();
    let refused = ana.sign(&draft, &review.content_hash, "Ana Lucia Lima").await.unwrap_err();
    assert_eq!(reason(&refused), "UPLOADS_UNFINISHED");
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["uploads"], begun.name);
    phone.cancel(&begun.name).await.unwrap();
    ana.quote(&draft).await.unwrap();
    ana.sign_now(&draft).await;
    let begun = phone.begin(Uuid::now_v7(), &draft, &files::picture(74)).await.unwrap();
    assert_eq!(reason(&ana.submit(&draft).await.unwrap_err()), "UPLOADS_UNFINISHED");
    phone.cancel(&begun.name).await.unwrap();
    ana.submit(&draft).await.unwrap();

    let request = Uuid::now_v7();
    world.ask(&draft, request, &["green_card"], world.now_us() + 1_000_000).await;
    let response = ana.until_response(request).await.name;
    let (card, command) = (files::picture(75), Uuid::now_v7());
    let begun = phone.begin(command, &response, &card).await.unwrap();
    assert_eq!(reason(&ana.respond(&response, true).await.unwrap_err()), "UPLOADS_UNFINISHED");
    phone.send(&begun, cut(&card, 200_000)).await.unwrap();
    phone.finish(command, &begun.name).await.unwrap();
    let sent = ana.respond(&response, false).await.unwrap();
    assert_eq!(sent.evidence.len(), 1, "{sent:?}");
}

/// Random cuts, repeats, pieces out of order, damages, devices and nodes; every file arrives whole, or is refused in clear words.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_on_the_way_the_file_is_whole() {
    arrive_whole(World::start().await, chance::short_or_long(32, 500)).await;
}

/// The same in bulk. Reading a file takes two processes, and is not what this is about: here a program stands in that only says what
/// each file begins like. All the rest is the real thing.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_on_the_way_of_thousands_each_is_whole() {
    let (world, folder) = (World::start().await, tempfile::tempdir().unwrap());
    let reader = folder.path().join("reader");
    std::fs::write(&reader, READER).unwrap();
    std::fs::set_permissions(&reader, std::fs::Permissions::from_mode(0o755)).unwrap();
    let nodes =
        [world.node_reading_with(reader.clone()).await, world.node_reading_with(reader.clone()).await];
    sent_by_all(&world, [&nodes[0], &nodes[1]], chance::short_or_long(32, 10_000)).await;
    for node in nodes {
        node.stop().await.unwrap();
    }
}

/// Says what a file begins like, by its first line, and that nothing of it is hard to read.
const READER: &str = r#"#!/bin/sh
case $1 in look-over) echo '[]'; exit ;; esac
IFS= read -r line
case $line in ?PNG*) echo '{"taken":"png"}' ;; *) echo '{"refused":"not_allowed"}' ;; esac
"#;

/// People who send at once.
const SENDERS: usize = 4;

/// So many files with whatever can happen on the way, wherever their bytes lie.
pub(crate) async fn arrive_whole(world: World, runs: usize) {
    let second = world.second_node().await;
    sent_by_all(&world, [world.node(), &second], runs).await;
    second.stop().await.unwrap();
}

/// So many files by several people at once, at two nodes.
async fn sent_by_all(world: &World, nodes: [&Running; 2], runs: usize) {
    let seed = chance::seed();
    let sending = (0..SENDERS).map(|sender| {
        let chance = StdRng::seed_from_u64(seed.wrapping_add(sender as u64));
        sender_of(world, nodes, runs / SENDERS, chance)
    });
    let started = Instant::now();
    let came: usize = join_all(sending).await.into_iter().sum();
    let (refused, seconds) = (runs / SENDERS * SENDERS - came, started.elapsed().as_secs());
    println!("{came} files came whole, {refused} were refused, in {seconds} s");
}

/// One person's files; how many came whole.
async fn sender_of(world: &World, nodes: [&Running; 2], runs: usize, mut chance: StdRng) -> usize {
    let mut ana = world.person("Ana Lúcia", "Lima");
    let mut draft = String::new();
    let mut came = 0;
    for run in 0..runs {
        // A token lives five minutes.
        ana.token = world.token(ana.account);
        // A draft takes sixty files.
        if run % 50 == 0 {
            if run % 500 == 0 {
                println!("{run} of {runs} files of one person, {came} whole");
            }
            draft = patiently(async || ana.start("N-400").await).await.unwrap().name;
        }
        let devices = nodes.map(|node| Device::new(node.channel(), &ana.token));
        // Most are small, so that there can be many; the ends of what may be come first.
        let size = match (run, chance.random_range(0..1_000)) {
            (0, _) | (_, 0..3) => LIMIT,
            (1, _) | (_, 3..6) => LIMIT + 1,
            (2, _) | (_, 6..16) => 1,
            (_, 16..36) => chance.random_range(1024 * 1024..3 * 1024 * 1024),
            _ => chance.random_range(2_000..60_000),
        };
        let bytes = files::sized(size, chance.random());
        let (device, command) = (&devices[chance.random_range(0..2)], Uuid::now_v7());
        let begun = patiently(async || device.begin(command, &draft, &bytes).await).await;
        if size > LIMIT {
            assert_eq!(reason(&begun.unwrap_err()), "TOO_LARGE");
            continue;
        }
        let begun = begun.unwrap();
        torture(&devices, &begun, &bytes, &mut chance).await;
        let (device, command) = (&devices[chance.random_range(0..2)], Uuid::now_v7());
        let finished = patiently(async || device.finish(command, &begun.name).await).await;
        if size < 1_000 {
            assert_eq!(reason(&finished.unwrap_err()), "TYPE_NOT_ALLOWED");
            continue;
        }
        let name = finished.unwrap().name;
        let (_, back) = patiently(async || ana.download(&name).await).await.unwrap();
        assert!(back == bytes, "run {run}: {size} bytes came back otherwise");
        came += 1;
    }
    assert!(devices_have_nothing_left(world, &ana, &draft).await);
    came
}

fn is_busy(status: &Status) -> bool {
    status.code() == Code::Unavailable
}

/// Asks again while it is said that the other end is busy, as every client does.
async fn patiently<T>(ask: impl AsyncFn() -> Result<T, Status>) -> Result<T, Status> {
    for _ in 0..60 {
        match ask().await {
            Err(status) if is_busy(&status) => sleep(Duration::from_secs(1)).await,
            answer => return answer,
        }
    }
    ask().await
}

/// Sends all bytes, with whatever can happen on the way.
async fn torture(devices: &[Device; 2], begun: &pb::Upload, bytes: &[u8], chance: &mut StdRng) {
    let mut now = begun.clone();
    while now.offset < now.size {
        let device = &devices[chance.random_range(0..2)];
        let from = usize::try_from(now.offset).expect("small");
        let longest = (bytes.len() / 2).clamp(1, 2_000_000);
        let to = (from + chance.random_range(1..=longest)).min(bytes.len());
        let size = chance.random_range(1_000..300_000);
        match chance.random_range(0..6) {
            0 => device.send_and_vanish(&now, &bytes[from..to]).await,
            1 => {
                // Where it is not wanted: what is there already, or what comes only later.
                let other = chance.random_range(0..now.size);
                let wrong = pb::Upload { offset: other + u64::from(other >= now.offset), ..now.clone() };
                let refused = device
                    .send(&wrong, cut(&bytes[from..to], size))
                    .await
                    .expect_err("elsewhere it is not wanted");
                assert!(is_busy(&refused) || reason(&refused) == "OFFSET_DIFFERS", "{refused:?}");
                continue;
            }
            2 => {
                let old = pb::Upload { turn: now.turn - 1, ..now.clone() };
                let refused = device
                    .send(&old, cut(&bytes[from..to], size))
                    .await
                    .expect_err("an older turn is fenced off");
                assert!(is_busy(&refused) || reason(&refused) == "CONTINUED_ELSEWHERE", "{refused:?}");
                continue;
            }
            3 => {
                // Twice at once with one turn: one of them at most gets through.
                let (one, two) = tokio::join!(
                    devices[0].send(&now, cut(&bytes[from..to], size)),
                    devices[1].send(&now, cut(&bytes[from..to], size))
                );
                for refused in [one, two].into_iter().filter_map(Result::err) {
                    let beaten = ["CONTINUED_ELSEWHERE", "OFFSET_DIFFERS"];
                    assert!(is_busy(&refused) || beaten.contains(&reason(&refused).as_str()), "{refused:?}");
                }
            }
            _ => match device.send(&now, cut(&bytes[from..to], size)).await {
                Ok(next) => {
                    now = next;
                    assert_eq!(now.offset, to as u64);
                    continue;
                }
                Err(status) => assert!(is_busy(&status), "the bytes fit: {status:?}"),
            },
        }
        now = patiently(async || device.resume(&now.name).await).await.expect("it is gone on with");
    }
}

async fn devices_have_nothing_left(world: &World, person: &Client, draft: &str) -> bool {
    let device = Device::new(world.channel(), &world.token(person.account));
    timeout(Duration::from_secs(5), device.list(draft))
        .await
        .is_ok_and(|listed| listed.is_ok_and(|l| l.is_empty()))
}
