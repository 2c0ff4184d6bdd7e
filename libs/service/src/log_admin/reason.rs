//! The reason an operator gives, in free words, for what is kept on record.

use crate::ApiError;

/// Most characters of a reason.
const REASON: usize = 500;

/// # Errors
/// `REASON_MISSING` when it is blank or too long.
pub(super) fn check(reason: &str) -> Result<(), ApiError> {
    if !reason.trim().is_empty() && reason.chars().count() <= REASON {
        return Ok(());
    }
    let words = format!("Say why, in 1 to {REASON} characters without personal data; it is kept for ever.");
    Err(ApiError::invalid("reason", "REASON_MISSING", words))
}
