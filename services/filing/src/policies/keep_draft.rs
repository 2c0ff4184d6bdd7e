//! When time goes on for a draft on which nobody works, then those who prepare it are told, and told again, and at the end
//! it is deleted: a hold before a deadline, a deadline before the end of what is kept.
//!
//! One timer a draft, set when it is begun, and again when what was sent is a draft once more; when it falls due it looks when
//! the draft was last worked on, and is set anew. What is filed together is kept together: work on one filing of a package
//! keeps all of it. Deleting is a timer of its own, so that a crash between the event and the end of the key leaves nothing
//! half done.

use docket_eventlog::{Context, Error, Subjects, Timer};
use docket_kernel::{Actor, derived_id};
use docket_service::{ApiError, ApplyError};
use docket_vault::{Error as VaultError, Expiry, Subject};
use jiff::{Timestamp, ToSpan as _};
use sqlx::PgConnection;
use uuid::Uuid;

use super::clear_removed::events_of;
use crate::aggregates::recorded_at;
use crate::desk::Desk;
use crate::domain::filing::{self, Ending, Phase};
use crate::domain::keep::{self, RULE, Step};
use crate::domain::taken_off;
use crate::spool;
use crate::store::{filings, representations, uploads};

/// The kind of the timer by which a draft is kept.
pub(super) const KEEP: &str = "draft_kept";
/// The kind of the timer by which its content is erased.
pub(super) const ERASE: &str = "draft_erased";
/// While a hold is in force, or somebody works on it this very moment, it is looked again later.
pub(super) const TOMORROW_H: i64 = 24;
const SOON_S: i64 = 60;

/// The timer of a draft that is begun or worked on.
pub(crate) fn kept(filing: Uuid, due_at: Timestamp) -> Timer {
    Timer::new(format!("draft-kept:{filing}"), KEEP, due_at, filing.as_bytes().to_vec())
}

/// The timer by which the content of a draft that has ended is erased.
fn erased(filing: Uuid, due_at: Timestamp) -> Timer {
    Timer::new(format!("draft-erased:{filing}"), ERASE, due_at, filing.as_bytes().to_vec())
}

/// When it is first looked after a draft that is worked on now.
pub(crate) fn first_look(worked_at: Timestamp) -> Timestamp {
    match keep::next(worked_at, None, worked_at) {
        Step::Wait(until) => until,
        Step::Tell { .. } | Step::Expire(_) => worked_at,
    }
}

/// Notes, in the transaction of its end, that a draft has ended, and has its content erased.
///
/// # Errors
/// The database.
pub(crate) async fn end(desk: &Desk, tx: &mut PgConnection, filing: Uuid) -> Result<(), Error> {
    filings::set_gone(tx, filing).await?;
    desk.log.timers().schedule_in(tx, &erased(filing, desk.base.clock.now())).await
}

/// Looks after a draft.
pub(super) async fn keep(
    desk: &Desk,
    tx: &mut PgConnection,
    timer: &Timer,
    id: Uuid,
) -> Result<(), ApplyError> {
    let now = desk.base.clock.now();
    let loaded = desk.filings.load(id).await?;
    if loaded.state.open().is_err() {
        return Ok(());
    }
    if is_held(desk, id).await? {
        return again(desk, tx, kept(id, now + TOMORROW_H.hours())).await;
    }
    let beside = worked_beside(desk, (id, loaded.state.package)).await.map_err(unread)?;
    let worked_at = recorded_at(&loaded, loaded.state.worked).max(beside).unwrap_or(Timestamp::UNIX_EPOCH);
    let told = loaded.state.told.and_then(|(version, days)| Some((days, recorded_at(&loaded, version)?)));
    // What was told before the last work on its package named another day.
    let told = told.filter(|(_, at)| *at >= worked_at);
    let representative = representations::standing(&mut *tx, id).await?.map(|(_, account)| account);
    let ending = |kept_until| Ending { version: loaded.version, representative, kept_until };
    let (context, subjects) = (Context::timer(timer), Subjects::filing(id));
    match keep::next(worked_at, told, now) {
        Step::Wait(until) => again(desk, tx, kept(id, until)).await,
        Step::Tell { days, kept_until } => {
            let tell = |state: &filing::Filing| filing::announce_expiry(state, ending(kept_until), days);
            desk.filings.execute_in(tx, &context, id, subjects, tell).await?;
            again(desk, tx, kept(id, now + SOON_S.seconds())).await
        }
        Step::Expire(kept_until) => {
            let expire = |state: &filing::Filing| filing::expire(state, ending(kept_until));
            let ended = desk.filings.execute_in(tx, &context, id, subjects, expire).await?;
            if ended.events.is_empty() {
                return again(desk, tx, kept(id, now + SOON_S.seconds())).await;
            }
            Ok(end(desk, tx, id).await?)
        }
    }
}

/// The last work on what is in a package beside a filing. That another was given up is work too; that its time was over is none.
///
/// # Errors
/// A database, log or vault that does not answer.
pub(crate) async fn worked_beside(
    desk: &Desk,
    (id, package): (Uuid, Uuid),
) -> Result<Option<Timestamp>, ApiError> {
    let mut last = None;
    for other in filings::of_package(&desk.base.pool, package).await? {
        if other.filing == id {
            continue;
        }
        let other = desk.dossiers.find(other.filing).await?;
        if other.filing.open().is_ok() || other.filing.phase == Phase::Abandoned {
            last = last.max(other.outline().worked_at);
        }
    }
    Ok(last)
}

pub(super) async fn is_held(desk: &Desk, id: Uuid) -> Result<bool, ApplyError> {
    let holds = desk.base.vault.holds(&Subject::filing(id)).await.map_err(later)?;
    Ok(holds.iter().any(|hold| hold.released.is_none()))
}

/// Destroys the key, then takes away what lies sealed under it. Everything may be repeated.
pub(super) async fn erase(
    desk: &Desk,
    tx: &mut PgConnection,
    timer: &Timer,
    id: Uuid,
) -> Result<(), ApplyError> {
    let base = &desk.base;
    let loaded = desk.filings.load(id).await?;
    if loaded.state.open().is_ok() {
        return Err(ApplyError::Park("a draft that has not ended is not erased".to_owned()));
    }
    let rule = RULE.parse().map_err(|_| ApplyError::Park("the rule is no code".to_owned()))?;
    let expiry = Expiry {
        request: derived_id("erase_draft", id, 0),
        subject: Subject::filing(id),
        rule,
        asked_by: Actor::machine("keep_draft").to_string(),
        asked_at: timer.due_at,
    };
    match base.vault.expire(&expiry).await {
        Ok(_certificate) => {}
        // Told in the log of the vault; what is held stays readable to whoever may lift the hold.
        Err(VaultError::Held { .. }) => {
            return again(desk, tx, erased(id, base.clock.now() + TOMORROW_H.hours())).await;
        }
        Err(error) => return Err(later(error)),
    }
    // Those that were taken off before, too: their time need not be over.
    let events = events_of(&loaded)?;
    let files = taken_off::all(events.iter().map(taken_off::of_filing));
    for object_key in files.into_iter().chain(loaded.state.sheets.iter().map(String::as_str)) {
        base.objects.delete(object_key).await.map_err(unreached)?;
    }
    let parent = docket_kernel::resource::name("filings", id);
    for upload in uploads::of_parent(&base.pool, &parent).await? {
        spool::give_up(base, upload.upload_id).await.map_err(unreached)?;
    }
    Ok(())
}

pub(super) async fn again(desk: &Desk, tx: &mut PgConnection, timer: Timer) -> Result<(), ApplyError> {
    Ok(desk.log.timers().schedule_in(tx, &timer).await?)
}

fn later(error: VaultError) -> ApplyError {
    ApplyError::Retry(error.into())
}

fn unread(error: ApiError) -> ApplyError {
    ApplyError::Retry(anyhow::anyhow!("what is filed together: {}", error.cause()))
}

pub(super) fn unreached(error: ApiError) -> ApplyError {
    ApplyError::Retry(anyhow::anyhow!("the objects: {}", error.cause()))
}
