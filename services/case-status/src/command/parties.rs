//! Which cases a party has, and what concerns all of them: the address of record.

use anyhow::Context as _;
use async_trait::async_trait;
use docket_eventlog::{EventLog, Filter, Recorded, Store};
use docket_proto::events::{account, case};
use docket_proto::identity::events::v1::AddressChanged;
use docket_service::{ApplyError, Subscriber};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::reactions::{named, react, stream_id};
use crate::aggregate::Cases;
use crate::domain::{Case, decide};

/// Notes a case of a party.
///
/// # Errors
/// The database.
pub(crate) async fn note(tx: &mut PgConnection, account: Uuid, case: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO party_case (account_id, case_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        account,
        case
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The cases of a party.
///
/// # Errors
/// The database.
pub(crate) async fn cases(tx: &mut PgConnection, account: Uuid) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("SELECT case_id FROM party_case WHERE account_id = $1 ORDER BY case_id", account)
        .fetch_all(tx)
        .await
}

/// Notes the event that a party's address of record comes from; one given earlier takes no place.
async fn note_address(
    tx: &mut PgConnection,
    account: Uuid,
    event: Uuid,
    given_at_us: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO party_address (account_id, event_id, given_at_us) VALUES ($1, $2, $3)
         ON CONFLICT (account_id) DO UPDATE SET event_id = excluded.event_id, given_at_us = excluded.given_at_us
         WHERE excluded.given_at_us = 0 OR excluded.given_at_us >= party_address.given_at_us",
        account,
        event,
        given_at_us
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The event that a party's address of record comes from; none where none was heard of.
async fn address(pool: &PgPool, account: Uuid) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!("SELECT event_id FROM party_address WHERE account_id = $1", account)
        .fetch_optional(pool)
        .await
}

/// Notes the event that the address of a case comes from which its form gave, where that was signed for somebody else.
async fn note_case_address(tx: &mut PgConnection, case: Uuid, event: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO case_address (case_id, event_id) VALUES ($1, $2) ON CONFLICT (case_id) DO NOTHING",
        case,
        event
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The event that the address comes from which is noted of a case: of one that was filed for somebody else, such as a child, what its
/// form gave; else what is on record for the account. None where none was heard of.
///
/// # Errors
/// The database.
pub(crate) async fn address_of(pool: &PgPool, (id, case): (Uuid, &Case)) -> sqlx::Result<Option<Uuid>> {
    if case.is_for_another() {
        return sqlx::query_scalar!("SELECT event_id FROM case_address WHERE case_id = $1", id)
            .fetch_optional(pool)
            .await;
    }
    match case.party {
        Some(party) => address(pool, party).await,
        None => Ok(None),
    }
}

/// Notes the cases from before they were noted when they were opened; once for ever.
///
/// # Errors
/// The database; an event that cannot be read.
pub(crate) async fn note_older(log: &EventLog, pool: &PgPool) -> anyhow::Result<()> {
    let mut tx = docket_database::begin(pool).await?;
    let first = sqlx::query!("INSERT INTO party_case_noted DEFAULT VALUES ON CONFLICT DO NOTHING");
    if first.execute(&mut *tx).await?.rows_affected() == 0 {
        return Ok(());
    }
    let (mut after, filter) = (0, Filter::kind("case.opened.v1"));
    let head = log.head().await?.position;
    while after < head {
        let page = log.read_page(after, 1_000, &filter).await?;
        for event in &page.events {
            let case::Event::CaseOpened(opened) = event.decode()? else { continue };
            let case_id = event.stream.id().context("the stream of a case has no id")?;
            note(&mut tx, opened.account_id.parse().context("account_id is no id")?, case_id).await?;
        }
        after = page.up_to;
    }
    tx.commit().await?;
    Ok(())
}

/// Identity's log: an address of record or of a case that a form gave, or that changed.
pub(crate) struct Moves {
    /// The cases.
    pub(crate) store: Store<Cases>,
}

#[async_trait]
impl Subscriber for Moves {
    fn categories(&self) -> &'static [&'static str] {
        &["account"]
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what else happens to an account is nothing to its cases"
    )]
    async fn apply(&self, tx: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
        let changed = match event.decode()? {
            account::Event::AddressChanged(changed) => changed,
            account::Event::AddressRecorded(recorded) => {
                note_address(tx, stream_id(event)?, event.event_id, recorded.given_at_us).await?;
                return Ok(());
            }
            account::Event::CaseAddressGiven(given) => {
                note_case_address(tx, named(&given.filing_id, "filing_id")?, event.event_id).await?;
                return Ok(());
            }
            _ => return Ok(()),
        };
        // Where somebody else moved, the account's own address is the same (INA 265(c), 8 CFR 265.1).
        if !changed.for_another {
            note_address(tx, stream_id(event)?, event.event_id, changed.given_at_us).await?;
        }
        let report = named(&changed.filing_id, "filing_id")?;
        let receipts = self.change_cases(tx, event, &changed, report).await?;
        react(&self.store, tx, event, ("record_move", 0), report, |case| {
            decide::record_move(case, event.event_id, &receipts)
        })
        .await?;
        Ok(())
    }
}

impl Moves {
    /// Changes each open case it is for; gives their receipt numbers.
    async fn change_cases(
        &self,
        tx: &mut PgConnection,
        event: &Recorded,
        changed: &AddressChanged,
        report: Uuid,
    ) -> Result<Vec<String>, ApplyError> {
        let others = cases(tx, stream_id(event)?).await?.into_iter().filter(|case| *case != report);
        let mut receipts = Vec::new();
        for (case_id, nth) in others.zip(0..) {
            let case = react(&self.store, tx, event, ("change_address", nth), case_id, |case| {
                decide::change_address(case, (case_id, event.event_id), changed, event.recorded_at)
            })
            .await?;
            if case.address_from == Some(event.event_id) {
                receipts.push(case.receipt_number);
            }
        }
        Ok(receipts)
    }
}
