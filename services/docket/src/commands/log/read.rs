//! `docket log tail`, `stream` and `event`.
use super::args::{StreamArgs, TailArgs};
use super::on::{Following, ended};
use super::{Operator, show};
use crate::client::passing;
use crate::commands::Refused;
use crate::output::Teller;
use anyhow::{Context, Result};
use docket_proto::log::v1 as pb;
use pb::read_log_request::Start;
use std::time::Duration;
use tonic::Streaming;

/// The largest answer that is taken: a batch of events without their sealed parts.
const MOST_BYTES: usize = 64 << 20;

/// A pause before a stream that ended is followed again.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn tail(operator: &mut Operator<'_>, tail: TailArgs) -> Result<()> {
    let mut message = pb::ReadLogRequest {
        start: Some(tail.after.map_or(Start::Last(tail.lines), Start::AfterPosition)),
        follow: tail.follow,
        stream: tail.stream,
        category: tail.category,
        kind: tail.kind,
        limit: tail.limit,
    };
    let mut following = Following::new();
    loop {
        match tail_once(operator, &mut message, &mut following).await {
            Ok(true) => return Ok(()),
            Err(failed) if !message.follow => {
                following.again(operator, failed).await?;
                continue;
            }
            // Each connection ends after some minutes, and a service that is replaced ends it well: what is followed goes on
            // behind what was looked at, however long the service is away.
            Ok(false) => {}
            Err(error) => {
                let status = error.downcast::<Refused>()?.status();
                if !passing(&status) {
                    return Err(Refused::from(status).into());
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn tail_once(
    operator: &mut Operator<'_>,
    message: &mut pb::ReadLogRequest,
    following: &mut Following,
) -> Result<bool> {
    operator.renew().await?;
    let mut client = operator.client()?.max_decoding_message_size(MOST_BYTES);
    let asked = operator.ask_for_long(message.clone());
    let batches = client.read_log(asked).await.map_err(Refused::from)?.into_inner();
    show_log(batches, message, following, operator.teller).await
}

/// Shows events until the answer ends, and keeps how far it was looked; whether all were shown that were wanted.
async fn show_log(
    mut batches: Streaming<pb::ReadLogResponse>,
    message: &mut pb::ReadLogRequest,
    following: &mut Following,
    teller: &Teller,
) -> Result<bool> {
    while let Some(batch) = batches.message().await.map_err(Refused::from)? {
        following.moved();
        for event in &batch.events {
            show::line(event, teller);
            if message.limit == 1 {
                return Ok(true);
            }
            message.limit = message.limit.saturating_sub(1);
        }
        message.start = Some(Start::AfterPosition(batch.position));
    }
    if !message.follow {
        ended(&mut batches).await?;
    }
    Ok(!message.follow)
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

async fn stream_once(
    operator: &Operator<'_>,
    message: &mut pb::ReadStreamRequest,
    following: &mut Following,
) -> Result<()> {
    let mut client = operator.client()?.max_decoding_message_size(MOST_BYTES);
    let asked = operator.ask_for_long(message.clone());
    let batches = client.read_stream(asked).await.map_err(Refused::from)?.into_inner();
    show_all(batches, message, following, operator.teller).await
}

/// Shows a stream's events until its end; keeps where it goes on where the connection ends before.
async fn show_all(
    mut batches: Streaming<pb::ReadStreamResponse>,
    message: &mut pb::ReadStreamRequest,
    following: &mut Following,
    teller: &Teller,
) -> Result<()> {
    while let Some(batch) = batches.message().await.map_err(Refused::from)? {
        following.moved();
        for event in &batch.events {
            show::line(event, teller);
            if message.limit == 1 || (message.backwards && event.version == 1) {
                return Ok(());
            }
            message.from_version = if message.backwards { event.version - 1 } else { event.version + 1 };
            message.limit = message.limit.saturating_sub(1);
        }
    }
    ended(&mut batches).await
}

pub(super) async fn event(operator: &Operator<'_>, position: u64) -> Result<()> {
    let asked = operator.ask(pb::GetEventRequest { position });
    let answer = operator.client()?.get_event(asked).await.map_err(Refused::from)?;
    show::event(&answer.into_inner().event.context("an event")?, operator.teller);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt as _, Full};
    use prost::Message;
    use prost::bytes::{BufMut as _, BytesMut};
    use std::marker::PhantomData;
    use tonic::Status;
    use tonic::body::Body;
    use tonic::codec::{DecodeBuf, Decoder};
    use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

    struct Batches<T>(PhantomData<T>);

    impl<T: Message + Default + 'static> Decoder for Batches<T> {
        type Item = T;
        type Error = Status;

        fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<T>, Status> {
            Ok(T::decode(bytes).ok())
        }
    }

    /// An answer with events of these versions; whether the service has said that it is whole.
    fn answer(versions: &[u64], whole: bool) -> Streaming<pb::ReadStreamResponse> {
        let event = |version: &u64| pb::LogEvent { version: *version, ..pb::LogEvent::default() };
        answer_of(&pb::ReadStreamResponse { events: versions.iter().map(event).collect() }, whole)
    }

    fn answer_of<T: Message + Default + 'static>(batch: &T, whole: bool) -> Streaming<T> {
        let batch = batch.encode_to_vec();
        let mut bytes = BytesMut::new();
        bytes.put_u8(0);
        bytes.put_u32(batch.len().try_into().unwrap());
        bytes.put_slice(&batch);
        let answer = Full::new(bytes.freeze());
        let said = (HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
        let said: HeaderMap = std::iter::once(said).collect();
        let body =
            if whole { Body::new(answer.with_trailers(async { Some(Ok(said)) })) } else { Body::new(answer) };
        Streaming::new_response(Batches(PhantomData), body, StatusCode::OK, None, None)
    }

    #[tokio::test]
    async fn a_stream_that_a_service_leaves_off_in_order_goes_on_where_it_was() {
        let (mut following, teller) = (Following::new(), Teller::new(true));
        for (backwards, first, next, rest) in [(false, [1, 2], 3, [3, 4]), (true, [4, 3], 2, [2, 1])] {
            let mut message = pb::ReadStreamRequest { backwards, ..pb::ReadStreamRequest::default() };
            let left_off = show_all(answer(&first, false), &mut message, &mut following, &teller).await;
            let left_off = left_off.unwrap_err().downcast::<Refused>().unwrap();
            assert!(passing(left_off.answer()), "it is asked again: {left_off}");
            assert_eq!(message.from_version, next);
            show_all(answer(&rest, true), &mut message, &mut following, &teller).await.unwrap();
        }
        // As many as were wanted are enough, however it ends then.
        let mut two = pb::ReadStreamRequest { limit: 2, ..pb::ReadStreamRequest::default() };
        show_all(answer(&[1, 2], false), &mut two, &mut following, &teller).await.unwrap();
    }

    #[tokio::test]
    async fn a_log_that_a_service_leaves_off_goes_on_behind_what_was_looked_at() {
        let (mut following, teller) = (Following::new(), Teller::new(true));
        let looked_at = |positions: &[u64], position| {
            let event = |position: &u64| pb::LogEvent { position: *position, ..pb::LogEvent::default() };
            pb::ReadLogResponse {
                events: positions.iter().map(event).collect(),
                position,
                ..pb::ReadLogResponse::default()
            }
        };
        let last = |follow| pb::ReadLogRequest {
            start: Some(Start::Last(0)),
            follow,
            ..pb::ReadLogRequest::default()
        };
        // Nothing that was wanted came yet: what comes until it is asked again is not passed over.
        let mut followed = last(true);
        let quiet = answer_of(&looked_at(&[], 7), true);
        assert!(!show_log(quiet, &mut followed, &mut following, &teller).await.unwrap());
        assert_eq!(followed.start, Some(Start::AfterPosition(7)));
        let some = answer_of(&looked_at(&[8, 9], 12), true);
        assert!(!show_log(some, &mut followed, &mut following, &teller).await.unwrap());
        assert_eq!(followed.start, Some(Start::AfterPosition(12)));
        // Without following it ends where the service says so, and not before.
        let mut once = last(false);
        let cut = answer_of(&looked_at(&[8], 8), false);
        let left_off = show_log(cut, &mut once, &mut following, &teller).await;
        assert!(passing(left_off.unwrap_err().downcast::<Refused>().unwrap().answer()));
        assert_eq!(once.start, Some(Start::AfterPosition(8)));
        let rest = answer_of(&looked_at(&[9], 9), true);
        assert!(show_log(rest, &mut once, &mut following, &teller).await.unwrap());
    }
}
