//! Sealed objects are written before the event that names them. Those that no event names after all are taken away again.

use docket_service::ApiError;

use crate::desk::Desk;

/// Takes objects away that were made for a command, where none of its events names them: it was refused, somebody else's came first,
/// or this very command was done before (`repeated`). An unknown outcome keeps them.
pub(super) async fn take_away(desk: &Desk, keys: &[String], repeated: Result<bool, &ApiError>) {
    if matches!(repeated, Ok(true) | Err(ApiError::Refused(_) | ApiError::Stale { .. } | ApiError::Reused(_)))
    {
        for key in keys {
            desk.base.objects.delete(key).await.ok();
        }
    }
}
