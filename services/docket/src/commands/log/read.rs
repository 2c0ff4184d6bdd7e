//! `docket log tail`, `stream` and `event`.
use super::args::{StreamArgs, TailArgs};
use super::on::Following;
use super::{Operator, show};
use crate::client::passing;
use crate::commands::Refused;
use anyhow::{Context, Result};
use docket_proto::log::v1 as pb;
use std::time::Duration;

/// The largest answer that is taken: a batch of events without their sealed parts.
const MOST_BYTES: usize = 64 << 20;

/// A pause before a stream that ended is followed again.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn tail(operator: &mut Operator<'_>, tail: TailArgs) -> Result<()> {
    use pb::read_log_request::Start;
    let mut message = pb::ReadLogRequest {
        start: Some(tail.after.map_or(Start::Last(tail.lines), Start::AfterPosition)),
        follow: tail.follow,
        stream: tail.stream,
        category: tail.category,
        kind: tail.kind,
        limit: tail.limit,
    };
    loop {
        match tail_once(operator, &mut message).await {
            Ok(all) if all || !message.follow => return Ok(()),
            // Each connection ends after some minutes, and a service that is replaced ends it well: what is followed goes on
            // behind the last event.
            Ok(_) => {}
            Err(error) => {
                let status = error.downcast::<Refused>()?.status();
                if !message.follow || !passing(&status) {
                    return Err(Refused::from(status).into());
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Shows events until the stream ends, and keeps where it got to; whether as many were shown as were wanted.
async fn tail_once(operator: &mut Operator<'_>, message: &mut pb::ReadLogRequest) -> Result<bool> {
    use pb::read_log_request::Start;
    operator.renew().await?;
    let mut client = operator.client()?.max_decoding_message_size(MOST_BYTES);
    let answer = client.read_log(operator.ask_for_long(message.clone())).await.map_err(Refused::from)?;
    let mut batches = answer.into_inner();
    while let Some(batch) = batches.message().await.map_err(Refused::from)? {
        for event in &batch.events {
            show::line(event, operator.teller);
            message.start = Some(Start::AfterPosition(event.position));
            if message.limit == 1 {
                return Ok(true);
            }
            message.limit = message.limit.saturating_sub(1);
        }
    }
    Ok(false)
}

pub(super) async fn stream(operator: &mut Operator<'_>, args: StreamArgs) -> Result<()> {
    use pb::read_stream_request::AsOf;
    let as_of = args.as_of.map(|at| AsOf::AsOfUs(at.as_microsecond()));
    let mut message = pb::ReadStreamRequest {
        stream: args.stream,
        from_version: args.from_version,
        backwards: args.backwards,
        as_of: args.as_of_position.map(AsOf::AsOfPosition).or(as_of),
        limit: args.limit,
    };
    let mut following = Following::new();
    while let Err(failed) = stream_once(operator, &mut message, &mut following).await {
        following.again(operator, failed).await?;
    }
    Ok(())
}

/// Shows a stream's events until its end, or that of the connection; keeps where it goes on.
async fn stream_once(
    operator: &Operator<'_>,
    message: &mut pb::ReadStreamRequest,
    following: &mut Following,
) -> Result<()> {
    let mut client = operator.client()?.max_decoding_message_size(MOST_BYTES);
    let asked = operator.ask_for_long(message.clone());
    let mut batches = client.read_stream(asked).await.map_err(Refused::from)?.into_inner();
    while let Some(batch) = batches.message().await.map_err(Refused::from)? {
        following.moved();
        for event in &batch.events {
            show::line(event, operator.teller);
            if message.limit == 1 || (message.backwards && event.version == 1) {
                return Ok(());
            }
            message.from_version = if message.backwards { event.version - 1 } else { event.version + 1 };
            message.limit = message.limit.saturating_sub(1);
        }
    }
    Ok(())
}

pub(super) async fn event(operator: &Operator<'_>, position: u64) -> Result<()> {
    let asked = operator.ask(pb::GetEventRequest { position });
    let answer = operator.client()?.get_event(asked).await.map_err(Refused::from)?;
    show::event(&answer.into_inner().event.context("an event")?, operator.teller);
    Ok(())
}
