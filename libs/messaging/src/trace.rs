//! One trace from the caller's click to the last effect: W3C trace context in and out of spans.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Work on something older than this begins a trace of its own, with a link.
const LATE: Duration = Duration::from_hours(1);

/// The current span as a W3C `traceparent`; empty outside any trace.
pub fn current_traceparent() -> String {
    traceparent_of(&Span::current())
}

/// A span as a W3C `traceparent`; empty when it belongs to no trace.
pub(crate) fn traceparent_of(span: &Span) -> String {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut carrier);
    carrier.remove("traceparent").unwrap_or_default()
}

/// Makes `traceparent` the parent of `span`. Nothing happens when it is none; outside baggage is not read.
pub fn set_parent(span: &Span, traceparent: &str) {
    if let Some(context) = context(traceparent) {
        // Fails only when no tracing layer is installed: then there is no trace to continue.
        let _ = span.set_parent(context);
    }
}

/// Continues the trace of an event, or links to it when the event is more than an hour old.
pub fn link_or_continue(span: &Span, traceparent: &str, recorded_at: Timestamp, now: Timestamp) {
    let age = now.duration_since(recorded_at);
    if age.unsigned_abs() <= LATE {
        return set_parent(span, traceparent);
    }
    link(span, traceparent);
}

/// Links to a trace without becoming a part of it. Nothing happens when `traceparent` is none.
pub(crate) fn link(span: &Span, traceparent: &str) {
    if let Some(context) = context(traceparent) {
        span.add_link(context.span().span_context().clone());
    }
}

fn context(traceparent: &str) -> Option<Context> {
    if traceparent.is_empty() {
        return None;
    }
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    context.span().span_context().is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn what_is_at_most_an_hour_old_goes_on_in_its_trace_and_anything_older_does_not() {
        const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        let recorded_at: Timestamp = "2026-03-02T15:00:00Z".parse().unwrap();
        let goes_on = |age: SignedDuration| {
            let span = tracing::info_span!("work");
            link_or_continue(&span, TRACE, recorded_at, recorded_at + age);
            traceparent_of(&span).split('-').nth(1) == TRACE.split('-').nth(1)
        };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let (hour, moment) = (SignedDuration::from_hours(1), SignedDuration::from_nanos(1));
            assert!(goes_on(SignedDuration::ZERO));
            assert!(goes_on(hour));
            assert!(!goes_on(hour + moment));
            // A clock may be behind.
            assert!(goes_on(-hour));
            assert!(!goes_on(-hour - moment));
        });
    }
}
