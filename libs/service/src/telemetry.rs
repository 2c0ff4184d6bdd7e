//! Telemetry: one JSON object a line on stdout, spans by OTLP where an endpoint is named, metrics for Prometheus.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context as _;
use docket_kernel::{Clock as _, SystemClock};
use docket_messaging::Stop;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::KeyValue;
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::Rounds;
use crate::config::ServiceConfig;

/// Seconds; from a cached answer to a password hash.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// How often measurements are added up.
const ADD_UP: Duration = Duration::from_secs(5);

/// Flushes what is still to be told when it is dropped.
pub struct Telemetry(SdkTracerProvider);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(Duration::from_secs(5)) {
            tracing::debug!(%error, "spans may be lost");
        }
    }
}

/// Begins to log, trace and measure, for the whole process. Keep what it gives until the end.
///
/// # Errors
/// An endpoint or a filter that cannot be used, or a second call.
pub fn init(name: &'static str, config: &ServiceConfig) -> anyhow::Result<Telemetry> {
    let provider = provider(name, config)?;
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("docket"));
    let filter = EnvFilter::try_new(&config.telemetry.filter).context("service.telemetry.filter")?;
    let lines = tracing_subscriber::fmt::layer().event_format(JsonLine { name });
    tracing_subscriber::registry().with(filter).with(spans).with(lines).try_init()?;
    metrics_handle();
    Ok(Telemetry(provider))
}

fn provider(name: &'static str, config: &ServiceConfig) -> anyhow::Result<SdkTracerProvider> {
    let resource = Resource::builder()
        .with_service_name(name)
        .with_attributes([
            KeyValue::new("service.namespace", "docket"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
            KeyValue::new("deployment.environment.name", config.environment.as_str()),
        ])
        .build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let endpoint = &config.telemetry.otlp_endpoint;
    if endpoint.is_empty() {
        // Spans have ids all the same, which join the lines of one call.
        return Ok(builder.build());
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .context("service.telemetry.otlp_endpoint")?;
    Ok(builder.with_batch_exporter(exporter).build())
}

/// The process's metrics; the first call installs the recorder.
pub(crate) fn metrics_handle() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).expect("there are buckets");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        // Fails only when a test has installed another.
        let _ = metrics::set_global_recorder(recorder);
        handle
    })
}

/// Adds up what was measured, until the stop. A measurement is kept by itself until then, or until somebody asks for the
/// metrics; where nobody does, they would fill the memory.
pub(crate) async fn add_up(stop: Stop) -> anyhow::Result<()> {
    let mut rounds = Rounds::every(ADD_UP, "the measurements were not added up");
    while rounds.go_on(&stop).await {
        rounds
            .turn(async {
                metrics_handle().run_upkeep();
                Ok(())
            })
            .await;
    }
    Ok(())
}

/// One line: `ts, level, target, msg, service.name, service.version, trace_id, span_id`, then the event's own fields.
struct JsonLine {
    name: &'static str,
}

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut line = Map::new();
        let mut put = |key: &str, value: Value| line.insert(key.to_owned(), value);
        // The machine's time, also where the service's clock is ahead: lines of all processes must sort.
        put("ts", SystemClock.now().to_string().into());
        put("level", event.metadata().level().as_str().to_lowercase().into());
        put("target", event.metadata().target().into());
        put("msg", fields.message.into());
        put("service.name", self.name.into());
        put("service.version", env!("CARGO_PKG_VERSION").into());
        if let Some(span) = context.lookup_current() {
            let found = tracing::dispatcher::get_default(|dispatch| {
                tracing_opentelemetry::get_otel_context(&span.id(), dispatch)
            });
            if let Some(found) = found {
                let found = found.span().span_context().clone();
                if found.is_valid() {
                    put("trace_id", found.trace_id().to_string().into());
                    put("span_id", found.span_id().to_string().into());
                }
            }
        }
        line.extend(fields.others);
        writeln!(writer, "{}", Value::Object(line))
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.others.insert(field.name().to_owned(), ((value * 1000.0).round() / 1000.0).into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.others.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.others.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.others.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.others.insert(field.name().to_owned(), value.into());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.others.insert(field.name().to_owned(), format!("{value:?}").into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_measured_is_added_up_though_nobody_asks_for_it() {
        let (handle, stop) = (metrics_handle(), Stop::new());
        let adding = tokio::spawn(add_up(stop.clone()));
        tokio::time::sleep(ADD_UP / 2).await;
        metrics::histogram!("docket_test_measured_seconds").record(0.5);
        // What was added up stands under the name as it is told; nothing else shows it without doing it.
        let added_up = || format!("{handle:?}").contains("\"docket_test_measured_seconds\": ");
        assert!(!added_up());
        tokio::time::sleep(ADD_UP).await;
        assert!(added_up());
        stop.cancel();
        adding.await.unwrap().unwrap();
    }

    #[test]
    fn a_line_is_json_with_the_trace_it_belongs_to() {
        let lines = Lines::default();
        let provider = SdkTracerProvider::builder().build();
        let writer = lines.clone();
        let format = tracing_subscriber::fmt::layer()
            .event_format(JsonLine { name: "filing" })
            .with_writer(move || writer.clone());
        // For the whole process: no other test here installs one.
        tracing_subscriber::registry()
            .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("test")))
            .with(format)
            .init();
        let span = tracing::info_span!("rpc");
        docket_messaging::set_parent(&span, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let traceparent = span.in_scope(|| {
            tracing::info!(case.id = "1", duration_ms = 1.23456, "answered");
            docket_messaging::current_traceparent()
        });
        let line: Value = serde_json::from_slice(&lines.0.lock().unwrap()).unwrap();
        assert_eq!(line["msg"], "answered");
        assert_eq!(line["level"], "info");
        assert_eq!(line["service.name"], "filing");
        assert_eq!(line["case.id"], "1");
        assert_eq!(line["duration_ms"], 1.235);
        assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        let (trace, rest) = traceparent[3..].split_once('-').unwrap();
        assert_eq!(trace, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(line["span_id"], rest[..16]);
    }
}
