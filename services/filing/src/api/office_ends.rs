//! The office refuses an appearance that is not valid, ends all of a representative who may no longer act and lets them enter no other, or
//! lets them represent again (8 CFR 292.3, 292.4).

use docket_eventlog::{Context, Subjects};
use docket_kernel::{Refusal, derived_id, resource};
use docket_proto::events::practitioner::Event;
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller};
use sqlx::PgConnection;
use uuid::Uuid;

use super::representations::{File, repeated, summary, write};
use crate::appearance::Said;
use crate::desk::{Desk, id_in};
use crate::domain::practitioner::{self, Practitioner};
use crate::domain::representation::{self, Invalid, Representation, Standing};
use crate::store::representations;

/// Appearances of an account that are looked at in one go.
const AT_ONCE: i64 = 100;

/// Refuses the appearance that stands for a filing; it ends for all that rests on it, since it is one form.
pub(super) async fn refuse(
    desk: &Desk,
    caller: &Caller,
    request: pb::RefuseAppearanceRequest,
) -> Result<pb::RefuseAppearanceResponse, ApiError> {
    let filing = id_in("filing", "filings", &request.filing)?;
    let context = caller.context(&request.request_id, &request)?;
    let why = Invalid::of_form(&request.reason)?;
    desk.closed(caller, "RefuseAppearance", filing).await?;
    let id = if let Some(id) = repeated(desk, &context).await? {
        id
    } else {
        let standing = representations::standing(&desk.base.pool, filing).await?;
        standing.ok_or_else(representation::not_represented)?.0
    };
    write(desk, &context, id, None, |state| representation::end_by_office(state, why)).await?;
    let loaded = desk.representations.load(id).await?;
    let said = Said::open(&desk.log, &loaded.events).await?;
    let representation = summary(&File { id, representation: loaded.state, said });
    Ok(pb::RefuseAppearanceResponse { representation: Some(representation) })
}

/// Keeps a representative from entering appearances, and then ends whatever they entered and nobody ended before, each by a command of its
/// own: a repetition ends what is left, and gives the same answer.
pub(super) async fn end_all(
    desk: &Desk,
    caller: &Caller,
    request: pb::EndAppearancesRequest,
) -> Result<pb::EndAppearancesResponse, ApiError> {
    let account = id_in("representative", "accounts", &request.representative)?;
    let context = caller.context(&request.request_id, &request)?;
    let why = Invalid::of_person(&request.reason)?;
    desk.collection(caller, "EndAppearances")?;
    let command_id = derived_id(&format!("bar {}", context.command_id), account, 0);
    let barring = Context { command_id, ..context.clone() };
    record(desk, &barring, account, |state| Ok(practitioner::bar(state, account, why))).await?;
    let mut ended = Vec::new();
    for id in entered_by(desk, account).await? {
        let command_id = derived_id(&format!("end appearance {}", context.command_id), id, 0);
        let context = Context { command_id, ..context.clone() };
        let decide = |state: &Representation| {
            let stands = matches!(state.standing, Standing::Prepared | Standing::Active);
            if stands { representation::end_by_office(state, why) } else { Ok(Vec::new()) }
        };
        if write(desk, &context, id, None, decide).await? {
            ended.push(resource::name("representations", id));
        }
    }
    Ok(pb::EndAppearancesResponse { ended })
}

/// Lets a representative enter appearances again.
pub(super) async fn reinstate(
    desk: &Desk,
    caller: &Caller,
    request: pb::ReinstateRepresentativeRequest,
) -> Result<pb::ReinstateRepresentativeResponse, ApiError> {
    let account = id_in("representative", "accounts", &request.representative)?;
    let context = caller.context(&request.request_id, &request)?;
    desk.collection(caller, "ReinstateRepresentative")?;
    record(desk, &context, account, |state| practitioner::reinstate(state, account)).await?;
    Ok(pb::ReinstateRepresentativeResponse {})
}

async fn record(
    desk: &Desk,
    context: &Context,
    account: Uuid,
    decide: impl Fn(&Practitioner) -> Result<Vec<Event>, Refusal> + Send + Sync,
) -> Result<(), ApiError> {
    let done = desk.practitioners.execute(context, account, Subjects::NONE, decide).await?;
    desk.committed(&done.events);
    Ok(())
}

/// Looks, in the transaction that entered an appearance, whether its representative may: the log is ours until it is committed, so whoever
/// is kept from it at the same moment is found here, or the appearance is found where theirs are ended.
pub(super) async fn may_appear(desk: &Desk, tx: &mut PgConnection, account: Uuid) -> Result<(), ApiError> {
    Ok(desk.practitioners.state_in(tx, account).await?.state.may_appear()?)
}

/// The appearances that somebody entered and that stand, wait for the client, or were ended by the office.
async fn entered_by(desk: &Desk, account: Uuid) -> Result<Vec<Uuid>, ApiError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let ids = representations::of_account(&desk.base.pool, account, after, AT_ONCE).await?;
        for id in &ids {
            let state = desk.representations.state(*id).await?.state;
            let stands =
                matches!(state.standing, Standing::Prepared | Standing::Active | Standing::EndedByOffice);
            found.extend((stands && state.representative == account).then_some(*id));
        }
        after = ids.last().copied();
        if ids.len() < usize::try_from(AT_ONCE).unwrap_or_default() {
            return Ok(found);
        }
    }
}
