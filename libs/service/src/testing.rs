//! For the services' integration tests: certificates, tokens, a stand-in for identity, a server on free ports.
//!
//! ```ignore
//! let bench = Bench::new().await;                               // authority, token key, stand-in identity
//! let (own, keys) = (database("filing").await, database("filing_keys").await); // docket-testkit
//! let config = bench.config("filing", &own.url, Some(&keys.url), &nats().await.url);
//! migrate(&config, &MIGRATOR).await?;                           // as the binary's `migrate` does
//! bench.peer("payments", Routes::new(PaymentServiceServer::new(Stub))).await; // before the service starts
//! let server = bench.serve(config, |service, stop| filing::serve(Config { service, .. }, stop)).await;
//! let mut client = DraftServiceClient::new(server.channel());   // without a certificate: a person
//! client.start_draft(with_token(message, &bench.token(account))).await?;
//! let service = server.channel_as(&bench, "payments");          // as another service
//! grant_role(&own.pool, account, "adjudicator", "NBC").await;   // what identity's log would do
//! bench.advance(3600);                                          // the clock of all its servers and tokens
//! server.stop().await;
//! ```

mod foreign;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use docket_kernel::{Clock as _, SystemClock};
use docket_messaging::Stop;
use docket_proto::identity::v1 as identity;
use docket_proto::identity::v1::session_service_server::{SessionService, SessionServiceServer};
use docket_vault::Kek;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, SanType,
};
use serde_json::json;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::config::{
    BrokerConfig, DatabaseConfig, Environment, KeysDatabaseConfig, ObjectsConfig, ServiceConfig,
    TelemetryConfig, TlsConfig,
};
use crate::{Listening, roles, tls};

pub use foreign::{append, foreign_log, machine};

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_mins(1);
const KID: &str = "test-1";

/// A certificate authority for one test.
pub struct Authority {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
}

impl Authority {
    /// A new authority with a key of its own.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names to be wrong");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "Docket test authority");
        let key = KeyPair::generate().expect("a key can be made");
        let pem = params.self_signed(&key).expect("an authority signs itself").pem();
        Self { params, key, pem }
    }

    /// Writes a certificate of `service` with its key and the authority's into `folder`.
    pub fn issue(&self, service: &str, folder: &Path) -> TlsConfig {
        std::fs::create_dir_all(folder).expect("the folder can be made");
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a good name");
        params.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let id = format!("spiffe://docket.local/ns/docket/sa/{service}");
        params.subject_alt_names.push(SanType::URI(id.try_into().expect("ASCII")));
        params.distinguished_name.push(DnType::CommonName, service);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key can be made");
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).expect("the authority signs");
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("the file can be written");
            path
        };
        TlsConfig {
            cert_file: write("cert.pem", &certificate.pem()),
            key_file: write("key.pem", &key.serialize_pem()),
            ca_file: write("ca.pem", &self.pem),
        }
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A key for access tokens, in identity's place.
pub struct TokenKey {
    signing: EncodingKey,
    jwks: String,
}

impl TokenKey {
    /// A new Ed25519 key.
    pub fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key can be made");
        let signing = EncodingKey::from_ed_pem(key.serialize_pem().as_bytes()).expect("its own PEM");
        let x = URL_SAFE_NO_PAD.encode(key.public_key_raw());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": KID, "x": x});
        Self { signing, jwks: json!({ "keys": [jwk] }).to_string() }
    }

    /// The public key as a JWK set.
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// A token with exactly these claims.
    pub fn sign(&self, claims: &serde_json::Value) -> String {
        let header = Header { kid: Some(KID.to_owned()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, claims, &self.signing).expect("claims encode")
    }
}

impl Default for TokenKey {
    fn default() -> Self {
        Self::new()
    }
}

/// What the servers of one test share.
pub struct Bench {
    /// Signs all certificates.
    pub authority: Authority,
    /// Signs all tokens.
    pub key: Arc<TokenKey>,
    folder: PathBuf,
    offset: AtomicI64,
    peers: Mutex<BTreeMap<String, String>>,
    stop: Stop,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Bench {
    /// A bench with a stand-in for identity, which only knows the token key.
    pub async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        tls::install_provider();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("docket-bench-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the test");
        let bench = Self {
            authority: Authority::new(),
            key: Arc::new(TokenKey::new()),
            folder,
            offset: AtomicI64::new(0),
            peers: Mutex::default(),
            stop: Stop::new(),
        };
        bench.advance(0);
        bench.peer("identity", bench.identity()).await;
        bench
    }

    /// Identity as far as all need it, to check tokens; a service that asks it for more adds that.
    pub fn identity(&self) -> Routes {
        Routes::new(SessionServiceServer::new(OnlyKeys(Arc::clone(&self.key))))
    }

    /// Serves `routes` as the service `name`, for the servers configured after this.
    pub async fn peer(&self, name: &str, routes: Routes) {
        let tls = self.authority.issue(name, &self.folder.join(format!("peer-{name}")));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        self.set_peer(name, address);
        let server = tonic::transport::Server::builder()
            .tls_config(tls::server(&tls).expect("certificates of our own"))
            .expect("certificates of our own")
            .add_routes(routes);
        let stop = self.stop.clone().cancelled_owned();
        tokio::spawn(server.serve_with_incoming_shutdown(TcpIncoming::from(listener), stop));
    }

    /// Names the address of a service, for the servers configured after this.
    pub fn set_peer(&self, name: &str, address: SocketAddr) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        peers.insert(name.to_owned(), format!("https://{address}"));
    }

    /// The configuration of a service on free ports.
    pub fn config(&self, name: &str, database: &str, keys: Option<&str>, broker: &str) -> ServiceConfig {
        let folder = self.folder.join(name);
        let tls = self.authority.issue(name, &folder.join("tls"));
        let kek_file = folder.join("kek");
        if !kek_file.exists() {
            std::fs::write(&kek_file, Kek::generate().expect("randomness").as_bytes()).expect("written");
        }
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        ServiceConfig {
            environment: Environment::Development,
            grpc_listen: free,
            admin_listen: free,
            http_listen: Some(free),
            data_dir: folder.join("data"),
            clock_offset_file: Some(self.folder.join("clock")),
            drain_delay_ms: 0,
            connection_age_s: 300,
            tls,
            database: DatabaseConfig {
                url: database.to_owned(),
                password_file: None,
                owner_url: None,
                owner_password_file: None,
                max_connections: 16,
            },
            keys_database: keys.map(|url| KeysDatabaseConfig {
                url: url.to_owned(),
                password_file: None,
                owner_url: None,
                owner_password_file: None,
                kek_file: Some(kek_file),
                aws_kms: None,
                previous_kek_files: Vec::new(),
                previous_aws_kms: Vec::new(),
                max_connections: 4,
            }),
            objects: None,
            broker: BrokerConfig {
                url: broker.to_owned(),
                replicas: 1,
                refill_events: docket_messaging::REFILL,
            },
            peers: self.peers.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            telemetry: TelemetryConfig::default(),
        }
    }

    /// Runs a service until [`Running::stop`]; gives it when it listens.
    ///
    /// # Panics
    /// When it ends before, with its error.
    pub async fn serve<Fut>(
        &self,
        config: ServiceConfig,
        serve: impl FnOnce(ServiceConfig, Stop) -> Fut,
    ) -> Running
    where
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let stop = self.stop.child_token();
        let data_dir = config.data_dir.clone();
        let ca = Certificate::from_pem(&self.authority.pem);
        let mut task = tokio::spawn(serve(config, stop.clone()));
        let listening = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(listening) = Listening::read(&data_dir) {
                    return listening;
                }
                tokio::select! {
                    ended = &mut task => panic!("the server ended before it listened: {ended:?}"),
                    () = tokio::time::sleep(Duration::from_millis(10)) => {}
                }
            }
        })
        .await
        .expect("the server listens in time");
        Running { listening, ca, stop, task }
    }

    /// The time of the bench's servers.
    pub fn now(&self) -> jiff::Timestamp {
        SystemClock.now() + jiff::SignedDuration::from_secs(self.offset.load(Ordering::Relaxed))
    }

    /// Moves the clock of the bench's servers and tokens forward; the servers notice within 0.2 s.
    pub fn advance(&self, seconds: i64) {
        let offset = self.offset.fetch_add(seconds, Ordering::Relaxed) + seconds;
        std::fs::write(self.folder.join("clock"), offset.to_string()).expect("the clock's file");
    }

    /// A token of `account`, five minutes, second factor given at sign-in.
    pub fn token(&self, account: Uuid) -> String {
        self.token_with(account, "aal2", 0)
    }

    /// A token of `account` for guarded acts: the second factor was given just now.
    pub fn step_up_token(&self, account: Uuid) -> String {
        self.token_with(account, "stepup", 0)
    }

    /// A token whose second factor was given `age_s` seconds ago.
    pub fn token_with(&self, account: Uuid, acr: &str, age_s: i64) -> String {
        let now = self.now().as_second();
        self.key.sign(&json!({
            "iss": "docket", "aud": "docket", "sub": account, "sid": Uuid::new_v4(),
            "acr": acr, "auth_time": now - age_s, "iat": now, "exp": now + 300,
        }))
    }
}

/// A running server.
pub struct Running {
    /// Where it listens.
    pub listening: Listening,
    ca: Certificate,
    stop: Stop,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// A channel without a certificate: for persons.
    pub fn channel(&self) -> Channel {
        self.connect(ClientTlsConfig::new())
    }

    /// A channel with the certificate of `service`.
    pub fn channel_as(&self, bench: &Bench, service: &str) -> Channel {
        let tls = bench.authority.issue(service, &bench.folder.join(format!("caller-{service}")));
        self.connect(tls::client(&tls).expect("certificates of our own"))
    }

    fn connect(&self, tls: ClientTlsConfig) -> Channel {
        let tls = tls.ca_certificate(self.ca.clone()).domain_name("localhost");
        Endpoint::from_shared(format!("https://{}", self.listening.grpc))
            .expect("an address is a URL")
            .tls_config(tls)
            .expect("certificates of our own")
            .connect_lazy()
    }

    /// Stops it in order and gives its outcome.
    ///
    /// # Panics
    /// When the server panicked.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.task.await.expect("the server does not panic")
    }
}

/// `message` with an access token.
pub fn with_token<M>(message: M, token: &str) -> Request<M> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse().expect("a token is ASCII");
    request.metadata_mut().insert("authorization", value);
    request
}

/// Gives `account` a role in a service's database, as identity's log would.
///
/// # Panics
/// When the database refuses.
pub async fn grant_role(pool: &PgPool, account: Uuid, role: &str, office: &str) {
    let mut connection = pool.acquire().await.expect("a connection");
    roles::grant(&mut connection, account, role, office).await.expect("the role is written");
}

/// Identity as far as others need it to check tokens.
struct OnlyKeys(Arc<TokenKey>);

#[tonic::async_trait]
impl SessionService for OnlyKeys {
    async fn get_key_set(
        &self,
        _request: Request<identity::GetKeySetRequest>,
    ) -> Result<Response<identity::GetKeySetResponse>, Status> {
        Ok(Response::new(identity::GetKeySetResponse { jwks_json: self.0.jwks().to_owned() }))
    }

    async fn sign_in(
        &self,
        _request: Request<identity::SignInRequest>,
    ) -> Result<Response<identity::SignInResponse>, Status> {
        Err(Status::unimplemented("a stand-in"))
    }

    async fn refresh_token(
        &self,
        _request: Request<identity::RefreshTokenRequest>,
    ) -> Result<Response<identity::RefreshTokenResponse>, Status> {
        Err(Status::unimplemented("a stand-in"))
    }

    async fn step_up(
        &self,
        _request: Request<identity::StepUpRequest>,
    ) -> Result<Response<identity::StepUpResponse>, Status> {
        Err(Status::unimplemented("a stand-in"))
    }

    async fn sign_out(
        &self,
        _request: Request<identity::SignOutRequest>,
    ) -> Result<Response<identity::SignOutResponse>, Status> {
        Err(Status::unimplemented("a stand-in"))
    }
}

/// What a program is told in its file of what every service has; its own sections follow.
#[expect(clippy::unnecessary_debug_formatting, reason = "quoted, as TOML wants its strings")]
pub fn service_toml(service: &ServiceConfig) -> String {
    let keys = service.keys_database.as_ref().expect("the bench's services have keys");
    let peers: Vec<String> = service.peers.iter().map(|(name, url)| format!("{name} = {url:?}")).collect();
    let objects = service.objects.as_ref().map(objects_toml).unwrap_or_default();
    format!(
        "[service]\ngrpc_listen = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\ndata_dir = {:?}\n\
         clock_offset_file = {:?}\n[service.tls]\ncert_file = {:?}\nkey_file = {:?}\nca_file = {:?}\n\
         [service.database]\nurl = {:?}\n[service.keys_database]\nurl = {:?}\nkek_file = {:?}\n\
         [service.broker]\nurl = {:?}\n{objects}[service.peers]\n{}\n",
        service.data_dir,
        service.clock_offset_file.as_ref().expect("the bench has a clock"),
        service.tls.cert_file,
        service.tls.key_file,
        service.tls.ca_file,
        service.database.url,
        keys.url,
        keys.kek_file.as_ref().expect("the bench's services have a key"),
        service.broker.url,
        peers.join("\n"),
    )
}

#[expect(clippy::unnecessary_debug_formatting, reason = "quoted, as TOML wants its strings")]
fn objects_toml(objects: &ObjectsConfig) -> String {
    format!(
        "[service.objects]\nbucket = {:?}\nprefix = {:?}\nregion = {:?}\nendpoint = {:?}\ncredentials_file = {:?}\n",
        objects.bucket,
        objects.prefix,
        objects.region,
        objects.endpoint.as_ref().expect("a server of the test's own"),
        objects.credentials_file.as_ref().expect("with its user's secret"),
    )
}
