//! Appends over gRPC: what a service's port adds to an append, without a service's rules, tokens and TLS.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use docket_eventlog::{
    Append, Error, EventLog, Expected, Metadata, NewEvent, StreamAppend, StreamName, Subjects,
};
use docket_proto::log::v1::{GetHeadResponse, StoredEvent};
use futures::future::BoxFuture;
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use crate::append::{Appended, UnderWay, calls, sample};
use crate::cases;
use crate::pace::paced;
use crate::pgbench::Baseline;
use crate::place::{Place, open};
use crate::report::{Case, Reach, Report, quantile, rounds, seconds};

const CLIENTS: usize = 64;
const CONNECTIONS: usize = 4;
const WIRE: &str = "append over gRPC, 64 clients";
const ECHO: &str = "append over gRPC, 64 clients, and a bare echo";
const TAIL: &str = "append p99 over gRPC at half the highest rate";

pub(crate) async fn run(report: &mut Report) {
    if !report.wants(&[WIRE, ECHO, TAIL]) {
        return;
    }
    let place = Place::new().await;
    let (database, pool) = place.database().await;
    let log = open(&pool).await;
    let baseline = Baseline::new(&database, &pool, &sample(&log).await).await;
    let mut cases = UnderWay::open(&log, CLIENTS).await;
    let client = Client::connect(&log).await;
    let time = Duration::from_secs(seconds());
    let (mut wire, mut echo, mut tail) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let theirs = baseline.run(&place, CLIENTS, seconds(), None).await.rate;
        let ours = client.appends(&mut cases, time).await.rate;
        wire.push((ours, theirs));
        echo.push((ours, client.echoes(time).await.rate));
        let theirs = baseline.run(&place, CLIENTS, seconds(), Some(ours / 2.0)).await.p99_ms;
        tail.push((client.p99_ms(&mut cases, ours / 2.0, time).await, theirs));
    }
    let (unit, against) = ("events/s", "pgbench -M prepared, 64 clients");
    report.add(Case { name: WIRE, unit, baseline: against, reach: Reach::AtLeast(1.4), turns: wire });
    let against = "the same client, the same bytes back";
    report.add(Case { name: ECHO, unit, baseline: against, reach: Reach::AtLeast(0.6), turns: echo });
    let (unit, against) = ("ms", "pgbench --rate");
    report.add(Case { name: TAIL, unit, baseline: against, reach: Reach::AtMost(2.0), turns: tail });
    log.close().await;
}

/// The clients: tasks over a few connections.
#[derive(Clone)]
struct Client {
    log: EventLog,
    channels: Vec<Channel>,
}

impl Client {
    /// Serves the log on a free port and connects to it.
    async fn connect(log: &EventLog) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tonic::transport::Server::builder().add_service(Port(log.clone()));
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        tokio::spawn(server.serve_with_incoming(incoming));
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            channels.push(Endpoint::from_shared(url.clone()).unwrap().connect().await.unwrap());
        }
        Self { log: log.clone(), channels }
    }

    async fn appends(&self, cases: &mut UnderWay, time: Duration) -> Appended {
        let client = self.clone();
        calls(cases, time, move |n, case, version| client.append(n, case, version)).await
    }

    /// Sends the same messages and gets them back.
    async fn echoes(&self, time: Duration) -> Appended {
        let client = self.clone();
        let mut nothing = UnderWay::nowhere(CLIENTS);
        calls(&mut nothing, time, move |n, case, version| {
            let echo = client.call::<StoredEvent>(n, "/docket.bench.Log/Echo", client.message(case, version));
            async move { drop(echo.await) }
        })
        .await
    }

    /// What 99 of 100 appends take at a rate, from the instant they are due.
    async fn p99_ms(&self, cases: &mut UnderWay, rate: f64, time: Duration) -> f64 {
        let client = self.clone();
        let answered =
            paced(cases, rate, time, move |n, case, version| client.append(n, case, version)).await;
        quantile(answered.into_iter().map(|answered| answered.took_ms), 0.99)
    }

    fn append(&self, n: usize, case: Uuid, version: u64) -> impl Future<Output = ()> + Send + use<> {
        let append = self.call::<GetHeadResponse>(n, "/docket.bench.Log/Append", self.message(case, version));
        async move { assert!(append.await.position > 0, "a position") }
    }

    /// What is sent: the plain message and its circumstances, the case and the version that it has.
    fn message(&self, case: Uuid, version: u64) -> StoredEvent {
        let NewEvent { kind, payload } = NewEvent::of(&cases::event(version + 1));
        StoredEvent {
            stream: StreamName::of("case", case).to_string(),
            version,
            kind,
            metadata: cases::context().metadata(&self.log).encode().into(),
            payload: payload.into(),
            ..StoredEvent::default()
        }
    }

    fn call<A: prost::Message + Default + Send + Sync + 'static>(
        &self,
        n: usize,
        path: &'static str,
        message: StoredEvent,
    ) -> impl Future<Output = A> + Send + use<A> {
        let mut client = tonic::client::Grpc::new(self.channels[n % CONNECTIONS].clone());
        async move {
            client.ready().await.unwrap();
            let (path, codec) = (PathAndQuery::from_static(path), ProstCodec::<StoredEvent, A>::default());
            client.unary(Request::new(message), path, codec).await.unwrap().into_inner()
        }
    }
}

/// The server: one method appends, the other gives back what it got.
#[derive(Clone)]
struct Port(EventLog);

impl NamedService for Port {
    const NAME: &'static str = "docket.bench.Log";
}

impl Service<http::Request<Body>> for Port {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let log = self.0.clone();
        Box::pin(async move {
            Ok(if request.uri().path().ends_with("/Append") {
                let codec = ProstCodec::<GetHeadResponse, StoredEvent>::default();
                tonic::server::Grpc::new(codec).unary(Appending(log), request).await
            } else {
                let codec = ProstCodec::<StoredEvent, StoredEvent>::default();
                tonic::server::Grpc::new(codec).unary(Echoing, request).await
            })
        })
    }
}

struct Appending(EventLog);

impl tonic::server::UnaryService<StoredEvent> for Appending {
    type Response = GetHeadResponse;
    type Future = BoxFuture<'static, Result<Response<GetHeadResponse>, Status>>;

    fn call(&mut self, request: Request<StoredEvent>) -> Self::Future {
        let log = self.0.clone();
        Box::pin(async move {
            let append =
                asked(request.into_inner()).map_err(|error| Status::invalid_argument(error.to_string()))?;
            let appended = log.append(append).await.map_err(|error| Status::aborted(error.to_string()))?;
            Ok(Response::new(GetHeadResponse { position: appended.last, ..GetHeadResponse::default() }))
        })
    }
}

/// The append that a message asks for.
fn asked(message: StoredEvent) -> Result<Append, Error> {
    let stream = StreamName::new(message.stream)?;
    let subjects = stream.id().map_or(Subjects::NONE, Subjects::filing);
    let events = vec![NewEvent { kind: message.kind, payload: message.payload.into() }];
    let streams =
        vec![StreamAppend { stream, expected: Expected::Version(message.version), subjects, events }];
    Ok(Append { metadata: Metadata::decode(&message.metadata)?, request: Vec::new(), streams })
}

struct Echoing;

impl tonic::server::UnaryService<StoredEvent> for Echoing {
    type Response = StoredEvent;
    type Future = std::future::Ready<Result<Response<StoredEvent>, Status>>;

    fn call(&mut self, request: Request<StoredEvent>) -> Self::Future {
        std::future::ready(Ok(Response::new(request.into_inner())))
    }
}
