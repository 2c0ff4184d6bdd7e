//! Legal holds: while one is in force the subject's key cannot be destroyed. Holds and releases are kept for ever.

use docket_kernel::Actor;
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::certificate::instant;
use crate::vault::LockedKey;
use crate::{Code, Error, Subject, Vault};

/// A legal hold, in force or released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: Uuid,
    /// Why: the code of a matter or an order.
    pub reason: String,
    /// By whom, as `account:<uuid>`.
    pub held_by: String,
    /// Since when.
    pub held_at: Timestamp,
    /// When it was released, by whom and why; none while it is in force.
    pub released: Option<(Timestamp, String, String)>,
}

impl Vault {
    /// Forbids erasure of the subject until [`Vault::release`] with the same reason. Repeating it while it is in
    /// force changes nothing.
    ///
    /// # Errors
    /// [`Error::Erased`] when it is too late; [`Error::Database`].
    pub async fn hold(&self, subject: &Subject, reason: &Code, by: &Actor) -> Result<Hold, Error> {
        // The key's row is what a hold, an erasure and a first sealing queue up at.
        let LockedKey { mut tx, live, .. } = self.lock_key(subject).await?;
        if !live {
            return Err(Error::Erased(*subject));
        }
        let in_force = holds(&mut tx, subject).await?.into_iter();
        if let Some(hold) =
            in_force.filter(|hold| hold.released.is_none()).find(|hold| hold.reason == reason.as_str())
        {
            return Ok(hold);
        }
        let hold = Hold {
            id: Uuid::new_v4(),
            reason: reason.to_string(),
            held_by: by.to_string(),
            held_at: instant(self.now_us())?,
            released: None,
        };
        sqlx::query!(
            "INSERT INTO vault.hold (id, subject, reason, held_by, held_at_us) VALUES ($1, $2, $3, $4, $5)",
            hold.id,
            subject.to_string(),
            &hold.reason,
            &hold.held_by,
            hold.held_at.as_microsecond()
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(hold)
    }

    /// Ends the hold in force for `reason`; `why` is a code as well. False when there was none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn release(
        &self,
        subject: &Subject,
        reason: &Code,
        by: &Actor,
        why: &Code,
    ) -> Result<bool, Error> {
        let released = sqlx::query!(
            "INSERT INTO vault.hold_release (hold, reason, released_by, released_at_us)
             SELECT h.id, $3, $4, $5 FROM vault.hold h WHERE h.subject = $1 AND h.reason = $2
             ON CONFLICT (hold) DO NOTHING",
            subject.to_string(),
            reason.as_str(),
            why.as_str(),
            by.to_string(),
            self.now_us()
        )
        .execute(self.keys())
        .await?;
        Ok(released.rows_affected() > 0)
    }

    /// All holds that ever were on the subject, oldest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn holds(&self, subject: &Subject) -> Result<Vec<Hold>, Error> {
        let mut keys = self.keys().acquire().await?;
        holds(&mut keys, subject).await
    }
}

/// Refuses while a hold is in force.
pub(crate) async fn refuse_if_held(keys: &mut PgConnection, subject: &Subject) -> Result<(), Error> {
    let all = holds(keys, subject).await?;
    let in_force: Vec<_> = all.into_iter().filter(|hold| hold.released.is_none()).collect();
    match in_force.first() {
        None => Ok(()),
        Some(oldest) => Err(Error::Held {
            subject: *subject,
            since: oldest.held_at,
            reasons: in_force.iter().map(|hold| hold.reason.clone()).collect(),
        }),
    }
}

async fn holds(keys: &mut PgConnection, subject: &Subject) -> Result<Vec<Hold>, Error> {
    let rows = sqlx::query!(
        r#"SELECT h.id, h.reason, h.held_by, h.held_at_us, r.released_at_us AS "released_at_us?",
                  r.released_by AS "released_by?", r.reason AS "why?"
           FROM vault.hold h LEFT JOIN vault.hold_release r ON r.hold = h.id
           WHERE h.subject = $1 ORDER BY h.held_at_us, h.id"#,
        subject.to_string()
    )
    .fetch_all(keys)
    .await?;
    rows.into_iter()
        .map(|row| {
            let released = match (row.released_at_us, row.released_by, row.why) {
                (Some(at), Some(by), Some(why)) => Some((instant(at)?, by, why)),
                _ => None,
            };
            Ok(Hold {
                id: row.id,
                reason: row.reason,
                held_by: row.held_by,
                held_at: instant(row.held_at_us)?,
                released,
            })
        })
        .collect()
}
