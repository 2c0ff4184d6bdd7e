//! A real server of S3 (`SeaweedFS`) with a bucket and a user; installed by `deploy/tools/install-s3` when it is first asked for.

use std::fs::File;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use object_store::ObjectStore;
use object_store::aws::AmazonS3Builder;

const PATIENCE: Duration = Duration::from_mins(2);
/// The parts of the server, each with a port of its own for HTTP and one for gRPC.
const PARTS: [&str; 4] = ["master", "volume", "filer", "s3"];

/// The server; it ends with this.
#[derive(Debug)]
pub struct TestBucket {
    server: Child,
    folder: PathBuf,
    ports: Vec<u16>,
}

impl TestBucket {
    /// The bucket's name.
    pub const NAME: &str = "evidence";
    /// Its user.
    pub const USER: &str = "docket";
    /// Its region.
    pub const REGION: &str = "us-east-1";
    /// The secret of its user.
    pub const SECRET: &str = "of the test";

    /// Starts the server and makes the bucket.
    ///
    /// # Panics
    /// When it cannot be installed or started.
    pub fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let installed = Command::new(root.join("deploy/tools/install-s3")).status().expect("a shell");
        assert!(installed.success(), "the server of S3 could not be installed");
        let folder = crate::scratch_folder("s3");
        std::fs::create_dir_all(folder.join("data")).expect("a folder");
        let user = serde_json::json!({ "name": Self::USER, "actions": ["Read", "Write", "List"],
            "credentials": [{ "accessKey": Self::USER, "secretKey": Self::SECRET }] });
        let identities = serde_json::json!({ "identities": [user] }).to_string();
        std::fs::write(folder.join("s3.json"), identities).expect("a file");
        let (weed, ports, begun) = (root.join(".local/s3/weed"), free_ports(), Instant::now());
        let server = serve(&weed, &folder, &ports);
        let mut bucket = Self { server, folder, ports };
        while !bucket.make(&weed) {
            assert!(begun.elapsed() < PATIENCE, "no bucket\n{}", bucket.log());
            if bucket.has_ended() {
                // Somebody else was quicker at one of its ports.
                bucket.ports = free_ports();
                bucket.server = serve(&weed, &bucket.folder, &bucket.ports);
            }
        }
        while TcpStream::connect(("127.0.0.1", bucket.ports[6])).is_err() {
            assert!(begun.elapsed() < PATIENCE, "S3 is not served\n{}", bucket.log());
            std::thread::park_timeout(Duration::from_millis(20));
        }
        bucket.write_secret(Self::SECRET);
        bucket
    }

    /// Whether the bucket is there now. The server's shell waits for ever for a server that is gone, so it is ended then.
    fn make(&mut self, weed: &Path) -> bool {
        let mut shell = Command::new(weed)
            .args(["shell", &format!("-master=127.0.0.1:{}.{}", self.ports[0], self.ports[1])])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server's shell");
        let mut typed = shell.stdin.take().expect("its input");
        writeln!(typed, "s3.bucket.create -name {}", Self::NAME).expect("it reads");
        drop(typed);
        let begun = Instant::now();
        while shell.try_wait().expect("its end").is_none() {
            if self.has_ended() || begun.elapsed() > PATIENCE {
                shell.kill().expect("it is ours");
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let output = shell.wait_with_output().expect("its end");
        let said = String::from_utf8_lossy(&output.stdout);
        said.contains("created bucket") || said.contains("already exists")
    }

    fn has_ended(&mut self) -> bool {
        self.server.try_wait().expect("its end").is_some()
    }

    /// Writes the file of credentials anew.
    ///
    /// # Panics
    /// When the disk does not take it.
    pub fn write_secret(&self, secret: &str) {
        let text =
            format!("[default]\naws_access_key_id = {}\naws_secret_access_key = {secret}\n", Self::USER);
        std::fs::write(self.credentials_file(), text).expect("a file");
    }

    /// The credentials of its user, under `default`.
    pub fn credentials_file(&self) -> PathBuf {
        self.folder.join("credentials")
    }

    /// Where S3 is spoken.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[6])
    }

    /// The bucket, as whoever runs the store sees it. Nothing is asked of it yet.
    ///
    /// # Panics
    /// When its address is none.
    pub fn store(&self) -> impl ObjectStore + use<> {
        let store = AmazonS3Builder::new()
            .with_bucket_name(Self::NAME)
            .with_region(Self::REGION)
            .with_endpoint(self.endpoint())
            .with_allow_http(true)
            .with_access_key_id(Self::USER)
            .with_secret_access_key(Self::SECRET);
        store.build().expect("all of it is said")
    }

    /// Ends the server; what is in the bucket is out of reach then.
    pub fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for TestBucket {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Ports for the parts, all taken at once, so that no two are the same.
fn free_ports() -> Vec<u16> {
    let taken: Vec<TcpListener> =
        (0..2 * PARTS.len()).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    taken.iter().map(|port| port.local_addr().expect("an address").port()).collect()
}

fn serve(weed: &Path, folder: &Path, ports: &[u16]) -> Child {
    let mut server = Command::new(weed);
    server.args(["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-volume.max=100"]);
    server.args(["-master.volumeSizeLimitMB=64", "-dir=data", "-s3.config=s3.json"]);
    server.args(["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]);
    for (part, ports) in PARTS.into_iter().zip(ports.chunks(2)) {
        server.arg(format!("-{part}.port={}", ports[0])).arg(format!("-{part}.port.grpc={}", ports[1]));
    }
    let log = File::create(folder.join("log")).expect("a file");
    server.current_dir(folder).stdout(Stdio::null()).stderr(log).spawn().expect("the server starts")
}
