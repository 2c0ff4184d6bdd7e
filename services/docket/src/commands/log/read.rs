//! `docket log tail`, `stream` and `event`.
use super::args::{StreamArgs, TailArgs};
use super::{Operator, show};
use crate::commands::Refused;
use anyhow::{Context, Result};
use docket_proto::log::v1 as pb;

/// The largest answer that is taken: a batch of events without their sealed parts.
const MOST_BYTES: usize = 64 << 20;

pub(super) async fn tail(operator: &Operator<'_>, tail: TailArgs) -> Result<()> {
    use pb::read_log_request::Start;
    let message = pb::ReadLogRequest {
        start: Some(tail.after.map_or(Start::Last(tail.lines), Start::AfterPosition)),
        follow: tail.follow,
        stream: tail.stream,
        category: tail.category,
        kind: tail.kind,
        limit: tail.limit,
    };
    let mut client = operator.client()?.max_decoding_message_size(MOST_BYTES);
    let answer = client.read_log(operator.ask_for_long(message)).await.map_err(Refused::from)?;
    let mut batches = answer.into_inner();
    while let Some(batch) = batches.message().await.map_err(Refused::from)? {
        batch.events.iter().for_each(|event| show::line(event, operator.teller));
    }
    Ok(())
}

pub(super) async fn stream(operator: &Operator<'_>, args: StreamArgs) -> Result<()> {
    use pb::read_stream_request::AsOf;
    let as_of = args.as_of.map(|at| AsOf::AsOfUs(at.as_microsecond()));
    let message = pb::ReadStreamRequest {
        stream: args.stream,
        from_version: args.from_version,
        backwards: args.backwards,
        as_of: args.as_of_position.map(AsOf::AsOfPosition).or(as_of),
        limit: args.limit,
    };
    let mut client = operator.client()?.max_decoding_message_size(MOST_BYTES);
    let answer = client.read_stream(operator.ask_for_long(message)).await.map_err(Refused::from)?;
    let mut batches = answer.into_inner();
    while let Some(batch) = batches.message().await.map_err(Refused::from)? {
        batch.events.iter().for_each(|event| show::line(event, operator.teller));
    }
    Ok(())
}

pub(super) async fn event(operator: &Operator<'_>, position: u64) -> Result<()> {
    let asked = operator.ask(pb::GetEventRequest { position });
    let answer = operator.client()?.get_event(asked).await.map_err(Refused::from)?;
    show::event(&answer.into_inner().event.context("an event")?, operator.teller);
    Ok(())
}
