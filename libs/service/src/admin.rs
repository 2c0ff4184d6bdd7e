//! The admin port: health by gRPC and HTTP, and metrics; plain text, for the machine's own agents.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use docket_messaging::{Redriver, Stop, parked};
use sqlx::PgPool;
use tokio::time::{sleep, timeout};
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::telemetry::metrics_handle;

/// How often the database is asked, and how long it may take to answer.
const ASK: Duration = Duration::from_secs(1);
/// Why a service that ends in order is not ready.
pub(crate) const STOPPING: &str = "stopping";

/// Whether the service is ready, and why not.
#[derive(Clone)]
pub(crate) struct Health {
    reporter: HealthReporter,
    why_not: Arc<RwLock<Option<String>>>,
    alive: Arc<RwLock<Option<String>>>,
}

impl Health {
    /// Not ready yet; and the admin port's routes.
    pub(crate) async fn new() -> (Self, Router) {
        let (reporter, service) = tonic_health::server::health_reporter();
        let health = Self {
            reporter,
            why_not: Arc::new(RwLock::new(Some("starting".to_owned()))),
            alive: Arc::default(),
        };
        for name in ["", "readiness", "startup"] {
            health.reporter.set_service_status(name, ServingStatus::NotServing).await;
        }
        health.reporter.set_service_status("liveness", ServingStatus::Serving).await;
        let plain = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(|| async { metrics_handle().render() }))
            .with_state(health.clone());
        (health, Routes::new(service).into_axum_router().merge(plain))
    }

    /// Ready, or not and why.
    pub(crate) async fn set_ready(&self, why_not: Option<String>) {
        let status = if why_not.is_none() { ServingStatus::Serving } else { ServingStatus::NotServing };
        let changed = {
            let mut held = self.why_not.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *held, why_not.clone()) != why_not
        };
        if !changed {
            return;
        }
        match &why_not {
            None => tracing::info!("ready"),
            Some(reason) if reason == STOPPING => tracing::info!("no longer ready: stopping"),
            Some(reason) => tracing::warn!(reason, "not ready"),
        }
        if status == ServingStatus::Serving {
            self.reporter.set_service_status("startup", status).await;
        }
        for name in ["", "readiness"] {
            self.reporter.set_service_status(name, status).await;
        }
    }

    /// A supervised task has died: the process should be started anew.
    pub(crate) async fn set_dead(&self, what: &str) {
        *self.alive.write().unwrap_or_else(PoisonError::into_inner) = Some(what.to_owned());
        self.reporter.set_service_status("liveness", ServingStatus::NotServing).await;
    }

    /// Asks the database every second until `stop`. The broker does not count: work waits in the log.
    pub(crate) async fn watch(self, pool: PgPool, stop: Stop) {
        while !stop.is_cancelled() {
            // A primary that takes writes: a standby answers SELECT as well.
            let asked =
                sqlx::query_scalar!(r#"SELECT NOT pg_is_in_recovery() AS "writable!""#).fetch_one(&pool);
            let why_not = match timeout(ASK, asked).await {
                Ok(Ok(true)) => None,
                Ok(Ok(false)) => Some("the database takes no writes".to_owned()),
                Ok(Err(_)) => Some("the database cannot be reached".to_owned()),
                Err(_late) => Some("the database does not answer".to_owned()),
            };
            if stop.is_cancelled() {
                break;
            }
            self.set_ready(why_not).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(ASK) => {}
            }
        }
    }
}

/// `GET /parked` lists what is parked, `POST /parked/redrive` tries it again: ids, reasons and counts only.
pub(crate) fn parked_routes(pool: PgPool, redrivers: Vec<Redriver>) -> Router {
    Router::new()
        .route("/parked", get(list_parked))
        .with_state(pool)
        .merge(Router::new().route("/parked/redrive", post(redrive)).with_state(redrivers))
}

async fn list_parked(State(pool): State<PgPool>) -> Result<String, StatusCode> {
    let rows = parked(&pool).await.map_err(|_away| StatusCode::SERVICE_UNAVAILABLE)?;
    let line = |row: docket_messaging::Parked| {
        let (log, position, stream, reason) = (row.log, row.position, row.stream, row.reason);
        format!("{log} {position} {stream} since_us={} {reason}\n", row.since_at_us)
    };
    Ok(rows.into_iter().map(line).collect())
}

async fn redrive(State(redrivers): State<Vec<Redriver>>) -> Result<String, StatusCode> {
    let (mut applied, mut still_parked) = (0, 0);
    for redriver in redrivers {
        let done = redriver.redrive(None).await.map_err(|_away| StatusCode::SERVICE_UNAVAILABLE)?;
        (applied, still_parked) = (applied + done.applied, still_parked + done.still_parked);
    }
    Ok(format!("applied={applied} still_parked={still_parked}\n"))
}

async fn healthz(State(health): State<Health>) -> (StatusCode, String) {
    answer(health.alive.read().unwrap_or_else(PoisonError::into_inner).clone())
}

async fn readyz(State(health): State<Health>) -> (StatusCode, String) {
    answer(health.why_not.read().unwrap_or_else(PoisonError::into_inner).clone())
}

fn answer(fault: Option<String>) -> (StatusCode, String) {
    match fault {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(fault) => (StatusCode::SERVICE_UNAVAILABLE, format!("{fault}\n")),
    }
}
