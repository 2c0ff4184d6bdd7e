//! When a Form AR-11 was accepted, another form submitted that gives an address, or an appearance entered that gives the
//! representative's, then that becomes the address of record. It is owed from then on, and identity is told by a task of its own,
//! which may wait for it: whoever records the acceptance or the submission holds the head of the log.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use docket_database::{WORK, answered, within};
use docket_eventlog::{Loaded, Obligation, Recorded};
use docket_forms::{Answers, Form};
use docket_kernel::derived_id;
use docket_proto::identity::v1::RecordAddressRequest;
use docket_service::{ApiError, ApplyError, Rounds, Stop};
use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use tokio::time::Instant;
use uuid::Uuid;

use crate::aggregates::Filings;
use crate::appearance::Said;
use crate::content::Content;
use crate::desk::Desk;
use crate::domain::filing::{Filing, Phase};
use crate::store::filings;
use crate::{moved, party};

/// The kind of what is owed.
const OBLIGATION: &str = "address_of_record";
/// By when identity should have it.
const WITHIN: SignedDuration = SignedDuration::from_hours(1);
/// How often it is looked for what is owed.
const LOOK: Duration = Duration::from_millis(500);
/// As many are looked at.
const MOST: u32 = 1_000;
/// The latest filings of an account are looked into for those of whoever moved, so many in one piece of work,
const PAGE: u8 = 20;
/// and so many pages of them.
const PAGES: u8 = 10;
/// Pauses after a try in vain, in seconds; the last one stays.
const PAUSES_S: [u64; 6] = [1, 2, 5, 10, 30, 60];

/// Owes what a filing says of an address, the `nth` that follows from `event`, in its transaction.
pub(super) async fn owe(
    desk: &Desk,
    tx: &mut PgConnection,
    event: &Recorded,
    (filing, nth): (Uuid, u32),
) -> Result<(), ApplyError> {
    let key = key(Giver::Filing(filing), derived_id("report_move", event.event_id, nth));
    Ok(open(desk, tx, key, event.recorded_at).await?)
}

/// Owes the business address of a representative who enters an appearance by a command at an instant, in its transaction.
pub(crate) async fn owe_representative(
    desk: &Desk,
    tx: &mut PgConnection,
    (representation, command_id): (Uuid, Uuid),
    at: Timestamp,
) -> Result<(), docket_eventlog::Error> {
    let request = derived_id("report_move", command_id, 0);
    open(desk, tx, key(Giver::Representation(representation), request), at).await
}

async fn open(
    desk: &Desk,
    tx: &mut PgConnection,
    key: String,
    at: Timestamp,
) -> Result<(), docket_eventlog::Error> {
    let owed = Obligation {
        kind: OBLIGATION.to_owned(),
        key,
        owner: desk.base.name.to_owned(),
        due_at: at + WITHIN,
    };
    desk.log.obligations().open_in(tx, &owed).await
}

/// Where an address is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Giver {
    /// In a filing, by who files it.
    Filing(Uuid),
    /// In a Form G-28, by the representative.
    Representation(Uuid),
}

/// What stands before the id of an appearance in a key.
const REPRESENTATION: &str = "representation-";

/// Holds who gives it, and the id of the request to identity: the same however often it is sent.
fn key(giver: Giver, request: Uuid) -> String {
    match giver {
        Giver::Filing(id) => format!("{id}:{request}"),
        Giver::Representation(id) => format!("{REPRESENTATION}{id}:{request}"),
    }
}

fn read(key: &str) -> Option<(Giver, Uuid)> {
    let (giver, request) = key.split_once(':')?;
    let giver = match giver.strip_prefix(REPRESENTATION) {
        Some(id) => Giver::Representation(Uuid::try_parse(id).ok()?),
        None => Giver::Filing(Uuid::try_parse(giver).ok()?),
    };
    Some((giver, Uuid::try_parse(request).ok()?))
}

/// How often one was tried in vain, and when it is tried again.
#[derive(Clone, Copy)]
struct Later {
    tries: usize,
    at: Instant,
}

/// Tells identity what is owed until `stop`. One that it does not take keeps no other waiting for longer than its answer.
pub(crate) async fn run(desk: Desk, stop: Stop) -> anyhow::Result<()> {
    let mut later = HashMap::new();
    let rounds = Rounds::every(LOOK, "what is owed to identity cannot be read");
    let mut rounds = rounds.bounded_inside().woken_by(Arc::clone(&desk.addresses));
    while rounds.go_on(&stop).await {
        rounds
            .turn(async {
                let open = answered(desk.log.obligations().open_of(OBLIGATION, MOST)).await?;
                let keys = open.into_iter().map(|owed| owed.key);
                later = tell_all(&desk, keys, &later, &stop).await;
                Ok(())
            })
            .await;
    }
    Ok(())
}

/// Tries each whose time has come; gives those that are still owed.
async fn tell_all(
    desk: &Desk,
    keys: impl Iterator<Item = String>,
    before: &HashMap<String, Later>,
    stop: &Stop,
) -> HashMap<String, Later> {
    let mut left = HashMap::new();
    for key in keys {
        let known = before.get(&key).copied();
        if let Some(later) = known.filter(|later| later.at > Instant::now()) {
            left.insert(key, later);
            continue;
        }
        let Some(told) = stop.run_until_cancelled(tell(desk, &key)).await else { break };
        let Err(error) = told else { continue };
        let tries = known.map_or(0, |later| later.tries);
        // A peer that starts a second later than we do is nobody's worry.
        if tries >= 3 {
            let error = error.cause();
            tracing::warn!(key, tries = tries + 1, error, "an address of record is still owed to identity");
        }
        let pause = Duration::from_secs(PAUSES_S[tries.min(PAUSES_S.len() - 1)]);
        left.insert(key, Later { tries: tries + 1, at: Instant::now() + pause });
    }
    left
}

/// Tells identity one, and closes what was owed, piece by piece, each in its time. Whose data were erased, here or there, has no address any more.
async fn tell(desk: &Desk, key: &str) -> Result<(), ApiError> {
    let (giver, request) =
        read(key).ok_or_else(|| ApiError::internal(anyhow::anyhow!("the key is none of ours")))?;
    let (said, position) = match giver {
        Giver::Filing(filing) => said_in_filing(desk, filing).await?,
        Giver::Representation(id) => within(WORK, said_in_appearance(desk, id)).await?,
    };
    let report = said.map(|report| RecordAddressRequest { request_id: request.to_string(), ..report });
    within(WORK, settle(desk, key, report, position)).await
}

/// Tells identity what is to be told, and closes what was owed.
async fn settle(
    desk: &Desk,
    key: &str,
    report: Option<RecordAddressRequest>,
    position: u64,
) -> Result<(), ApiError> {
    if let Some(report) = report {
        match desk.record_address(report).await {
            Ok(()) | Err(ApiError::Erased) => {}
            Err(error) => return Err(error),
        }
    }
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    desk.log.obligations().close_in(&mut tx, OBLIGATION, key, position).await?;
    Ok(tx.commit().await?)
}

async fn opened(desk: &Desk, id: Uuid) -> Result<(Loaded<Filings>, Content), ApiError> {
    let filing = desk.filings.load(id).await?;
    let content = Content::of_filing(&desk.log, &filing.events).await?;
    Ok((filing, content))
}

/// What a filing says of an address, and where its stream ends.
async fn said_in_filing(desk: &Desk, id: Uuid) -> Result<(Option<RecordAddressRequest>, u64), ApiError> {
    let (filing, content) = within(WORK, opened(desk, id)).await?;
    let state = &filing.state;
    let signed_as = state.signature.as_ref().map(|signature| signature.capacity);
    let said = match signed_as.filter(|_| !content.erased) {
        None => None,
        Some(capacity) if state.form == moved::FORM => moved::report(&content.answers, capacity),
        Some(capacity) => {
            let form = desk.form_as_sent(state, state.submitted_at_us)?;
            moved::stated(form, &content.answers, capacity)
        }
    };
    let Some(mut report) = said else { return Ok((None, end(&filing.events))) };
    if report.for_case && !report.no_move && report.receipt_numbers.is_empty() {
        report.case_ids = cases_of_whoever_moved(desk, id, state, &content.answers).await?;
    }
    let said = RecordAddressRequest {
        account_id: state.account.to_string(),
        filing_id: id.to_string(),
        given_at_us: state.submitted_at_us,
        ..report
    };
    Ok((Some(said), end(&filing.events)))
}

/// The cases of whoever moved, where somebody else signed the report and named none: of what went in from the account and was signed
/// for another, what is about somebody of the same name who was born on the same day.
async fn cases_of_whoever_moved(
    desk: &Desk,
    report: Uuid,
    state: &Filing,
    answers: &Answers,
) -> Result<Vec<String>, ApiError> {
    let moved = (desk.form_as_sent(state, state.submitted_at_us)?, answers);
    let (mut cases, mut before) = (Vec::new(), None);
    for _ in 0..PAGES {
        let own = filings::own(&desk.base.pool, state.account, before, PAGE.into());
        let page = answered(own).await?;
        let others = page.iter().copied().filter(|id| *id != report);
        cases.extend(within(WORK, cases_among(desk, others, moved)).await?);
        before = page.last().copied();
        if page.len() < PAGE.into() {
            break;
        }
    }
    Ok(cases)
}

/// Those of some filings that are cases of whoever moved.
async fn cases_among(
    desk: &Desk,
    filings: impl Iterator<Item = Uuid>,
    moved: (&Form, &Answers),
) -> Result<Vec<String>, ApiError> {
    let mut cases = Vec::new();
    for id in filings {
        let loaded = desk.filings.load(id).await?;
        let went_in = matches!(loaded.state.phase, Phase::Submitted | Phase::Accepted);
        let signature = loaded.state.signature.as_ref();
        let for_another = signature.is_some_and(|signature| signature.capacity.is_for_another());
        if !went_in || !for_another {
            continue;
        }
        let form = match desk.form_as_sent(&loaded.state, loaded.state.submitted_at_us) {
            Ok(form) => form,
            Err(ApiError::Refused(_)) => continue,
            Err(error) => return Err(error),
        };
        let content = Content::of_filing(&desk.log, &loaded.events).await?;
        if party::same_person(moved, (form, &content.answers)) {
            cases.push(id.to_string());
        }
    }
    Ok(cases)
}

/// What a representative says of their office, and where the appearance's stream ends.
async fn said_in_appearance(desk: &Desk, id: Uuid) -> Result<(Option<RecordAddressRequest>, u64), ApiError> {
    let loaded = desk.representations.load(id).await?;
    let said = Said::open(&desk.log, &loaded.events).await?;
    let office = moved::office(&said.representative).filter(|_| !said.erased);
    let office = office.map(|report| RecordAddressRequest {
        account_id: loaded.state.representative.to_string(),
        filing_id: id.to_string(),
        given_at_us: loaded.state.signed_at_us,
        ..report
    });
    Ok((office, end(&loaded.events)))
}

fn end(events: &[Recorded]) -> u64 {
    events.last().map_or(0, |event| event.position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_is_read_from_its_key() {
        let (id, request) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for giver in [Giver::Filing(id), Giver::Representation(id)] {
            assert_eq!(read(&key(giver, request)), Some((giver, request)));
        }
        assert_eq!(read("notice"), None);
    }
}
