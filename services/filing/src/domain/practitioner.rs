//! Whether somebody may represent others: the office keeps who is suspended, disbarred or no longer accredited from entering
//! appearances (8 CFR 292.3, 1292.17), until it lets them again.

use docket_kernel::Refusal;
use docket_proto::events::practitioner::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::representation::Invalid;

/// Somebody as a representative.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Practitioner {
    /// Why they may represent nobody; none where they may.
    pub barred: Option<String>,
}

/// Folds one event.
pub fn evolve(_before: Practitioner, event: &Event) -> Practitioner {
    match event {
        Event::PractitionerBarred(e) => Practitioner { barred: Some(e.reason.clone()) },
        Event::PractitionerReinstated(_) => Practitioner { barred: None },
    }
}

/// Records why somebody may represent nobody; said again, recorded once.
pub fn bar(practitioner: &Practitioner, account: Uuid, why: Invalid) -> Vec<Event> {
    if practitioner.barred.as_deref() == Some(why.as_str()) {
        return Vec::new();
    }
    let (account_id, reason) = (account.to_string(), why.as_str().to_owned());
    vec![pb::PractitionerBarred { account_id, reason }.into()]
}

/// Records that somebody may represent again.
///
/// # Errors
/// `NOT_BARRED`.
pub fn reinstate(practitioner: &Practitioner, account: Uuid) -> Result<Vec<Event>, Refusal> {
    if practitioner.barred.is_none() {
        return Err(Refusal::state("NOT_BARRED", "Nothing keeps this person from representing others.")
            .way_out("Look whether it is the right account; there is nothing to do for this one."));
    }
    Ok(vec![pb::PractitionerReinstated { account_id: account.to_string() }.into()])
}

impl Practitioner {
    /// Whether they may enter an appearance.
    ///
    /// # Errors
    /// `REPRESENTATIVE_BARRED`.
    pub fn may_appear(&self) -> Result<(), Refusal> {
        let Some(reason) = &self.barred else { return Ok(()) };
        Err(Refusal::state(
            "REPRESENTATIVE_BARRED",
            "The office has recorded that you may represent nobody before it (8 CFR 292.3).",
        )
            .way_out("When that is over, send the office the order that lets you act again, and ask for it to be recorded.")
            .fact("reason", reason.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_barred_enters_nothing_until_they_are_reinstated() {
        let (account, nobody) = (Uuid::from_u128(1), Practitioner::default());
        nobody.may_appear().unwrap();
        assert_eq!(reinstate(&nobody, account).unwrap_err().reason, "NOT_BARRED");
        let [suspended, disbarred] =
            ["suspended", "disbarred"].map(|reason| Invalid::of_person(reason).unwrap());
        let barred = fold(nobody, &bar(&Practitioner::default(), account, suspended));
        assert_eq!(barred.may_appear().unwrap_err().reason, "REPRESENTATIVE_BARRED");
        assert!(bar(&barred, account, suspended).is_empty(), "said again");
        let worse = fold(barred, &bar(&barred_for("suspended"), account, disbarred));
        assert_eq!(worse, barred_for("disbarred"));
        let again = fold(worse.clone(), &reinstate(&worse, account).unwrap());
        again.may_appear().unwrap();
    }

    fn barred_for(reason: &str) -> Practitioner {
        Practitioner { barred: Some(reason.to_owned()) }
    }

    fn fold(before: Practitioner, events: &[Event]) -> Practitioner {
        events.iter().fold(before, evolve)
    }
}
