//! The real clamd, where there is one (Debian: clamav-daemon; else `DOCKET_CLAMD` names it), with a signature of our own.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use tonic::Code;

use crate::files;
use crate::world::{World, reason};

/// A running clamd.
struct Clamd {
    process: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Clamd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where clamd is on this machine.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("DOCKET_CLAMD").map(PathBuf::from);
    let found = named.or_else(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        folders.push("/usr/sbin".into());
        folders.into_iter().map(|folder| folder.join("clamd")).find(|file| file.is_file())
    });
    if found.is_none() {
        println!("not run: there is no clamd");
    }
    found
}

impl Clamd {
    /// Starts it with more lines in its configuration.
    fn start(program: &PathBuf, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // In two halves so that no scanner objects to this source.
        let eicar = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
        let hex = hex::encode(eicar);
        fs::write(folder.path().join("docket.ndb"), format!("Docket.Test.EICAR:0:*:{hex}\n")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let user = if geteuid().is_root() { "User clamav\n" } else { "" };
        let config = format!(
            "TCPSocket {}\nTCPAddr 127.0.0.1\nDatabaseDirectory {}\nOfficialDatabaseOnly no\nForeground yes\n{user}{more}",
            port.port(),
            folder.path().display(),
        );
        let file = folder.path().join("clamd.conf");
        fs::write(&file, config).unwrap();
        let process = Command::new(program)
            .arg("--config-file")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(port).is_err() {
            assert!(begun.elapsed() < Duration::from_mins(1), "clamd does not listen");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Self { process, address: port, _folder: folder }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_scanner_finds_what_it_knows_and_is_believed_only_with_limits_above_ours() {
    const RIGHT: &str = "StreamMaxLength 30M\nMaxFileSize 30M\nMaxScanSize 60M\nAlertExceedsMax yes\n";
    // With these it says OK of a large file that it did not look at.
    const LOW: &str = "StreamMaxLength 30M\nMaxFileSize 5M\nMaxScanSize 5M\n";
    const SHORT: &str = "StreamMaxLength 5M\nMaxFileSize 30M\nMaxScanSize 60M\n";
    let Some(program) = program() else { return };
    let right = Clamd::start(&program, RIGHT);
    let world = World::start_with_scanner(right.address).await;
    let ana = world.person("Ana Lúcia", "Lima");
    let draft = ana.start("N-400").await.unwrap().name;
    ana.upload(&draft, "green_card", "card.png", &files::picture(51)).await.unwrap();
    ana.upload(&draft, "green_card", "large.png", &files::sized(12 * 1024 * 1024, 52)).await.unwrap();
    let found = ana.upload(&draft, "green_card", "card.png", &files::infected()).await.unwrap_err();
    assert_eq!((found.code(), reason(&found)), (Code::InvalidArgument, "MALWARE_FOUND".to_owned()));

    for limits in [LOW, SHORT] {
        let scanner = Clamd::start(&program, limits);
        let world = World::start_with_scanner(scanner.address).await;
        let ana = world.person("Ana Lúcia", "Lima");
        let draft = ana.start("N-400").await.unwrap().name;
        let unproven = ana.upload(&draft, "green_card", "card.png", &files::picture(53)).await.unwrap_err();
        assert_eq!(
            (unproven.code(), reason(&unproven)),
            (Code::Unavailable, "SCANNER_UNAVAILABLE".to_owned())
        );
        assert_eq!(world.objects(), 0);
    }
}
