//! Filing as an office runs it, with tokens, TLS, rules and seals: answers saved as they are typed, files on their way into a bucket.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use docket_filing::{Config, CopiesConfig, InspectorConfig, MIGRATOR, ScannerConfig, UploadsConfig};
use docket_forms::CatalogueFolder;
use docket_proto::filing::v1 as pb;
use docket_proto::filing::v1::draft_service_client::DraftServiceClient;
use docket_proto::filing::v1::send_upload_request::Part;
use docket_proto::filing::v1::upload_service_client::UploadServiceClient;
use docket_proto::identity::v1 as identity;
use docket_proto::identity::v1::directory_service_server::{DirectoryService, DirectoryServiceServer};
use docket_sandbox::Sandbox;
use docket_service::ObjectsConfig;
use docket_service::testing::{Bench, Running, with_token};
use docket_testkit::TestBucket;
use futures::future::join_all;
use image::codecs::jpeg::JpegEncoder;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as Key;
use object_store::signer::Signer as _;
use rand::RngExt as _;
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::append::{UnderWay, appends};
use crate::forms;
use crate::place::{Place, broker, open};
use crate::report::{Case, Reach, Report, median, rounds, seconds};

const SAVES: &str = "autosave of an answer, 64 people";
const RECEIVED: &str = "uploads received into a bucket, 8 at once";
const UPLOADS: &str = "uploads read, scanned and attached, 8 at once";
const VERDICT: &str = "verdict on a photograph, in its own process";
const LOOKED: &str = "a photograph looked over, in its own process";
const REGION: &str = "us-east-1";
const MINUTE: Duration = Duration::from_mins(1);
const PEOPLE: usize = 64;
const SENDERS: usize = 8;
const CONNECTIONS: usize = 4;
/// Files attached to a draft before the next one is begun; a filing takes 60.
const FILES_OF_A_DRAFT: usize = 50;

pub(crate) async fn run(report: &mut Report) {
    if report.wants(&[SAVES]) {
        saves(report).await;
    }
    if report.wants(&[RECEIVED, UPLOADS]) {
        uploads(report).await;
    }
    if report.wants(&[VERDICT, LOOKED]) {
        verdicts(report).await;
    }
}

/// What reading a stranger's file takes beyond the start of the process in which it is read, which is that of a file of no byte.
async fn verdicts(report: &mut Report) {
    let photograph = photograph();
    let time = Duration::from_secs(seconds());
    for (name, word) in [(VERDICT, "inspect-file"), (LOOKED, "look-over")] {
        let mut turns = Vec::new();
        for _ in 0..rounds() {
            let theirs = milliseconds(word, &[], time).await;
            turns.push((milliseconds(word, &photograph, time).await, theirs));
        }
        let (unit, baseline) = ("ms", "start of the process over nothing");
        report.add(Case { name, unit, baseline, reach: Reach::AtMost(50.0), turns });
    }
}

/// How long such a process takes over these bytes, as the middle of those that end in some time.
async fn milliseconds(word: &str, bytes: &[u8], time: Duration) -> f64 {
    let (begun, mut each) = (Instant::now(), Vec::new());
    while each.is_empty() || begun.elapsed() < time {
        let started = Instant::now();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(word)
            .env("MIMALLOC_ARENA_RESERVE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(bytes).await.unwrap();
        drop(input);
        let said = child.wait_with_output().await.unwrap();
        assert!(said.status.success() && !said.stdout.is_empty(), "{said:?}");
        each.push(started.elapsed().as_secs_f64() * 1e3);
    }
    median(each)
}

async fn saves(report: &mut Report) {
    let (place, nats, sandbox) = (Place::new().await, broker().await, sandbox().await);
    let office = Office::open(&place, &nats.url(), &sandbox, None).await;
    let (_, pool) = place.database().await;
    let log = open(&pool).await;
    let mut cases = UnderWay::open(&log, PEOPLE).await;
    let answers = forms::answers();
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        let person = office.person(n);
        let draft = person.begin("I-485").await;
        person.save(&draft, answers.clone()).await;
        people.push((person, draft));
    }
    let time = Duration::from_secs(seconds());
    let mut turns = Vec::new();
    for round in 0..rounds() {
        let theirs = appends(&log, &mut cases, time).await.rate;
        let started = Instant::now();
        let done = join_all(people.iter().map(|(person, draft)| async move {
            let mut done = 0_u32;
            while started.elapsed() < time {
                person.save(draft, format!(r#"{{"app_birth_city":"Town {round}-{done}"}}"#)).await;
                done += 1;
            }
            f64::from(done)
        }));
        let done: f64 = done.await.into_iter().sum();
        turns.push((done / started.elapsed().as_secs_f64(), theirs));
    }
    let (unit, baseline, reach) = ("saves/s", "append of an event, 64 callers", Reach::AtLeast(0.5));
    report.add(Case { name: SAVES, unit, baseline, reach, turns });
    log.close().await;
}

/// Files sent, and files that became evidence, against the same bytes put into the same bucket by HTTP alone.
async fn uploads(report: &mut Report) {
    let (place, nats, sandbox) = (Place::new().await, broker().await, sandbox().await);
    let bucket = tokio::task::spawn_blocking(TestBucket::start).await.unwrap();
    let office = Office::open(&place, &nats.url(), &sandbox, Some(&bucket)).await;
    let photograph = photograph();
    let plain = Plain::new(&bucket);
    let people: Vec<Person> = (0..SENDERS).map(|n| office.person(n)).collect();
    let time = Duration::from_secs(seconds());
    let megabytes = |files: Vec<f64>, started: Instant| {
        files.into_iter().sum::<f64>() * photograph.len() as f64 / 1e6 / started.elapsed().as_secs_f64()
    };
    let (mut received, mut attached) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let started = Instant::now();
        let putting = people.iter().map(|_| plain.put_for(time, started, &photograph));
        let theirs = megabytes(join_all(putting).await, started);
        for (finish, turns) in [(false, &mut received), (true, &mut attached)] {
            let started = Instant::now();
            let sending = people.iter().map(|person| person.upload_for(time, started, &photograph, finish));
            turns.push((megabytes(join_all(sending).await, started), theirs));
        }
    }
    let (unit, baseline, reach) = ("MB/s", "plain HTTP PUT to the same store", Reach::AtLeast(0.6));
    report.add(Case { name: RECEIVED, unit, baseline, reach, turns: received });
    report.add(Case { name: UPLOADS, unit, baseline, reach, turns: attached });
}

/// Puts files into the bucket by S3's own HTTP, to addresses signed beforehand.
struct Plain {
    http: reqwest::Client,
    bucket: AmazonS3,
}

impl Plain {
    fn new(bucket: &TestBucket) -> Self {
        let store = AmazonS3Builder::new()
            .with_bucket_name(TestBucket::NAME)
            .with_region(REGION)
            .with_endpoint(bucket.endpoint())
            .with_allow_http(true)
            .with_access_key_id(TestBucket::USER)
            .with_secret_access_key(TestBucket::SECRET);
        Self { http: reqwest::Client::new(), bucket: store.build().unwrap() }
    }

    /// Puts for some time; gives how many files are in the bucket.
    async fn put_for(&self, time: Duration, started: Instant, photograph: &[u8]) -> f64 {
        let mut files = 0;
        while started.elapsed() < time {
            let name = Key::from(format!("plain/{}", Uuid::now_v7()));
            let url = self.bucket.signed_url(http::Method::PUT, &name, time.max(MINUTE)).await.unwrap();
            let answer = self.http.put(url).body(unlike(photograph)).send().await.unwrap();
            assert!(answer.status().is_success(), "{answer:?}");
            files += 1;
        }
        f64::from(files)
    }
}

async fn sandbox() -> Sandbox {
    Sandbox::start(docket_sandbox::Config::default()).await.unwrap()
}

/// The filing service with those around it.
struct Office {
    bench: Bench,
    _node: Running,
    channels: Vec<Channel>,
}

impl Office {
    async fn open(place: &Place, broker: &str, sandbox: &Sandbox, bucket: Option<&TestBucket>) -> Self {
        let bench = Bench::new().await;
        let known = DirectoryServiceServer::new(Everybody);
        bench.peer("identity", bench.identity().add_service(known)).await;
        for name in ["filing", "filing_keys"] {
            place.admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        }
        let url = |name: &str| place.postgres.url(name);
        let mut service = bench.config("filing", &url("filing"), Some(&url("filing_keys")), broker);
        service.objects = bucket.map(objects);
        docket_service::migrate(&service, &MIGRATOR).await.unwrap();
        let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("../libs/forms/catalogue");
        let config = Config {
            service: service.clone(),
            inspector: InspectorConfig::default(),
            scanner: ScannerConfig { address: sandbox.ports.clamd.to_string(), timeout_seconds: 20 },
            catalogue: CatalogueFolder { dir: catalogue },
            copies: CopiesConfig::default(),
            uploads: UploadsConfig::default(),
        };
        let serve = |service, stop| docket_filing::serve(Config { service, ..config }, stop);
        let node = bench.serve(service, serve).await;
        let channels = (0..CONNECTIONS).map(|_| node.channel()).collect();
        Self { bench, _node: node, channels }
    }

    fn person(&self, n: usize) -> Person {
        let token = self.bench.step_up_token(Uuid::now_v7());
        Person { token, channel: self.channels[n % CONNECTIONS].clone() }
    }
}

fn objects(bucket: &TestBucket) -> ObjectsConfig {
    ObjectsConfig {
        bucket: TestBucket::NAME.to_owned(),
        prefix: "filing".to_owned(),
        region: REGION.to_owned(),
        endpoint: Some(bucket.endpoint()),
        ca_file: None,
        credentials_file: Some(bucket.credentials_file()),
        profile: "default".to_owned(),
    }
}

/// Somebody who files.
struct Person {
    token: String,
    channel: Channel,
}

impl Person {
    async fn begin(&self, form: &str) -> String {
        let request = pb::StartDraftRequest {
            request_id: Uuid::now_v7().to_string(),
            form: form.to_owned(),
            ..pb::StartDraftRequest::default()
        };
        let mut drafts = DraftServiceClient::new(self.channel.clone());
        drafts.start_draft(with_token(request, &self.token)).await.unwrap().into_inner().filing.unwrap().name
    }

    async fn save(&self, draft: &str, answers_json: String) {
        let request = pb::AnswerDraftRequest {
            request_id: Uuid::now_v7().to_string(),
            name: draft.to_owned(),
            answers_json,
            ..pb::AnswerDraftRequest::default()
        };
        let mut drafts = DraftServiceClient::new(self.channel.clone());
        drafts.answer_draft(with_token(request, &self.token)).await.unwrap();
    }

    /// Uploads for some time; gives how many files arrived, or became evidence where they are finished.
    async fn upload_for(&self, time: Duration, started: Instant, photograph: &[u8], finish: bool) -> f64 {
        let (mut draft, mut files) = (self.begin("N-400").await, 0);
        while started.elapsed() < time {
            if files % FILES_OF_A_DRAFT == FILES_OF_A_DRAFT - 1 {
                draft = self.begin("N-400").await;
            }
            let name = self.send(&draft, &unlike(photograph)).await;
            if finish {
                self.finish(name).await;
            }
            files += 1;
        }
        files as f64
    }

    /// Sends a file; gives the upload's name.
    async fn send(&self, draft: &str, bytes: &[u8]) -> String {
        let header = pb::UploadHeader {
            request_id: Uuid::now_v7().to_string(),
            parent: draft.to_owned(),
            kind: "green_card".to_owned(),
            file_name: "card.jpg".to_owned(),
            foreign_language: false,
        };
        let sha256 = digest(&SHA256, bytes).as_ref().to_vec();
        let announced = pb::BeginUploadRequest { header: Some(header), size: bytes.len() as u64, sha256 };
        let mut uploads = UploadServiceClient::new(self.channel.clone());
        let begun = uploads.begin_upload(with_token(announced, &self.token)).await.unwrap();
        let pb::Upload { name, turn, offset, .. } = begun.into_inner().upload.unwrap();
        let place = Part::Place(pb::UploadPlace { name: name.clone(), turn, offset });
        let parts: Vec<_> = std::iter::once(place)
            .chain(pb::UploadChunk::cut(bytes).map(Part::Chunk))
            .map(|part| pb::SendUploadRequest { part: Some(part) })
            .collect();
        uploads.send_upload(with_token(futures::stream::iter(parts), &self.token)).await.unwrap();
        name
    }

    async fn finish(&self, name: String) {
        let mut uploads = UploadServiceClient::new(self.channel.clone());
        let finish = pb::FinishUploadRequest { request_id: Uuid::now_v7().to_string(), name };
        uploads.finish_upload(with_token(finish, &self.token)).await.unwrap();
    }
}

/// A photograph as a telephone takes it: some three megabytes of JPEG.
fn photograph() -> Vec<u8> {
    let mut chance = rand::rng();
    let dots = image::RgbImage::from_fn(1_600, 1_200, |x, y| {
        let light = u8::try_from((x + y) / 12).unwrap_or(u8::MAX);
        image::Rgb([light.wrapping_add(chance.random_range(0..96)), light, chance.random_range(0..160)])
    });
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 92).encode_image(&dots).unwrap();
    bytes
}

/// The same with a comment of its own, so that no two files are the same, and few as long.
fn unlike(photograph: &[u8]) -> Vec<u8> {
    let comment = rand::rng().random_range(16_u16..9_000);
    let mut bytes = photograph[..2].to_vec();
    bytes.extend([0xff, 0xfe]);
    bytes.extend((comment + 2).to_be_bytes());
    bytes.extend(Uuid::now_v7().as_bytes());
    bytes.resize(6 + usize::from(comment), b' ');
    bytes.extend(&photograph[2..]);
    bytes
}

/// A directory in which everybody is proven.
struct Everybody;

#[tonic::async_trait]
impl DirectoryService for Everybody {
    async fn get_contact(
        &self,
        _: Request<identity::GetContactRequest>,
    ) -> Result<Response<identity::GetContactResponse>, Status> {
        Ok(Response::new(identity::GetContactResponse {
            zone: "America/Chicago".to_owned(),
            identity_level: "register_matched".to_owned(),
            ..identity::GetContactResponse::default()
        }))
    }

    async fn record_address(
        &self,
        _: Request<identity::RecordAddressRequest>,
    ) -> Result<Response<identity::RecordAddressResponse>, Status> {
        Err(Status::unimplemented("nobody moves here"))
    }
}
