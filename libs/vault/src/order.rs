//! An erasure that two people decided in another service: carried out here, with a certificate of our own.

use jiff::Timestamp;
use uuid::Uuid;

use crate::erasure::{insert, requests};
use crate::hold::refuse_if_held;
use crate::vault::LockedKey;
use crate::{Certificate, Code, ErasureRequest, Error, RequestState, Subject, Vault};

/// Who closes a request of our own that an order overtakes.
const OVERTAKEN: &str = "machine:erasure-order";

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureOrder {
    /// The request that was approved; the same id in every service.
    pub request: Uuid,
    /// Whose data.
    pub subject: Subject,
    /// Why.
    pub reason: Code,
    /// On what legal basis.
    pub legal_basis: Code,
    /// Who asked, as `account:<uuid>`.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// Who approved, another account.
    pub approved_by: String,
}

impl Vault {
    /// Destroys our key of the order's subject, or sees to it that there will never be one. Repeated, or when the subject
    /// was erased here before, it gives the certificate of that.
    ///
    /// # Errors
    /// [`Error::Held`] under a legal hold here: nothing is destroyed, and the order can be carried out after its release;
    /// [`Error::SamePerson`] or [`Error::NotAPerson`] for an order that no two people decided; [`Error::Database`].
    pub async fn carry_out(&self, order: &ErasureOrder) -> Result<Certificate, Error> {
        if order.approved_by == order.asked_by {
            return Err(Error::SamePerson);
        }
        if !order.approved_by.starts_with("account:") {
            return Err(Error::NotAPerson);
        }
        self.destroy(order).await
    }

    /// Carries out what was decided, by two people or by a rule.
    pub(crate) async fn destroy(&self, order: &ErasureOrder) -> Result<Certificate, Error> {
        let LockedKey { mut tx, id: key_id, live } = self.lock_key(&order.subject).await?;
        if !live {
            drop(tx);
            let certificate = self.certificate(&order.subject).await?;
            return certificate.ok_or(Error::Malformed("an erasure without a certificate"));
        }
        refuse_if_held(&mut tx, &order.subject).await?;
        let now_us = self.now_us();
        sqlx::query!(
            "UPDATE vault.erasure_request SET cancelled_by = $2, cancelled_at_us = $3
             WHERE subject = $1 AND executed_at_us IS NULL AND cancelled_at_us IS NULL AND id <> $4",
            order.subject.to_string(),
            OVERTAKEN,
            now_us,
            order.request
        )
        .execute(&mut *tx)
        .await?;
        let asked = order.as_request();
        // It is there, and open again, where a backup of the keys of whoever asked was restored.
        if requests(&mut tx, Some(order.request), None, false).await?.is_empty() {
            insert(&mut tx, &asked).await?;
        }
        let certificate = self.execute(&mut tx, &asked, key_id, order.approved_by.clone()).await?;
        tx.commit().await?;
        self.forget(&order.subject).await;
        Ok(certificate)
    }
}

impl ErasureOrder {
    fn as_request(&self) -> ErasureRequest {
        ErasureRequest {
            id: self.request,
            subject: self.subject,
            reason: self.reason.to_string(),
            legal_basis: self.legal_basis.to_string(),
            asked_by: self.asked_by.clone(),
            asked_at: self.asked_at,
            state: RequestState::Open,
        }
    }
}
