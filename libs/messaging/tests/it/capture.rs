//! What the process tells about itself, written to files: log lines, and spans as a collector receives them by OTLP.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_sdk::trace::SdkTracerProvider;
use prost::Message as _;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Everything but the transport of the spans themselves, which would tell of its own telling.
const FILTER: &str = "trace,h2=off,hyper=off,hyper_util=off,tonic=off,tower=off,opentelemetry_sdk=off";

pub(crate) struct Capture {
    pub(crate) logs: PathBuf,
    pub(crate) spans: PathBuf,
    provider: SdkTracerProvider,
}

struct Collector(Arc<Mutex<File>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().write_all(&request.into_inner().encode_to_vec()).unwrap();
        Ok(Response::new(ExportTraceServiceResponse { partial_success: None }))
    }
}

impl Capture {
    /// Begins, for the whole test process, at the most talkative level.
    pub(crate) fn begin(folder: &Path) -> Self {
        let (logs, spans) = (folder.join("logs"), folder.join("spans"));
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let endpoint = format!("http://{}", incoming.local_addr().unwrap());
        let collector = Collector(Arc::new(Mutex::new(File::create(&spans).unwrap())));
        let service = TraceServiceServer::new(collector).max_decoding_message_size(64 << 20);
        tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        let exporter =
            opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build().unwrap();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).build();
        tracing_subscriber::registry()
            .with(EnvFilter::new(FILTER))
            .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("docket")))
            .with(tracing_subscriber::fmt::layer().json().with_writer(File::create(&logs).unwrap()))
            .try_init()
            .expect("no other test of this program captures");
        Self { logs, spans, provider }
    }

    /// Waits until everything told so far is written.
    pub(crate) async fn flush(&self) {
        let provider = self.provider.clone();
        tokio::task::spawn_blocking(move || provider.force_flush()).await.unwrap().unwrap();
    }
}
