//! Packages: filings of several people that are paid for and go in together.

use docket_eventlog::{Expected, Loaded, Store, StreamAppend, Subjects};
use docket_kernel::{Refusal, resource};
use docket_proto::events::filing as events;
use docket_service::{ApiError, Caller};
use uuid::Uuid;

use super::signing::{costs_cents, not_erased};
use crate::aggregates::{Filings, Packages};
use crate::check::Check;
use crate::desk::Desk;
use crate::domain::filing::{self, Filing, Phase, Start};
use crate::domain::package::{self, Added};
use crate::dossiers::Dossier;
use crate::edition;
use crate::store::filings;

/// Whether the caller may put a filing into a package: they have to do with one that is in it.
///
/// # Errors
/// Not found, also when nothing in it is the caller's.
pub(super) async fn admit(desk: &Desk, caller: &Caller, package: Uuid) -> Result<(), ApiError> {
    let person = caller.person()?.account;
    let relations = filings::relations_to_package(&desk.base.pool, package, person).await?;
    desk.require(caller, "StartDraft", "Package", package, relations)
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

/// What sending writes: every filing of the package is sent and the package asks for payment, all or nothing.
pub(super) async fn sending(desk: &Desk, dossier: Dossier) -> Result<Vec<StreamAppend>, ApiError> {
    let package: Loaded<Packages> = desk.packages.load(dossier.filing.package).await?;
    let (first, package_id) = (dossier.id, dossier.filing.package);
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
        let check = Check::now(desk, dossier).await?;
        let sent: Vec<events::Event> = filing::send(&dossier.filing, &check.checked(desk, dossier))?;
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
