//! Erasure by two people: one asks, another approves, the key is destroyed and a certificate says so.

use docket_kernel::{Actor, ActorKind};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::certificate::{instant, irrecoverable_on};
use crate::hold::refuse_if_held;
use crate::vault::LockedKey;
use crate::{Certificate, Code, Error, Statement, Subject, Vault};

/// A request for an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRequest {
    /// Its id.
    pub id: Uuid,
    /// Whose data.
    pub subject: Subject,
    /// The code of the reason.
    pub reason: String,
    /// The code of the legal basis.
    pub legal_basis: String,
    /// Who asked, as `account:<uuid>`.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// How it stands.
    pub state: RequestState,
}

/// How a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestState {
    /// Waits for another person.
    Open,
    /// Approved and carried out.
    Executed {
        /// By whom.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Withdrawn or refused.
    Cancelled {
        /// By whom.
        by: String,
        /// When.
        at: Timestamp,
    },
}

impl Vault {
    /// Asks for the erasure of a subject. Nothing is destroyed before [`Vault::approve_erasure`].
    ///
    /// # Errors
    /// [`Error::Erased`] when it was done before, [`Error::Held`] under a legal hold, [`Error::AlreadyAsked`] with the
    /// open request; [`Error::Database`].
    pub async fn request_erasure(
        &self,
        subject: &Subject,
        reason: &Code,
        legal_basis: &Code,
        asked_by: &Actor,
    ) -> Result<ErasureRequest, Error> {
        let LockedKey { mut tx, live, .. } = self.lock_key(subject).await?;
        if !live {
            return Err(Error::Erased(*subject));
        }
        refuse_if_held(&mut tx, subject).await?;
        if let Some(request) = open_request(&mut tx, subject).await? {
            return Err(Error::AlreadyAsked { subject: *subject, request });
        }
        let request = ErasureRequest {
            id: Uuid::new_v4(),
            subject: *subject,
            reason: reason.to_string(),
            legal_basis: legal_basis.to_string(),
            asked_by: asked_by.to_string(),
            asked_at: instant(self.now_us())?,
            state: RequestState::Open,
        };
        insert(&mut tx, &request).await?;
        tx.commit().await?;
        Ok(request)
    }

    /// Approves an open request: the subject's key is destroyed, and what was sealed for it can never be opened again.
    /// Asked again by the same person it gives the same certificate.
    ///
    /// # Errors
    /// [`Error::SamePerson`], [`Error::NotAPerson`], [`Error::NoOpenRequest`]; [`Error::Held`] under a legal hold, the
    /// request then stays open; [`Error::Database`].
    pub async fn approve_erasure(&self, request: Uuid, approved_by: &Actor) -> Result<Certificate, Error> {
        if approved_by.kind != ActorKind::Account {
            return Err(Error::NotAPerson);
        }
        let by = approved_by.to_string();
        let found = self.erasure_request(request).await?.ok_or(Error::NoOpenRequest(request))?;
        let LockedKey { mut tx, id: key_id, .. } = self.lock_key(&found.subject).await?;
        let asked = requests(&mut tx, Some(request), None, false)
            .await?
            .pop()
            .ok_or(Error::NoOpenRequest(request))?;
        match &asked.state {
            RequestState::Executed { by: earlier, .. } if *earlier == by => {
                let certificate = self.certificate(&asked.subject).await?;
                return certificate.ok_or(Error::Malformed("an erasure without a certificate"));
            }
            RequestState::Executed { .. } | RequestState::Cancelled { .. } => {
                return Err(Error::NoOpenRequest(request));
            }
            RequestState::Open if asked.asked_by == by => return Err(Error::SamePerson),
            RequestState::Open => refuse_if_held(&mut tx, &asked.subject).await?,
        }
        let certificate = self.execute(&mut tx, &asked, key_id, by).await?;
        tx.commit().await?;
        self.forget(&asked.subject).await;
        Ok(certificate)
    }

    /// Withdraws an open request; either of the two may, and a third.
    ///
    /// # Errors
    /// [`Error::NoOpenRequest`]; [`Error::Database`].
    pub async fn cancel_erasure(&self, request: Uuid, cancelled_by: &Actor) -> Result<(), Error> {
        let cancelled = sqlx::query!(
            "UPDATE vault.erasure_request SET cancelled_by = $2, cancelled_at_us = $3
             WHERE id = $1 AND executed_at_us IS NULL AND cancelled_at_us IS NULL",
            request,
            cancelled_by.to_string(),
            self.now_us()
        )
        .execute(self.keys())
        .await?;
        if cancelled.rows_affected() == 1 { Ok(()) } else { Err(Error::NoOpenRequest(request)) }
    }

    /// A request, however it stands.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn erasure_request(&self, request: Uuid) -> Result<Option<ErasureRequest>, Error> {
        let mut keys = self.keys().acquire().await?;
        Ok(requests(&mut keys, Some(request), None, false).await?.pop())
    }

    /// The requests for a subject, however they stand, newest first; at most 1,000.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn erasure_requests(&self, subject: &Subject) -> Result<Vec<ErasureRequest>, Error> {
        let mut keys = self.keys().acquire().await?;
        requests(&mut keys, None, Some(subject), false).await
    }

    /// The requests of all subjects that wait for another person, newest first; at most 1,000.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn open_erasure_requests(&self) -> Result<Vec<ErasureRequest>, Error> {
        let mut keys = self.keys().acquire().await?;
        requests(&mut keys, None, None, true).await
    }

    /// The requests that were carried out and approved here or elsewhere, oldest first: at most `limit` after that instant
    /// (microseconds) and request.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn erased_after(&self, after: (i64, Uuid), limit: u32) -> Result<Vec<ErasureRequest>, Error> {
        let mut keys = self.keys().acquire().await?;
        let ids = sqlx::query_scalar!(
            "SELECT id FROM vault.erasure_request
             WHERE executed_at_us IS NOT NULL AND (executed_at_us, id) > ($1, $2)
             ORDER BY executed_at_us, id LIMIT $3",
            after.0,
            after.1,
            i64::from(limit)
        )
        .fetch_all(&mut *keys)
        .await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(requests(&mut keys, Some(id), None, false).await?);
        }
        Ok(found)
    }

    /// The certificate of a subject's erasure; none while it is not erased.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn certificate(&self, subject: &Subject) -> Result<Option<Certificate>, Error> {
        let row = sqlx::query!(
            "SELECT statement, key_id, signature FROM vault.erasure_certificate WHERE subject = $1",
            subject.to_string()
        )
        .fetch_optional(self.keys())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let signature =
            row.signature.try_into().map_err(|_| Error::Malformed("a certificate's signature"))?;
        Ok(Some(Certificate { statement: row.statement, key_id: row.key_id, signature }))
    }

    /// Destroys the key and writes down everything that says so, in one transaction.
    pub(crate) async fn execute(
        &self,
        tx: &mut PgConnection,
        request: &ErasureRequest,
        key_id: Uuid,
        approved_by: String,
    ) -> Result<Certificate, Error> {
        let now_us = self.now_us();
        let subject = request.subject.to_string();
        let certificate = self.certificate_key().sign(&Statement {
            request: request.id,
            service: self.service().to_owned(),
            subject: subject.clone(),
            keys: vec![key_id],
            erased_at: instant(now_us)?,
            asked_by: request.asked_by.clone(),
            asked_at: request.asked_at,
            approved_by: approved_by.clone(),
            reason: request.reason.clone(),
            legal_basis: request.legal_basis.clone(),
            irrecoverable_on: irrecoverable_on(instant(now_us)?)?,
        });
        let settled = sqlx::query!(
            "UPDATE vault.erasure_request SET approved_by = $2, executed_at_us = $3
             WHERE id = $1 AND executed_at_us IS NULL AND cancelled_at_us IS NULL",
            request.id,
            approved_by,
            now_us
        )
        .execute(&mut *tx)
        .await?;
        if settled.rows_affected() == 0 {
            return Err(Error::NoOpenRequest(request.id));
        }
        sqlx::query!(
            "INSERT INTO vault.erasure_certificate (request, subject, statement, key_id, signature)
             VALUES ($1, $2, $3, $4, $5)",
            request.id,
            &subject,
            &certificate.statement,
            &certificate.key_id,
            &certificate.signature[..]
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "INSERT INTO vault.erasure (subject, key_id, erased_at_us) VALUES ($1, $2, $3)",
            &subject,
            key_id,
            now_us
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "UPDATE vault.data_key SET wrapped = NULL, destroyed_at_us = $2 WHERE subject = $1",
            &subject,
            now_us
        )
        .execute(tx)
        .await?;
        Ok(certificate)
    }
}

/// Writes a request down, open.
pub(crate) async fn insert(tx: &mut PgConnection, request: &ErasureRequest) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO vault.erasure_request (id, subject, reason, legal_basis, asked_by, asked_at_us)
             VALUES ($1, $2, $3, $4, $5, $6)",
        request.id,
        request.subject.to_string(),
        &request.reason,
        &request.legal_basis,
        &request.asked_by,
        request.asked_at.as_microsecond()
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn open_request(keys: &mut PgConnection, subject: &Subject) -> Result<Option<Uuid>, Error> {
    let open = sqlx::query_scalar!(
        "SELECT id FROM vault.erasure_request
         WHERE subject = $1 AND executed_at_us IS NULL AND cancelled_at_us IS NULL",
        subject.to_string()
    );
    Ok(open.fetch_optional(keys).await?)
}

/// Requests by their id, of a subject, or all; newest first, at most 1,000.
pub(crate) async fn requests(
    keys: &mut PgConnection,
    id: Option<Uuid>,
    subject: Option<&Subject>,
    only_open: bool,
) -> Result<Vec<ErasureRequest>, Error> {
    let rows = sqlx::query!(
        "SELECT id, subject, reason, legal_basis, asked_by, asked_at_us, approved_by, executed_at_us,
                cancelled_by, cancelled_at_us
         FROM vault.erasure_request
         WHERE ($1::uuid IS NULL OR id = $1) AND ($2::text IS NULL OR subject = $2)
           AND (NOT $3 OR executed_at_us IS NULL AND cancelled_at_us IS NULL)
         ORDER BY asked_at_us DESC, id LIMIT 1000",
        id,
        subject.map(ToString::to_string),
        only_open
    )
    .fetch_all(keys)
    .await?;
    rows.into_iter()
        .map(|row| {
            let executed = row.approved_by.zip(row.executed_at_us);
            let state = match (executed, row.cancelled_by.zip(row.cancelled_at_us)) {
                (Some((by, at)), _) => RequestState::Executed { by, at: instant(at)? },
                (None, Some((by, at))) => RequestState::Cancelled { by, at: instant(at)? },
                (None, None) => RequestState::Open,
            };
            Ok(ErasureRequest {
                id: row.id,
                subject: row.subject.parse()?,
                reason: row.reason,
                legal_basis: row.legal_basis,
                asked_by: row.asked_by,
                asked_at: instant(row.asked_at_us)?,
                state,
            })
        })
        .collect()
}
