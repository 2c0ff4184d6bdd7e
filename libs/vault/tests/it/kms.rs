//! The key-encryption key at AWS KMS, played by moto, which checks signatures and permissions.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use docket_testkit::TestDatabase;
use docket_vault::{
    AwsCredentials, AwsKms, AwsKmsOptions, Error, Kek, KeyProvider, Keyring, Opened, Root, RootKey, Subject,
    Vault,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{KEK, clock, keys};

const OF: RootKey = RootKey { root: Root::Wrap, version: 3 };

struct Kms {
    server: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    made: Value,
    folder: tempfile::TempDir,
}

impl Drop for Kms {
    fn drop(&mut self) {
        // It also ends by itself when its input does.
        self.stop();
    }
}

impl Kms {
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let installed = Command::new(root.join("deploy/tools/install-kms")).status().unwrap();
        assert!(installed.success(), "the stand-in for KMS could not be installed");
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new("python3")
            .arg("-B")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kms_server.py"))
            .env("PYTHONPATH", root.join(".local/kms"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let commands = server.stdin.take().unwrap();
        let answers = BufReader::new(server.stdout.take().unwrap());
        let mut kms = Self { server, commands, answers, made: Value::Null, folder };
        kms.made = kms.answer();
        kms.write_credentials(&kms.text("secret"));
        kms
    }

    fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("KMS said {line:?}: {}", log()))
    }

    fn ask(&mut self, command: &str) -> Value {
        writeln!(self.commands, "{command}").unwrap();
        self.answer()
    }

    fn text(&self, field: &str) -> String {
        self.made[field].as_str().unwrap().to_owned()
    }

    fn credentials_file(&self) -> PathBuf {
        self.folder.path().join("credentials")
    }

    fn write_credentials(&self, secret: &str) {
        let access = self.text("access");
        let text = format!("[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n");
        std::fs::write(self.credentials_file(), text).unwrap();
    }

    fn key(&self, arn: &str) -> AwsKms {
        self.key_of(arn, "filing")
    }

    fn key_of(&self, arn: &str, service: &str) -> AwsKms {
        AwsKms::new(AwsKmsOptions {
            key_arn: self.text(arn),
            endpoint: Some(self.text("endpoint")),
            plain_http: true,
            service: service.to_owned(),
            credentials: AwsCredentials::File {
                path: self.credentials_file(),
                profile: "default".to_owned(),
            },
        })
        .unwrap()
    }
}

async fn connect(keys: &TestDatabase, keyring: impl Into<Keyring>) -> Result<Vault, Error> {
    Vault::connect(keys.pool.clone(), keyring, clock()).await
}

fn assert_refused<T>(outcome: Result<T, Error>, word: &str) {
    match outcome {
        Err(Error::Kek(why)) if why.contains(word) => {}
        Err(other) => panic!("expected {word}: {other}"),
        Ok(_) => panic!("expected {word}, and it went well"),
    }
}

#[tokio::test]
async fn what_kms_wraps_is_bound_to_key_service_use_and_version_and_is_what_aws_means_by_it() {
    let mut kms = Kms::start();
    let aws = kms.key("arn");
    assert_eq!(aws.id(), format!("aws-kms:{}", kms.text("arn")));
    let key = docket_vault::KeyBytes::new([7; 32]);
    let wrapped = aws.wrap(OF, &key).await.unwrap();
    assert!(!wrapped.windows(32).any(|window| window == key.as_slice()));
    assert_eq!(aws.unwrap(OF, &wrapped).await.unwrap(), key);

    // The same by the SDK of AWS: our calls mean what theirs mean.
    let context = json!({"docket:service": "filing", "docket:root-key": "wrap", "docket:version": "3"});
    let theirs = kms.ask(&format!("decrypt {} {context}", STANDARD.encode(&wrapped)));
    assert_eq!(theirs, json!({"plaintext": STANDARD.encode(key.as_slice()), "key": kms.text("arn")}));

    assert_refused(aws.unwrap(RootKey { version: 4, ..OF }, &wrapped).await, "InvalidCiphertextException");
    assert_refused(
        aws.unwrap(RootKey { root: Root::Mac, ..OF }, &wrapped).await,
        "InvalidCiphertextException",
    );
    assert_refused(kms.key_of("arn", "identity").unwrap(OF, &wrapped).await, "InvalidCiphertextException");
    for at in [wrapped.len() - 1, wrapped.len() / 2] {
        let mut changed = wrapped.clone();
        changed[at] ^= 1;
        assert_refused(aws.unwrap(OF, &changed).await, "InvalidCiphertextException");
    }
    assert_refused(aws.unwrap(OF, &wrapped[..20]).await, "Exception");
    // Another key did not wrap it.
    assert_refused(kms.key("other").unwrap(OF, &wrapped).await, "AccessDeniedException");
}

#[tokio::test]
async fn a_service_starts_with_kms_goes_on_without_it_and_knows_away_from_refused() {
    let mut kms = Kms::start();
    let keys = keys().await;
    let subject = Subject::filing(Uuid::from_u128(1));
    let running = connect(&keys, kms.key("arn")).await.unwrap();
    let sealed = running.seal(&subject, b"", b"plain").await.unwrap();
    assert!(
        running.key_status().await.unwrap().iter().all(|status| status.kek_id.starts_with("aws-kms:arn:"))
    );

    kms.ask("forbid");
    assert_refused(connect(&keys, kms.key("arn")).await, "403");
    assert_refused(running.begin_rotation().await, "403");
    kms.ask("permit");
    let again = connect(&keys, kms.key("arn")).await.unwrap();
    assert_eq!(again.open(&subject, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));

    // A wrong secret gives a wrong signature, which KMS finds; the file is read anew at each call.
    kms.write_credentials("wrong");
    assert_refused(connect(&keys, kms.key("arn")).await, "403");
    kms.write_credentials(&kms.text("secret"));
    connect(&keys, kms.key("arn")).await.unwrap();

    // Another key is named before anything is sent.
    assert_refused(connect(&keys, kms.key("other")).await, "the root key");

    let (arn, endpoint) = (kms.key("arn"), kms.text("endpoint"));
    kms.stop();
    for n in 0..3 {
        // The root keys are in memory: a service that runs needs KMS for nothing but a rotation.
        let other = Subject::filing(Uuid::from_u128(100 + n));
        running.seal(&other, b"", b"plain").await.unwrap();
    }
    let stopped = running.begin_rotation().await;
    assert!(matches!(stopped, Err(Error::KekAway(_))), "{stopped:?}");
    assert_eq!(
        running.key_status().await.unwrap().len(),
        3,
        "a rotation that failed leaves nothing half done"
    );
    let away = connect(&keys, arn).await;
    assert!(matches!(&away, Err(Error::KekAway(why)) if why.contains(&endpoint)), "{away:?}");
}

#[tokio::test]
async fn keys_move_from_a_file_to_kms_and_rotate_there() {
    let kms = Kms::start();
    let keys = keys().await;
    let file = || Arc::new(Kek::from_hex(KEK).unwrap()) as Arc<dyn KeyProvider>;
    let subject = Subject::filing(Uuid::from_u128(1));
    let before = connect(&keys, Kek::from_hex(KEK).unwrap()).await.unwrap();
    let sealed = before.seal(&subject, b"", b"plain").await.unwrap();

    let both = connect(&keys, Keyring::new(Arc::new(kms.key("arn")), vec![file()])).await.unwrap();
    assert_eq!(both.rotate_kek().await.unwrap().len(), 3);
    assert_eq!(both.begin_rotation().await.unwrap(), 2);
    assert_eq!(both.rewrap(100).await.unwrap().left, 0);
    let moved = connect(&keys, kms.key("arn")).await.unwrap();
    for vault in [&before, &both, &moved] {
        assert_eq!(vault.open(&subject, b"", &sealed).await.unwrap(), Opened::Plain(b"plain".to_vec()));
    }
    assert_eq!(moved.mac("a", b"text"), before.mac("a", b"text"));
    assert_refused(connect(&keys, Kek::from_hex(KEK).unwrap()).await, "aws-kms:");

    // A stored key that was changed is found at the start.
    sqlx::query("UPDATE vault.service_key SET wrapped = set_byte(wrapped, 70, get_byte(wrapped, 70) # 1) WHERE name = 'mac'")
        .execute(&keys.pool)
        .await
        .unwrap();
    assert_refused(connect(&keys, kms.key("arn")).await, "InvalidCiphertextException");
}
