//! A package: what is paid for and goes in together, also of several accounts.

use std::collections::BTreeMap;

use docket_kernel::Refusal;
use docket_proto::events::package::Event;
use docket_proto::filing::events::v1 as pb;
use jiff::civil::Date;
use uuid::Uuid;

use super::filing::Filing;
use super::id;

mod invitation;

pub(crate) use invitation::code_unknown as invitation_code_unknown;
pub use invitation::{
    Answer, Ask, Invitation, Standing, accept, decline, invite, invitee, release, step_back, to_release,
    withdraw,
};

/// Most filings of one package.
pub const MOST_FILINGS: usize = 20;

/// A package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// The filings in it, once there are several.
    pub filings: Vec<Uuid>,
    /// Whether its payment was asked for, and not withdrawn since.
    pub ready: bool,
    /// Who pays, once it was asked for.
    pub payer: Option<Uuid>,
    /// So many days before the last one the payer was reminded last, since it was asked for.
    pub told: Option<u32>,
    /// Who was asked to file a form in it, by number.
    pub invitations: BTreeMap<u32, Invitation>,
}

/// Folds one event.
pub fn evolve(package: Package, event: &Event) -> Package {
    match event {
        Event::PackageFilingAdded(e) => {
            let mut package = package;
            package.filings.push(id(&e.filing_id));
            package
        }
        Event::PackageReadyForPayment(e) => {
            Package { ready: true, payer: Some(id(&e.account_id)), told: None, ..package }
        }
        Event::PackagePayerReminded(e) => Package { told: Some(e.days), ..package },
        Event::PackageLeftUnpaid(_) => package,
        Event::PackageRecalled(_) => Package { ready: false, told: None, ..package },
        Event::PackageFilerInvited(e) => invitation::invited(package, e),
        Event::PackageInvitationWithdrawn(e) => invitation::stands(package, e.number, Standing::Withdrawn),
        Event::PackageInvitationDeclined(e) => invitation::stands(package, e.number, Standing::Declined),
        Event::PackageInvitationAccepted(e) => {
            invitation::stands(package, e.number, Standing::Accepted(id(&e.filing_id)))
        }
        Event::PackageFilerReleased(e) => {
            invitation::stands(package, e.number, Standing::Released(id(&e.filing_id)))
        }
        Event::PackageFilerSteppedBack(e) => {
            invitation::stands(package, e.number, Standing::SteppedBack(id(&e.filing_id)))
        }
    }
}

/// A filing that goes into a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The filing.
    pub filing: Uuid,
    /// Whose it is.
    pub account: Uuid,
    /// Its form.
    pub form: String,
}

/// Puts filings into the package, each once: the one it began with, and what joins it.
pub fn add(package: &Package, added: Vec<Added>) -> Result<Vec<Event>, Refusal> {
    if package.ready {
        return Err(sent());
    }
    let mut new: Vec<Added> = Vec::new();
    for added in added {
        let known = package.filings.iter().chain(new.iter().map(|new| &new.filing));
        if !known.into_iter().any(|known| *known == added.filing) {
            new.push(added);
        }
    }
    if package.filings.len() + new.len() > MOST_FILINGS {
        return Err(too_many());
    }
    let event = |added: Added| {
        pb::PackageFilingAdded {
            filing_id: added.filing.to_string(),
            account_id: added.account.to_string(),
            form: added.form,
        }
        .into()
    };
    Ok(new.into_iter().map(event).collect())
}

fn sent() -> Refusal {
    Refusal::state("PACKAGE_SENT", "This package was sent; nothing can be added to it.")
        .way_out("Begin the form by itself, or in another package.")
        .field("package")
}

fn too_many() -> Refusal {
    Refusal::too_much("TOO_MANY_FILINGS", format!("A package takes at most {MOST_FILINGS} filings."))
        .way_out("Send this package, then begin another one.")
}

/// Asks for one payment of all filings in the package, by the account of the first.
pub fn ready(filings: &[(Uuid, &Filing)]) -> Result<Vec<Event>, Refusal> {
    let mut packaged = Vec::with_capacity(filings.len());
    for (filing_id, filing) in filings {
        let Some(fee) = &filing.fee else {
            return Err(Refusal::state("FEE_NOT_SHOWN", "The fee has not been shown yet.")
                .way_out("Ask for the fee, then review and sign."));
        };
        packaged.push(pb::PackagedFiling {
            filing_id: filing_id.to_string(),
            quote_id: fee.quote.to_string(),
            total_cents: fee.total_cents,
            account_id: filing.account.to_string(),
        });
    }
    let quote_id = match packaged.as_slice() {
        [one] => one.quote_id.clone(),
        _ => String::new(),
    };
    Ok(vec![
        pb::PackageReadyForPayment {
            filing_ids: packaged.iter().map(|filing| filing.filing_id.clone()).collect(),
            account_id: packaged.first().map(|filing| filing.account_id.clone()).unwrap_or_default(),
            quote_id,
            total_cents: packaged.iter().map(|filing| filing.total_cents).sum(),
            filings: packaged,
        }
        .into(),
    ])
}

/// Reminds whoever is to pay, so many days before the last one; nothing where it waits for no fee.
pub fn remind_payer(package: &Package, days: u32, waits_until: Date) -> Vec<Event> {
    let Some(payer) = package.payer.filter(|_| package.ready) else { return Vec::new() };
    let (account_id, waits_until_date) = (payer.to_string(), waits_until.to_string());
    vec![pb::PackagePayerReminded { account_id, days, waits_until_date }.into()]
}

/// Says that nobody paid to the last day; nothing where it waits for no fee.
pub fn leave_unpaid(package: &Package, waited_until: Date) -> Vec<Event> {
    if !package.ready {
        return Vec::new();
    }
    vec![pb::PackageLeftUnpaid { waited_until_date: waited_until.to_string() }.into()]
}

/// Lets the package be changed again, now that its payment was withdrawn.
pub fn recall(package: &Package) -> Vec<Event> {
    if package.ready { vec![pb::PackageRecalled {}.into()] } else { Vec::new() }
}
