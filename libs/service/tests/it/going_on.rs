//! What an operator asks for goes on over the end of a connection, as the real port ends each after its time.

use std::time::Duration;

use docket_proto::log::v1 as pb;
use docket_proto::log::v1::export_record::Record;
use docket_proto::log::v1::verify_log_response::Step;
use docket_service::testing::with_token;
use tokio::time::timeout;
use tonic::{Code, Streaming};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::log_admin::{World, account};

/// A connection of this world ends after a second and a tenth.
const LONG_AFTER: Duration = Duration::from_secs(30);

fn reason(status: &tonic::Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// Reads until the connection ends; whether it did before the stream was through.
async fn is_cut<T>(stream: &mut Streaming<T>) -> bool {
    let reading = async {
        while stream.message().await?.is_some() {}
        Ok::<_, tonic::Status>(())
    };
    timeout(LONG_AFTER, reading).await.expect("no connection lasts so long").is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_the_log_outlives_its_connection_and_is_found_again_by_whoever_began_it() {
    let world = World::with(|config| config.connection_age_s = 1).await;
    for number in 1..4 {
        world.register(account(number)).await;
    }
    // While somebody has the table nothing of it can be read.
    let mut other = world.pool().acquire().await.unwrap();
    for sql in ["BEGIN", "LOCK TABLE log.event IN ACCESS EXCLUSIVE MODE"] {
        sqlx::query(sql).execute(&mut *other).await.unwrap();
    }
    let run = Uuid::new_v4().to_string();
    let ask = || pb::VerifyLogRequest { run: run.clone(), ..Default::default() };
    let again = || pb::VerifyLogRequest { resume: true, ..ask() };
    let mut client = world.client();
    let mut steps = client.verify_log(world.ask(ask())).await.unwrap().into_inner();
    assert!(is_cut(&mut steps).await, "the check waits for the table");

    let stranger = with_token(again(), &world.another_operator().await);
    assert_eq!(reason(&client.verify_log(stranger).await.unwrap_err()), "RUN_NOT_HERE");
    let unknown = pb::VerifyLogRequest { run: Uuid::new_v4().to_string(), ..again() };
    assert_eq!(reason(&client.verify_log(world.ask(unknown)).await.unwrap_err()), "RUN_NOT_HERE");
    let malformed = pb::VerifyLogRequest { run: "mine".into(), ..ask() };
    assert_eq!(client.verify_log(world.ask(malformed)).await.unwrap_err().code(), Code::InvalidArgument);

    let mut steps = client.verify_log(world.ask(again())).await.unwrap().into_inner();
    assert!(matches!(steps.message().await.unwrap().unwrap().step, Some(Step::Progress(_))));
    sqlx::query("ROLLBACK").execute(&mut *other).await.unwrap();
    let mut last = None;
    while let Some(step) = steps.message().await.unwrap() {
        last = step.step;
    }
    let Some(Step::Result(found)) = last else { panic!("no result at the end") };
    assert!(found.sound && found.to == 6, "{found:?}");
    // Whoever lost the result is given it.
    let mut steps = client.verify_log(world.ask(again())).await.unwrap().into_inner();
    assert_eq!(steps.message().await.unwrap().unwrap().step, Some(Step::Result(found)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_on_behind_its_last_event_without_another_second_factor() {
    let world = World::start().await;
    for number in 1..20 {
        world.register(account(number)).await;
    }
    let stream = format!("account-{}", account(7));
    for stream in ["", &stream] {
        let ask = world.stepped_up(pb::ExportLogRequest { stream: stream.to_owned() });
        let mut batches = world.client().export_log(ask).await.unwrap().into_inner();
        let first = batches.message().await.unwrap().unwrap();
        let (ticket, mut whole) = (first.ticket, first.records);
        while let Some(batch) = batches.message().await.unwrap() {
            assert!(batch.ticket.is_empty());
            whole.extend(batch.records);
        }
        // What is written meanwhile is no part of it.
        world.register(Uuid::new_v4()).await;
        for after in [0, 1, whole.len() as u64 - 2] {
            let ask = pb::ContinueExportRequest { ticket: ticket.clone(), after };
            let mut batches = world.client().continue_export(world.ask(ask)).await.unwrap().into_inner();
            let mut rest = Vec::new();
            while let Some(batch) = batches.message().await.unwrap() {
                rest.extend(batch.records);
            }
            let from = usize::try_from(after).unwrap() + 1;
            assert!(rest == whole[from..], "after {after} of {stream:?}");
            assert!(matches!(rest.last().unwrap().record, Some(Record::End(_))));
        }
        let ask = || pb::ContinueExportRequest { ticket: ticket.clone(), after: 1 };
        let another = with_token(ask(), &world.another_operator().await);
        let mut forged = ticket.to_vec();
        *forged.last_mut().unwrap() ^= 1;
        let forged = world.ask(pb::ContinueExportRequest { ticket: forged.into(), after: 1 });
        let short = world.ask(pb::ContinueExportRequest { ticket: ticket.slice(..20), after: 1 });
        for refused in [another, forged, short] {
            assert_eq!(reason(&world.client().continue_export(refused).await.unwrap_err()), "EXPORT_OVER");
        }
    }
}
