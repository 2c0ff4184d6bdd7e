//! Codes of authenticator apps (RFC 6238): SHA-1, six digits, 30 seconds, one step either side.

use docket_service::ApiError;
use jiff::Timestamp;
use totp_rs::{Builder, Secret, Totp};

const ISSUER: &str = "Docket";
/// Seconds of a step.
pub(crate) const STEP_S: i64 = 30;

/// Bytes of a secret: 160 bits (RFC 4226 §4).
pub(crate) const SECRET_BYTES: usize = 20;

/// A new secret.
pub(crate) fn new_secret() -> [u8; SECRET_BYTES] {
    rand::random()
}

/// Whether it looks like a code of an app.
pub(crate) fn looks_like_code(code: &str) -> bool {
    code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// The step whose code it is: the present one, the one before or the one after.
pub(crate) fn step_of(secret: &[u8], code: &str, now: Timestamp) -> Option<i64> {
    if !looks_like_code(code) {
        return None;
    }
    let step = totp(secret, "")?.check(code, now.as_second().max(0).unsigned_abs())?;
    i64::try_from(step).ok()
}

/// The secret in base 32 and the address for a QR code.
///
/// # Errors
/// By our fault.
pub(crate) fn shown(secret: &[u8], email: &str) -> Result<(String, String), ApiError> {
    // A colon parts issuer and account in the label; no address of ours holds one.
    totp(secret, email)
        .and_then(|totp| Some((totp.secret().to_base32(), totp.to_url().ok()?)))
        .ok_or_else(|| ApiError::internal(anyhow::anyhow!("the secret cannot be shown")))
}

fn totp(secret: &[u8], email: &str) -> Option<Totp> {
    Builder::new()
        .with_secret(Secret::new(secret.into()))
        .with_issuer(Some(ISSUER))
        .with_account_name(email)
        .with_skew(1)
        .with_step_duration(STEP_S.unsigned_abs())
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, cut to six digits.
    const SECRET: &[u8] = b"12345678901234567890";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_the_standard() {
        assert_eq!(step_of(SECRET, "287082", at(59)), Some(1));
        assert_eq!(step_of(SECRET, "081804", at(1_111_111_109)), Some(37_037_036));
    }

    #[test]
    fn one_step_either_side_is_taken_and_no_more() {
        for (second, taken) in [(29, true), (30, true), (89, true), (90, false), (600, false)] {
            assert_eq!(step_of(SECRET, "287082", at(second)).is_some(), taken, "{second}");
        }
        assert_eq!(step_of(SECRET, "28708", at(59)), None);
        assert_eq!(step_of(SECRET, "28708x", at(59)), None);
    }

    #[test]
    fn the_app_is_told_who_we_are() {
        let (secret, uri) = shown(SECRET, "maria@example.com").unwrap();
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(uri.starts_with("otpauth://totp/Docket:maria%40example.com?"), "{uri}");
    }
}
