//! `waiting_request`: what a request of the office asks for, until it is served.

use sqlx::{PgConnection, PgPool, Result};
use uuid::Uuid;

/// A request that was made and not served yet.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// `rfe`, `noid`, `n14`, `noir`, `noit`, `own_motion`.
    pub(crate) request_kind: String,
    /// Codes of the items.
    pub(crate) items: Vec<String>,
}

/// Keeps a request.
pub(crate) async fn keep(
    tx: &mut PgConnection,
    request: Uuid,
    case: Uuid,
    kind: &str,
    items: &[String],
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO waiting_request (request_id, case_id, request_kind, items) VALUES ($1, $2, $3, $4)
         ON CONFLICT (request_id) DO UPDATE SET items = excluded.items",
        request,
        case,
        kind,
        items
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether a request of the case waits to be served.
pub(crate) async fn waits(pool: &PgPool, case: Uuid) -> Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM waiting_request WHERE case_id = $1) AS "waits!""#,
        case
    )
    .fetch_one(pool)
    .await
}

/// Takes a request out, now that it is served.
pub(crate) async fn take(tx: &mut PgConnection, request: Uuid) -> Result<Option<Waiting>> {
    sqlx::query_as!(
        Waiting,
        "DELETE FROM waiting_request WHERE request_id = $1 RETURNING request_kind, items",
        request
    )
    .fetch_optional(tx)
    .await
}
