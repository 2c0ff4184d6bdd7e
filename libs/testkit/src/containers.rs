//! The servers in containers, by testcontainers.

use std::env;
use std::process::{Command, Stdio};
use std::time::Duration;

use docket_servers::{Afterwards, free_port};
use testcontainers::core::IntoContainerPort;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, Image, ImageExt};
use testcontainers_modules::nats::{Nats, NatsServerCmd};
use testcontainers_modules::postgres::Postgres;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// The images, by tag; those of the Kubernetes manifests and of compose, which `make check` compares. PostgreSQL 18 is what we
/// promise.
const POSTGRES_TAG: &str = "18.1";
const NATS_TAG: &str = "2.15.1-alpine";
/// An engine without the image and without a registry must not hold up the tests.
const PULL_PATIENCE: Duration = Duration::from_mins(2);
const RESTART_PATIENCE: Duration = Duration::from_secs(30);

/// True when an engine answers and has, or can pull, both images.
pub(crate) async fn are_available() -> bool {
    if !engine_may_answer() {
        return false;
    }
    let had_or_pulled = async {
        (has(&format!("postgres:{POSTGRES_TAG}"))
            || Postgres::default().with_tag(POSTGRES_TAG).pull_image().await.is_ok())
            && (has(&format!("nats:{NATS_TAG}"))
                || Nats::default().with_tag(NATS_TAG).pull_image().await.is_ok())
    };
    tokio::time::timeout(PULL_PATIENCE, had_or_pulled).await.unwrap_or(false)
}

/// True when the engine has the image already; it may have no way to a registry.
fn has(image: &str) -> bool {
    command(&["docker", "image", "inspect", image])
}

/// A cheap look before the client's own long search.
fn engine_may_answer() -> bool {
    env::var_os("DOCKER_HOST").is_some() || command(&["docker", "version"])
}

fn command(words: &[&str]) -> bool {
    let status = Command::new(words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// A container which is removed when dropped, and also when our process is killed.
#[derive(Debug)]
struct Guarded<I: Image> {
    container: ContainerAsync<I>,
    _afterwards: Afterwards,
}

impl<I: Image> Guarded<I> {
    async fn start(request: ContainerRequest<I>) -> Self {
        let container = request.start().await.unwrap_or_else(|error| panic!("start a container: {error}"));
        let remove = r#"docker rm -f -v "$1" || podman rm -f -v "$1""#;
        let afterwards = Afterwards::run(&["/bin/sh", "-c", remove, "remove", container.id()]);
        Self { container, _afterwards: afterwards.unwrap_or_else(|error| panic!("{error}")) }
    }
}

/// PostgreSQL in a container.
#[derive(Debug)]
pub(crate) struct PostgresContainer {
    /// The superuser's URL of the database `postgres`.
    pub(crate) url: String,
    _guarded: Guarded<Postgres>,
}

impl PostgresContainer {
    pub(crate) async fn start() -> Self {
        let image =
            Postgres::default().with_user("docket").with_password("throw-away").with_db_name("postgres");
        let settings =
            ["-c", "fsync=off", "-c", "max_connections=200", "-c", "wal_level=replica", "-c", "timezone=UTC"];
        let (port, published) = (free_port().unwrap_or_else(|error| panic!("{error}")), 5432.tcp());
        let request = image.with_tag(POSTGRES_TAG).with_cmd(settings).with_mapped_port(port, published);
        let guarded = Guarded::start(request).await;
        let host = guarded.container.get_host().await.expect("the engine knows its host");
        Self { url: format!("postgres://docket:throw-away@{host}:{port}/postgres"), _guarded: guarded }
    }
}

/// nats-server in a container.
#[derive(Debug)]
pub(crate) struct NatsContainer {
    /// The clients' URL; the same after a restart.
    pub(crate) url: String,
    guarded: Guarded<Nats>,
}

impl NatsContainer {
    pub(crate) async fn start() -> Self {
        // A port of our choice, since the engine would give another one after a restart.
        let port = free_port().unwrap_or_else(|error| panic!("{error}"));
        let image = Nats::default().with_cmd(&NatsServerCmd::default().with_jetstream());
        let guarded = Guarded::start(image.with_tag(NATS_TAG).with_mapped_port(port, 4222.tcp())).await;
        let host = guarded.container.get_host().await.expect("the engine knows its host");
        Self { url: format!("nats://{host}:{port}"), guarded }
    }

    pub(crate) async fn kill(&self) {
        self.guarded.container.stop_with_timeout(Some(0)).await.expect("the container can be killed");
    }

    pub(crate) async fn restart(&self) {
        self.guarded.container.start().await.expect("the container starts again");
        // The engine answers before the server does.
        let greeted = async { while !self.greets().await {} };
        tokio::time::timeout(RESTART_PATIENCE, greeted).await.expect("nats-server greets again");
    }

    /// True when the server speaks first, as its protocol wants; the engine's proxy accepts and says nothing.
    async fn greets(&self) -> bool {
        let address = self.url.strip_prefix("nats://").expect("the URL is ours");
        let Ok(mut stream) = TcpStream::connect(address).await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            return false;
        };
        let mut greeting = [0; 4];
        stream.read_exact(&mut greeting).await.is_ok() && &greeting == b"INFO"
    }
}
