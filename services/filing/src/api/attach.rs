//! Attaching a file that is here whole: type, scan, seal, event; each step only after the one before was right. While the scanner
//! is away the scan alone may come later (`scan_later`).

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use docket_eventlog::{Context, Executed, Recorded, Subjects};
use docket_kernel::{FieldFault, Refusal, resource};
use docket_proto::events::{filing as filing_events, response as response_events};
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller, new_id};
use docket_vault::Subject;
use sqlx::PgConnection;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

use super::drafts::first_event;
use super::{unnamed, view};
use crate::aggregates::Filings;
use crate::content::{Content, commitment};
use crate::desk::{Desk, acting_for, id_in};
use crate::domain::attached::{Attached, NewFile};
use crate::domain::filing::{AUTHORITY_TO_SIGN, OTHER, Phase, Standing};
use crate::domain::{filing, response};
use crate::dossiers::Dossier;
use crate::scanner::Verdict;
use crate::spool::{self, Arrived};
use crate::store::{unscanned, uploads};
use crate::waiver;

/// When what could not be looked at may be sent again.
const SOON: Duration = Duration::from_secs(5);

/// What a file is attached to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parent {
    /// A draft.
    Filing(Uuid),
    /// An accepted filing, whose case stands so: it is added unasked.
    Case(Uuid, Standing),
    /// The answer to a request.
    Response(Uuid),
}

impl Parent {
    fn read(name: &str) -> Result<Self, Refusal> {
        if name.starts_with("responses/") {
            return id_in("parent", "responses", name).map(Self::Response);
        }
        id_in("parent", "filings", name).map(Self::Filing)
    }

    /// The collection and the id in its name.
    fn named(self) -> (&'static str, Uuid) {
        match self {
            Self::Filing(id) | Self::Case(id, _) => ("filings", id),
            Self::Response(id) => ("responses", id),
        }
    }
}

/// What is there already at the place where the file goes.
pub(super) struct Place {
    parent: Parent,
    /// The form whose checklist says what goes there; none for an answer to a request.
    form: Option<String>,
    /// Whose key seals it: the filing's, which is the case's.
    pub(super) subject: Uuid,
    /// Account of the party.
    pub(super) account: Uuid,
    pub(super) files: Vec<Attached>,
    pub(super) content: Arc<Content>,
    /// Why nothing can be attached now.
    pub(super) closed: Option<Refusal>,
}

/// What can be said of a header by itself.
pub(super) fn check_header(header: &pb::UploadHeader) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    if let Err(refusal) = Parent::read(&header.parent) {
        faults.extend(refusal.faults);
    }
    if !pb::UploadHeader::takes_name(&header.file_name) {
        faults.push(FieldFault::new(
            "file_name",
            "FILE_NAME_MALFORMED",
            "A file name has 1 to 120 letters A-Z, digits, blanks and . _ ( ) -, and begins with no period, such as green card (front).pdf.",
        ));
    }
    if header.kind.is_empty() {
        faults.push(FieldFault::new("kind", "KIND_MISSING", "Say what the file is, such as green_card."));
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::faults(faults)) }
}

/// The evidence which this very command attached before; the log compares the requests.
pub(super) async fn repeated(
    desk: &Desk,
    caller: &Caller,
    action: &str,
    context: &Context,
) -> Result<Option<pb::Evidence>, ApiError> {
    let Some(first) = first_event(desk, context).await? else { return Ok(None) };
    let (category, id) = (first.stream.category(), first.stream.id().ok_or_else(ApiError::not_found)?);
    let (collection, events) = if category == "response" {
        let response = desk.response(caller, action, id).await?.response;
        let (context, subjects) =
            (acting_for(context.clone(), caller, response.account), Subjects::filing(response.case));
        ("responses", desk.responses.execute(&context, id, subjects, |_| Ok(Vec::new())).await?.events)
    } else {
        let account = desk.filing(caller, action, id).await?.filing.account;
        let (context, subjects) = (acting_for(context.clone(), caller, account), Subjects::filing(id));
        ("filings", desk.filings.execute(&context, id, subjects, |_| Ok(Vec::new())).await?.events)
    };
    let event = events.first().ok_or_else(ApiError::not_found)?;
    shown(desk, collection, id, event).await.map(Some)
}

/// The bytes of a file that is to be attached.
pub(super) enum Bytes {
    /// Here only.
    Given(Vec<u8>),
    /// In the spool too, sealed for the same subject.
    Arrived(Arrived),
    /// Read from a file that is attached, here or elsewhere, and is to be attached once more.
    Again(Vec<u8>),
}

impl Bytes {
    fn plain(&self) -> &[u8] {
        match self {
            Self::Given(bytes) | Self::Again(bytes) => bytes,
            Self::Arrived(arrived) => &arrived.bytes,
        }
    }

    /// The sealed object of the spool that has them all.
    fn sealed(&self) -> Option<&str> {
        match self {
            Self::Given(_) | Self::Again(_) => None,
            Self::Arrived(arrived) => arrived.whole(),
        }
    }
}

/// Checks, scans, seals and attaches the file; one that cannot be scanned just now is marked. What lies in the spool as one object
/// stays where it is.
pub(super) async fn store(
    desk: &Desk,
    (caller, context): (&Caller, Context),
    place: Place,
    header: &pb::UploadHeader,
    bytes: Bytes,
) -> Result<pb::Evidence, Status> {
    if let Some(refusal) = place.closed.clone() {
        return Err(ApiError::from(refusal).into());
    }
    let context = acting_for(context, caller, place.account);
    let media_type = known_type(desk, bytes.plain()).await?;
    let being_checked = scan(desk, place.parent, bytes.plain()).await? == Scan::Waits;
    let same: Vec<&Attached> = same_files(&place, bytes.plain()).collect();
    let mut file = new_file(desk, &same, header, media_type, bytes.plain())?;
    file.attached.being_checked = being_checked;
    let mut sealed_now = None;
    if file.same_as.is_none() {
        let here = same.first().copied();
        if let (Some(here), Bytes::Given(_) | Bytes::Arrived(_)) = (here, &bytes) {
            return Err(ApiError::from(attached_as_another(place.parent, here)).into());
        }
        file.attached.hard_to_read = desk.inspector.look_over(bytes.plain()).await;
        // One object serves both, sealed for the same subject; not where a scan may yet take one of them away.
        let shared = here.filter(|here| !being_checked && !here.being_checked);
        file.attached.object_key = if let Some(here) = shared {
            here.object_key.clone()
        } else if let Some(key) = bytes.sealed() {
            key.to_owned()
        } else {
            let key = desk.base.objects.put(&Subject::filing(place.subject), bytes.plain()).await?;
            sealed_now.insert(key).clone()
        };
    }
    let attached = attach(desk, &context, &place, file, &bytes).await;
    unnamed::take_away(desk, sealed_now.as_slice(), attached.as_ref().map(|(_, repeated)| *repeated)).await;
    Ok(attached?.0)
}

/// The place which a header names, for an act of the caller, and whether a file of that kind goes there.
pub(super) async fn place(
    desk: &Desk,
    who: (&Caller, &str),
    header: &pb::UploadHeader,
) -> Result<Place, ApiError> {
    look(desk, who, &header.parent, Some(&header.kind)).await
}

/// The place of that name, for an act of the caller.
pub(super) async fn at(desk: &Desk, who: (&Caller, &str), parent: &str) -> Result<Place, ApiError> {
    look(desk, who, parent, None).await
}

async fn look(
    desk: &Desk,
    (caller, action): (&Caller, &str),
    parent: &str,
    kind: Option<&str>,
) -> Result<Place, ApiError> {
    match Parent::read(parent)? {
        parent @ Parent::Filing(id) => {
            let dossier = desk.filing(caller, action, id).await?;
            if dossier.filing.phase == Phase::Accepted {
                return in_case(desk, dossier, kind).await;
            }
            if let Some(kind) = kind {
                known_kind(desk.form(&dossier.filing.form)?, desk.form(waiver::FORM)?, kind)?;
            }
            Ok(Place {
                parent,
                form: Some(dossier.filing.form.clone()),
                subject: id,
                account: dossier.filing.account,
                closed: dossier.filing.open().err(),
                files: dossier.filing.evidence.clone(),
                content: dossier.content,
            })
        }
        Parent::Case(..) => Err(ApiError::not_found()),
        parent @ Parent::Response(id) => {
            let dossier = desk.response(caller, action, id).await?;
            let closed =
                kind.map_or_else(|| dossier.response.open(), |kind| dossier.response.closed_for(kind));
            Ok(Place {
                parent,
                form: None,
                subject: dossier.response.case,
                account: dossier.response.account,
                closed: closed.err(),
                files: dossier.response.evidence,
                content: Arc::new(dossier.content),
            })
        }
    }
}

/// The place beside what was signed, for what is added unasked.
async fn in_case(desk: &Desk, dossier: Dossier, kind: Option<&str>) -> Result<Place, ApiError> {
    let (id, filing) = (dossier.id, &dossier.filing);
    if let Some(kind) = kind.filter(|kind| *kind != OTHER) {
        known_kind(desk.form(&filing.form)?, desk.form(waiver::FORM)?, kind)
            .map_err(|refusal| refusal.way_out("What is on no checklist is of the kind other."))?;
    }
    let standing = desk.standing(id, filing.account).await?;
    Ok(Place {
        parent: Parent::Case(id, standing),
        form: Some(filing.form.clone()),
        subject: id,
        account: filing.account,
        closed: filing::may_add_unsolicited(filing, standing).err(),
        files: dossier.files().cloned().collect(),
        content: dossier.content,
    })
}

/// Whether a file of that kind goes there.
pub(super) fn takes(desk: &Desk, place: &Place, kind: &str) -> bool {
    let Some(form) = &place.form else { return true };
    let forms = (desk.form(form), desk.form(waiver::FORM));
    matches!(forms, (Ok(form), Ok(waiver)) if known_kind(form, waiver, kind).is_ok())
}

/// Kinds of the form, and those that show why a fee should be waived.
fn known_kind(form: &docket_forms::Form, waiver: &docket_forms::Form, kind: &str) -> Result<(), Refusal> {
    if kind == AUTHORITY_TO_SIGN {
        return Ok(());
    }
    let known = |row: &docket_forms::Evidence| row.kind == kind || row.substitutes.iter().any(|s| s == kind);
    if form.evidence.iter().chain(&waiver.evidence).any(known) {
        return Ok(());
    }
    let kinds: Vec<_> = form.evidence.iter().map(|row| row.kind.as_str()).collect();
    Err(Refusal::invalid("kind", "KIND_UNKNOWN", format!("{} takes: {}.", form.id, kinds.join(", "))))
}

/// What the file is; it is decoded to its end, in a process of its own.
async fn known_type(desk: &Desk, bytes: &[u8]) -> Result<&'static str, Status> {
    match desk.inspector.inspect(bytes).await {
        Ok(Ok(media_type)) => Ok(media_type.as_str()),
        Ok(Err(fault)) => Err(ApiError::from(Refusal::from(fault)).into()),
        Err(error) => {
            tracing::error!(%error, "a file could not be read and was not taken");
            let message = "The file could not be read just now, so it was not kept. Try again in a moment.";
            Err(inspector_unavailable(message))
        }
    }
}

/// What a scan came to of a file that may be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scan {
    /// Nothing was found.
    Clean,
    /// It was not scanned, and is later.
    Waits,
}

async fn scan(desk: &Desk, parent: Parent, bytes: &[u8]) -> Result<Scan, Status> {
    match desk.scanner.scan(bytes).await {
        Ok(Verdict::Clean) => Ok(Scan::Clean),
        Ok(Verdict::Found(signature)) => {
            tracing::warn!(signature, "a file was refused by the scanner");
            let refusal = Refusal::invalid(
                "chunk",
                "MALWARE_FOUND",
                "The virus scanner found something in this file; it was not kept.",
            )
            .way_out("Check your device, scan or photograph the paper document anew, and attach that.");
            Err(ApiError::from(refusal).into())
        }
        Err(error) => match parent {
            Parent::Filing(_) | Parent::Response(_) => {
                tracing::warn!(%error, "a file could not be scanned and waits");
                Ok(Scan::Waits)
            }
            // The office looks at it as soon as it is there, and it can as well come tomorrow.
            Parent::Case(..) => {
                tracing::error!(%error, "a file could not be scanned and was not taken");
                Err(scanner_unavailable())
            }
        },
    }
}

/// Nothing is stored that was not read to the end, nothing shown that was not drawn; the same may be asked again.
pub(super) fn inspector_unavailable(message: &str) -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(SOON));
    details.set_error_info("INSPECTOR_UNAVAILABLE", "filing.docket", std::collections::HashMap::new());
    Status::with_error_details(Code::Unavailable, message, details)
}

/// Nothing is added to a case that was not scanned to the end; the same upload may be repeated.
fn scanner_unavailable() -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(SOON));
    details.set_error_info("SCANNER_UNAVAILABLE", "filing.docket", std::collections::HashMap::new());
    let message =
        "The file could not be scanned for viruses just now, so it was not kept. Try again in a moment.";
    Status::with_error_details(Code::Unavailable, message, details)
}

fn new_file(
    desk: &Desk,
    same: &[&Attached],
    header: &pb::UploadHeader,
    media_type: &str,
    bytes: &[u8],
) -> Result<NewFile, ApiError> {
    let size = bytes.len() as u64;
    let same_as = same.iter().find(|file| file.kind == header.kind).map(|file| file.id);
    let salt = new_salt()?;
    Ok(NewFile {
        attached: Attached {
            id: new_id(desk.base.clock.now()),
            kind: header.kind.clone(),
            commitment: commitment(&salt, bytes),
            media_type: media_type.to_owned(),
            size,
            object_key: String::new(),
            foreign_language: header.foreign_language,
            being_checked: false,
            hard_to_read: Vec::new(),
        },
        file_name: header.file_name.clone(),
        salt: salt.to_vec(),
        same_as,
    })
}

/// The files with these very bytes that are there, of whatever kind.
fn same_files<'a>(place: &'a Place, bytes: &'a [u8]) -> impl Iterator<Item = &'a Attached> {
    let same = |file: &&Attached| {
        file.size == bytes.len() as u64
            && place
                .content
                .files
                .get(&file.id)
                .is_some_and(|sealed| commitment(&sealed.salt, bytes) == file.commitment)
    };
    place.files.iter().filter(same)
}

/// One paper may show two things, and is sent once.
fn attached_as_another(parent: Parent, here: &Attached) -> Refusal {
    let (collection, id) = parent.named();
    Refusal::state(
        "ATTACHED_AS_ANOTHER_KIND",
        format!("This very file is attached here already, as {}; nothing is lost.", here.kind),
    )
    .way_out("If it shows this too, attach the one that is there once more, under this kind: it need not be sent again.")
    .fact("evidence", format!("{}/evidence/{}", resource::name(collection, id), here.id))
    .fact("kind", here.kind.clone())
}

/// The salt of a commitment.
pub(super) fn new_salt() -> Result<[u8; 16], ApiError> {
    let mut salt = [0_u8; 16];
    rand::fill(&mut salt).map_err(|_| ApiError::internal(anyhow::anyhow!("no randomness")))?;
    Ok(salt)
}

/// Appends the event; in the same transaction the upload ends, and its object becomes the evidence's. Gives the evidence, and
/// whether this very command attached it before.
async fn attach(
    desk: &Desk,
    context: &Context,
    place: &Place,
    file: NewFile,
    bytes: &Bytes,
) -> Result<(pb::Evidence, bool), ApiError> {
    let mut tx = docket_database::begin(&desk.base.pool).await?;
    if let Bytes::Arrived(arrived) = bytes {
        let over = !uploads::end(&mut *tx, arrived.upload).await?;
        // Ended by this very command perhaps: then the log knows it and gives the first answer.
        if over && !desk.done_before(context).await? {
            tx.rollback().await?;
            return Err(spool::continued_elsewhere().into());
        }
        uploads::hand_over(&mut tx, arrived.upload, &file.attached.object_key).await?;
    }
    let waits = file.attached.being_checked.then(|| (file.attached.id, file.attached.object_key.clone()));
    let (events, repeated) = append(desk, &mut tx, context, place, file).await?;
    let (collection, id) = place.parent.named();
    if let Some((evidence, object_key)) = waits.filter(|_| !repeated) {
        let parent = resource::name(collection, id);
        unscanned::insert(&mut tx, (evidence, &parent, &object_key), desk.now_us()).await?;
    }
    tx.commit().await?;
    desk.committed(&events);
    let event =
        events.first().ok_or_else(|| ApiError::internal(anyhow::anyhow!("the upload has no event")))?;
    Ok((shown(desk, collection, id, event).await?, repeated))
}

/// What was appended to the parent's stream, and whether by this very command before.
async fn append(
    desk: &Desk,
    tx: &mut PgConnection,
    context: &Context,
    place: &Place,
    file: NewFile,
) -> Result<(Vec<Recorded>, bool), ApiError> {
    let subjects = Subjects::filing(place.subject);
    let of_filing = |done: Executed<Filings>| (done.events, done.repeated);
    Ok(match place.parent {
        Parent::Filing(id) => {
            let decide = |state: &filing::Filing| filing::attach(state, file.clone());
            of_filing(desk.filings.execute_in(tx, context, id, subjects, decide).await?)
        }
        Parent::Case(id, standing) => {
            let now_us = desk.now_us();
            let decide =
                |state: &filing::Filing| filing::add_unsolicited(state, standing, file.clone(), now_us);
            of_filing(desk.filings.execute_in(tx, context, id, subjects, decide).await?)
        }
        Parent::Response(id) => {
            let decide = |state: &response::Response| response::attach(state, file.clone());
            let done = desk.responses.execute_in(tx, context, id, subjects, decide).await?;
            (done.events, done.repeated)
        }
    })
}

/// The evidence as its event tells it, also long after.
async fn shown(
    desk: &Desk,
    collection: &str,
    parent: Uuid,
    event: &Recorded,
) -> Result<pb::Evidence, ApiError> {
    let (state, content) = if collection == "filings" {
        let attached: filing_events::Event = event.decode()?;
        let state = filing::evolve(filing::Filing::default(), &attached);
        let files: Vec<Attached> = state.evidence.into_iter().chain(state.unsolicited).collect();
        (files, Content::of_filing(&desk.log, std::slice::from_ref(event)).await?)
    } else {
        let attached: response_events::Event = event.decode()?;
        let files = response::evolve(response::Response::default(), &attached).evidence;
        (files, Content::of_response(&desk.log, std::slice::from_ref(event)).await?)
    };
    let file =
        state.first().ok_or_else(|| ApiError::internal(anyhow::anyhow!("the command was no upload")))?;
    Ok(view::evidence(collection, parent, file, &content))
}
