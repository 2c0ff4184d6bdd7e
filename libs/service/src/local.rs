//! The server's own gRPC services, called without a line from its HTTP face: by the same layer, with the caller's token.

use std::convert::Infallible;

use tonic::body::Body;
use tower::util::BoxCloneSyncService;

/// What a generated client takes instead of a channel. No certificate comes this way, so nobody is a service here.
pub type Local = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Infallible>;
