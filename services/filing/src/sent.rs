//! What was sent and waits for its fee, held against its form as of the instant at which that is to be paid.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use docket_forms::Language;
use docket_kernel::Refusal;
use docket_service::ApiError;
use jiff::civil::Date;
use uuid::Uuid;

use crate::api::{costs_cents, not_erased};
use crate::check::Check;
use crate::desk::Desk;
use crate::domain::filing::{self, Held, Phase};
use crate::domain::package::Package;
use crate::dossiers::Dossier;
use crate::party;

/// What was sent together, as of the desk's instant; each package is read once.
pub(crate) struct Sent<'a> {
    desk: &'a Desk,
    packages: HashMap<Uuid, Package>,
}

impl<'a> Sent<'a> {
    pub(crate) fn new(desk: &'a Desk) -> Self {
        Self { desk, packages: HashMap::new() }
    }

    /// What changed since a filing was sent, so that it could not go in as it is; nothing, where it went in: then payments lost with a
    /// restore that it was paid for, and it is paid again.
    ///
    /// # Errors
    /// Unavailable, when it does not wait for its fee, or its edition is one that this node does not know; a log or vault that does
    /// not answer.
    pub(crate) async fn overtaken(&mut self, id: Uuid) -> Result<(Dossier, Vec<Refusal>), ApiError> {
        let dossier = self.desk.dossiers.opened(id).await?;
        if matches!(dossier.filing.phase, Phase::Submitted | Phase::Accepted) {
            return Ok((dossier, Vec::new()));
        }
        if dossier.filing.phase != Phase::Sent {
            return Err(ApiError::unavailable("the filing as it was sent"));
        }
        if let Err(erased) = not_erased(&dossier) {
            return Ok((dossier, vec![erased]));
        }
        if self.package(dossier.filing.package).await?.is_left_by(id) {
            let left = Refusal::state("STEPPED_BACK", "Whoever files this form has stepped back from it.")
                .way_out("Send the package without it.");
            return Ok((dossier, vec![left]));
        }
        let changes = filing::overtaken(&dossier.filing, &held(self.desk, &dossier).await?);
        Ok((dossier, changes))
    }

    async fn package(&mut self, id: Uuid) -> Result<&Package, ApiError> {
        match self.packages.entry(id) {
            Entry::Occupied(read) => Ok(read.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(self.desk.packages.state(id).await?.state)),
        }
    }
}

async fn held(desk: &Desk, dossier: &Dossier) -> Result<Held, ApiError> {
    let (id, not_here) = (&dossier.filing.form, || ApiError::unavailable("the edition of this filing"));
    let edition: Date = dossier.filing.edition.parse().map_err(|_malformed| not_here())?;
    let present = desk.catalogue.form(id).ok_or_else(not_here)?;
    let refused = present.refused_from(edition).is_some_and(|day| day <= desk.today());
    // Of an edition that is refused it need not be known what it says; one that will be is taken until then.
    let form = match desk.catalogue.in_edition(id, edition) {
        Some(form) => form,
        None if refused => present,
        None => return Err(not_here()),
    };
    let check = Check::against(desk, dossier, form, Language::En).await?;
    Ok(Held {
        edition_taken: !refused,
        not_ready: check.not_ready(),
        costs_cents: costs_cents(&check, dossier),
        filer: party::filer(form, &dossier.content.answers, &check.given),
    })
}
