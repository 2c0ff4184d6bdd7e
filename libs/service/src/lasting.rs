//! How long a connection lasts: at its age no new call is taken on it, what goes on ends in words when its time is up, and who
//! does not take those is cut off.
//!
//! The age is tonic's, which then asks for an end in order (GOAWAY). Its grace is not used: with one, tonic 0.14.9 waits for
//! age and grace together and cuts everything off, without having asked for anything before.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::server::{Connected, TcpConnectInfo, TlsConnectInfo};
use tonic_types::{ErrorDetails, StatusExt as _};

/// What is under way has a tenth of the age left, and so long at least.
const LEAST_GRACE: Duration = Duration::from_secs(2);
/// What is told to whoever connects anew.
const AT_ONCE: Duration = Duration::ZERO;

/// How long the connections of a server last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lasting {
    /// No new call is taken after this.
    pub(crate) age: Duration,
    grace: Duration,
}

impl Lasting {
    /// As configured, in seconds.
    pub(crate) fn new(connection_age_s: u64) -> Self {
        let age = Duration::from_secs(connection_age_s);
        Self { age, grace: (age / 10).max(LEAST_GRACE) }
    }

    /// A connection that begins now.
    pub(crate) fn begin(self, stream: TcpStream) -> Connection {
        let over_at = Instant::now() + self.age + self.grace;
        Connection { stream, over_at, cut_off: Box::pin(sleep_until(over_at + self.grace)) }
    }
}

/// A connection whose time runs.
pub(crate) struct Connection {
    stream: TcpStream,
    /// When what goes on over it ends.
    over_at: Instant,
    cut_off: Pin<Box<Sleep>>,
}

/// What a call knows of its connection.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    tcp: TcpConnectInfo,
    over_at: Instant,
}

impl Connected for Connection {
    type ConnectInfo = Line;

    fn connect_info(&self) -> Line {
        Line { tcp: self.stream.connect_info(), over_at: self.over_at }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // An HTTP/2 connection always reads, whatever else it waits for.
        if self.cut_off.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The connection of a request, with its certificates; none where it came without a line.
pub(crate) fn line_of<B>(request: &Request<B>) -> Option<&TlsConnectInfo<Line>> {
    request.extensions().get()
}

/// When the call must be over; tells the request who is at the other end, too, as tonic's own connections do.
pub(crate) fn over_at<B>(request: &mut Request<B>) -> Option<Instant> {
    let Line { tcp, over_at } = line_of(request)?.get_ref().clone();
    request.extensions_mut().insert(tcp);
    Some(over_at)
}

/// What comes before the connection is over; none where nothing did.
pub(crate) async fn before<T>(over_at: Option<Instant>, answer: impl Future<Output = T>) -> Option<T> {
    match over_at {
        Some(over_at) => timeout_at(over_at, answer).await.ok(),
        None => Some(answer.await),
    }
}

/// An answer that ends with its connection, in words, where it has not ended before.
pub(crate) fn ending(answer: Response<Body>, over_at: Option<Instant>) -> Response<Body> {
    let Some(over_at) = over_at else { return answer };
    answer.map(|body| Body::new(Ending { body, over: Some(Box::pin(sleep_until(over_at))) }))
}

/// What is said at the end.
pub(crate) fn over() -> Status {
    let details = ErrorDetails::with_retry_info(Some(AT_ONCE));
    Status::with_error_details(
        tonic::Code::Unavailable,
        "This connection lasted as long as one may. Connect anew and repeat this, with the same request id where there is one.",
        details,
    )
}

/// What is answered, until the connection is over.
struct Ending {
    body: Body,
    /// None after the last word.
    over: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(until) = &mut self.over else { return Poll::Ready(None) };
        if until.as_mut().poll(context).is_pending() {
            return Pin::new(&mut self.body).poll_frame(context);
        }
        // What would have come is let go with the body.
        (self.over, self.body) = (None, Body::empty());
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(over().add_header(&mut trailers).map(|()| Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.over.is_none() || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
