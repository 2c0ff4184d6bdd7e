//! The admin port: health by gRPC and HTTP, and metrics; plain text, for the machine's own agents.

use std::io::ErrorKind;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use docket_database::within;
use docket_messaging::Stop;
use sqlx::PgPool;
use tokio::sync::Mutex;
use tokio::time::sleep;
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
    /// Held while readiness is told, so that the last word is told last.
    telling: Arc<Mutex<()>>,
    alive: Arc<RwLock<Option<String>>>,
}

impl Health {
    /// Not ready yet; and the admin port's routes.
    pub(crate) async fn new() -> (Self, Router) {
        let (reporter, service) = tonic_health::server::health_reporter();
        let health = Self {
            reporter,
            why_not: Arc::new(RwLock::new(Some("starting".to_owned()))),
            telling: Arc::default(),
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

    /// Ready, or not and why. Whoever stops is not ready again, whatever a look finds that was begun before.
    pub(crate) async fn set_ready(&self, why_not: Option<String>) {
        let _telling = self.telling.lock().await;
        let status = if why_not.is_none() { ServingStatus::Serving } else { ServingStatus::NotServing };
        let changed = {
            let mut held = self.why_not.write().unwrap_or_else(PoisonError::into_inner);
            let stopping = held.as_deref() == Some(STOPPING);
            !stopping && std::mem::replace(&mut *held, why_not.clone()) != why_not
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
            let why_not = match within(ASK, asked).await {
                Ok(true) => None,
                Ok(false) => Some("the database takes no writes".to_owned()),
                Err(sqlx::Error::Io(error)) if error.kind() == ErrorKind::TimedOut => {
                    Some("the database does not answer".to_owned())
                }
                Err(_) => Some("the database cannot be reached".to_owned()),
            };
            if stop.is_cancelled() {
                break;
            }
            self.set_ready(why_not).await;
            stop.run_until_cancelled(sleep(ASK)).await;
        }
    }
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
