//! Who may do what: the policies, their schema, and the caller's relations to a case.

use docket_service::{ApiError, Base, Caller, Resource};
use uuid::Uuid;

use crate::domain::Matter;

/// The policies.
pub(crate) const POLICIES: &str = include_str!("access.cedar");
/// Their schema.
pub(crate) const SCHEMA: &str = include_str!("access.cedarschema");

/// Asks the policies whether the caller may do `action` in a case. One that is not there is asked about too, as a
/// case to which nobody has a relation: the same path and the same answer.
///
/// # Errors
/// `NOT_FOUND`, `PERMISSION_DENIED`.
pub(crate) fn require(
    base: &Base,
    caller: &Caller,
    action: &str,
    case: Uuid,
    matter: Option<&Matter>,
) -> Result<(), ApiError> {
    let relations = match (caller.account(), matter) {
        (Some(account), Some(matter)) => relations(account, matter),
        _ => Vec::new(),
    };
    let office = matter.map(|matter| matter.office.as_str()).filter(|office| !office.is_empty());
    base.access.require(
        caller,
        action,
        &Resource { kind: "Case", id: case, relations, office, class: "normal" },
    )
}

/// Whoever is the party is nothing else in that case, whatever roles they hold.
pub(crate) fn relations(account: Uuid, matter: &Matter) -> Vec<&'static str> {
    if matter.account == account {
        vec!["party"]
    } else if matter.representative == Some(account) {
        vec!["representative"]
    } else if matter.officer == Some(account) {
        vec!["assigned_officer"]
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use docket_service::{Access, Identity, Person, Role};

    use super::*;
    use crate::domain::samples;

    fn caller(account: Uuid, roles: &[&str]) -> Caller {
        let person = Person { account, session: Uuid::from_u128(9), step_up: true, auth_level: 3 };
        let roles = roles.iter().map(|role| Role { role: (*role).to_owned(), office: "NBC".to_owned() });
        Caller { identity: Identity::Person(person), roles: roles.collect() }
    }

    fn allowed(account: Uuid, roles: &[&str], office: &str, action: &str) -> bool {
        let matter = Matter { office: office.to_owned(), ..samples::matter() };
        let resource = Resource {
            kind: "Case",
            id: matter.case,
            relations: relations(account, &matter),
            office: Some(office),
            class: "normal",
        };
        Access::new(POLICIES, SCHEMA).unwrap().allows(&caller(account, roles), action, &resource)
    }

    #[test]
    fn the_matrix_of_rights_holds() {
        let matter = samples::matter();
        let (party, officer, other) = (matter.account, matter.officer.unwrap(), Uuid::from_u128(99));
        let attorney = matter.representative.unwrap();
        for action in Access::new(POLICIES, SCHEMA).unwrap().actions() {
            let answers = ["SendMessage", "ListThreads"].contains(&action.as_str());
            // These are about an account and no case.
            let own = action == "ListDeliveries" || action.contains("Text");
            assert_eq!(allowed(party, &[], "NBC", &action), !own, "party {action}");
            assert_eq!(allowed(attorney, &["supervisor"], "NBC", &action), !own, "representative {action}");
            assert_eq!(allowed(officer, &["adjudicator"], "NBC", &action), answers, "officer {action}");
            assert!(!allowed(officer, &[], "NBC", &action), "no role any more {action}");
            assert_eq!(allowed(other, &["supervisor"], "NBC", &action), answers, "supervisor {action}");
            assert!(!allowed(other, &["supervisor"], "FO-NYC", &action), "other office {action}");
            assert!(
                !allowed(other, &["adjudicator", "operator", "finance"], "NBC", &action),
                "stranger {action}"
            );
        }
    }

    #[test]
    fn every_method_for_persons_has_its_action() {
        let actions = Access::new(POLICIES, SCHEMA).unwrap().actions();
        for method in
            docket_proto::METHODS.iter().filter(|m| m.path.starts_with("/docket.notifications.") && m.person)
        {
            let name = method.path.rsplit('/').next().unwrap();
            assert!(actions.iter().any(|action| action == name), "{name}");
        }
    }
}
