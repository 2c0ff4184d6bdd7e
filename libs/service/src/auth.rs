//! The auth layer: who calls, and may they at all; before a message is even decoded.
//!
//! It also opens the server's span and writes the one line a call leaves in the log.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use docket_database::{WORK, within};
use docket_messaging::set_parent;
use docket_proto::{MethodAccess, method_access};
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use sqlx::PgPool;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument as _, Span, field};

use crate::error::SERVICE;
use crate::lasting::{before, ending, line_of, over, over_at};
use crate::token::{TokenError, Tokens};
use crate::{Access, ApiError, Caller, Identity, log_admin, roles, tls, words};

/// Reflection's methods, which no proto of ours describes.
const REFLECTION: &str = "/grpc.reflection.";

/// Checks callers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Auth(Arc<Inner>);

struct Inner {
    service: &'static str,
    tokens: Tokens,
    access: Access,
    /// The policy of the operator's face, the same everywhere.
    log_access: Access,
    pool: PgPool,
    reflection: bool,
}

impl Auth {
    pub(crate) fn new(
        service: &'static str,
        tokens: Tokens,
        [access, log_access]: [Access; 2],
        pool: PgPool,
        reflection: bool,
    ) -> Self {
        Self(Arc::new(Inner { service, tokens, access, log_access, pool, reflection }))
    }

    /// The caller of a method, if it may be called by them at all.
    async fn admit(
        &self,
        path: &str,
        headers: &HeaderMap,
        certified: Option<String>,
    ) -> Result<Caller, Status> {
        if self.0.reflection && path.starts_with(REFLECTION) {
            return Ok(Caller::ANONYMOUS);
        }
        let method = method_access(path).ok_or_else(|| Status::unimplemented("there is no such method"))?;
        let token = bearer(headers);
        if method.person
            && let Some(token) = token
        {
            return self.person(method, token).await;
        }
        if method.service
            && let Some(service) = certified
        {
            if method.callers.is_empty() || method.callers.contains(&service.as_str()) {
                return Ok(Caller { identity: Identity::Service(service), roles: Vec::new() });
            }
            return Err(
                ApiError::Denied { action: action(method).to_owned(), policy: "callers".to_owned() }.into()
            );
        }
        if method.open { Ok(Caller::ANONYMOUS) } else { Err(ApiError::Unauthenticated.into()) }
    }

    async fn person(&self, method: &MethodAccess, token: &str) -> Result<Caller, Status> {
        let person = match self.0.tokens.verify(token).await {
            Ok(person) => person,
            Err(_) if method.open => return Ok(Caller::ANONYMOUS),
            Err(TokenError::NotAccepted) => return Err(ApiError::Unauthenticated.into()),
            Err(TokenError::NoKeys) => return Err(ApiError::Unavailable("identity").into()),
        };
        let roles = roles::of(&self.0.pool, person.account).await.map_err(ApiError::from)?;
        let step_up = person.step_up;
        let caller = Caller { identity: Identity::Person(person), roles };
        let access =
            if method.path.starts_with(log_admin::PATH) { &self.0.log_access } else { &self.0.access };
        if !method.open && !access.could_ever(&caller, action(method)) {
            return Err(ApiError::Denied { action: action(method).to_owned(), policy: String::new() }.into());
        }
        if method.step_up && !step_up {
            return Err(ApiError::StepUpRequired.into());
        }
        Ok(caller)
    }
}

/// The method's own name, which is the action's in the policies.
fn action(method: &MethodAccess) -> &'static str {
    method.path.rsplit('/').next().unwrap_or_default()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")
}

/// The service named by the caller's certificate, which the handshake has verified.
fn certified<B>(request: &Request<B>) -> Option<String> {
    tls::service_of(line_of(request)?.peer_certs()?.first()?)
}

impl<S> Layer<S> for Auth {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { auth: self.clone(), inner }
    }
}

/// The routes behind the layer.
#[derive(Clone)]
pub(crate) struct Guarded<S> {
    auth: Auth,
    inner: S,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let auth = self.auth.clone();
        // The one that was polled ready is used, a fresh one is left.
        let fresh = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, fresh);
        let span = span(&request);
        let service = auth.0.service;
        Box::pin(SERVICE.scope(service, answer(auth, inner, request).instrument(span)))
    }
}

async fn answer<S>(auth: Auth, mut inner: S, mut request: Request<Body>) -> Result<Response<Body>, Infallible>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Send,
    S::Future: Send,
{
    let started = Instant::now();
    let path = request.uri().path().to_owned();
    let certified = certified(&request);
    let in_spanish = words::asked_for(request.headers());
    let over_at = over_at(&mut request);
    let answer = async {
        Ok::<_, sqlx::Error>(match auth.admit(&path, request.headers(), certified).await {
            Ok(caller) => {
                let who = caller.actor().to_string();
                request.extensions_mut().insert(caller);
                let Ok(response) = inner.call(request).await;
                (response, who)
            }
            Err(status) => (status.into_http(), String::from("refused")),
        })
    };
    let given_up = |status: Status| (status.into_http(), String::from("given up"));
    let (response, who) = match before(over_at, within(most(&path), answer)).await {
        Some(Ok(answered)) => answered,
        Some(Err(_silence)) => given_up(ApiError::OutcomeUnknown.into()),
        None => given_up(over()),
    };
    record(&path, code(&response), &who, started);
    Ok(ending(if in_spanish { words::with_spanish(response) } else { response }, over_at))
}

/// How long a call may take until its answer begins: a caller without a deadline is told in the end. Not what takes a stream,
/// which is as long as the caller's line needs, and nothing that an operator asks of a whole log.
fn most(path: &str) -> Duration {
    let long = path.starts_with(log_admin::PATH)
        || method_access(path).is_some_and(|method| method.client_streaming);
    if long { Duration::MAX } else { WORK }
}

fn span(request: &Request<Body>) -> Span {
    let method = request.uri().path().trim_start_matches('/');
    // Only names we know: a path is the caller's text.
    let method = if method_access(request.uri().path()).is_some() { method } else { "unknown" };
    let span = tracing::info_span!(
        "rpc", otel.name = method, otel.kind = "server", rpc.system.name = "grpc", rpc.method = method,
        rpc.response.status_code = field::Empty, error.type = field::Empty, otel.status_code = field::Empty,
    );
    if let Some(parent) = request.headers().get("traceparent").and_then(|value| value.to_str().ok()) {
        set_parent(&span, parent);
    }
    span
}

/// The code of an answer: in the headers when it failed at once; a stream's later fault is not seen here.
fn code(response: &Response<Body>) -> Code {
    response.headers().get("grpc-status").map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()))
}

/// A code as the protocol writes it: `DEADLINE_EXCEEDED`.
fn code_name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn record(path: &str, code: Code, who: &str, started: Instant) {
    let method = method_access(path).map_or("unknown", |method| method.path.trim_start_matches('/'));
    let name = code_name(code);
    let span = Span::current();
    span.record("rpc.response.status_code", &name);
    let seconds = started.elapsed().as_secs_f64();
    metrics::histogram!("rpc_server_call_duration_seconds", "rpc_method" => method, "code" => name.clone())
        .record(seconds);
    let duration_ms = seconds * 1000.0;
    let ours = matches!(
        code,
        Code::Internal | Code::Unknown | Code::Unavailable | Code::DataLoss | Code::DeadlineExceeded
    );
    if ours {
        span.record("error.type", &name);
        span.record("otel.status_code", "ERROR");
        tracing::warn!(rpc.method = method, code = name, caller = who, duration_ms, "call failed");
    } else {
        tracing::info!(rpc.method = method, code = name, caller = who, duration_ms, "call answered");
    }
}
