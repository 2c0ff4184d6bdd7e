//! The bytes of a `PATCH`: handed on as they come, and read to their end also when nobody wants them, since a caller who is still
//! writing does not hear an answer.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;

use crate::file_type;

/// So long a refused caller is listened to.
const LINGER: Duration = Duration::from_secs(10);

/// Does `work` with the bytes. A body that is cut ends early; when `work` ends before it, the rest is read and thrown away.
pub(super) async fn handed<T>(body: Body, work: impl AsyncFnOnce(ReceiverStream<Bytes>) -> T) -> T {
    let (sender, bytes) = mpsc::channel(1);
    let mut body = body.into_data_stream();
    let pass_on = async {
        while let Some(Ok(bytes)) = body.next().await {
            if sender.send(bytes).await.is_err() {
                discard(&mut body).await;
                break;
            }
        }
        drop(sender);
    };
    tokio::join!(work(ReceiverStream::new(bytes)), pass_on).0
}

/// Reads what nobody wants: as much as a file may have, for a while.
async fn discard(body: &mut (impl Stream<Item = Result<Bytes, axum::Error>> + Unpin)) {
    let mut left = file_type::MAX_BYTES;
    let read = async {
        while let Some(Ok(bytes)) = body.next().await
            && bytes.len() < left
        {
            left -= bytes.len();
        }
    };
    let _in_time = timeout(LINGER, read).await;
}
