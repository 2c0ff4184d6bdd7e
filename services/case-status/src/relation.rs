//! Who stands how to a case: one rule for commands, and for everything that is read.

use docket_service::{Caller, Role};
use uuid::Uuid;

use crate::domain::office::INTAKE_OFFICE;
use crate::domain::{Biometrics, CardState, Case, Oath, Stage};

/// How a person stands to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The party.
    Applicant,
    /// Who acts for the party (8 CFR 292.5).
    Representative,
    /// The officer who has the case.
    Assigned,
    /// A supervisor of the case's office.
    Supervisor,
    /// Intake, while the filing is not accepted.
    Intake,
    /// An officer of the site where biometrics are due.
    BiometricsSite,
    /// An officer of the site where the oath is due or was taken.
    OathSite,
    /// An officer of the records of the case's office, once a card is ordered.
    Records,
}

impl Relation {
    /// The word in the policies.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Applicant => "applicant",
            Self::Representative => "representative",
            Self::Assigned => "assigned",
            Self::Supervisor => "supervisor",
            Self::Intake => "intake",
            Self::BiometricsSite => "biometrics_site",
            Self::OathSite => "oath_site",
            Self::Records => "records",
        }
    }

    /// Whether it is on the side of the party.
    pub(crate) fn is_partys(self) -> bool {
        matches!(self, Self::Applicant | Self::Representative)
    }

    /// Whether it gives sight of the whole case, not of an appointment only (roles §3 row 14, condition k).
    pub(crate) fn reads(self) -> bool {
        self.is_partys() || matches!(self, Self::Assigned | Self::Supervisor | Self::Intake)
    }
}

/// Roles that may have a case given to them.
pub(crate) const OFFICER_ROLES: [&str; 2] = ["adjudicator", "supervisor"];

/// The relations of a caller to a case. Nobody is the office in a case of their own or of a client (separation of
/// duties 1).
pub(crate) fn relations(caller: &Caller, case: &Case) -> Vec<Relation> {
    let Some(account) = caller.account() else { return Vec::new() };
    if !case.exists() {
        return Vec::new();
    }
    if case.party == Some(account) {
        return vec![Relation::Applicant];
    }
    if case.representative() == Some(account) {
        return vec![Relation::Representative];
    }
    office_relations(account, &caller.roles, case)
}

fn office_relations(account: Uuid, roles: &[Role], case: &Case) -> Vec<Relation> {
    let holds =
        |role: &str, office: &str| roles.iter().any(|held| held.role == role && held.office == office);
    let site = |booking: &crate::domain::Booking, role: &str| {
        booking.appointment.as_ref().is_some_and(|appointment| holds(role, &appointment.office))
    };
    let rows = [
        (
            Relation::Assigned,
            case.officer == Some(account) && OFFICER_ROLES.iter().any(|role| holds(role, &case.office)),
        ),
        (Relation::Supervisor, holds("supervisor", supervising_office(case))),
        (Relation::Intake, case.stage == Stage::Submitted && holds("intake_officer", INTAKE_OFFICE)),
        (
            Relation::BiometricsSite,
            case.biometrics == Biometrics::Scheduled && site(&case.biometrics_booking, "biometrics_officer"),
        ),
        (
            Relation::OathSite,
            matches!(case.oath, Oath::Scheduled | Oath::Taken) && site(&case.oath_booking, "oath_officer"),
        ),
        (
            Relation::Records,
            case.card.state != CardState::None && holds("records_officer", supervising_office(case)),
        ),
    ];
    rows.into_iter().filter(|(_, holds)| *holds).map(|(relation, _)| relation).collect()
}

/// The office whose supervisors see the case; intake's before it has one.
pub(crate) fn supervising_office(case: &Case) -> &str {
    if case.office.is_empty() { INTAKE_OFFICE } else { &case.office }
}

#[cfg(test)]
mod tests {
    use docket_proto::case_status::events::v1::CardOrdered;
    use docket_service::{Identity, Person};

    use super::*;
    use crate::domain::samples::{
        ADA, APPLICANT, BO, approved, biometrics_scheduled, in_review, oath_scheduled, submitted,
    };

    fn caller(account: Uuid, roles: &[(&str, &str)]) -> Caller {
        Caller {
            identity: Identity::Person(Person {
                account,
                session: Uuid::nil(),
                step_up: false,
                auth_level: 2,
            }),
            roles: roles
                .iter()
                .map(|(role, office)| Role { role: (*role).to_owned(), office: (*office).to_owned() })
                .collect(),
        }
    }

    #[track_caller]
    fn check(caller: Caller, case: &Case, expected: &[Relation]) {
        assert_eq!(relations(&caller, case), expected);
    }

    #[test]
    fn each_relation_needs_its_role_at_its_office() {
        let case = in_review().0;
        check(caller(APPLICANT, &[]), &case, &[Relation::Applicant]);
        check(caller(APPLICANT, &[("supervisor", "NBC")]), &case, &[Relation::Applicant]);
        check(caller(ADA, &[("adjudicator", "NBC")]), &case, &[Relation::Assigned]);
        check(caller(ADA, &[]), &case, &[]);
        check(caller(ADA, &[("adjudicator", "FO-NYC")]), &case, &[]);
        check(caller(BO, &[("adjudicator", "NBC")]), &case, &[]);
        check(caller(BO, &[("supervisor", "NBC")]), &case, &[Relation::Supervisor]);
        check(caller(BO, &[("supervisor", "FO-NYC")]), &case, &[]);
        check(Caller::ANONYMOUS, &case, &[]);
    }

    #[test]
    fn who_acts_for_the_party_is_nothing_else_in_the_case() {
        let attorney = Uuid::from_u128(0x29);
        let active = docket_proto::case_status::events::v1::RepresentationActivated {
            representation_id: Uuid::from_u128(0x28).to_string(),
            representative: attorney.to_string(),
            wishes: None,
        };
        let case = in_review().and(active).0;
        check(caller(attorney, &[]), &case, &[Relation::Representative]);
        check(caller(attorney, &[("supervisor", "NBC")]), &case, &[Relation::Representative]);
        let ended = docket_proto::case_status::events::v1::CaseRepresentationEnded::default();
        check(caller(attorney, &[]), &crate::domain::evolve(case, &ended.into()), &[]);
    }

    #[test]
    fn intake_ends_with_acceptance_and_a_site_begins_with_its_appointment() {
        let intake = || caller(BO, &[("intake_officer", "NBC")]);
        check(intake(), &submitted().0, &[Relation::Intake]);
        check(intake(), &in_review().0, &[]);
        let biometrics = || caller(BO, &[("biometrics_officer", "ASC-NYC")]);
        check(biometrics(), &biometrics_scheduled().0, &[Relation::BiometricsSite]);
        check(biometrics(), &in_review().0, &[]);
        let oath = || caller(BO, &[("oath_officer", "FO-NYC")]);
        check(oath(), &oath_scheduled().0, &[Relation::OathSite]);
        check(oath(), &approved().0, &[]);
        let records = || caller(BO, &[("records_officer", "NBC")]);
        check(records(), &approved().0, &[]);
        check(records(), &approved().and(CardOrdered::default()).0, &[Relation::Records]);
    }
}
