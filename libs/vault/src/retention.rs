//! Erasure by a rule: of what was never handed in, when the time it is kept is over or its owner gives it up.
//!
//! What was handed in is erased by two people only (`erasure`). That nobody has to decide here is part of the schema: a
//! rule ends filings' keys and no others.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{Certificate, Code, ErasureOrder, Error, Subject, Vault};

/// What a rule ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// Its id; the same one is carried out once.
    pub request: Uuid,
    /// Whose data: a filing.
    pub subject: Subject,
    /// The rule, such as `draft.keep`.
    pub rule: Code,
    /// Who set it off: an account that gave up, or a machine that keeps time.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
}

impl Vault {
    /// Destroys the key of the subject by the rule. Repeated, or when the subject was erased before, it gives the
    /// certificate of that.
    ///
    /// # Errors
    /// [`Error::Held`] under a legal hold: nothing is destroyed; [`Error::Database`].
    pub async fn expire(&self, expiry: &Expiry) -> Result<Certificate, Error> {
        let order = ErasureOrder {
            request: expiry.request,
            subject: expiry.subject,
            reason: expiry.rule.clone(),
            legal_basis: expiry.rule.clone(),
            asked_by: expiry.asked_by.clone(),
            asked_at: expiry.asked_at,
            approved_by: format!("rule:{}", expiry.rule),
        };
        self.destroy(&order).await
    }
}
