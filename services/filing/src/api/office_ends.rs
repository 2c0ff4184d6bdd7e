//! The office refuses an appearance that is not valid, or ends all of a representative who may no longer act (8 CFR 292.3, 292.4).

use docket_eventlog::Context;
use docket_kernel::{derived_id, resource};
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller};
use uuid::Uuid;

use super::representations::{File, repeated, summary, write};
use crate::appearance::Said;
use crate::desk::{Desk, id_in};
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

/// Ends whatever a representative entered and nobody ended before, each by a command of its own: a repetition ends what is left, and
/// gives the same answer.
pub(super) async fn end_all(
    desk: &Desk,
    caller: &Caller,
    request: pb::EndAppearancesRequest,
) -> Result<pb::EndAppearancesResponse, ApiError> {
    let account = id_in("representative", "accounts", &request.representative)?;
    let context = caller.context(&request.request_id, &request)?;
    let why = Invalid::of_person(&request.reason)?;
    desk.collection(caller, "EndAppearances")?;
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
