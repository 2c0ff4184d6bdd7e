//! Whose case it is and what it is called, folded from the log of cases.

use docket_proto::case_status::events::v1 as pb;
use docket_proto::types::v1::MailingWishes;
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::representation;
use crate::domain::Matter;
use crate::offices;

struct Row {
    case_id: Uuid,
    account_id: Uuid,
    form: String,
    receipt_number: String,
    receipt_date: String,
    office: String,
    zone: String,
    officer: Option<Uuid>,
    representative: Option<Uuid>,
    address_given_at_us: i64,
    notices_to_representative: bool,
    i94_to_client: bool,
    name_from: Option<Uuid>,
}

impl From<Row> for Matter {
    fn from(row: Row) -> Self {
        Self {
            case: row.case_id,
            account: row.account_id,
            form: row.form,
            receipt_number: row.receipt_number,
            receipt_date: row.receipt_date,
            office: row.office,
            zone: row.zone,
            officer: row.officer,
            representative: row.representative,
            address_given_at_us: row.address_given_at_us,
            notices_to_representative: row.notices_to_representative,
            i94_to_client: row.i94_to_client,
            name_from: row.name_from,
        }
    }
}

/// The case; none when we have not heard of it.
pub(crate) async fn find(executor: impl PgExecutor<'_>, case: Uuid) -> sqlx::Result<Option<Matter>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT case_id, account_id, form, receipt_number, receipt_date, office, zone, officer,
             representative, address_given_at_us, notices_to_representative, i94_to_client, name_from
         FROM matter WHERE case_id = $1",
        case
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(Matter::from))
}

/// Whether in the case the same are told as it was found, and have the originals; both stay so until the transaction ends.
pub(crate) async fn is_told_as(tx: &mut PgConnection, found: &Matter) -> sqlx::Result<bool> {
    let now: Option<(Option<Uuid>, bool, bool)> = sqlx::query_as(
        "SELECT representative, notices_to_representative, i94_to_client FROM matter WHERE case_id = $1 FOR SHARE",
    )
    .bind(found.case)
    .fetch_optional(tx)
    .await?;
    Ok(now == Some((found.representative, found.notices_to_representative, found.i94_to_client)))
}

/// A case was opened; who appeared together with the filing is told from the first notice on (8 CFR 292.5(a)), unless that ended
/// meanwhile.
pub(crate) async fn opened(
    tx: &mut PgConnection,
    case: Uuid,
    account: Uuid,
    event: &pb::CaseOpened,
) -> sqlx::Result<()> {
    let appearance = Uuid::try_parse(&event.representation_id).ok();
    let stands = match appearance {
        Some(id) => representation::stands(tx, id).await?,
        None => false,
    };
    let representative = Uuid::try_parse(&event.representative).ok().filter(|_| stands);
    sqlx::query!(
        "INSERT INTO matter (case_id, account_id, form, receipt_date, zone, representation_id, representative,
             address_given_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (case_id) DO NOTHING",
        case,
        account,
        event.form,
        event.receipt_date,
        event.zone,
        appearance as Option<Uuid>,
        representative as Option<Uuid>,
        if event.gives_address { event.submitted_at_us } else { 0 }
    )
    .execute(&mut *tx)
    .await?;
    wished(tx, case, event.wishes.as_ref()).await
}

/// Whose the originals of notices are; where nothing was said they are the party's.
pub(crate) async fn wished(
    tx: &mut PgConnection,
    case: Uuid,
    wishes: Option<&MailingWishes>,
) -> sqlx::Result<()> {
    let wishes = wishes.copied().unwrap_or_default();
    sqlx::query!(
        "UPDATE matter SET notices_to_representative = $2, i94_to_client = $3 WHERE case_id = $1",
        case,
        wishes.notices_to_representative,
        wishes.i94_to_client
    )
    .execute(tx)
    .await
    .map(drop)
}

/// Whether the persons of these cases say that they are protected (8 USC 1367), as their openings tell; where that is known it stays so.
pub(crate) async fn protected(
    executor: impl PgExecutor<'_>,
    cases: &[Uuid],
    are_protected: &[bool],
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE matter SET protected = known.protected
         FROM unnest($1::uuid[], $2::boolean[]) AS known (case_id, protected)
         WHERE matter.case_id = known.case_id AND matter.protected IS NULL",
    )
    .bind(cases)
    .bind(are_protected)
    .execute(executor)
    .await
    .map(drop)
}

/// Whether there is a case of which that is not known, or not whether its party moved.
pub(crate) async fn is_any_unread(pool: &PgPool) -> sqlx::Result<bool> {
    // Both of the first, so that the index serves it.
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM matter WHERE protected IS NOT FALSE AND protected IS NULL)
             OR EXISTS (SELECT FROM matter WHERE NOT zone_read)",
    )
    .fetch_one(pool)
    .await
}

/// It has a receipt number and an office.
pub(crate) async fn accepted(
    tx: &mut PgConnection,
    case: Uuid,
    event: &pb::FilingAccepted,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE matter SET receipt_number = $2, office = $3 WHERE case_id = $1",
        case,
        event.receipt_number,
        event.office
    )
    .execute(tx)
    .await
    .map(drop)
}

/// Intake did not take it, and answers for it.
pub(crate) async fn rejected(tx: &mut PgConnection, case: Uuid) -> sqlx::Result<()> {
    sqlx::query("UPDATE matter SET office = $2 WHERE case_id = $1")
        .bind(case)
        .bind(offices::INTAKE)
        .execute(tx)
        .await
        .map(drop)
}

/// The party lives elsewhere, in that zone.
pub(crate) async fn moved(tx: &mut PgConnection, case: Uuid, zone: &str) -> sqlx::Result<()> {
    sqlx::query("UPDATE matter SET zone = $2 WHERE case_id = $1")
        .bind(case)
        .bind(zone)
        .execute(tx)
        .await
        .map(drop)
}

/// Where the parties of cases from before moves were followed went; of the others that is known.
pub(crate) async fn moved_before(pool: &PgPool, cases: &[Uuid], zones: &[String]) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE matter SET zone = moved.zone FROM unnest($1::uuid[], $2::text[]) AS moved (case_id, zone)
         WHERE matter.case_id = moved.case_id AND NOT zone_read",
    )
    .bind(cases)
    .bind(zones)
    .execute(pool)
    .await
    .map(drop)
}

/// All that was written of them was read.
pub(crate) async fn moves_are_read(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query("UPDATE matter SET zone_read = true WHERE NOT zone_read").execute(pool).await.map(drop)
}

/// It went to another office, where nobody has it yet.
pub(crate) async fn transferred(tx: &mut PgConnection, case: Uuid, office: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE matter SET office = $2, officer = NULL WHERE case_id = $1", case, office)
        .execute(tx)
        .await
        .map(drop)
}

/// It was given to an officer.
pub(crate) async fn assigned(tx: &mut PgConnection, case: Uuid, officer: Uuid) -> sqlx::Result<()> {
    sqlx::query!("UPDATE matter SET officer = $2 WHERE case_id = $1", case, officer)
        .execute(tx)
        .await
        .map(drop)
}

/// It was taken from its officer.
pub(crate) async fn unassigned(tx: &mut PgConnection, case: Uuid) -> sqlx::Result<()> {
    sqlx::query!("UPDATE matter SET officer = NULL WHERE case_id = $1", case).execute(tx).await.map(drop)
}

/// The party's name was corrected by this event.
pub(crate) async fn name_corrected(tx: &mut PgConnection, case: Uuid, by: Uuid) -> sqlx::Result<()> {
    sqlx::query!("UPDATE matter SET name_from = $2 WHERE case_id = $1", case, by).execute(tx).await.map(drop)
}

/// Somebody acts for the party, in place of whoever did; what the party was told before is told them too. Nobody does where their
/// appearance ended meanwhile.
pub(crate) async fn represented_by(
    tx: &mut PgConnection,
    case: Uuid,
    appearance: Uuid,
    representative: Uuid,
) -> sqlx::Result<()> {
    let acting = representation::stands(tx, appearance).await?.then_some(representative);
    sqlx::query!(
        "UPDATE matter SET representation_id = $2, representative = $3 WHERE case_id = $1",
        case,
        appearance,
        acting as Option<Uuid>
    )
    .execute(&mut *tx)
    .await?;
    let Some(representative) = acting else { return Ok(()) };
    sqlx::query!(
        "INSERT INTO notice (notice_id, account_id, case_id, notice_kind, official_name, posted_at_us,
             served_on_date, object_key, size_bytes, original_account)
         SELECT notice_id, $2, case_id, notice_kind, official_name, posted_at_us, served_on_date, object_key, size_bytes,
             original_account
         FROM notice JOIN matter USING (case_id) WHERE case_id = $1 AND notice.account_id = matter.account_id
         ON CONFLICT (notice_id, account_id) DO NOTHING",
        case,
        representative
    )
    .execute(tx)
    .await
    .map(drop)
}

/// Nobody acts for the party any more.
pub(crate) async fn represented_no_more(tx: &mut PgConnection, case: Uuid) -> sqlx::Result<()> {
    sqlx::query!("UPDATE matter SET representative = NULL WHERE case_id = $1", case)
        .execute(tx)
        .await
        .map(drop)
}
