//! What an operator asks for goes on over the end of a connection, as the real port ends each after its time.

use std::time::{Duration, Instant};

use docket_proto::log::v1 as pb;
use docket_proto::log::v1::export_record::Record;
use docket_proto::log::v1::log_admin_service_client::LogAdminServiceClient;
use docket_proto::log::v1::read_log_request::Start;
use docket_proto::log::v1::verify_log_response::Step;
use docket_service::testing::with_token;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Streaming};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::log_admin::{World, account};

/// A connection takes no new call after this, and is over after the grace.
const AGE: Duration = Duration::from_secs(2);
const GRACE: Duration = Duration::from_secs(2);
const LONG_AFTER: Duration = Duration::from_secs(30);

fn reason(status: &tonic::Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// Reads until the connection ends; what is said then, where the stream was not through before.
async fn cut<T>(stream: &mut Streaming<T>) -> Option<tonic::Status> {
    let reading = async {
        while stream.message().await?.is_some() {}
        Ok::<_, tonic::Status>(())
    };
    timeout(LONG_AFTER, reading).await.expect("no connection lasts so long").err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_at_its_age_takes_no_new_call_and_what_is_under_way_ends_well_or_in_words() {
    let world = World::with(|config| config.connection_age_s = AGE.as_secs()).await;
    world.register(account(1)).await;
    // While somebody has the table nothing of it can be read.
    let mut other = world.pool().acquire().await.unwrap();
    for sql in ["BEGIN", "LOCK TABLE log.event IN ACCESS EXCLUSIVE MODE"] {
        sqlx::query(sql).execute(&mut *other).await.unwrap();
    }
    let mut client = world.client();
    let begin = async |client: &mut LogAdminServiceClient<Channel>| {
        let steps = loop {
            match client.verify_log(world.ask(pb::VerifyLogRequest::default())).await {
                Ok(steps) => break steps.into_inner(),
                // Never sent: hyper's client (1.12) learns with a call in hand that it must connect anew.
                Err(kept) => assert_eq!(kept.code(), Code::Cancelled, "{kept:?}"),
            }
        };
        let (mut client, asked) = (client.clone(), world.ask(pb::GetEventRequest { position: 1 }));
        (steps, tokio::spawn(async move { client.get_event(asked).await }))
    };
    let since = Instant::now();
    let (mut first, waiting) = begin(&mut client).await;
    // It is told several times a second how far the check is.
    while since.elapsed() < AGE + AGE / 2 {
        first.message().await.unwrap().unwrap();
    }
    let (mut second, ending_well) = begin(&mut client).await;
    let over = cut(&mut first).await.expect("the check waits for the table");
    assert_eq!(over.code(), Code::Unavailable, "{over:?}");
    assert!(over.message().contains("lasted as long as one may"), "{over:?}");
    assert!(over.get_details_retry_info().is_some(), "{over:?}");
    assert_eq!(waiting.await.unwrap().unwrap_err().message(), over.message());
    assert!(since.elapsed() >= AGE + GRACE);
    // What was begun after the age is on another connection, which is past its own age by now.
    second.message().await.unwrap().unwrap();
    sqlx::query("ROLLBACK").execute(&mut *other).await.unwrap();
    ending_well.await.unwrap().expect("what ends in time ends well");
    assert!(cut(&mut second).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_connects_is_cut_off() {
    let world = World::with(|config| config.connection_age_s = 1).await;
    let mut line = TcpStream::connect(world.address()).await.unwrap();
    timeout(LONG_AFTER, line.read_u8()).await.expect("no connection lasts so long").unwrap_err();
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
    assert!(cut(&mut steps).await.is_some(), "the check waits for the table");

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
async fn whoever_follows_what_is_rare_is_told_how_far_it_was_looked_and_can_go_on_from_there() {
    let world = World::start().await;
    world.register(account(1)).await;
    let kind = "account.frozen.v1".to_owned();
    let rare = pb::ReadLogRequest { start: Some(Start::Last(1)), follow: true, kind, ..Default::default() };
    let mut live = world.client().read_log(world.ask(rare)).await.unwrap().into_inner();
    let mut looked = async || {
        let batch = timeout(2 * LONG_AFTER, live.message()).await.expect("it is told").unwrap().unwrap();
        (batch.events.len(), batch.position)
    };
    assert_eq!(looked().await, (0, 2));
    world.register(account(2)).await;
    assert_eq!(looked().await, (0, 4));
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
