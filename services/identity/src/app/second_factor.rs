//! Checking a second factor: the app's code or a recovery code, each good once.

use docket_service::ApiError;
use docket_vault::{Opened, Subject};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Identity;
use crate::store::credential;
use crate::{code, totp};

/// The place of an app's secret, as associated data of its seal.
pub(super) const SECRET: &[u8] = b"identity.totp.secret";

/// A second factor which is right, but not used up yet.
pub(super) enum Proof {
    /// A code of the app.
    Totp {
        /// Its step.
        step: i64,
    },
    /// A recovery code.
    Recovery {
        /// Its hash.
        hash: Vec<u8>,
    },
}

impl Proof {
    /// What a session began with, as in `SignedIn.methods`.
    pub(super) fn methods(&self) -> &'static str {
        match self {
            Self::Totp { .. } => "pwd otp",
            Self::Recovery { .. } => "pwd recovery",
        }
    }
}

/// The row of tries of what an account's second factor is given for beside signing in.
pub(super) fn tries_of(account: Uuid) -> String {
    format!("second-factor:{account}")
}

impl Identity {
    /// Whether a code is the account's. For nobody the same work is done.
    pub(super) async fn proof(&self, account: Option<Uuid>, typed: &str) -> Result<Option<Proof>, ApiError> {
        let owner = account.unwrap_or(self.nobody.account);
        let typed = typed.trim();
        if !totp::looks_like_code(typed) {
            let hash = self.recovery_code_hash(owner, typed);
            let good = credential::recovery_code_is_good(&self.pool, owner, &hash).await?;
            return Ok(good.then_some(Proof::Recovery { hash }));
        }
        let row = credential::totp(&self.pool, owner).await?.filter(|row| row.confirmed_at_us.is_some());
        let (known, subject) = (row.is_some(), if row.is_some() { owner } else { self.nobody.account });
        let (sealed, last_step) =
            row.map_or_else(|| (self.nobody.sealed.clone(), 0), |row| (row.secret_sealed, row.last_step));
        let step = self.step_of(subject, &sealed, typed).await?;
        Ok(step.filter(|step| known && *step > last_step).map(|step| Proof::Totp { step }))
    }

    /// The step of a code for an app which is still to be confirmed.
    pub(super) async fn setup_step(&self, account: Uuid, typed: &str) -> Result<Option<i64>, ApiError> {
        match credential::totp(&self.pool, account).await? {
            Some(row) if row.confirmed_at_us.is_none() => {
                self.step_of(account, &row.secret_sealed, typed.trim()).await
            }
            _ => Ok(None),
        }
    }

    /// Uses a proof up in the transaction of its effect; false when somebody else just did.
    pub(super) async fn use_up(
        &self,
        tx: &mut PgConnection,
        account: Uuid,
        proof: &Proof,
    ) -> Result<bool, ApiError> {
        Ok(match proof {
            Proof::Totp { step } => credential::use_step(tx, account, *step).await?,
            Proof::Recovery { hash } => {
                credential::use_recovery_code(tx, account, hash, self.now().as_microsecond()).await?
            }
        })
    }

    pub(super) fn recovery_code_hash(&self, account: Uuid, typed: &str) -> Vec<u8> {
        let code = code::normalised(typed);
        self.vault.mac("recovery.code", &[account.as_bytes(), code.as_bytes()].concat()).to_vec()
    }

    /// The step of a code for a secret.
    pub(super) async fn step_of(
        &self,
        account: Uuid,
        sealed: &[u8],
        typed: &str,
    ) -> Result<Option<i64>, ApiError> {
        match self.vault.open(&Subject::account(account), SECRET, sealed).await? {
            Opened::Plain(secret) => Ok(totp::step_of(&secret, typed, self.now())),
            Opened::Erased => Ok(None),
        }
    }
}
