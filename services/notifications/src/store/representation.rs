//! Appearances and whether they stand: those who act in a case come from the log of cases, their end from filing's too.

use sqlx::PgConnection;
use uuid::Uuid;

/// Takes the row of an appearance until the transaction ends, and says whether it stands: the two logs are read at once, and
/// whichever comes second finds the other.
pub(crate) async fn stands(tx: &mut PgConnection, representation: Uuid) -> sqlx::Result<bool> {
    let ended = sqlx::query_scalar!(
        "INSERT INTO representation (representation_id) VALUES ($1)
         ON CONFLICT (representation_id) DO UPDATE SET representation_id = excluded.representation_id
         RETURNING ended",
        representation
    )
    .fetch_one(tx)
    .await?;
    Ok(!ended)
}

/// It ended: nobody acts under it any more, in whatever case, nor in one that is opened later.
pub(crate) async fn ended(tx: &mut PgConnection, representation: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO representation (representation_id, ended) VALUES ($1, true)
         ON CONFLICT (representation_id) DO UPDATE SET ended = true",
        representation
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("UPDATE matter SET representative = NULL WHERE representation_id = $1", representation)
        .execute(tx)
        .await
        .map(drop)
}
