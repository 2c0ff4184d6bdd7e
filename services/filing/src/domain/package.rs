//! A package: what is paid for and goes in together.

use docket_kernel::Refusal;
use docket_proto::events::package::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::filing::Filing;

/// A package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// Whether its payment was asked for.
    pub ready: bool,
}

/// Folds one event.
pub fn evolve(_package: Package, event: &Event) -> Package {
    match event {
        Event::PackageReadyForPayment(_) => Package { ready: true },
    }
}

/// Asks for the payment of the one filing in the package.
pub fn ready(filing_id: Uuid, filing: &Filing) -> Result<Vec<Event>, Refusal> {
    let Some(fee) = &filing.fee else {
        return Err(Refusal::state("FEE_NOT_SHOWN", "The fee has not been shown yet.")
            .way_out("Ask for the fee, then review and sign."));
    };
    Ok(vec![
        pb::PackageReadyForPayment {
            filing_ids: vec![filing_id.to_string()],
            account_id: filing.account.to_string(),
            quote_id: fee.quote.to_string(),
            total_cents: fee.total_cents,
        }
        .into(),
    ])
}
