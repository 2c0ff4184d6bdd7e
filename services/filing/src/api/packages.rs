//! Packages: filings of several people that are paid for and go in together; what is answered in one serves all.

use std::collections::BTreeMap;

use docket_eventlog::{Expected, Loaded, Store, StreamAppend, Subjects};
use docket_forms::{Answers, Given, Language};
use docket_kernel::{Refusal, resource};
use docket_proto::events::filing as events;
use docket_proto::filing::v1 as pb;
use docket_service::{ApiError, Caller, in_spanish};
use uuid::Uuid;

use super::signing::{costs_cents, not_erased};
use super::uploads;
use crate::aggregates::{Filings, Packages};
use crate::check::Check;
use crate::desk::{Desk, id_in};
use crate::domain::filing::{self, Filing, Phase, Start};
use crate::domain::package::{self, Added};
use crate::dossiers::Dossier;
use crate::edition;
use crate::shared::{self, Begun, Sibling};
use crate::store::filings;
use crate::{party, place};

/// The package into which the caller wants to put a filing, none where none is named; they have to do with one that is in it.
///
/// # Errors
/// `NAME_MALFORMED`; not found, also when nothing in it is the caller's.
pub(super) async fn admitted(desk: &Desk, caller: &Caller, name: &str) -> Result<Option<Uuid>, ApiError> {
    if name.is_empty() {
        return Ok(None);
    }
    let package = id_in("package", "packages", name)?;
    let person = caller.person()?.account;
    let relations = filings::relations_to_package(&desk.base.pool, package, person).await?;
    desk.require(caller, "StartDraft", "Package", package, relations)?;
    Ok(Some(package))
}

/// What joining a package writes, beside the start of the filing itself.
pub(super) async fn joining(desk: &Desk, new: Uuid, start: &Start) -> Result<StreamAppend, ApiError> {
    let loaded: Loaded<Packages> = desk.packages.load(start.package).await?;
    let mut added = filings::of_package(&desk.base.pool, start.package).await?;
    added.push(Added { filing: new, account: start.account, form: start.form.clone() });
    let joined = package::add(&loaded.state, added)?;
    Ok(StreamAppend::of(
        Store::<Packages>::stream(start.package),
        Expected::Version(loaded.version),
        Subjects::NONE,
        &joined,
    ))
}

/// What a filing that joins a package takes over from those in it that the caller may see.
pub(super) async fn taken_over(
    desk: &Desk,
    caller: &Caller,
    start: &Start,
    proven: &str,
) -> Result<Answers, ApiError> {
    let form = desk.form(&start.form)?;
    let mut package = Vec::new();
    for dossier in open(desk, caller, start.package, None).await? {
        let at = answered_at(&desk.filings.load(dossier.id).await?);
        package.push(sibling(desk, &dossier)?.answered_at(at));
    }
    let begun = Begun { form, account: start.account, proven };
    Ok(shared::taken_over(&desk.catalogue, &begun, &package))
}

/// Where in the log each question of a filing was answered last.
fn answered_at(loaded: &Loaded<Filings>) -> BTreeMap<String, u64> {
    let places: BTreeMap<u64, u64> =
        loaded.events.iter().map(|event| (event.version, event.position)).collect();
    let answered = loaded.state.answered.iter();
    answered.filter_map(|(question, version)| Some((question.clone(), *places.get(version)?))).collect()
}

/// What others of its package that the caller may see answer otherwise about the same person. Each form is signed by itself,
/// so an answer is never changed for another one's sake.
pub(super) async fn differences(
    desk: &Desk,
    caller: &Caller,
    dossier: &Dossier,
    language: Language,
) -> Result<Vec<pb::Finding>, ApiError> {
    let others = open(desk, caller, dossier.filing.package, Some(dossier.id)).await?;
    let others: Vec<Sibling> = others.iter().map(|other| sibling(desk, other)).collect::<Result<_, _>>()?;
    let differences = shared::differences(&desk.catalogue, &sibling(desk, dossier)?, &others);
    let finding = |difference: shared::Difference| {
        let form = difference.form;
        let message = format!(
            "Form {form} of this package answers this otherwise. Correct whichever is wrong: each form is signed by itself."
        );
        pb::Finding {
            rule: "package-differs".to_owned(),
            level: "warn".to_owned(),
            message: if language == Language::Es { in_spanish(&message) } else { message },
            rests_on: vec![difference.question.clone()],
            field: difference.question,
            cite: String::new(),
            kind: "consistency".to_owned(),
        }
    };
    Ok(differences.into_iter().map(finding).collect())
}

fn sibling(desk: &Desk, dossier: &Dossier) -> Result<Sibling, ApiError> {
    let form = desk.form(&dossier.filing.form)?;
    let given = Given::on(desk.today());
    Ok(Sibling::of(form, dossier.filing.account, &dossier.content.answers, &given))
}

/// The filings of a package, but for one, that can still be changed and that the caller may see.
async fn open(
    desk: &Desk,
    caller: &Caller,
    package: Uuid,
    but: Option<Uuid>,
) -> Result<Vec<Dossier>, ApiError> {
    let mut found = Vec::new();
    for added in filings::of_package(&desk.base.pool, package).await? {
        if Some(added.filing) == but {
            continue;
        }
        match desk.filing(caller, "GetFiling", added.filing).await {
            Ok(dossier) if dossier.outline().is_open() => found.push(dossier),
            Ok(_) | Err(ApiError::Refused(_) | ApiError::Denied { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// What sending writes: every filing of the package is sent and the package asks for payment, all or nothing.
pub(super) async fn sending(desk: &Desk, dossier: Dossier) -> Result<Vec<StreamAppend>, ApiError> {
    let package: Loaded<Packages> = desk.packages.load(dossier.filing.package).await?;
    let (first, package_id) = (dossier.id, dossier.filing.package);
    package.state.may_send(first)?;
    dossier.filing.open()?;
    let mut dossiers = vec![dossier];
    for id in package.state.filings.iter().filter(|id| **id != first) {
        let other = desk.dossiers.find(*id).await?;
        if !other.filing.is_gone() {
            dossiers.push(edition::present(desk, desk.dossiers.open(other).await?).await?);
        }
    }
    let unsigned: Vec<&Dossier> =
        dossiers.iter().filter(|dossier| dossier.filing.phase != Phase::Signed).collect();
    if dossiers.len() > 1 && !unsigned.is_empty() {
        return Err(not_signed(&unsigned).into());
    }
    let mut streams = Vec::with_capacity(dossiers.len() + 1);
    for dossier in &dossiers {
        not_erased(dossier)?;
        uploads::none_under_way(desk, &resource::name("filings", dossier.id)).await?;
        let check = Check::now(desk, dossier).await?;
        let zone = zone_of(desk, &check, dossier).await?;
        let sent: Vec<events::Event> = filing::send(&dossier.filing, &check.checked(desk, dossier), &zone)?;
        let filer = party::filer(check.form, &dossier.content.answers, &check.given);
        filing::signer_stands(&dossier.filing, filer)?;
        filing::fee_stands(&dossier.filing, costs_cents(&check, dossier)?)?;
        let (stream, version) = (Store::<Filings>::stream(dossier.id), dossier.filing.version);
        let subjects = Subjects::filing(dossier.id);
        streams.push(StreamAppend::of(stream, Expected::Version(version), subjects, &sent));
    }
    let members: Vec<(Uuid, &Filing)> =
        dossiers.iter().map(|dossier| (dossier.id, &*dossier.filing)).collect();
    streams.push(StreamAppend::of(
        Store::<Packages>::stream(package_id),
        Expected::Version(package.version),
        Subjects::NONE,
        &package::ready(&members)?,
    ));
    Ok(streams)
}

/// The zone of whoever files: that of their address in the United States, else as their account has it now. It is asked here, since
/// what submits the package asks nobody.
async fn zone_of(desk: &Desk, check: &Check<'_>, dossier: &Dossier) -> Result<String, ApiError> {
    match place::zone(check.form, &dossier.content.answers) {
        Some(zone) => Ok(zone.to_owned()),
        None => Ok(desk.contact(dossier.filing.account).await?.zone),
    }
}

/// Names the filings by id alone: whoever may not see one learns nothing of it.
fn not_signed(unsigned: &[&Dossier]) -> Refusal {
    let names: Vec<String> = unsigned.iter().map(|dossier| resource::name("filings", dossier.id)).collect();
    Refusal::state(
        "PACKAGE_NOT_SIGNED",
        format!("The package goes in as a whole, and {} of its filings are not signed.", names.len()),
    )
    .way_out("Each is signed by the person who files it; then send the package.")
    .fact("filings", names.join(","))
}
