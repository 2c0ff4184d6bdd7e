//! What opens no case of its own goes the way of the form with which it went in: accepted with it, over with it.

use docket_kernel::Refusal;
use docket_proto::events::filing::Event;
use docket_proto::filing::events::v1 as pb;
use uuid::Uuid;

use super::{Filing, Phase};

/// The reject code of what went in with a form that is over.
const ALONE: &str = "X-ALONE";
/// The cause for which what was accepted is over with the form it went in with.
const WITH_MAIN: &str = "went_in_with";

/// Follows the forms of the package that it goes with, each in a phase: in with the first that is accepted, over with the last of
/// them. Nothing where it is neither. Whose it is is told, since no case and no notice tells them.
pub fn follow(filing: &Filing, mains: &[Phase], representative: Option<Uuid>) -> Vec<Event> {
    let (account_id, representative) =
        (filing.account.to_string(), representative.map(|account| account.to_string()).unwrap_or_default());
    let over = !mains.is_empty() && mains.iter().all(|main| matches!(main, Phase::Rejected | Phase::Voided));
    let event = match filing.phase {
        Phase::Submitted if mains.contains(&Phase::Accepted) => {
            pb::AcceptanceRecorded { account_id, representative, ..pb::AcceptanceRecorded::default() }.into()
        }
        Phase::Submitted if over => {
            let codes = vec![ALONE.to_owned()];
            pb::RejectionRecorded { codes, account_id, representative, ..pb::RejectionRecorded::default() }
                .into()
        }
        Phase::Accepted if over => {
            pb::VoidingRecorded { cause: WITH_MAIN.to_owned(), account_id, representative }.into()
        }
        Phase::Absent
        | Phase::Draft
        | Phase::Signed
        | Phase::Sent
        | Phase::Submitted
        | Phase::Accepted
        | Phase::Rejected
        | Phase::Voided
        | Phase::Abandoned
        | Phase::Expired => return Vec::new(),
    };
    vec![event]
}

impl Filing {
    /// Refuses what is done in a case to a filing that was accepted and has none of its own.
    ///
    /// # Errors
    /// `NO_CASE_OF_ITS_OWN`.
    pub fn has_case(&self) -> Result<(), Refusal> {
        if self.phase != Phase::Accepted || !self.receipt_number.is_empty() {
            return Ok(());
        }
        Err(Refusal::state(
            "NO_CASE_OF_ITS_OWN",
            "This form went in together with another one, and has no case of its own.",
        )
        .way_out("What belongs to it goes into the case of the form with which it was filed, from whoever files that.")
        .fact("form", self.form.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SVEN: Uuid = Uuid::from_u128(7);

    fn affidavit(phase: Phase) -> Filing {
        Filing { phase, form: "I-864".into(), account: SVEN, ..Filing::default() }
    }

    fn then(phase: Phase, mains: &[Phase]) -> Phase {
        let before = affidavit(phase);
        follow(&before, mains, None).iter().fold(before, super::super::evolve).phase
    }

    #[test]
    fn it_goes_in_with_the_first_and_is_over_with_the_last() {
        use Phase::{Accepted, Rejected, Submitted, Voided};
        assert_eq!(then(Submitted, &[Submitted]), Submitted);
        assert_eq!(then(Submitted, &[Accepted]), Accepted);
        assert_eq!(then(Submitted, &[Rejected, Submitted]), Submitted);
        assert_eq!(then(Submitted, &[Rejected, Accepted]), Accepted);
        assert_eq!(then(Submitted, &[Rejected]), Rejected);
        assert_eq!(then(Submitted, &[Rejected, Voided]), Rejected);
        assert_eq!(then(Accepted, &[Voided, Accepted]), Accepted);
        assert_eq!(then(Accepted, &[Voided, Rejected]), Voided);
        assert_eq!(then(Submitted, &[]), Submitted, "where nothing is known nothing is over");
    }

    #[test]
    fn what_is_a_draft_or_over_is_left_alone() {
        for phase in [
            Phase::Draft,
            Phase::Signed,
            Phase::Sent,
            Phase::Rejected,
            Phase::Voided,
            Phase::Abandoned,
            Phase::Expired,
        ] {
            for main in [Phase::Accepted, Phase::Rejected, Phase::Voided] {
                assert_eq!(follow(&affidavit(phase), &[main], None), []);
            }
        }
    }

    #[test]
    fn whose_it_is_is_told_and_who_acts_for_them() {
        let acting = Uuid::from_u128(8);
        let told = follow(&affidavit(Phase::Submitted), &[Phase::Accepted], Some(acting));
        let [Event::AcceptanceRecorded(accepted)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(
            (&accepted.account_id, &accepted.representative),
            (&SVEN.to_string(), &acting.to_string())
        );
        assert_eq!(accepted.receipt_number, "", "that of the case is its party's");
    }

    #[test]
    fn nothing_is_done_in_a_case_that_it_does_not_have() {
        let mut filing = affidavit(Phase::Accepted);
        assert_eq!(filing.has_case().unwrap_err().reason, "NO_CASE_OF_ITS_OWN");
        filing.receipt_number = "DKT1".into();
        filing.has_case().unwrap();
        affidavit(Phase::Submitted).has_case().unwrap();
    }
}
