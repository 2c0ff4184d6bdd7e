//! Whether what was signed or approved still reads so: the form, or what it asks of this person, may have changed since, and
//! nobody who prepared the filing had a hand in it.

use docket_service::ApiError;
use jiff::ToSpan as _;

use crate::check::Check;
use crate::desk::Desk;
use crate::domain::filing::Overtaken;
use crate::dossiers::Dossier;

/// Nothing is ended within an hour of the last work: while nodes are being updated, one with the earlier catalogue does not read
/// what was signed at a later one. Sending is refused meanwhile (`CONTENT_CHANGED`).
const AT_REST_H: i64 = 1;

/// What ends a signature or an approval of this filing; nothing where each still reads as it was given, or where there is none.
///
/// # Errors
/// A database that does not answer; a form that this node does not have.
pub(crate) async fn overtaken(desk: &Desk, dossier: &Dossier) -> Result<Option<Overtaken>, ApiError> {
    let rests = |worked_at| desk.base.clock.now() >= worked_at + AT_REST_H.hours();
    if !dossier.filing.is_agreed() || !dossier.worked_at.is_some_and(rests) {
        return Ok(None);
    }
    let checked = Check::now(desk, dossier).await?.checked(desk, dossier);
    if dossier.filing.agreed().all(|content_mac| checked.reads_as(content_mac)) {
        return Ok(None);
    }
    concerned(desk, dossier).await.map(Some)
}

/// Whom it concerns when what they agreed to is another text.
///
/// # Errors
/// A database that does not answer; a form that this node does not have.
pub(crate) async fn concerned(desk: &Desk, dossier: &Dossier) -> Result<Overtaken, ApiError> {
    Ok(Overtaken {
        version: dossier.filing.version,
        representative: desk.represented(dossier).await?.map(|(_, account)| account),
        catalogue_version: desk.form(&dossier.filing.form)?.catalogue_version.clone(),
    })
}
