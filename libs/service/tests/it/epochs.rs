//! The operator's commands after a log was restored to an earlier point.

use docket_service::{EpochCommand, ServiceConfig, run_epoch};
use sqlx::Executor as _;

use crate::bench::Place;

async fn raise(config: &ServiceConfig, reason: &str, restored_to: Option<u64>) -> anyhow::Result<String> {
    let reason = reason.to_owned();
    run_epoch(config, "payments", EpochCommand::Raise { reason, restored_to }).await
}

async fn seen(config: &ServiceConfig) -> String {
    run_epoch(config, "payments", EpochCommand::Seen { log: "payments".to_owned() }).await.unwrap()
}

async fn accept(config: &ServiceConfig, by: &str, reason: &str) -> anyhow::Result<String> {
    let (log, by, reason) = ("payments".to_owned(), by.to_owned(), reason.to_owned());
    run_epoch(config, "payments", EpochCommand::Accept { log, by, reason }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_log_begins_a_new_epoch_and_a_reader_who_saw_more_is_let_on_by_somebody_for_a_reason() {
    let place = Place::new("payments").await;
    let config = place.config("payments").await;
    // An empty log, of which a reader had seen five events before it was restored to nothing.
    assert!(raise(&config, " ", Some(0)).await.is_err(), "a reason is asked for");
    assert!(seen(&config).await.contains("seen nothing"));
    for lane in 0..8 {
        let insert = format!(
            "INSERT INTO log.consumer_checkpoint (consumer, log, lane, position, epoch)
             VALUES ('payments', 'payments', {lane}, {}, 1)",
            if lane == 3 { 5 } else { 0 }
        );
        place.own.pool.execute(sqlx::AssertSqlSafe(insert)).await.unwrap();
    }
    // No stream tells what others saw, so it must be said.
    let refused = raise(&config, "restored to an empty log", None).await.unwrap_err().to_string();
    assert!(refused.contains("nothing to compare") && refused.contains("--restored-to"), "{refused}");
    assert_eq!(
        raise(&config, "restored to an empty log", Some(0)).await.unwrap(),
        "payments is in epoch 2 from position 1 on"
    );
    let beyond = seen(&config).await;
    assert!(beyond.contains("lane 3 positions 1 to 5"), "{beyond}");
    assert!(accept(&config, "", "reconciled").await.is_err(), "somebody decides");
    let accepted = accept(&config, "account:1", "nothing came of them").await.unwrap();
    assert!(accepted.starts_with("accepted; "), "{accepted}");
    let positions: Vec<i64> =
        sqlx::query_scalar("SELECT position FROM log.consumer_checkpoint WHERE position > 0")
            .fetch_all(&place.own.pool)
            .await
            .unwrap();
    assert_eq!(positions, [] as [i64; 0], "set back to what both histories have in common");
    let kept: (String, String) = sqlx::query_as("SELECT accepted_by, reason FROM log.epoch_accepted")
        .fetch_one(&place.own.pool)
        .await
        .unwrap();
    assert_eq!(kept, ("account:1".to_owned(), "nothing came of them".to_owned()));
    assert!(accept(&config, "account:1", "again").await.unwrap().starts_with("nothing to accept"));
}
