//! Receipt numbers: serials leased in blocks from one row, turned into numbers that follow no order.

use docket_kernel::ReceiptNumber;
use docket_service::ApiError;
use docket_vault::Vault;
use sqlx::PgPool;
use tokio::sync::Mutex;

/// Serials taken from the row at a time; those not used before a restart are gaps.
const BLOCK: i64 = 100;

/// Gives each receipt number once, over all replicas.
#[derive(Debug)]
pub(crate) struct Serials {
    pool: PgPool,
    key: [u8; 32],
    leased: Mutex<std::ops::Range<i64>>,
}

impl Serials {
    /// Serials of the service's database, under a key of its vault.
    pub(crate) fn new(pool: PgPool, vault: &Vault) -> Self {
        Self { pool, key: vault.mac("receipt-number", b"permutation"), leased: Mutex::new(0..0) }
    }

    /// The next number.
    ///
    /// # Errors
    /// The database; or every number was given.
    pub(crate) async fn next(&self) -> Result<ReceiptNumber, ApiError> {
        let mut leased = self.leased.lock().await;
        if leased.is_empty() {
            let end = sqlx::query_scalar!("UPDATE receipt_serial SET next = next + $1 RETURNING next", BLOCK)
                .fetch_one(&self.pool)
                .await?;
            *leased = end - BLOCK..end;
        }
        let serial = leased.next().expect("a leased block is not empty");
        Ok(ReceiptNumber::from_serial(serial.unsigned_abs(), &self.key)?)
    }
}
