//! Objects in a bucket of a real server of S3: the same as on a disk, from any node; and a store that is away proves nothing.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use docket_service::{ApiError, Base, ObjectsConfig, Proof, ServiceConfig};
use docket_vault::Subject;
use uuid::Uuid;

use crate::bench::{Place, options};

const PATIENCE: Duration = Duration::from_mins(2);
const BUCKET: &str = "evidence";
const MIB: usize = 1024 * 1024;

/// `SeaweedFS` with a bucket and a user.
struct Store {
    server: Child,
    endpoint: String,
    folder: tempfile::TempDir,
}

impl Drop for Store {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Store {
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let installed = Command::new(root.join("deploy/tools/install-s3")).status().unwrap();
        assert!(installed.success(), "the server of S3 could not be installed");
        let weed = root.join(".local/s3/weed");
        let folder = tempfile::tempdir().unwrap();
        let user = serde_json::json!({ "name": "docket", "actions": ["Read", "Write", "List"],
            "credentials": [{ "accessKey": "docket", "secretKey": "of the test" }] });
        std::fs::write(
            folder.path().join("s3.json"),
            serde_json::json!({ "identities": [user] }).to_string(),
        )
        .unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        // All taken at once, so that no two are the same.
        let taken: Vec<TcpListener> = (0..8).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = taken.iter().map(|port| port.local_addr().unwrap().port()).collect();
        drop(taken);
        let mut server = Command::new(&weed);
        server.args(["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-volume.max=8"]);
        server.args(["-master.volumeSizeLimitMB=64", "-dir=data", "-s3.config=s3.json"]);
        server.args(["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]);
        for (part, ports) in ["master", "volume", "filer", "s3"].into_iter().zip(ports.chunks(2)) {
            server.arg(format!("-{part}.port={}", ports[0])).arg(format!("-{part}.port.grpc={}", ports[1]));
        }
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let server = server.current_dir(&folder).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let store = Self { server, endpoint: format!("http://127.0.0.1:{}", ports[6]), folder };
        store.make_bucket(&weed, ports[0], ports[1]);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", ports[6])).is_err() {
            assert!(begun.elapsed() < PATIENCE, "S3 is not served");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        store.write_secret("of the test");
        store
    }

    fn make_bucket(&self, weed: &Path, port: u16, grpc: u16) {
        let begun = Instant::now();
        loop {
            let mut shell = Command::new(weed)
                .args(["shell", &format!("-master=127.0.0.1:{port}.{grpc}")])
                .current_dir(&self.folder)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            writeln!(shell.stdin.take().unwrap(), "s3.bucket.create -name {BUCKET}").unwrap();
            let said = String::from_utf8_lossy(&shell.wait_with_output().unwrap().stdout).into_owned();
            if said.contains("created bucket") || said.contains("already exists") {
                return;
            }
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap();
            assert!(begun.elapsed() < PATIENCE, "no bucket: {said}\n{}", log());
        }
    }

    fn write_secret(&self, secret: &str) {
        let text = format!("[default]\naws_access_key_id = docket\naws_secret_access_key = {secret}\n");
        std::fs::write(self.folder.path().join("credentials"), text).unwrap();
    }

    fn config(&self) -> ObjectsConfig {
        ObjectsConfig {
            bucket: BUCKET.to_owned(),
            prefix: "payments".to_owned(),
            region: "us-east-1".to_owned(),
            endpoint: Some(self.endpoint.clone()),
            ca_file: None,
            credentials_file: Some(self.folder.path().join("credentials")),
            profile: "default".to_owned(),
        }
    }

    fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

async fn proof(base: &Base, subject: &Subject, name: &str) -> Result<(Proof, usize), ApiError> {
    let mut bytes = 0;
    let proof = base.objects.prove(subject, name, &mut |piece| bytes += piece.len()).await?;
    Ok((proof, bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_lie_in_a_bucket_for_every_node_and_a_store_that_is_away_proves_nothing() {
    let (place, mut store) = (Place::new("payments").await, Store::start());
    let config = ServiceConfig { objects: Some(store.config()), ..place.config("payments").await };
    let (one, other) = {
        let other = ServiceConfig { data_dir: config.data_dir.join("other"), ..config.clone() };
        (Base::connect(&config, options()).await.unwrap(), Base::connect(&other, options()).await.unwrap())
    };
    let subject = Subject::filing(Uuid::from_u128(1));
    // In one piece, in parts, and around the edge of a part.
    let mut names = Vec::new();
    for size in [0, 1, 5 * MIB - 4_000, 5 * MIB, 12 * MIB] {
        let plain: Vec<u8> = (0..size).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
        let mut writer = one.objects.write(&subject).await.unwrap();
        for piece in plain.chunks(300_000) {
            writer.push(piece).await.unwrap();
        }
        let name = writer.finish().await.unwrap();
        let read = other.objects.get(&subject, &name).await.unwrap().unwrap();
        assert!(read == plain, "{size} bytes are others");
        assert_eq!(proof(&other, &subject, &name).await.unwrap(), (Proof::Whole, size));
        names.push(name);
    }
    let stranger = Subject::filing(Uuid::from_u128(2));
    assert_eq!(proof(&one, &stranger, &names[1]).await.unwrap().0, Proof::Altered);
    other.objects.delete(&names[0]).await.unwrap();
    other.objects.delete(&names[0]).await.unwrap();
    assert_eq!(proof(&one, &subject, &names[0]).await.unwrap().0, Proof::Missing);
    let given_up = one.objects.write(&subject).await.unwrap();
    given_up.abort().await.unwrap();

    // Neither a wrong secret nor a store that is away is taken for a file that is lost; a new secret is taken up at once.
    store.write_secret("another");
    assert!(matches!(proof(&one, &subject, &names[4]).await, Err(ApiError::Internal(_))));
    assert!(one.objects.put(&subject, b"plain").await.is_err());
    store.write_secret("of the test");
    assert_eq!(proof(&one, &subject, &names[4]).await.unwrap(), (Proof::Whole, 12 * MIB));
    store.stop();
    assert!(matches!(proof(&one, &subject, &names[4]).await, Err(ApiError::Internal(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_without_tls_is_refused_in_production() {
    let place = Place::new("payments").await;
    let objects = ObjectsConfig {
        bucket: BUCKET.to_owned(),
        prefix: String::new(),
        region: "us-east-1".to_owned(),
        endpoint: Some("http://127.0.0.1:8333".to_owned()),
        ca_file: None,
        credentials_file: None,
        profile: "default".to_owned(),
    };
    let config = place.config("payments").await;
    let config = ServiceConfig {
        objects: Some(objects),
        environment: "production".to_owned(),
        clock_offset_file: None,
        ..config
    };
    let refused = Base::connect(&config, options()).await.err().map(|error| format!("{error:#}"));
    assert!(refused.as_deref().is_some_and(|words| words.contains("objects.endpoint")), "{refused:?}");
}
