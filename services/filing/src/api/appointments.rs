//! A client appoints a representative for a filing that is there already: asks, hands over a code, and consents to what was signed.
//! With the consent the appearance takes the place of the one that stood before, in one append: never do two stand at once.

use docket_eventlog::{Context, Error, Expected, Store, StreamAppend, Subjects};
use docket_kernel::{Refusal, resource};
use docket_proto::filing::events::v1 as events;
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller, new_id};
use uuid::Uuid;

use super::drafts::{ATTEMPTS, begun_elsewhere};
use super::office_ends;
use super::representations as api;
use crate::aggregates::{Filings, Representations};
use crate::appearance;
use crate::desk::{Desk, id_in};
use crate::domain::filing::{self, Filing};
use crate::domain::representation::{self, CODE_VALID_US, Consent, Replacement, Standing};
use crate::policies::report_move;
use crate::store::{filings, representations};

/// Asks for a representative, and gives the code to hand over.
pub(super) async fn ask(
    desk: &Desk,
    caller: &Caller,
    request: pb::AppointRepresentativeRequest,
) -> Result<pb::AppointRepresentativeResponse, ApiError> {
    let context = caller.context(&request.request_id, &request)?;
    let filing = id_in("filing", "filings", &request.filing)?;
    let asked = desk.closed(caller, "AppointRepresentative", filing).await?.filing;
    let id = match api::repeated(desk, &context).await? {
        Some(id) => id,
        None => seek(desk, &context, filing, &asked).await?,
    };
    let file = api::open(desk, caller, "GetRepresentation", id, "").await?;
    Ok(pb::AppointRepresentativeResponse { representation: Some(api::summary(&file)), code: file.said.code })
}

/// Whether a representative may be appointed for the filing now.
async fn may_be_represented(desk: &Desk, id: Uuid, filing: &Filing) -> Result<(), ApiError> {
    Ok(filing::may_be_represented(filing, undecided(desk, id, filing).await?)?)
}

/// Whether the case is pending, or the office asks something about what it decided.
async fn undecided(desk: &Desk, id: Uuid, filing: &Filing) -> Result<bool, ApiError> {
    Ok(desk.standing(id, filing.account).await? != filing::Standing::Decided)
}

/// Writes what the client asks for, and its row: both or neither.
async fn seek(desk: &Desk, context: &Context, filing: Uuid, asked: &Filing) -> Result<Uuid, ApiError> {
    may_be_represented(desk, filing, asked).await?;
    let (now, client, code) = (desk.base.clock.now(), asked.account, appearance::new_code()?);
    let (id, now_us) = (new_id(now), now.as_microsecond());
    let sought = events::RepresentationSought {
        client: client.to_string(),
        filing_id: filing.to_string(),
        form: asked.form.clone(),
        code_hash: appearance::code_hash(&code),
        valid_until_us: now_us + CODE_VALID_US,
        code,
    };
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    let decide = |state: &_| representation::seek(state, sought.clone());
    let done =
        desk.representations.execute_in(&mut tx, context, id, Subjects::account(client), decide).await?;
    if done.repeated {
        tx.rollback().await?;
        return begun_elsewhere(desk, context).await;
    }
    representations::insert_sought(&mut tx, id, (client, filing), &sought.code_hash, now_us).await?;
    tx.commit().await?;
    desk.committed(&done.events);
    Ok(id)
}

/// Enters the appearance of whom the client gave the code, and notes it in its row: both or neither.
pub(super) async fn enter(
    desk: &Desk,
    context: &Context,
    account: Uuid,
    request: &pb::PrepareRepresentationRequest,
) -> Result<Uuid, ApiError> {
    let code_hash = appearance::code_hash(&request.appointment_code);
    let id = representations::with_code(&desk.base.pool, &code_hash).await?;
    let id = id.ok_or_else(representation::appointment_unknown)?;
    let sought = desk.representations.load(id).await?.state;
    let filing = representation::may_answer(&sought, &code_hash, account, desk.now_us())?;
    may_be_represented(desk, filing, &desk.filings.load(filing).await?.state).await?;
    if representations::represents(&desk.base.pool, account, filing).await? {
        return Err(already_represented(filing).into());
    }
    let client = sought.client.map(|client| client.to_string()).unwrap_or_default();
    let prepared = events::RepresentationPrepared {
        code_hash,
        client,
        ..api::signed(desk, account, request, id).await?
    };
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    let decide = |state: &_| representation::prepare_for(state, prepared.clone());
    let done =
        desk.representations.execute_in(&mut tx, context, id, Subjects::account(account), decide).await?;
    if done.repeated {
        tx.rollback().await?;
        return Ok(id);
    }
    office_ends::may_appear(desk, &mut tx, account).await?;
    representations::set_representative(&mut tx, id, account).await?;
    report_move::owe_representative(desk, &mut tx, (id, context.command_id), desk.base.clock.now()).await?;
    tx.commit().await?;
    desk.addresses.notify_one();
    desk.committed(&done.events);
    Ok(id)
}

fn already_represented(filing: Uuid) -> Refusal {
    Refusal::state("ALREADY_REPRESENTED", "You represent the client in this filing already.")
        .way_out("Go on with it: the appearance that stands is enough.")
        .fact("filing", resource::name("filings", filing))
}

/// What a consent changes: the appearance, the filing, and the appearance that stood for it before.
struct Change {
    streams: Vec<StreamAppend>,
    /// The appearance that has ended with it.
    ended: Option<Uuid>,
}

/// Lets the appearance stand for the filing, with the client's consent, in place of any other.
pub(super) async fn stand(
    desk: &Desk,
    context: &Context,
    (id, filing): (Uuid, Uuid),
    consent: Consent,
) -> Result<(), ApiError> {
    let mut attempt = 1;
    loop {
        let change = change(desk, (id, filing), consent.clone()).await?;
        match write(desk, context, (id, filing, consent.client), change).await {
            Ok(()) => return Ok(()),
            // The filing moved on, or another was appointed at this very moment: look again.
            Err(Error::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn change(desk: &Desk, (id, filing_id): (Uuid, Uuid), consent: Consent) -> Result<Change, ApiError> {
    let own = desk.representations.load(id).await?;
    let filing = desk.filings.load(filing_id).await?;
    let representative = own.state.representative;
    let accepted = events::RepresentationAccepted {
        filing_id: filing_id.to_string(),
        representative: representative.to_string(),
        ..consent.accepted.clone()
    };
    let (client, wishes) = (consent.client, accepted.wishes);
    let accepted = representation::accept(&own.state, Consent { accepted, ..consent })?;
    let undecided = undecided(desk, filing_id, &filing.state).await?;
    let appointed = filing::appoint(&filing.state, undecided, (id, representative), wishes)?;
    let of_filing = Store::<Filings>::stream(filing_id);
    let mut streams = vec![
        stream(id, own.version, Subjects::account(client), &accepted),
        StreamAppend::of(
            of_filing,
            Expected::Version(filing.version),
            Subjects::filing(filing_id),
            &appointed,
        ),
    ];
    let mut ended = None;
    if let Some(former_id) = filing.state.representation {
        let former = desk.representations.load(former_id).await?;
        let stands = former.state.standing == Standing::Active;
        if stands && former.state.representative == representative {
            return Err(already_represented(filing_id).into());
        }
        let ends = !representations::has_others(&desk.base.pool, former_id, filing_id).await?;
        let replaced =
            representation::replace(&former.state, Replacement { by: id, filing: filing_id, ends });
        streams.push(stream(former_id, former.version, Subjects::NONE, &replaced));
        ended = Some(former_id).filter(|_| stands && ends);
    }
    Ok(Change { streams, ended })
}

fn stream(
    id: Uuid,
    version: u64,
    subjects: Subjects,
    events: &[docket_proto::events::representation::Event],
) -> StreamAppend {
    StreamAppend::of(Store::<Representations>::stream(id), Expected::Version(version), subjects, events)
}

/// Appends, and keeps the rows: all or nothing, so that access changes with the events.
async fn write(
    desk: &Desk,
    context: &Context,
    (id, filing, client): (Uuid, Uuid, Uuid),
    change: Change,
) -> Result<(), Error> {
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    let appended = desk.log.append_in(&mut tx, context.append(&desk.log, change.streams)).await?;
    if appended.repeated {
        tx.rollback().await?;
        return Ok(());
    }
    representations::set(&mut tx, id, Standing::Active.as_str(), Some(client)).await?;
    filings::set_representation(&mut tx, filing, id).await?;
    if let Some(former) = change.ended {
        representations::set(&mut tx, former, Standing::Replaced.as_str(), None).await?;
    }
    tx.commit().await?;
    desk.log.committed(appended.last);
    Ok(())
}
