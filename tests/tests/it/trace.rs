//! One trace runs from a client's call through NATS to the mail, and no span tells whom it is about.
use crate::system::{System, root};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

const STORY: &str = "tests/stories/naturalization.toml";
/// Services hand over their spans every five seconds; more only on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Everything with a log or a projection.
const SERVICES: [&str; 6] =
    ["case-status", "filing", "identity", "notifications", "payments", "status-projection"];
/// Of the story: what no span may hold.
const PERSONAL: [&str; 9] = [
    "Verdemar",
    "Ana Lúcia",
    "1988-04-12",
    "Invented Lane",
    "Nowhere Street",
    "Example Bakery",
    "212 555 0142",
    "bring a friend",
    "tax transcript of last year",
];

/// What the services told, as it came.
#[derive(Clone, Default)]
struct Collector(Arc<(Mutex<Vec<ExportTraceServiceRequest>>, Condvar)>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.0.lock().expect("nobody panics with it").push(request.into_inner());
        self.0.1.notify_all();
        Ok(Response::new(ExportTraceServiceResponse { partial_success: None }))
    }
}

impl Collector {
    /// Serves on a free port; its address.
    fn serve(&self, runtime: &tokio::runtime::Runtime) -> String {
        let incoming =
            runtime.block_on(async { TcpIncoming::bind(([127, 0, 0, 1], 0).into()) }).expect("a port");
        let address = incoming.local_addr().expect("its address");
        let service = TraceServiceServer::new(self.clone()).max_decoding_message_size(64 << 20);
        runtime.spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        format!("http://{address}")
    }

    fn told(&self) -> Vec<ExportTraceServiceRequest> {
        self.0.0.lock().expect("nobody panics with it").clone()
    }

    /// Waits until `find` finds something in what was told; it says what is missing otherwise.
    fn wait_for<T>(&self, find: impl Fn(&[ExportTraceServiceRequest]) -> Result<T, String>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut told = self.0.0.lock().expect("nobody panics with it");
        loop {
            match find(&told) {
                Ok(found) => return found,
                Err(missing) => assert!(Instant::now() < deadline, "{missing}"),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            told = self.0.1.wait_timeout(told, left).expect("nobody panics with it").0;
        }
    }
}

/// A span with the service that told it.
#[derive(Clone, Debug)]
struct Seen {
    service: String,
    attributes: BTreeMap<String, String>,
    span: Span,
}

impl Seen {
    fn is(&self, service: &str, kind: SpanKind, name: &str, attribute: (&str, &str)) -> bool {
        self.service == service
            && self.span.kind() == kind
            && self.span.name == name
            && self.attributes.get(attribute.0).is_some_and(|value| value == attribute.1)
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |one: &KeyValue| {
        let any_value::Value::StringValue(text) = one.value.as_ref()?.value.as_ref()? else { return None };
        Some((one.key.clone(), text.clone()))
    };
    attributes.iter().filter_map(text).collect()
}

fn seen(told: &[ExportTraceServiceRequest]) -> Vec<Seen> {
    let mut all = Vec::new();
    for of_resource in told.iter().flat_map(|request| &request.resource_spans) {
        let resource = of_resource.resource.as_ref().map(|resource| texts(&resource.attributes));
        let service = resource.and_then(|mut texts| texts.remove("service.name")).unwrap_or_default();
        for span in of_resource.scope_spans.iter().flat_map(|scope| &scope.spans) {
            let attributes = texts(&span.attributes);
            all.push(Seen { service: service.clone(), attributes, span: span.clone() });
        }
    }
    all
}

/// Whether a station of the way is this span.
type Station = fn(&Seen) -> bool;

/// The way, each station with the index of the one that caused it.
const WAY: [(&str, Option<usize>, Station); 6] = [
    ("the call that pays", None, |seen| {
        let method = "docket.payments.v1.PaymentService/PayWithCard";
        seen.is("payments", SpanKind::Server, method, ("rpc.method", method))
    }),
    ("filing hears of the fee", Some(0), |seen| {
        let kind = ("docket.kind", "payment.fee_settled.v1");
        seen.is("filing", SpanKind::Consumer, "process payments", kind)
    }),
    ("case-status hears of the filing", Some(1), |seen| {
        let kind = ("docket.kind", "filing.submitted.v1");
        seen.is("case-status", SpanKind::Consumer, "process filing", kind)
    }),
    ("notifications hears of the case", Some(2), |seen| {
        let kind = ("docket.kind", "case.filing_accepted.v1");
        seen.is("notifications", SpanKind::Consumer, "process cases-0", kind)
    }),
    ("the receipt is printed", Some(2), |seen| {
        let kind = ("docket.notice.kind", "receipt");
        seen.is("notifications", SpanKind::Internal, "issue notice", kind)
    }),
    ("its mail goes to the mail server", Some(4), |seen| {
        let alert = ("docket.alert", "filing_accepted");
        seen.is("notifications", SpanKind::Client, "send mail", alert)
    }),
];

/// The one trace that goes the whole way, each station below the one that caused it; else how far one came.
fn whole_way(told: &[ExportTraceServiceRequest]) -> Result<Vec<Seen>, String> {
    let mut traces: HashMap<Vec<u8>, Vec<Seen>> = HashMap::new();
    for one in seen(told) {
        traces.entry(one.span.trace_id.clone()).or_default().push(one);
    }
    let begun = traces.into_values().filter(|trace| trace.iter().any(WAY[0].2));
    let ends: Vec<_> = begun.map(|trace| missing(&trace).map_or(Ok(trace), Err)).collect();
    let mut whole = ends.iter().filter_map(|end| end.as_ref().ok());
    match (whole.next(), whole.next()) {
        (Some(trace), None) => Ok(trace.clone()),
        (Some(_), Some(_)) => Err("two traces go the whole way".to_owned()),
        (None, _) => {
            let tried: Vec<_> = ends.iter().filter_map(|end| end.as_ref().err()).cloned().collect();
            Err(format!("no trace goes the whole way:\n{}", tried.join("\n")))
        }
    }
}

/// The first thing that is missing on the way of a trace.
fn missing(trace: &[Seen]) -> Option<String> {
    let parents: HashMap<&[u8], &[u8]> =
        trace.iter().map(|one| (&one.span.span_id[..], &one.span.parent_span_id[..])).collect();
    let mut stations: Vec<&Seen> = Vec::new();
    for (what, cause, station) in WAY {
        let Some(found) = trace.iter().find(|one| station(one)) else {
            let names: Vec<_> =
                trace.iter().map(|one| format!("{}: {}", one.service, one.span.name)).collect();
            return Some(format!("{what}: no such span among {names:?}"));
        };
        if let Some(cause) = cause {
            let cause = &stations[cause].span.span_id[..];
            let up = std::iter::successors(Some(&found.span.span_id[..]), |id| parents.get(id).copied());
            // No chain is longer than its trace.
            if !up.take(trace.len() + 1).any(|id| id == cause) {
                return Some(format!("{what}: not below what caused it"));
            }
        }
        stations.push(found);
    }
    None
}

#[test]
fn one_trace_runs_from_the_call_to_the_mail() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let collector = Collector::default();
    let endpoint = collector.serve(&runtime);
    let system = System::start_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    let told = system.play(STORY, |_| ());
    let trace = collector.wait_for(whole_way);
    let call = trace.iter().find(|one| WAY[0].2(one)).unwrap();
    assert!(!call.span.parent_span_id.is_empty(), "the trace begins with the client");
    assert_eq!(call.attributes["rpc.response.status_code"], "OK");

    // With the end of the services, what they had not told yet.
    drop(system);
    let requests = collector.told();
    the_relay_links_to_it(&requests, &call.span.trace_id);
    resources_say_who_they_are(&requests);
    nobody_is_named(&requests, &told);
}

/// A batch of events belongs to several traces: the relay's span links to each.
fn the_relay_links_to_it(told: &[ExportTraceServiceRequest], trace: &[u8]) {
    for service in ["payments", "filing", "case-status", "notifications"] {
        let linked = seen(told).into_iter().any(|one| {
            let links = one.span.links.iter().any(|link| link.trace_id == trace);
            one.service == service && one.span.kind() == SpanKind::Producer && links
        });
        assert!(linked, "no publication of {service} links to the trace");
    }
}

fn resources_say_who_they_are(told: &[ExportTraceServiceRequest]) {
    let mut services = BTreeSet::new();
    for of_resource in told.iter().flat_map(|request| &request.resource_spans) {
        let resource = texts(&of_resource.resource.as_ref().expect("a resource").attributes);
        assert_eq!(resource["service.namespace"], "docket", "{resource:?}");
        assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"), "{resource:?}");
        assert_eq!(resource["deployment.environment.name"], "development", "{resource:?}");
        assert!(uuid::Uuid::try_parse(&resource["service.instance.id"]).is_ok(), "{resource:?}");
        services.insert(resource["service.name"].clone());
    }
    assert_eq!(services, SERVICES.map(str::to_owned).into());
}

/// Names, attributes, events, links: nothing personal in whatever was told, byte for byte.
fn nobody_is_named(requests: &[ExportTraceServiceRequest], told: &[serde_json::Value]) {
    let story = std::fs::read_to_string(root().join(STORY)).unwrap();
    for text in PERSONAL {
        assert!(story.contains(text), "{text} is not in the story any more");
    }
    let email = told.last().unwrap()["sign_ins"][0]["email"].as_str().unwrap();
    // The address and the A-number end in the digits of the run.
    let run: String = email.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(run.len(), 6, "{email}");
    let a_number = format!("A000{run}");
    let own = ["@example.test", "+12125550142", "correct horse", "pm_card_visa", &a_number];

    let all: Vec<u8> = requests.iter().flat_map(prost::Message::encode_to_vec).collect();
    let all = String::from_utf8_lossy(&all).to_lowercase();
    let found = |text: &str| all.contains(&text.to_lowercase());
    assert!(found("Status-Projection") && found("case.Filing_Accepted.v1"), "the search finds what is there");
    let named: Vec<_> = PERSONAL.into_iter().chain(own).filter(|text| found(text)).collect();
    assert!(named.is_empty(), "spans hold {named:?}");
}
