//! Where the supervisor keeps things under its home, and the parts of the system by name.
use anyhow::{Context, Result};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A service: its names and its preferred ports.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Name on the wire and in certificates, for example `case-status`.
    pub name: &'static str,
    /// Database; empty when none.
    pub database: &'static str,
    /// Whether personal data is sealed here, so that a database for keys is needed.
    pub keys: bool,
    /// Preferred gRPC port.
    pub grpc: u16,
    /// Preferred admin port.
    pub admin: u16,
    /// Preferred HTTP port; 0 when it has no HTTP face.
    pub http: u16,
    /// Its log on the broker; empty when none.
    pub log: &'static str,
    /// Logs it reads.
    pub reads: &'static [&'static str],
}

/// All services, in the order in which they start.
pub const PARTS: &[Part] = &[
    Part {
        name: "identity",
        database: "identity",
        keys: true,
        grpc: 7401,
        admin: 9401,
        http: 7411,
        log: "identity",
        reads: &["identity"],
    },
    Part {
        name: "filing",
        database: "filing",
        keys: true,
        grpc: 7402,
        admin: 9402,
        http: 7412,
        log: "filing",
        reads: &["identity", "payments", "cases-0"],
    },
    Part {
        name: "payments",
        database: "payments",
        keys: true,
        grpc: 7403,
        admin: 9403,
        http: 7413,
        log: "payments",
        reads: &["identity", "filing", "cases-0"],
    },
    Part {
        name: "case-status",
        database: "cases",
        keys: true,
        grpc: 7404,
        admin: 9404,
        http: 0,
        log: "cases-0",
        reads: &["identity", "filing", "payments", "notifications", "cases-0"],
    },
    Part {
        name: "status-projection",
        database: "status",
        keys: false,
        grpc: 7405,
        admin: 9405,
        http: 0,
        log: "status",
        reads: &["identity", "cases-0"],
    },
    Part {
        name: "notifications",
        database: "notifications",
        keys: true,
        grpc: 7406,
        admin: 9406,
        http: 0,
        log: "notifications",
        reads: &["identity", "filing", "payments", "cases-0"],
    },
];

/// Folders and files under the home.
#[derive(Clone, Debug)]
pub struct Place {
    /// The home, absolute.
    pub home: PathBuf,
    /// Whether it is thrown away at the end, so that its clock may be turned.
    pub apart: bool,
}

impl Place {
    /// Makes the folders.
    pub fn make(home: &Path, apart: bool) -> Result<Self> {
        std::fs::create_dir_all(home).with_context(|| format!("make {}", home.display()))?;
        let place = Self { home: home.canonicalize()?, apart };
        for folder in
            [place.tls(), place.configs(), place.secrets(), place.logs(), place.data(), place.held()]
        {
            std::fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        }
        std::fs::set_permissions(place.secrets(), std::fs::Permissions::from_mode(0o700))?;
        Ok(place)
    }

    /// Certificates.
    pub fn tls(&self) -> PathBuf {
        self.home.join("tls")
    }
    /// One configuration file a service.
    pub fn configs(&self) -> PathBuf {
        self.home.join("config")
    }
    /// Passwords and keys, one a file.
    pub fn secrets(&self) -> PathBuf {
        self.home.join("secrets")
    }
    /// One log a process.
    pub fn logs(&self) -> PathBuf {
        self.home.join("logs")
    }
    /// Databases, broker, sealed files.
    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }
    /// Names of services that are not to be started again.
    pub fn held(&self) -> PathBuf {
        self.home.join("held")
    }
    /// The clock's offset in development.
    pub fn clock(&self) -> PathBuf {
        self.home.join("clock")
    }

    /// A secret of its own file, made when missing: `bytes` random bytes in hexadecimal.
    pub fn secret(&self, name: &str, bytes: usize) -> Result<PathBuf> {
        let path = self.secrets().join(name);
        if !path.exists() {
            let mut random = vec![0; bytes];
            std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut random)?;
            write_private(&path, &hex::encode(random))?;
        }
        Ok(path)
    }
}

/// Writes a file that only we may read.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(())
}
