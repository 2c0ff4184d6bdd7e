//! A person in a story: their own secrets, their tokens, their authenticator.
use super::file::PersonRow;
use crate::clock::now_s;
use anyhow::Result;
use std::time::Duration;
use totp_rs::{Builder, Secret};

/// Seconds of a step (RFC 6238).
const STEP_S: i64 = 30;

/// A person and what only they know.
#[derive(Clone, Debug)]
pub struct Person {
    /// From the story.
    pub row: PersonRow,
    /// E-mail address, new for each playing.
    pub email: String,
    /// Telephone number, in an area that there is not.
    pub phone: String,
    /// Password.
    pub password: String,
    /// A-number, from a range that was never given out.
    pub a_number: String,
    /// From the registration.
    pub registration_token: String,
    /// TOTP secret, base32.
    pub totp_secret: String,
    /// Recovery codes that were not used yet.
    pub recovery_codes: Vec<String>,
    /// Last step whose code was used: a code works once.
    last_step: i64,
    /// Account, `accounts/<uuid>`.
    pub account: String,
    /// Access token.
    pub access_token: Option<String>,
    /// Refresh token.
    pub refresh_token: String,
    /// When the access token was given, seconds since the epoch.
    pub token_at: i64,
    /// Whether it was got by giving the second factor again; one that is renewed is not.
    pub stepped_up: bool,
}

impl Person {
    /// Somebody new, for run `run` (digits that make people of several runs differ).
    pub fn new(row: PersonRow, run: u32) -> Self {
        let email = format!("{}.{run:06}@example.test", row.id);
        // A-numbers began above one million: what is below was never given to anybody.
        let a_number = format!("A000{run:06}");
        // No area's code has a 9 in its middle.
        let phone = format!("+1290{}{run:06}", row.id.len() % 8 + 2);
        let password = format!("correct horse {run:06} {}", row.id);
        Self {
            row,
            email,
            phone,
            password,
            a_number,
            registration_token: String::new(),
            totp_secret: String::new(),
            recovery_codes: Vec::new(),
            last_step: 0,
            account: String::new(),
            access_token: None,
            refresh_token: String::new(),
            token_at: 0,
            stepped_up: false,
        }
    }

    /// The next code of the authenticator that was not used yet: the one before, now or after (RFC 6238 section 5.2).
    pub async fn code(&mut self) -> Result<String> {
        loop {
            let now = now_s() / STEP_S;
            let step = (self.last_step + 1).max(now - 1);
            if step <= now + 1 {
                self.last_step = step;
                return code_at(&self.totp_secret, step * STEP_S);
            }
            let until = (step - 1) * STEP_S - now_s();
            tokio::time::sleep(Duration::from_secs(u64::try_from(until.max(1)).unwrap_or(1))).await;
        }
    }

    /// Whether the last code has run out since.
    pub fn code_ran_out(&self) -> bool {
        self.last_step < now_s() / STEP_S - 1
    }

    /// The token, when there is one.
    pub fn token(&self) -> Option<&str> {
        self.access_token.as_deref()
    }
}

/// The code of a secret at an instant, seconds since the epoch.
pub fn code_at(secret: &str, at_s: i64) -> Result<String> {
    let secret = Secret::try_from_base32(secret).map_err(|error| anyhow::anyhow!("the secret: {error:?}"))?;
    let totp = Builder::new().with_secret(secret).build_noncompliant();
    Ok(totp.generate(u64::try_from(at_s)?).to_string())
}
