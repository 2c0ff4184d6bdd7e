//! What is counted of appends: each once, under what became of it.

use docket_eventlog::{Expected, Queue};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::world::{World, context, to};

#[tokio::test]
async fn appends_and_their_events_are_counted_under_what_became_of_them() {
    let world = World::new().await;
    let recorder = PrometheusBuilder::new().build_recorder();
    let log = {
        // A log resolves its meters when it is opened.
        let _here = metrics::set_default_local_recorder(&recorder);
        world.open_queued(Queue::default()).await
    };
    let append = |command, expected, count| context(command).append(&log, vec![to(1, expected, count)]);
    log.append(append(1, Expected::Version(0), 2)).await.unwrap();
    log.append(append(2, Expected::Version(2), 3)).await.unwrap();
    assert!(log.append(append(1, Expected::Version(0), 2)).await.unwrap().repeated);
    log.append(append(3, Expected::Version(0), 1)).await.unwrap_err();

    let told = recorder.handle().render();
    let figure = |name: &str, labels: &str| {
        let name = format!("{name}{{log=\"identity\"{labels}}} ");
        told.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or_else(|| panic!("{name}in {told}"))
    };
    assert_eq!(figure("docket_log_append_group_events_sum", ""), "5");
    assert_eq!(figure("docket_log_duplicates_total", ""), "1");
    assert_eq!(figure("docket_log_conflicts_total", ""), "1");
    for (outcome, times) in [("written", "2"), ("repeated", "1"), ("conflict", "1")] {
        let labels = format!(",outcome=\"{outcome}\"");
        assert_eq!(figure("docket_log_append_duration_seconds_count", &labels), times, "{outcome}");
    }
}
