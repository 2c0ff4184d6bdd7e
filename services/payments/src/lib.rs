//! Payments: quotes, payments, refunds and the double-entry ledger, over the log `payments`.
//!
//! Reading order: `domain` (the rules), `cashier`, `asking`, `unexplained` and `fees` (carry them out with their rows; the fee of the
//! day), `peers` (what filing is asked), `processors`, `processor` and `webhook` (the card processors, in two directions), `charges`, `refunds` and
//! `disputes` (what its lists tell), `policies` (what other services' events lead to), `tasks`, `gauges`, `api`.
pub mod api;
pub mod asking;
pub mod cashier;
pub mod charges;
pub mod config;
pub mod disputes;
pub mod domain;
pub mod fees;
pub mod gauges;
pub mod invitation;
pub mod peers;
pub mod policies;
pub mod processor;
pub mod processors;
pub mod refunds;
pub mod store;
pub mod tasks;
pub mod unexplained;
pub mod webhook;

pub use config::Config;

use anyhow::{Context, Result, ensure};
use cashier::Cashier;
use docket_eventlog::Store;
use docket_proto::payments::v1::payment_service_server::PaymentServiceServer;
use docket_service::{Base, BaseOptions, Program, Server, Stop};
use peers::Filing;
use policies::{EndFee, OpenPayment, WithdrawUnpaid};
use processors::Processors;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The service's own tables.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What `main` runs.
pub const PROGRAM: Program<Config> = Program {
    name: "payments",
    migrations: &MIGRATIONS,
    serve: |config, stop| Box::pin(serve(config, stop)),
};

/// Serves until told to stop.
///
/// # Errors
/// When it cannot start: configuration, fee table, database, certificates.
pub async fn serve(config: Config, stop: Stop) -> Result<()> {
    let options = BaseOptions::new(
        "payments",
        "payments",
        include_str!("access.cedar"),
        include_str!("access.cedarschema"),
    );
    let base = Base::connect(&config.service, options).await?;
    let catalogue = config.catalogue.open()?;
    let (processors, webhook_secrets) = Processors::configured(&config)?;
    let cashier = Cashier {
        payments: Store::new(base.log.clone()),
        quotes: Store::new(base.log.clone()),
        catalogue: Arc::new(catalogue),
        pool: base.pool.clone(),
        clock: base.clock.clone(),
        processors,
        filing: Filing::new(base.channel("filing")),
    };
    let api = api::Payments { base: base.clone(), cashier: cashier.clone() };
    let (payments, quotes) = (cashier.payments.clone(), cashier.quotes.clone());
    let (due, disputed, pool) = (cashier.clone(), cashier.clone(), cashier.pool.clone());
    let (charged, given_back) = (cashier.clone(), cashier.clone());
    let look_every = Duration::from_secs(config.processor.disputes_every_s);
    let read_every = Duration::from_secs(config.processor.charges_every_s);
    Server::new(base)
        .grpc(PaymentServiceServer::new(api))
        .http(webhook::router(cashier, &webhook_secrets))
        .subscriber("filing", Arc::new(OpenPayment { payments: payments.clone(), quotes }))
        .subscriber("filing", Arc::new(WithdrawUnpaid { payments: payments.clone() }))
        .subscriber("cases-0", Arc::new(EndFee { payments }))
        .task("due at the processor", move |stop| tasks::run(due, stop))
        .task("disputes at the processor", move |stop| disputes::run(disputed, look_every, stop))
        .task("charges at the processor", move |stop| charges::run(charged, read_every, stop))
        .task("refunds at the processor", move |stop| refunds::run(given_back, read_every, stop))
        .task("gauge of the ledger", move |stop| gauges::run(pool, stop))
        .run(stop)
        .await
}

/// A secret from its file. With an empty one anybody could sign.
fn secret(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let text = text.trim();
    ensure!(!text.is_empty(), "{} is empty: it must hold a secret", path.display());
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_secret_is_refused_at_the_start() {
        let path = std::env::temp_dir().join(format!("docket-secret-{}", uuid::Uuid::now_v7()));
        for (text, taken) in [("", false), (" \n", false), ("whsec_1\n", true)] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(secret(&path).ok(), taken.then(|| "whsec_1".to_owned()), "{text:?}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(secret(&path).is_err());
    }
}
