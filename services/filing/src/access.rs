//! Who may do what: the policies and the schema they are checked against.

/// The policies.
pub(crate) const POLICIES: &str = include_str!("access.cedar");
/// Their schema.
pub(crate) const SCHEMA: &str = include_str!("access.cedarschema");

#[cfg(test)]
mod tests {
    use docket_service::{Access, Caller, Identity, Person, Resource, Role};
    use uuid::Uuid;

    use super::*;

    fn caller(roles: &[&str]) -> Caller {
        let person =
            Person { account: Uuid::from_u128(1), session: Uuid::from_u128(2), step_up: true, auth_level: 3 };
        let roles = roles.iter().map(|role| Role { role: (*role).to_owned(), office: "NBC".to_owned() });
        Caller { identity: Identity::Person(person), roles: roles.collect() }
    }

    fn allowed(roles: &[&str], relations: &[&'static str], action: &str) -> bool {
        let access = Access::new(POLICIES, SCHEMA).unwrap();
        let resource = Resource {
            kind: "Filing",
            id: Uuid::from_u128(3),
            relations: relations.to_vec(),
            office: None,
            class: "normal",
        };
        access.allows(&caller(roles), action, &resource)
    }

    #[test]
    fn the_matrix_of_rights_holds() {
        let all = Access::new(POLICIES, SCHEMA).unwrap().actions();
        for action in &all {
            let representatives = ["AskReview"].contains(&action.as_str());
            let appearance = ["Representation", "Representations", "RepresentationWishes"]
                .iter()
                .any(|what| action.ends_with(what));
            let helpers = action.ends_with("AsHelper");
            let asked = ["ReadPackageInvitation", "AcceptPackageInvitation", "DeclinePackageInvitation"]
                .contains(&action.as_str());
            let office =
                ["RefuseAppearance", "EndAppearances", "ReinstateRepresentative"].contains(&action.as_str());
            let applicants = !representatives && !appearance && !helpers && !asked && !office;
            assert_eq!(allowed(&[], &["applicant"], action), applicants, "applicant {action}");
            // Who prepares for somebody never signs for them, nor says in their name that it is right or who represents them.
            let own = ["ReturnFiling", "ApproveFiling", "SignFiling", "AppointRepresentative"]
                .contains(&action.as_str());
            assert_eq!(
                allowed(&[], &["representative"], action),
                !own && !appearance && !helpers && !asked && !office,
                "representative {action}"
            );
            assert!(
                !allowed(&["supervisor", "operator", "finance"], &[], action),
                "nobody without relation {action}"
            );
            assert_eq!(allowed(&[], &["helper"], action), helpers, "helper {action}");
            let looks = helpers || action == "ViewEvidence";
            assert_eq!(allowed(&[], &["co_signer"], action), looks, "co-signer {action}");
            let reads =
                ["GetFiling", "DownloadCopy", "DownloadAppearance", "ViewEvidence", "DownloadEvidence"]
                    .contains(&action.as_str());
            // At intake nothing was asked yet, and so nothing answered.
            let decides = reads || action == "ListCaseResponses";
            assert_eq!(allowed(&["adjudicator"], &["assigned_officer"], action), decides, "officer {action}");
            assert_eq!(allowed(&["intake_officer"], &["intake"], action), reads, "intake {action}");
            let refuses = action == "RefuseAppearance";
            let supervises = decides || refuses;
            assert_eq!(allowed(&["supervisor"], &["supervisor"], action), supervises, "supervisor {action}");
            let sees = action == "ListAccesses" || refuses;
            assert_eq!(allowed(&["records_officer"], &["records"], action), sees, "records {action}");
            for relation in ["assigned_officer", "intake", "supervisor", "records"] {
                assert!(!allowed(&["operator"], &[relation], action), "operator {relation} {action}");
            }
            assert!(
                !allowed(&["intake_officer"], &["assigned_officer"], action),
                "intake, assigned {action}"
            );
        }
    }

    #[test]
    fn an_appearance_is_its_makers_its_clients_and_whoever_has_the_code() {
        let may = |relation: &'static str, action: &str| {
            let access = Access::new(POLICIES, SCHEMA).unwrap();
            let relations = vec![relation];
            let id = Uuid::from_u128(3);
            let resource = Resource { kind: "Representation", id, relations, office: None, class: "normal" };
            access.allows(&caller(&[]), action, &resource)
        };
        for (action, who) in [
            ("GetRepresentation", &["representative", "client", "invited"][..]),
            ("ListRepresentations", &["representative", "client"]),
            ("AcceptRepresentation", &["invited"]),
            ("RefuseRepresentation", &["invited"]),
            ("WithdrawRepresentation", &["representative"]),
            ("EndRepresentation", &["client"]),
            ("ChangeRepresentationWishes", &["client"]),
            ("StartDraft", &["representative"]),
            ("AppointRepresentative", &[]),
            ("SignFiling", &[]),
            ("GetFiling", &[]),
            ("DownloadCopy", &[]),
            ("DownloadAppearance", &[]),
        ] {
            for relation in ["representative", "client", "invited", "assigned_officer"] {
                assert_eq!(may(relation, action), who.contains(&relation), "{relation} {action}");
            }
        }
    }

    #[test]
    fn who_was_asked_to_file_a_form_in_a_package_answers_that_and_does_nothing_else_there() {
        let access = Access::new(POLICIES, SCHEMA).unwrap();
        let (id, relations) = (Uuid::from_u128(3), vec!["asked"]);
        for action in access.actions() {
            let answers = ["ReadPackageInvitation", "AcceptPackageInvitation", "DeclinePackageInvitation"]
                .contains(&action.as_str());
            let package =
                Resource { kind: "Package", id, relations: relations.clone(), office: None, class: "normal" };
            assert_eq!(access.allows(&caller(&[]), &action, &package), answers, "{action}");
            assert!(!allowed(&[], &["asked"], &action), "no filing: {action}");
        }
    }

    #[test]
    fn every_method_for_persons_has_its_action() {
        let actions = Access::new(POLICIES, SCHEMA).unwrap().actions();
        for method in
            docket_proto::METHODS.iter().filter(|m| m.path.starts_with("/docket.filing.") && m.person)
        {
            let name = method.path.rsplit('/').next().unwrap();
            assert!(actions.iter().any(|action| action == name), "{name}");
        }
    }
}
