//! Access tokens: what they say and how long they last.

use docket_service::ApiError;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::keys::KeyRing;
use crate::store::session::Session;

/// Issuer and audience.
pub(crate) const ISSUER: &str = "docket";
/// Seconds of an access token.
pub(crate) const LIFE_S: i64 = 300;
/// For so long a second factor given again serves guarded acts.
const STEP_UP_US: i64 = 600 * 1_000_000;

/// The claims (RFC 7519, RFC 9068). No role: those are looked up where they are needed.
#[derive(Debug, Serialize)]
struct Claims {
    iss: &'static str,
    aud: &'static str,
    sub: Uuid,
    sid: Uuid,
    /// `aal2`, or `stepup` within ten minutes of a second factor given again.
    acr: &'static str,
    /// Seconds since 1970 of the last second factor.
    auth_time: i64,
    iat: i64,
    exp: i64,
}

/// An access token for a session as it is at `now`.
///
/// # Errors
/// The keys.
pub(crate) fn issue(keys: &KeyRing, session: &Session, now: Timestamp) -> Result<String, ApiError> {
    let (acr, auth_time_us) = level(session, now);
    let iat = now.as_second();
    let auth_time = auth_time_us.div_euclid(1_000_000);
    let (sub, sid) = (session.account_id, session.id);
    let claims = Claims { iss: ISSUER, aud: ISSUER, sub, sid, acr, auth_time, iat, exp: iat + LIFE_S };
    keys.sign(&claims).map_err(ApiError::internal)
}

fn level(session: &Session, now: Timestamp) -> (&'static str, i64) {
    match session.stepped_up_at_us {
        Some(at) if now.as_microsecond() - at < STEP_UP_US => ("stepup", at),
        Some(at) => ("aal2", at),
        None => ("aal2", session.started_at_us),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_up_counts_for_ten_minutes() {
        let stepped_up_at_us = Some(1_000 * 1_000_000);
        let session = Session {
            id: Uuid::nil(),
            account_id: Uuid::nil(),
            started_at_us: 0,
            used_at_us: 0,
            ends_at_us: 0,
            stepped_up_at_us,
            ended_at_us: None,
            epoch: 1,
        };
        let acr = |second| level(&session, Timestamp::from_second(second).unwrap()).0;
        assert_eq!(acr(1_599), "stepup");
        assert_eq!(acr(1_600), "aal2");
        assert_eq!(level(&Session { stepped_up_at_us: None, ..session }, Timestamp::UNIX_EPOCH).0, "aal2");
    }
}
