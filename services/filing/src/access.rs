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
            assert!(allowed(&[], &["applicant"], action), "applicant {action}");
            assert!(
                !allowed(&["supervisor", "operator", "finance"], &[], action),
                "nobody without relation {action}"
            );
            let reads = ["GetFiling", "DownloadEvidence"].contains(&action.as_str());
            assert_eq!(allowed(&["adjudicator"], &["assigned_officer"], action), reads, "officer {action}");
            assert!(!allowed(&["operator"], &["assigned_officer"], action), "operator {action}");
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
